package acceptance

import (
	"net/http"
	"strings"
	"testing"
)

func TestSigningOutInTheConsoleSignsOutAtTheSAMLProviderToo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		b.signIn(h.viaSAML, ada.Email)
		visit, err := b.session()
		if err != nil {
			t.Fatal(err)
		}
		before := len(h.saml.Received())
		target := onwardOf(t, b.post("/signout", nil))
		if _, err := b.session(); err == nil {
			t.Error("the session is there until the provider answers")
		}
		res := b.get(target.String())
		if got := h.saml.Received()[before:]; res.StatusCode != http.StatusFound || len(got) != 1 || got[0].NameID.Value != ada.Subject || got[0].SessionIndex != visit.Session.SessionIndex {
			t.Fatalf("the provider answered %d %s", res.StatusCode, res.body)
		}
		end := b.get(res.Header.Get("Location"))
		if end.Header.Get("Location") != "/signin?done=signed-out" {
			t.Fatalf("the provider's answer leads to %q: %+v", end.Header.Get("Location"), h.lastTrace())
		}
		if page := b.get(end.Header.Get("Location")); !strings.Contains(page.body, "You are signed out.") {
			t.Errorf("the page says %s", page.body)
		}
	})
}
