package sso_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

func TestM11OurOwnKeyIsChangedWithoutAFailedSignIn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		first := h.viaSAML.SAML.Certificate
		step := func(step provisioning.KeyStep) identity.SAMLSettings {
			t.Helper()
			c, err := h.people.RotateConnectionKey(t.Context(), h.operator, h.viaSAML.ID, step)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.SAML.Key) != 0 || len(c.SAML.Standby) > 0 && len(c.SAML.Standby[0].Key) != 0 {
				t.Fatal("a private key is shown")
			}
			return c.SAML
		}
		shown := func(certificates ...[]byte) {
			t.Helper()
			metadata := h.browser().get(h.at(h.viaSAML, "metadata")).body
			var at int
			for _, der := range certificates {
				text := base64.StdEncoding.EncodeToString(der)
				if strings.Count(metadata, text) != 2 || strings.Index(metadata, text) < at {
					t.Errorf("the metadata does not show the certificates in their order, for signing and encryption")
				}
				at = strings.Index(metadata, text)
			}
			if n := strings.Count(metadata, "<KeyDescriptor "); n != 2*len(certificates) {
				t.Errorf("the metadata shows %d keys", n)
			}
		}
		// in signs in while the provider demands a signature of one key and encrypts for another.
		in := func(signer, encryptTo []byte, want int) {
			t.Helper()
			client := h.samlSP
			client.Certificate = signer
			h.saml.Register(client)
			h.saml.Change(func(a *ssotest.Answer) { a.EncryptTo = encryptTo })
			b := h.browser()
			if page := b.get(b.toProvider(h.viaSAML, ada.Email, "/console")); page.StatusCode != http.StatusOK {
				t.Fatalf("the provider answered %d: %s", page.StatusCode, page.body)
			} else if res := b.postResponse(responseIn(t, page)); res.StatusCode != want {
				t.Fatalf("answered %d\n%s", res.StatusCode, h.traceText())
			}
		}
		shown(first)
		second := step(provisioning.AddKey).Standby[0].Certificate
		shown(first, second)
		in(first, first, http.StatusSeeOther)
		in(first, second, http.StatusSeeOther)

		if used := step(provisioning.UseKey); string(used.Certificate) != string(second) {
			t.Error("the new key is not in use")
		}
		shown(second, first)
		in(second, first, http.StatusSeeOther)
		in(second, second, http.StatusSeeOther)

		step(provisioning.DropKey)
		shown(second)
		in(second, second, http.StatusSeeOther)
		in(second, first, http.StatusForbidden)
		if code := h.lastTrace().Code; code != "saml.decrypt_failed" {
			t.Errorf("the dropped key: %q", code)
		}
	})
}
