package provisioning_test

import (
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestAChangeCannotTouchWhatIsFixed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		dir := h.directory("Okta", acme.ID, "okta")
		u := h.push(dir, "ada@example.com")
		got := must[identity.User](t)(h.UpdateUser(h.ctx, dir, u.ID, 0, func(x *identity.User) error {
			at := time.Unix(1, 0)
			x.ID, x.TenantID, x.Version, x.CreatedAt, x.DeletedAt, x.LastLoginAt = identity.NewID[identity.UserID](), beta.ID, 99, at, &at, &at
			x.Held, x.DisplayName = true, "Ada"
			return nil
		}))
		now := must[identity.User](t)(h.User(h.ctx, h.op, u.ID))
		for _, x := range []identity.User{got, now} {
			if x.ID != u.ID || x.TenantID != acme.ID || x.Version != u.Version+1 || !x.CreatedAt.Equal(u.CreatedAt) || x.DeletedAt != nil || x.LastLoginAt != nil || x.Held || x.DisplayName != "Ada" {
				t.Errorf("the user is now %+v", x)
			}
		}
	})
}
