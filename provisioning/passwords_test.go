package provisioning_test

import (
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

func TestAPasswordIsKeptWithItsTermsAndALockIsShown(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ends := time.Now().UTC().Add(time.Hour).Truncate(time.Microsecond)
		u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{
			User: withTenant(person("ada@example.com"), h.tenant("Acme").ID), Role: "viewer",
			PasswordHash: "$2y$06$abcdefghijklmnopqrstuuKZe2ce/HvobmI0VX4ZHsOKNE.vvWmlC", PasswordTerms: identity.PasswordTerms{MustChange: true, Temporary: true, ExpiresAt: &ends, Imported: true},
		}))
		credential := func() (c store.Credential) {
			t.Helper()
			if err := h.db.View(h.ctx, func(tx *store.Tx) (err error) { c, err = tx.Credential(h.ctx, u.ID); return err }); err != nil {
				t.Fatal(err)
			}
			return c
		}
		t.Run("FC-59 a password that has to be changed", func(t *testing.T) {
			if c := credential(); !c.MustChange || !c.Temporary || !c.Imported || c.ExpiresAt == nil || !c.ExpiresAt.Equal(ends) || c.ChangedAt == nil {
				t.Errorf("it is kept as %+v", c)
			}
		})
		t.Run("FC-18 another name leaves the password as it is", func(t *testing.T) {
			before := credential()
			must[identity.User](t)(h.UpdateUser(h.ctx, h.op, u.ID, 0, func(u *identity.User) error { u.DisplayName = "Ada Lovelace"; return nil }))
			if after := credential(); after.PasswordHash != before.PasswordHash || !after.ChangedAt.Equal(*before.ChangedAt) {
				t.Errorf("it became %+v", after)
			}
		})
		t.Run("FSM-41 an account that takes no passwords for a while is shown as locked until then", func(t *testing.T) {
			until := time.Now().UTC().Add(time.Minute).Truncate(time.Microsecond)
			if err := h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.LockPassword(h.ctx, u.ID, until) }); err != nil {
				t.Fatal(err)
			}
			if got := must[identity.User](t)(h.User(h.ctx, h.op, u.ID)); got.Status() != identity.StatusLocked || got.LockedUntil == nil || !got.LockedUntil.Equal(until) {
				t.Errorf("it is %s until %v", got.Status(), got.LockedUntil)
			}
			if page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.op, identity.Query{Status: identity.StatusLocked, Limit: 10})); len(page.Items) != 1 || page.Items[0].Status() != identity.StatusLocked {
				t.Errorf("the list is %+v", page.Items)
			}
		})
	})
}
