package acceptance

import (
	"net/http"
	"testing"
)

func TestE16AnAddressInAnotherCaseIsTheSamePerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		u := h.person(h.tenant().ID, "ADA@Example.COM", "viewer")
		b := h.browser()
		if res := b.signIn(h.viaSAML, ada.Email); res.StatusCode != http.StatusSeeOther {
			t.Fatalf("answered %d: %+v", res.StatusCode, h.lastTrace())
		}
		if visit, err := b.session(); err != nil || visit.User.ID != u.ID {
			t.Fatalf("signed in as %q (%v), want %q", visit.User.UserName, err, u.UserName)
		}
	})
}
