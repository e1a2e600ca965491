package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/console"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestFormsBeginWithTheOneTenantOfAnOrganisation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		model := storetest.Preset(t, db, "fentu-fsm")
		prov, auth := provisioning.New(db, model), authn.New(db, model)
		mux := http.NewServeMux()
		console.New(console.Options{Provisioning: prov, Authn: auth, URL: "http://127.0.0.1"}).Routes(mux)
		root := must(prov.CreateUser(t.Context(), identity.Operator(), provisioning.NewUser{
			User: identity.User{UserName: "root@bridge.example", DisplayName: "Root", Emails: []identity.Email{{Value: "root@bridge.example"}}}, Role: "superadmin", Reason: "first",
		}))(t)
		c := must(prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
			Name: "IdP", Kind: identity.OIDC, Enabled: true, Domains: []string{"bridge.example"}, OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "x", ClientSecret: "y"},
		}))(t)
		cookie, _, err := auth.StartSession(t.Context(), root, identity.Session{ConnectionID: c.ID, Upstream: identity.Upstream{AMR: []string{"mfa"}}}, "")
		if err != nil {
			t.Fatal(err)
		}
		main := must(prov.MainTenant(t.Context()))(t)
		r := httptest.NewRequest("GET", "http://127.0.0.1/console/users/new", nil)
		for _, name := range []string{"drawbridge", "__Host-drawbridge"} {
			r.AddCookie(&http.Cookie{Name: name, Value: cookie})
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if want := `<option value="` + string(main.ID) + `" selected>Main`; !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d: the form has no %s", w.Code, want)
		}
	})
}
