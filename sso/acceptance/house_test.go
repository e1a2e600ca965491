package acceptance

import (
	"bytes"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/console"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/scim"
	"github.com/drawbridge-id/drawbridge/sso"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/drawbridge-id/drawbridge/web"
)

const password = "a bridge over quiet water"

var ada = ssotest.Person{Subject: "00u-ada", Email: "ada@example.com", GivenName: "Ada", FamilyName: "Lovelace"}

// house is Drawbridge with all its doors on a database, and two providers that listen, with a connection to each.
type house struct {
	t       testing.TB
	db      *store.DB
	people  *provisioning.Service
	authn   *authn.Service
	door    *sso.Door
	url     string
	saml    *ssotest.SAML
	oidc    *ssotest.OIDC
	viaSAML identity.Connection
	viaOIDC identity.Connection
	log     *bytes.Buffer

	transport http.RoundTripper // of every browser
}

// providers listen once for all tests, because keys are slow to make; each house registers itself.
var providers = sync.OnceValues(func() (*ssotest.SAML, *ssotest.OIDC) {
	var saml *ssotest.SAML
	var oidc *ssotest.OIDC
	mux := http.NewServeMux()
	mux.HandleFunc("/saml/", func(w http.ResponseWriter, r *http.Request) { saml.ServeHTTP(w, r) })
	mux.HandleFunc("/oidc/", func(w http.ResponseWriter, r *http.Request) { oidc.ServeHTTP(w, r) })
	server := httptest.NewServer(mux)
	var err error
	if saml, err = ssotest.NewSAML(server.URL+"/saml", ada); err != nil {
		panic(err)
	}
	if oidc, err = ssotest.NewOIDC(server.URL+"/oidc", ada); err != nil {
		panic(err)
	}
	return saml, oidc
})

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, build(t, db)) })
}

func build(t testing.TB, db *store.DB) *house {
	t.Helper()
	return buildOver(t, db, false)
}

// buildOver is build with or without https in front.
func buildOver(t testing.TB, db *store.DB, secure bool) *house {
	t.Helper()
	model, err := access.Load(storetest.Model)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: db, people: provisioning.New(db, model), authn: authn.New(db, model), log: &bytes.Buffer{}}
	h.saml, h.oidc = providers()
	t.Cleanup(func() { h.saml.Change(nil); h.oidc.Change(nil); h.oidc.ChangeUserInfo(nil) })
	server := httptest.NewUnstartedServer(nil)
	h.url = "http://" + server.Listener.Addr().String()
	if secure {
		h.url = "https://" + server.Listener.Addr().String()
	}
	cookies := web.Cookies{Secure: secure}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	mux := http.NewServeMux()
	h.door = sso.New(sso.Options{Provisioning: h.people, Authn: h.authn, URL: h.url, Cookies: cookies, AllowPrivate: true, Log: log})
	h.door.Routes(mux)
	scim.New(scim.Options{Provisioning: h.people, Authn: h.authn, URL: h.url, Log: log}).Routes(mux)
	console.New(console.Options{
		Provisioning: h.people, Authn: h.authn, URL: h.url, Cookies: cookies, Metadata: h.door.Metadata, Refresh: h.door.Refresh, Logout: h.door.Logout,
		Explain: h.door.Explain, Begin: h.door.Begin, Log: log,
	}).Routes(mux)
	server.Config.Handler = web.New(web.Options{Log: log, URL: h.url}).Handler(mux)
	start := server.Start
	if secure {
		start = server.StartTLS
	}
	start()
	h.transport = server.Client().Transport
	t.Cleanup(server.Close)
	h.connect()
	return h
}

// connect makes a SAML and an OIDC connection of the installation for example.com, and makes us known at both providers.
func (h *house) connect() {
	h.t.Helper()
	settings, err := h.door.Metadata(h.t.Context(), h.saml.EntityID(), identity.SAMLSettings{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.viaSAML = h.create(identity.Connection{Name: "SAML", Kind: identity.SAML, SAML: settings})
	h.viaOIDC = h.create(identity.Connection{Name: "OIDC", Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: h.oidc.Issuer(), ClientID: "c-" + identity.NewSecret(""), ClientSecret: "s3cret"}})
	h.register(h.viaSAML)
	h.register(h.viaOIDC)
}

// create makes a connection; what it does not say is: trusted for example.com, unknown people land.
func (h *house) create(c identity.Connection) identity.Connection {
	h.t.Helper()
	if c.Unknown == "" {
		c.Unknown = identity.UnknownLanding
	}
	if len(c.Domains) == 0 {
		c.Domains = []string{"example.com"}
	}
	c, err := h.people.CreateConnection(h.t.Context(), identity.Operator(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// register makes a connection known at its provider.
func (h *house) register(c identity.Connection) {
	if c.Kind == identity.SAML {
		h.saml.Register(ssotest.SAMLClient{EntityID: h.at(c, "metadata"), ACS: h.at(c, "acs"), SLO: h.at(c, "slo"), Certificate: c.SAML.Certificate})
		return
	}
	h.oidc.Register(ssotest.OIDCClient{ID: c.OIDC.ClientID, Secret: "s3cret", RedirectURI: h.at(c, "callback")})
}

// at returns an address of a connection.
func (h *house) at(c identity.Connection, what string) string {
	return h.url + "/sso/" + string(c.ID) + "/" + what
}

// tenant creates a tenant with a name of its own.
func (h *house) tenant() identity.Tenant {
	h.t.Helper()
	tenant, err := h.people.CreateTenant(h.t.Context(), identity.Operator(), "Tenant "+identity.NewSecret("")[:8])
	if err != nil {
		h.t.Fatal(err)
	}
	return tenant
}

// person creates somebody in a tenant (none: above all tenants) with a role, who has the test's password.
func (h *house) person(tenant identity.TenantID, email string, role identity.RoleID) identity.User {
	h.t.Helper()
	hash, err := h.authn.HashPassword(h.t.Context(), password)
	if err != nil {
		h.t.Fatal(err)
	}
	u, err := h.people.CreateUser(h.t.Context(), identity.Operator(), provisioning.NewUser{
		User: identity.User{TenantID: tenant, UserName: email, Enabled: true, Emails: []identity.Email{{Value: email, Primary: true}}}, Role: role, PasswordHash: hash,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

// lastTrace returns the newest trace.
func (h *house) lastTrace() identity.Trace {
	h.t.Helper()
	page, err := h.people.Traces(h.t.Context(), identity.Operator(), provisioning.TraceQuery{Limit: 1})
	if err != nil || len(page.Items) == 0 {
		h.t.Fatalf("no trace (%v)", err)
	}
	return page.Items[0]
}

// browser keeps cookies and follows no redirect by itself.
type browser struct {
	h      *house
	client *http.Client
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{h, &http.Client{Jar: jar, Transport: h.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// reply is an answer with its body read.
type reply struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request, err error) reply {
	b.h.t.Helper()
	if err != nil {
		b.h.t.Fatal(err)
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.h.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.h.t.Fatal(err)
	}
	return reply{res, string(body)}
}

// get asks for an address: a whole one, or a path of ours.
func (b *browser) get(address string) reply {
	b.h.t.Helper()
	return b.do(http.NewRequest(http.MethodGet, b.h.whole(address), nil))
}

// post sends a form of one of our own pages.
func (b *browser) post(address string, form url.Values) reply {
	b.h.t.Helper()
	return b.send(address, form, b.h.url, "same-origin")
}

// postFromAfar sends a form as a page of the provider does.
func (b *browser) postFromAfar(address string, form url.Values) reply {
	b.h.t.Helper()
	return b.send(address, form, "https://idp.example.com", "cross-site")
}

func (b *browser) send(address string, form url.Values, origin, site string) reply {
	b.h.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.h.whole(address), strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", site)
	}
	return b.do(r, err)
}

func (h *house) whole(address string) string {
	if strings.HasPrefix(address, "/") {
		return h.url + address
	}
	return address
}

var inputValue = regexp.MustCompile(`name="SAMLResponse" value="([^"]*)"`)

// atProvider follows a redirect of ours to the provider as the person with that address, and comes back: it returns our answer.
func (b *browser) atProvider(c identity.Connection, start reply, email string) reply {
	b.h.t.Helper()
	if start.StatusCode != http.StatusFound && start.StatusCode != http.StatusSeeOther {
		b.h.t.Fatalf("no redirect to the provider but %d: %s", start.StatusCode, start.body)
	}
	page := b.get(start.Header.Get("Location") + "&" + ssotest.LoginParameter + "=" + url.QueryEscape(email))
	if c.Kind == identity.OIDC {
		if page.StatusCode != http.StatusFound {
			b.h.t.Fatalf("the provider answered %d: %s", page.StatusCode, page.body)
		}
		return b.get(page.Header.Get("Location"))
	}
	found := inputValue.FindStringSubmatch(page.body)
	if found == nil {
		b.h.t.Fatalf("the provider answered %d: %s", page.StatusCode, page.body)
	}
	return b.postFromAfar(b.h.at(c, "acs"), url.Values{"SAMLResponse": {html.UnescapeString(found[1])}})
}

// signIn goes the whole way through a connection and returns our last answer.
func (b *browser) signIn(c identity.Connection, email string) reply {
	b.h.t.Helper()
	return b.atProvider(c, b.get(b.h.at(c, "login")), email)
}

// withPassword signs in at the console's own page.
func (b *browser) withPassword(login string) reply {
	b.h.t.Helper()
	return b.post("/signin", url.Values{"email": {login}, "password": {password}, "step": {"password"}})
}

// session returns who this browser is signed in as.
func (b *browser) session() (authn.Visit, error) {
	u, err := url.Parse(b.h.url)
	if err != nil {
		return authn.Visit{}, err
	}
	var cookie string
	for _, c := range b.client.Jar.Cookies(u) {
		if strings.TrimPrefix(c.Name, "__Host-") == "drawbridge" {
			cookie = c.Value
		}
	}
	return b.h.authn.Session(b.h.t.Context(), cookie)
}
