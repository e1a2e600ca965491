package console_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"html"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/console"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/drawbridge-id/drawbridge/web"
)

const password = "a bridge over quiet water"

// site is a running console over a real database, with some people in it.
type site struct {
	t     *testing.T
	url   string
	mux   *http.ServeMux
	prov  *provisioning.Service
	authn *authn.Service
	acme  identity.Tenant
	root  identity.User // a Super Admin
	ada   identity.User // administrator of Acme
	vera  identity.User // viewer in Acme
	push  identity.Actor
}

// start serves a console as the program does. Two people have landed and wait.
func start(t *testing.T, db *store.DB) *site {
	t.Helper()
	return startWith(t, db, nil)
}

func startWith(t *testing.T, db *store.DB, log *slog.Logger) *site {
	t.Helper()
	model := must(access.Load(storetest.Model))(t)
	s := &site{t: t, mux: http.NewServeMux(), prov: provisioning.New(db, model), authn: authn.New(db, model)}
	srv := httptest.NewUnstartedServer(nil)
	s.url = "http://" + srv.Listener.Addr().String()
	console.New(console.Options{Provisioning: s.prov, Authn: s.authn, URL: s.url, Metadata: readMetadata, Explain: explain, Log: log}).Routes(s.mux)
	srv.Config.Handler = web.New(web.Options{Log: slog.New(slog.DiscardHandler), URL: s.url, Uploads: console.Uploads()}).Handler(s.mux)
	srv.Start()
	t.Cleanup(srv.Close)
	s.fill(t.Context())
	return s
}

func (s *site) fill(ctx context.Context) {
	s.t.Helper()
	s.root = s.user(ctx, "root@bridge.example", "Ingrid Root", "", "superadmin")
	s.acme = must(s.prov.CreateTenant(ctx, identity.Operator(), "Acme Logistics"))(s.t)
	s.ada = s.user(ctx, "ada@acme.example", "Ada Lovelace", s.acme.ID, "administrator")
	s.vera = s.user(ctx, "vera@acme.example", "Vera Viewer", s.acme.ID, "viewer")
	dir, _, err := s.prov.CreateDirectory(ctx, identity.Operator(), identity.Directory{Name: "Okta of the house", Dialect: identity.DialectOkta})
	if err != nil {
		s.t.Fatal(err)
	}
	s.push = identity.Actor{Kind: identity.ActorDirectory, ID: string(dir.ID), Label: dir.Name, Door: "scim"}
	s.land(ctx, "grace@partner.example", "Grace Hopper")
	s.land(ctx, "alan@partner.example", "Alan Kay")
}

// user creates somebody with the password of all, as the command line does.
func (s *site) user(ctx context.Context, email, name string, tenant identity.TenantID, role identity.RoleID) identity.User {
	s.t.Helper()
	hash := must(s.authn.HashPassword(ctx, password))(s.t)
	return must(s.prov.CreateUser(ctx, identity.Operator(), provisioning.NewUser{User: person(email, name, tenant), Role: role, PasswordHash: hash}))(s.t)
}

// land pushes somebody into the landing tenant, as a directory does.
func (s *site) land(ctx context.Context, email, name string) identity.User {
	s.t.Helper()
	return must(s.prov.CreateUser(ctx, s.push, provisioning.NewUser{User: person(email, name, "")}))(s.t)
}

func person(email, name string, tenant identity.TenantID) identity.User {
	return identity.User{
		UserName: email, DisplayName: name, TenantID: tenant, Enabled: true, ExternalID: "x-" + email,
		Emails: []identity.Email{{Value: email, Type: "work", Primary: true}},
	}
}

// now reads a user as the database has it.
func (s *site) now(id identity.UserID) identity.User {
	s.t.Helper()
	return must(s.prov.User(s.t.Context(), identity.Operator(), id))(s.t)
}

// must hands on a result, or ends the test on an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// readMetadata stands for the reader of package sso: it takes any descriptor and refuses everything else.
func readMetadata(_ context.Context, source string, _ identity.SAMLSettings) (identity.SAMLSettings, error) {
	if !strings.Contains(source, "<EntityDescriptor") {
		return identity.SAMLSettings{}, identity.Errorf(identity.Invalid, "This is no SAML metadata.").WithField("metadata")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity.SAMLSettings{}, err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	return identity.SAMLSettings{EntityID: "https://idp.example/", SSOURL: "https://idp.example/sso", Certificates: [][]byte{der}}, err
}

// explain stands for the explanation of package sso: it refuses every message with its own words.
func explain(_ context.Context, _ identity.Actor, p identity.Pasted) (identity.Trace, error) {
	return identity.Trace{Code: "test.refused", Checks: []identity.Check{{Name: "pasted", Result: identity.Failed, Got: strings.TrimSpace(p.Input + " " + p.At), Fix: "Do something."}}}, nil
}

// browser is a client with cookies that follows redirects.
type browser struct {
	t      *testing.T
	url    string
	client *http.Client
}

func (s *site) browser() *browser {
	s.t.Helper()
	return &browser{t: s.t, url: s.url, client: &http.Client{Jar: must(cookiejar.New(nil))(s.t), Timeout: 30 * time.Second}}
}

// signedIn is a browser of somebody with the password of all.
func (s *site) signedIn(email string) *browser {
	s.t.Helper()
	b := s.browser()
	b.post("/signin", url.Values{"email": {email}, "password": {password}}).is(http.StatusOK)
	return b
}

// reply is what a browser shows in the end.
type reply struct {
	t      *testing.T
	status int
	path   string // after redirects, with the query
	body   string
	header http.Header
}

func (b *browser) get(path string) reply {
	b.t.Helper()
	return b.do(must(http.NewRequest(http.MethodGet, b.url+path, nil))(b.t))
}

// post sends a form, with further headers as pairs.
func (b *browser) post(path string, form url.Values, headers ...string) reply {
	b.t.Helper()
	r := must(http.NewRequest(http.MethodPost, b.url+path, strings.NewReader(form.Encode())))(b.t)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.do(r)
}

func (b *browser) do(r *http.Request) reply {
	b.t.Helper()
	resp := must(b.client.Do(r))(b.t)
	defer resp.Body.Close()
	body := must(io.ReadAll(resp.Body))(b.t)
	return reply{t: b.t, status: resp.StatusCode, path: resp.Request.URL.RequestURI(), body: string(body), header: resp.Header}
}

// is ends the test unless the answer has the status.
func (r reply) is(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s answered %d, not %d: %s", r.path, r.status, status, r.text())
	}
	return r
}

// at ends the test unless the browser ended at the path.
func (r reply) at(path string) reply {
	r.t.Helper()
	if r.path != path {
		r.t.Fatalf("the browser is at %s, not at %s: %s", r.path, path, r.text())
	}
	return r
}

// says ends the test unless a reader sees every text on the page.
func (r reply) says(wants ...string) reply {
	r.t.Helper()
	for _, want := range wants {
		if !strings.Contains(r.text(), want) {
			r.t.Fatalf("%s does not say %q: %s", r.path, want, r.text())
		}
	}
	return r
}

// has ends the test unless the page's text in HTML has every one.
func (r reply) has(wants ...string) reply {
	r.t.Helper()
	for _, want := range wants {
		if !strings.Contains(r.body, want) {
			r.t.Fatalf("%s has no %q: %s", r.path, want, r.body)
		}
	}
	return r
}

// hides ends the test when the page has one of the texts anywhere, seen or unseen.
func (r reply) hides(texts ...string) reply {
	r.t.Helper()
	for _, unwanted := range texts {
		if strings.Contains(r.body, unwanted) {
			r.t.Fatalf("%s has %q: %s", r.path, unwanted, r.text())
		}
	}
	return r
}

// all returns what the group of a pattern finds on the page.
func (r reply) all(pattern string) []string {
	var out []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(r.body, -1) {
		out = append(out, html.UnescapeString(m[1]))
	}
	return out
}

// value returns the one value of a hidden input.
func (r reply) value(name string) string {
	r.t.Helper()
	found := r.all(`type="hidden" name="` + name + `" value="([^"]*)"`)
	if len(found) == 0 {
		r.t.Fatalf("%s has no hidden %s", r.path, name)
	}
	return found[0]
}

var (
	aroundMain = regexp.MustCompile(`(?s)^.*?<main[^>]*>|</main>.*$`)
	tags       = regexp.MustCompile(`<[^>]*>`)
	space      = regexp.MustCompile(`\s+`)
)

// text is what somebody reads of the page beside its menu.
func (r reply) text() string {
	body := tags.ReplaceAllString(aroundMain.ReplaceAllString(r.body, ""), " ")
	return strings.TrimSpace(space.ReplaceAllString(html.UnescapeString(body), " "))
}
