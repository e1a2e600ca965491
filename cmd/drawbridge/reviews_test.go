package main

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func TestTheOperatorSettlesReviewsAndLinks(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		sh.must("user", "create", "--email", "ada@example.com", "--tenant", "Acme", "--role", "viewer")
		if out := sh.must("review", "list"); !strings.Contains(out, "Nobody waits.") {
			t.Errorf("an empty list is %s", out)
		}
		connection := identity.Connection{
			ID: identity.NewID[identity.ConnectionID](), Name: "IdP", Kind: identity.OIDC, Enabled: true, Domains: []string{"example.com"}, Unknown: identity.UnknownRefuse,
			OIDC: identity.OIDCSettings{Issuer: "https://idp.example.com", ClientID: "c", ClientSecret: "s"},
		}
		sh.withDatabase(func(tx *store.Tx) error {
			connection.CreatedAt, connection.UpdatedAt = tx.Now(), tx.Now()
			if err := tx.InsertConnection(t.Context(), connection); err != nil {
				return err
			}
			for _, subject := range []string{"s1", "s2", "s3"} {
				_, err := tx.PutReview(t.Context(), identity.Review{
					ID: identity.NewID[identity.ReviewID](), At: tx.Now(), LastAt: tx.Now(), ConnectionID: connection.ID, Issuer: connection.OIDC.Issuer, Subject: subject,
					Email: subject + "@example.com", Code: "jit.off", Message: "Nobody has the address.", State: identity.ReviewOpen,
				}, 10)
				if err != nil {
					return err
				}
			}
			return nil
		})
		var list struct{ Items []reviewView }
		sh.json(&list, "review", "list", "--connection", "idp")
		if len(list.Items) != 3 {
			t.Fatalf("the list is %+v", list)
		}
		third, second, first := string(list.Items[0].ID), string(list.Items[1].ID), string(list.Items[2].ID)
		sh.refused(2, []string{"--state"}, "review", "list", "--state", "lost")
		sh.refused(2, []string{"no id of a review"}, "review", "dismiss", "x", "--reason", "y")
		if out := sh.must("review", "link", first, "ada@example.com", "--reason", "asked her"); !strings.Contains(out, "s1 of IdP signs in as ada@example.com") {
			t.Errorf("it says %s", out)
		}
		sh.refused(1, []string{"settled this already"}, "review", "link", first, "ada@example.com")
		sh.refused(1, []string{"linked to another subject"}, "review", "link", second, "ada@example.com")
		if out := sh.must("review", "create", second, "--tenant", "Acme", "--role", "editor"); !strings.Contains(out, "Created s2@example.com in Acme as Editor") {
			t.Errorf("it says %s", out)
		}
		if out := sh.must("review", "dismiss", third, "--reason", "a test"); !strings.Contains(out, "Dismissed: s3@example.com") {
			t.Errorf("it says %s", out)
		}
		sh.json(&list, "review", "list", "--state", "dismissed")
		if len(list.Items) != 1 || list.Items[0].Note != "a test" || list.Items[0].SettledBy != "operator" {
			t.Errorf("the dismissed are %+v", list)
		}
		if out := sh.must("user", "unlink", "ada@example.com", "--connection", "IdP"); !strings.Contains(out, "opens ada@example.com no more") {
			t.Errorf("it says %s", out)
		}
		sh.refused(1, []string{"has no link to IdP"}, "user", "unlink", "ada@example.com", "--connection", "IdP")
		sh.must("user", "link", "ada@example.com", "--connection", "IdP", "--subject", "s9", "--reason", "by hand")
		if out := sh.must("user", "show", "ada@example.com"); !strings.Contains(out, "s9") {
			t.Errorf("the link is not shown: %s", out)
		}
	})
}
