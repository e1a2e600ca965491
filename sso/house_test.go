package sso_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/drawbridge-id/drawbridge/web"
)

var ada = ssotest.Person{Subject: "00u-ada", Email: "ada@example.com", GivenName: "Ada", FamilyName: "Lovelace"}

// house is Drawbridge with its real mux on a database, and two providers that listen, with a connection to each.
type house struct {
	t        testing.TB
	db       *store.DB
	people   *provisioning.Service
	authn    *authn.Service
	door     *sso.Door
	url      string
	saml     *ssotest.SAML
	oidc     *ssotest.OIDC
	viaSAML  identity.Connection
	viaOIDC  identity.Connection
	samlSP   ssotest.SAMLClient
	log      *bytes.Buffer
	operator identity.Actor

	transport http.RoundTripper // of browsers; nil: the usual one
}

// inOIDC is the time that the OpenID provider has taken, in nanoseconds.
var inOIDC atomic.Int64

// providers listen once for all tests, because keys are slow to make; each house registers itself.
var providers = sync.OnceValues(func() (*ssotest.SAML, *ssotest.OIDC) {
	var saml *ssotest.SAML
	var oidc *ssotest.OIDC
	mux := http.NewServeMux()
	mux.HandleFunc("/saml/", func(w http.ResponseWriter, r *http.Request) { saml.ServeHTTP(w, r) })
	mux.HandleFunc("/oidc/", func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		oidc.ServeHTTP(w, r)
		inOIDC.Add(int64(time.Since(began)))
	})
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

func build(t testing.TB, db *store.DB) *house {
	t.Helper()
	model, err := access.Load(storetest.Model)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: db, people: provisioning.New(db, model), authn: authn.New(db, model), log: &bytes.Buffer{}, operator: identity.Operator()}
	h.saml, h.oidc = providers()
	t.Cleanup(func() {
		h.saml.Change(nil)
		h.saml.ChangeLogout(nil)
		h.saml.ChangeArtifact(nil)
		h.oidc.Change(nil)
		h.oidc.ChangeUserInfo(nil)
	})
	server := httptest.NewUnstartedServer(nil)
	h.url = "http://" + server.Listener.Addr().String()
	log := slog.New(slog.NewTextHandler(h.log, nil))
	h.door = sso.New(sso.Options{Provisioning: h.people, Authn: h.authn, URL: h.url, AllowPrivate: true, Log: log})
	mux := http.NewServeMux()
	h.door.Routes(mux)
	mux.Handle("POST /signout", web.Handle(h.signOut, func(w http.ResponseWriter, _ *http.Request, err error) { http.Error(w, err.Error(), web.Status(err)) }))
	server.Config.Handler = web.New(web.Options{Log: log, URL: h.url}).Handler(mux)
	server.Start()
	t.Cleanup(server.Close)
	h.connect()
	return h
}

// signOut does what the console does when somebody signs out.
func (h *house) signOut(w http.ResponseWriter, r *http.Request) error {
	visit, err := h.authn.Session(r.Context(), web.Cookies{}.Session(r))
	if err != nil {
		return err
	}
	return h.door.Logout(w, r, visit)
}

// connect makes a SAML and an OIDC connection of the installation, and makes us known at both providers.
func (h *house) connect() {
	h.t.Helper()
	settings, err := h.door.Metadata(h.t.Context(), h.saml.EntityID(), identity.SAMLSettings{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.viaSAML = h.create(identity.Connection{Name: "SAML", Kind: identity.SAML, SAML: settings})
	h.viaOIDC = h.create(identity.Connection{Name: "OIDC", Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: h.oidc.Issuer(), ClientID: "c-" + identity.NewSecret(""), ClientSecret: "s3cret"}})
	h.samlSP = h.client(h.viaSAML)
	h.saml.Register(h.samlSP)
	h.oidc.Register(ssotest.OIDCClient{ID: h.viaOIDC.OIDC.ClientID, Secret: "s3cret", RedirectURI: h.at(h.viaOIDC, "callback")})
}

func (h *house) create(c identity.Connection) identity.Connection {
	h.t.Helper()
	c.Domains, c.Unknown = []string{"example.com"}, identity.UnknownLanding
	c, err := h.people.CreateConnection(h.t.Context(), h.operator, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (h *house) client(c identity.Connection) ssotest.SAMLClient {
	return ssotest.SAMLClient{EntityID: h.at(c, "metadata"), ACS: h.at(c, "acs"), SLO: h.at(c, "slo"), Certificate: c.SAML.Certificate}
}

// at returns an address of a connection.
func (h *house) at(c identity.Connection, what string) string {
	return h.url + "/sso/" + string(c.ID) + "/" + what
}

// person creates somebody in a tenant of their own making.
func (h *house) person(email string) identity.User {
	h.t.Helper()
	tenant, err := h.people.CreateTenant(h.t.Context(), h.operator, "Tenant "+identity.NewSecret("")[:8])
	if err != nil {
		h.t.Fatal(err)
	}
	u, err := h.people.CreateUser(h.t.Context(), h.operator, provisioning.NewUser{
		User: identity.User{TenantID: tenant.ID, UserName: email, Enabled: true, Emails: []identity.Email{{Value: email, Primary: true}}}, Role: "viewer",
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

// users returns everybody.
func (h *house) users() []identity.User {
	h.t.Helper()
	page, err := h.people.Users(h.t.Context(), h.operator, identity.Query{Limit: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Items
}

// lastTrace returns the newest trace.
func (h *house) lastTrace() identity.Trace {
	h.t.Helper()
	page, err := h.people.Traces(h.t.Context(), h.operator, provisioning.TraceQuery{Limit: 1})
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

func (b *browser) get(address string) reply {
	b.h.t.Helper()
	return b.do(http.NewRequest(http.MethodGet, address, nil))
}

// post sends a form as a page of the provider does: from another site.
func (b *browser) post(address string, form url.Values) reply {
	b.h.t.Helper()
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://idp.example.com")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	return b.do(r, err)
}

var inputValue = regexp.MustCompile(`name="SAMLResponse" value="([^"]*)"`)

// toProvider starts a sign-in and returns the provider's address with who signs in.
func (b *browser) toProvider(c identity.Connection, email, returnTo string) string {
	b.h.t.Helper()
	res := b.get(b.h.at(c, "login") + "?return_to=" + url.QueryEscape(returnTo))
	if res.StatusCode != http.StatusFound {
		b.h.t.Fatalf("the login answered %d: %s", res.StatusCode, res.body)
	}
	return res.Header.Get("Location") + "&" + ssotest.LoginParameter + "=" + url.QueryEscape(email)
}

// samlResponse goes to the provider and returns the response that its page would post.
func (b *browser) samlResponse(email, returnTo string) string {
	b.h.t.Helper()
	return responseIn(b.h.t, b.get(b.toProvider(b.h.viaSAML, email, returnTo)))
}

// responseIn returns the response that a provider's page would post.
func responseIn(t testing.TB, page reply) string {
	t.Helper()
	found := inputValue.FindStringSubmatch(page.body)
	if found == nil {
		t.Fatalf("the provider answered %d: %s", page.StatusCode, page.body)
	}
	return html.UnescapeString(found[1])
}

func (b *browser) postResponse(response string) reply {
	b.h.t.Helper()
	return b.post(b.h.at(b.h.viaSAML, "acs"), url.Values{"SAMLResponse": {response}, "RelayState": {"https://evil.example"}})
}

// samlSignIn goes the whole way and returns what the ACS answered.
func (b *browser) samlSignIn(email string) reply {
	b.h.t.Helper()
	return b.postResponse(b.samlResponse(email, "/console"))
}

// callbackURL goes to the OpenID provider and returns where it sends the browser back to.
func (b *browser) callbackURL(email string) string {
	b.h.t.Helper()
	res := b.get(b.toProvider(b.h.viaOIDC, email, "/console"))
	if res.StatusCode != http.StatusFound {
		b.h.t.Fatalf("the provider answered %d: %s", res.StatusCode, res.body)
	}
	return res.Header.Get("Location")
}

func (b *browser) oidcSignIn(email string) reply {
	b.h.t.Helper()
	return b.get(b.callbackURL(email))
}

// signIn signs in through either kind of connection.
func (b *browser) signIn(kind identity.ConnectionKind, email string) reply {
	b.h.t.Helper()
	if kind == identity.OIDC {
		return b.oidcSignIn(email)
	}
	return b.samlSignIn(email)
}

// session returns who this browser is signed in as.
func (b *browser) session() (authn.Visit, error) {
	u, err := url.Parse(b.h.url)
	if err != nil {
		return authn.Visit{}, err
	}
	var cookie string
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "drawbridge" {
			cookie = c.Value
		}
	}
	return b.h.authn.Session(b.h.t.Context(), cookie)
}

// wantSession fails unless the answer went to where it should and the browser is signed in as the user.
func (b *browser) wantSession(res reply, id identity.UserID) authn.Visit {
	b.h.t.Helper()
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/console" {
		b.h.t.Fatalf("answered %d to %q: %s\n%s", res.StatusCode, res.Header.Get("Location"), res.body, b.h.traceText())
	}
	visit, err := b.session()
	if err != nil {
		b.h.t.Fatalf("no session: %v", err)
	}
	if id != "" && visit.User.ID != id {
		b.h.t.Fatalf("signed in as %s, want %s", visit.User.UserName, id)
	}
	return visit
}

// wantRefusal fails unless the browser got the generic page with that status and a reference to a trace with that code, and no session.
func (b *browser) wantRefusal(res reply, status int, code string) identity.Trace {
	b.h.t.Helper()
	trace := b.h.lastTrace()
	if res.StatusCode != status || trace.Code != code || trace.OK {
		b.h.t.Fatalf("answered %d with the code %q, want %d and %q\n%s", res.StatusCode, trace.Code, status, code, b.h.traceText())
	}
	if !strings.Contains(res.body, string(trace.ID)) || !strings.Contains(res.body, "We could not sign you in") {
		b.h.t.Errorf("the page lacks the reference: %s", res.body)
	}
	if strings.Contains(res.body, code) || strings.Contains(res.body, ada.Subject) || strings.Contains(res.body, ada.Email) {
		b.h.t.Errorf("the page tells more than the reference: %s", res.body)
	}
	if _, err := b.session(); err == nil {
		b.h.t.Error("there is a session all the same")
	}
	if !slices.ContainsFunc(trace.Checks, func(c identity.Check) bool { return c.Result == identity.Failed && c.Fix != "" }) {
		b.h.t.Errorf("no check of the trace failed with what to do about it: %s", b.h.traceText())
	}
	return trace
}

func (h *house) traceText() string {
	raw, err := json.MarshalIndent(h.lastTrace(), "", " ")
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// answer renders a response of the provider for any request id, as an attacker with an account there could get one.
func (h *house) answer(requestID string, change func(*ssotest.Answer)) string {
	h.t.Helper()
	a := h.saml.Answer(h.samlSP, requestID, ada)
	if change != nil {
		change(a)
	}
	raw, err := a.Render()
	if err != nil {
		h.t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}
