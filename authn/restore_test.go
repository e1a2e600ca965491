package authn_test

import (
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func TestALinkToANewPasswordIsWorthNothingInAMailboxThatTheAccountLeft(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "viewer")
		h.change(ada, func(u *identity.User) { u.Emails = []identity.Email{{Value: "ada@old.example", Primary: true}} })
		tok := identity.NewSecret(identity.MailLinkPrefix)
		h.update(func(tx *store.Tx) error {
			return tx.InsertMailLink(t.Context(), identity.MailLink{
				ID: identity.NewID[identity.MailLinkID](), Kind: identity.LinkReset, UserID: ada.ID, TenantID: ada.TenantID, Email: "ada@old.example",
				CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour),
			}, identity.HashSecret(tok))
		})
		h.change(ada, func(u *identity.User) { u.Emails = []identity.Email{{Value: "ada@new.example", Primary: true}} })
		_, err := h.RestorePassword(t.Context(), tok, strong)
		wantCode(t, err, identity.NotFound, "link.over")
		h.change(ada, func(u *identity.User) { u.Emails = []identity.Email{{Value: "Ada@Old.example", Primary: true}} })
		if _, err := h.RestorePassword(t.Context(), tok, strong); err != nil {
			t.Errorf("the mailbox that the account has: %v", err)
		}
	})
}
