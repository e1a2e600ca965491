package api_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/api"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/drawbridge-id/drawbridge/web"
)

const password = "Correct horse 7 battery"

// house is the door on a real server and a real database.
type house struct {
	t     *testing.T
	url   string
	db    *store.DB
	model *access.Model
	prov  *provisioning.Service
	authn *authn.Service
	acme  identity.Tenant
	root  identity.User // a Super Admin
}

func build(t *testing.T, db *store.DB, o api.Options) *house {
	t.Helper()
	model, err := access.Load(storetest.Model)
	if err != nil {
		t.Fatal(err)
	}
	return buildOn(t, db, model, o)
}

func buildOn(t *testing.T, db *store.DB, model *access.Model, o api.Options) *house {
	t.Helper()
	h := &house{t: t, db: db, model: model, prov: provisioning.New(db, model), authn: authn.New(db, model)}
	h.url = serve(t, h.prov, h.authn, o)
	if model.Single() {
		h.acme = h.main()
	} else {
		h.acme = h.tenant("Acme")
	}
	h.root = h.person("root@bridge.example", "", "superadmin")
	return h
}

// serve opens the door and returns its address.
func serve(t *testing.T, prov *provisioning.Service, checks *authn.Service, o api.Options) string {
	t.Helper()
	o.Provisioning, o.Authn = prov, checks
	mux := http.NewServeMux()
	api.New(o).Routes(mux)
	srv := httptest.NewServer(web.New(web.Options{Log: slog.New(slog.DiscardHandler), URL: "http://127.0.0.1"}).Handler(mux))
	t.Cleanup(srv.Close)
	return srv.URL
}

// main returns the one tenant of an installation that has one.
func (h *house) main() identity.Tenant {
	h.t.Helper()
	tenant, err := h.prov.TenantByName(h.t.Context(), identity.Operator(), h.model.MainTenant())
	must(h.t, err)
	return tenant
}

func (h *house) tenant(name string) identity.Tenant {
	h.t.Helper()
	tenant, err := h.prov.CreateTenant(h.t.Context(), identity.Operator(), name)
	if err != nil {
		h.t.Fatal(err)
	}
	return tenant
}

// person makes somebody with the password of all.
func (h *house) person(email string, tenant identity.TenantID, role identity.RoleID) identity.User {
	h.t.Helper()
	hash, err := h.authn.HashPassword(h.t.Context(), password)
	if err != nil {
		h.t.Fatal(err)
	}
	u, err := h.prov.CreateUser(h.t.Context(), identity.Operator(), provisioning.NewUser{
		User: identity.User{UserName: email, DisplayName: email, TenantID: tenant, Emails: []identity.Email{{Value: email, Type: "work", Primary: true}}},
		Role: role, PasswordHash: hash, Reason: "test",
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

// key makes a key for somebody.
func (h *house) key(u identity.User) (identity.APIKey, string) {
	h.t.Helper()
	k, secret, err := h.authn.CreateAPIKey(h.t.Context(), identity.Operator(), u.ID, "nightly", "")
	if err != nil {
		h.t.Fatal(err)
	}
	return k, secret
}

// reply is an answer of the door.
type reply struct {
	status int
	header http.Header
	body   map[string]any
}

func (r reply) text(field string) string {
	s, _ := r.body[field].(string)
	return s
}

// do sends a request with a key as a bearer token; a body that is a string is a form, another one JSON.
func (h *house) do(method, path, key string, body any) reply {
	h.t.Helper()
	var content io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case string:
		content, kind = strings.NewReader(b), "application/x-www-form-urlencoded"
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			h.t.Fatal(err)
		}
		content = strings.NewReader(string(raw))
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, content)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return h.send(req)
}

func (h *house) send(req *http.Request) reply {
	h.t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	r := reply{status: res.StatusCode, header: res.Header}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &r.body); err != nil {
			h.t.Fatalf("%s %s: %s: %v", req.Method, req.URL, raw, err)
		}
	}
	return r
}

// want fails the test when a request is answered otherwise than with this status and code.
func (h *house) want(r reply, status int, code string) {
	h.t.Helper()
	if r.status != status || r.text("code") != code {
		h.t.Errorf("answered %d %v, want %d %q", r.status, r.body, status, code)
	}
}

// events counts the events of a type about somebody.
func (h *house) events(u identity.User, kind identity.EventType) int {
	h.t.Helper()
	page, err := h.prov.Events(h.t.Context(), identity.Operator(), provisioning.EventQuery{UserID: u.ID, Limit: 200})
	if err != nil {
		h.t.Fatal(err)
	}
	n := 0
	for _, e := range page.Items {
		if e.Type == kind {
			n++
		}
	}
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
