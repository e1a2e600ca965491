package console_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/console"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/drawbridge-id/drawbridge/web"
)

// house is a site of one of the access models that come along: Acme Logistics where there are several tenants, else the one organisation. It has one person for
// each role that can be given there, by the role's id at house.example.
type house struct {
	*site
	preset string
	home   identity.Tenant
	people map[identity.RoleID]identity.User
	boss   identity.User // who may do most within the tenant
	door   identity.ConnectionID
}

// newHouse builds one on a fresh SQLite database.
func newHouse(t *testing.T, preset string) *house {
	t.Helper()
	return houseOn(t, storetest.SQLite(t), preset)
}

func houseOn(t *testing.T, db *store.DB, preset string) *house {
	t.Helper()
	model := storetest.Preset(t, db, preset)
	s := &site{t: t, mux: http.NewServeMux(), prov: provisioning.New(db, model), authn: authn.New(db, model)}
	srv := httptest.NewUnstartedServer(nil)
	s.url = "http://" + srv.Listener.Addr().String()
	s.prov.LeadTo(s.url)
	s.prov.AllowRegistration(true)
	console.New(console.Options{Provisioning: s.prov, Authn: s.authn, URL: s.url, Metadata: readMetadata, Explain: explain}).Routes(s.mux)
	srv.Config.Handler = web.New(web.Options{Log: slog.New(slog.DiscardHandler), URL: s.url, Uploads: console.Uploads()}).Handler(s.mux)
	srv.Start()
	t.Cleanup(srv.Close)
	h := &house{site: s, preset: preset, people: map[identity.RoleID]identity.User{}}
	h.furnish()
	return h
}

func (h *house) furnish() {
	h.t.Helper()
	ctx := h.t.Context()
	if h.prov.Model().Single() {
		h.home = must(h.prov.MainTenant(ctx))(h.t)
	} else {
		h.home = must(h.prov.CreateTenant(ctx, identity.Operator(), "Acme Logistics"))(h.t)
	}
	h.acme = h.home
	h.door = must(h.prov.CreateConnection(ctx, identity.Operator(), identity.Connection{
		Name: "IdP of the house", Kind: identity.OIDC, Enabled: true, Domains: []string{"house.example"},
		OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "x", ClientSecret: "y"},
	}))(h.t).ID
	for _, role := range must(h.prov.Roles(ctx, identity.Operator()))(h.t) {
		tenant := h.home.ID
		if role.Scope == identity.ScopePlatform {
			tenant = ""
		}
		u, err := h.hire(string(role.ID)+"@house.example", role.Title+" Person", tenant, role.ID)
		if err != nil {
			continue // nobody can be given this role, as an owner's
		}
		h.people[role.ID] = u
		switch {
		case role.Scope == identity.ScopePlatform:
			h.root = u
		case h.boss.ID == "":
			h.boss = u // the models begin with the role that may do most
		}
	}
	if h.root.ID == "" {
		h.root = h.boss
	}
}

// hire makes somebody as the operator does.
func (h *house) hire(email, name string, tenant identity.TenantID, role identity.RoleID) (identity.User, error) {
	return h.prov.CreateUser(h.t.Context(), identity.Operator(), provisioning.NewUser{User: person(email, name, tenant), Role: role, Reason: "lives here"})
}

// browse opens a browser in which somebody is signed in already, at a page.
func (h *house) browse(who identity.User, path string) *screen {
	h.t.Helper()
	b := open(h.t, h.url)
	h.enter(b, who)
	b.goTo(path)
	return b
}

// enter makes a browser somebody's.
func (h *house) enter(b *screen, who identity.User) {
	h.t.Helper()
	cookie, _, err := h.authn.StartSession(h.t.Context(), who, identity.Session{ConnectionID: h.door, Upstream: identity.Upstream{AMR: []string{"mfa"}}}, "")
	if err != nil {
		h.t.Fatal(err)
	}
	b.run(chromedp.Navigate("about:blank"), network.SetCookie("drawbridge", cookie).WithURL(h.url).WithHTTPOnly(true))
}

func TestEveryAccessModelHasAHouseWithADoor(t *testing.T) {
	for _, preset := range []string{"etlworks", "fentu-connect", "fentu-fsm", "fintechos", "fluentpro-backup"} {
		h := newHouse(t, preset)
		b := h.browse(h.boss, "/console/users")
		var title string
		b.run(chromedp.Text("h1", &title, chromedp.ByQuery))
		if want := h.prov.Model().Caption("users_page", "Users"); title != want {
			t.Errorf("%s: the page is called %q, not %q", preset, title, want)
		}
		b.calm(preset)
	}
}
