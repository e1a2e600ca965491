package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestSomebodyWhoLeavesHandsOverAndThereIsEvidence(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		nina := s.user(t.Context(), "nina@acme.example", "Nina Leaver", s.acme.ID, "editor")
		h := identity.Holding{HoldingKey: identity.HoldingKey{Application: "flows", Kind: identity.Ownership, ForeignID: "f-1"}, Display: "Nightly flow", UserID: nina.ID}
		must(s.prov.PutHolding(t.Context(), identity.Operator(), h))(t)
		b, user := s.signedIn("ada@acme.example"), "/console/users/"+string(nina.ID)
		b.get(user).has(user + "/offboard")
		b.get(user+"/offboard").is(http.StatusOK).says("Nightly flow", "cannot sign in")
		b.post(user+"/offboard", url.Values{"successor": {"nobody@acme.example"}, "reason": {"left"}}).is(http.StatusBadRequest).says("Nobody has the address").has(`value="nobody@acme.example"`, `value="left"`)
		b.post(user+"/offboard", url.Values{"successor": {"ada@acme.example"}}).is(http.StatusBadRequest).says("Say why")
		page := b.post(user+"/offboard", url.Values{"successor": {"ADA@acme.example"}, "reason": {"left the company"}}).is(http.StatusOK).says("Access has ended", "Nightly flow", "asked for", "Ada Lovelace")
		if s.now(nina.ID).Enabled {
			t.Error("Nina can still come in")
		}
		at, _, _ := strings.Cut(page.path, "?")
		b.get("/console/offboardings").is(http.StatusOK).says("Nina Leaver", "left the company")
		for _, format := range []string{"csv", "xlsx"} {
			got := b.get(at + "/evidence/" + format).is(http.StatusOK)
			if !strings.Contains(got.header.Get("Content-Disposition"), "offboarding."+format) || len(got.body) < 100 {
				t.Errorf("the evidence as %s is %d bytes, %s", format, len(got.body), got.header.Get("Content-Disposition"))
			}
		}
		b.get(at + "/close").says("1 thing is left")
		b.post(at+"/close", nil).is(http.StatusBadRequest).says("Say why")
		t.Run("a viewer sees none of it and is refused", func(t *testing.T) {
			vera := s.signedIn("vera@acme.example")
			for _, path := range []string{user + "/offboard", "/console/offboardings", at, at + "/close", at + "/cancel", at + "/evidence/csv"} {
				vera.get(path).is(http.StatusForbidden)
			}
			for _, path := range []string{user + "/offboard", at + "/close", at + "/cancel"} {
				vera.post(path, url.Values{"reason": {"forged"}}).is(http.StatusForbidden)
			}
		})
		b.get(at + "/cancel").says("stays")
		b.post(at+"/cancel", url.Values{"reason": {"a mistake"}}).is(http.StatusOK).says("Stays", "a mistake")
		if !s.now(nina.ID).Enabled {
			t.Error("Nina cannot come in, although she stays")
		}
	})
}
