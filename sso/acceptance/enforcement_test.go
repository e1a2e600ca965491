package acceptance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/drawbridge-id/drawbridge/console"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/provisioning/dnstest"
	"github.com/drawbridge-id/drawbridge/web"
)

// copied are the values that a page offers to copy.
var copied = regexp.MustCompile(`data-copy="([^"]+)"`)

// is ends the test unless the answer has the status.
func (b *browser) is(r reply, status int) reply {
	b.h.t.Helper()
	if r.StatusCode != status {
		b.h.t.Fatalf("%s %s answered %d, not %d: %s", r.Request.Method, r.Request.URL, r.StatusCode, status, r.body)
	}
	return r
}

// says ends the test unless the page has the text.
func (b *browser) says(r reply, text string) {
	b.h.t.Helper()
	if !strings.Contains(r.body, text) {
		b.h.t.Fatalf("%s does not say %q: %s", r.Request.URL, text, r.body)
	}
}

// enrol turns on a second factor in My account, and returns what its app knows. The code was of the step before.
func (b *browser) enrol() (secret string) {
	b.h.t.Helper()
	b.is(b.post("/account/second-factor", url.Values{"password": {password}}), http.StatusSeeOther)
	page := b.is(b.get("/account/second-factor/confirm"), http.StatusOK)
	secret = strings.ReplaceAll(copied.FindStringSubmatch(page.body)[1], " ", "")
	for range 2 { // the step may end between the making of a code and its use
		if b.post("/account/second-factor/confirm", url.Values{"code": {b.code(secret, -30*time.Second)}}).StatusCode == http.StatusOK {
			return secret
		}
	}
	b.h.t.Fatal("the second factor was not turned on")
	return ""
}

// code is what an app shows, some time from now.
func (b *browser) code(secret string, later time.Duration) string {
	b.h.t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(later))
	if err != nil {
		b.h.t.Fatal(err)
	}
	return code
}

// withCode signs in with password and code.
func (b *browser) withCode(login, secret string) reply {
	b.h.t.Helper()
	next := b.is(b.withPassword(login), http.StatusSeeOther).Header.Get("Location")
	if !strings.HasPrefix(next, "/signin/code?") {
		b.h.t.Fatalf("after the password %s is next", next)
	}
	return b.post("/signin/code", url.Values{"code": {b.code(secret, 0)}})
}

// own gives a tenant the provider for example.com, in place of the installation's.
func (h *house) own(tenant identity.TenantID) identity.Connection {
	h.t.Helper()
	for _, c := range []identity.Connection{h.viaSAML, h.viaOIDC} {
		if _, err := h.people.UpdateConnection(h.t.Context(), identity.Operator(), c.ID, func(c *identity.Connection) error {
			c.Domains = []string{"bridge.test"}
			return nil
		}); err != nil {
			h.t.Fatal(err)
		}
	}
	c := h.create(identity.Connection{
		Name: "Acme", TenantID: tenant, Kind: identity.OIDC,
		OIDC: identity.OIDCSettings{Issuer: h.oidc.Issuer(), ClientID: "c-" + identity.NewSecret(""), ClientSecret: "s3cret"},
	})
	h.register(c)
	return c
}

// happened returns the newest events of a type, newest first.
func (h *house) happened(kind identity.EventType) []identity.Event {
	h.t.Helper()
	page, err := h.people.Events(h.t.Context(), identity.Operator(), provisioning.EventQuery{Type: kind, Limit: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Items
}

func TestE31ADomainBelongsToOneTenantAndIsProvenByItsRecord(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dns := dnstest.Start(t)
		h.people.Resolve(provisioning.NewResolver(dns.Address))
		acme, evil := h.tenant(), h.tenant()
		h.person(acme.ID, "boss@acme.test", "administrator")
		h.person(evil.ID, "eve@evil.test", "administrator")
		h.person("", "root@bridge.test", "superadmin")
		boss, eve, root := h.browser(), h.browser(), h.browser()
		for b, login := range map[*browser]string{boss: "boss@acme.test", eve: "eve@evil.test", root: "root@bridge.test"} {
			b.is(b.withPassword(login), http.StatusSeeOther)
		}
		claim := func(b *browser) (verify, name, value string) {
			b.is(b.post("/console/domains", url.Values{"domain": {"acme.test"}}), http.StatusSeeOther)
			page := b.is(b.get("/console/domains"), http.StatusOK)
			values := copied.FindAllStringSubmatch(page.body, -1)
			return regexp.MustCompile(`/console/domains/[^"]+/verify`).FindString(page.body), values[0][1], values[1][1]
		}
		// Eve is first to claim it, and without its record has nothing of it.
		squat, _, _ := claim(eve)
		verify, name, value := claim(boss)
		eve.is(eve.post(squat, nil), http.StatusBadRequest)
		dns.Set(name, value)
		eve.is(eve.post(squat, nil), http.StatusBadRequest) // another's record proves nothing for her
		boss.is(boss.post(verify, nil), http.StatusSeeOther)
		_, err := h.people.AddDomain(t.Context(), identity.Operator(), h.tenant().ID, "acme.test")
		if identity.KindOf(err) != identity.Conflict || identity.CodeOf(err) != "domain_taken" {
			t.Errorf("the second claim: %v", err)
		}
		// Nor can a connection of Eve's tenant be trusted for it, whoever makes it.
		c := identity.Connection{Name: "Evil", TenantID: evil.ID, Kind: identity.OIDC, Domains: []string{"acme.test"}, OIDC: h.viaOIDC.OIDC}
		c.OIDC.ClientSecret = "s3cret"
		if _, err = h.people.CreateConnection(t.Context(), identity.Operator(), c); identity.CodeOf(err) != "domain_taken" {
			t.Errorf("a connection of another tenant: %v", err)
		}
		give := url.Values{"domain": {"acme.test"}, "tenant": {string(evil.ID)}, "without": {"1"}, "reason": {"sold in May"}}
		eve.is(eve.post("/console/domains", give), http.StatusForbidden)
		root.is(root.post("/console/domains", give), http.StatusSeeOther)
		held, err := h.people.VerifiedDomains(t.Context(), identity.Operator(), evil.ID)
		if err != nil || !slices.Equal(held, []string{"acme.test"}) {
			t.Errorf("it is %v that the other tenant holds (%v)", held, err)
		}
		said := h.happened(identity.DomainOverridden)
		if len(said) != 2 || said[0].Reason != "sold in May" || said[0].ActorLabel != "root@bridge.test" {
			t.Errorf("the audit has %+v", said)
		}
	})
}

func TestE32WhereAnAddressLeadsTellsNobodyWhoExists(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant()
		c := h.own(acme.ID)
		h.person(acme.ID, "known@example.com", "viewer")
		h.person(acme.ID, "known@elsewhere.test", "viewer")
		h.proxied(t)
		for domain, status := range map[string]int{"example.com": http.StatusSeeOther, "elsewhere.test": http.StatusOK} {
			ask := func(who string) (reply, time.Duration) {
				began := time.Now()
				r := h.browser().post("/signin", url.Values{"email": {who + "@" + domain}})
				return r, time.Since(began)
			}
			known, _ := ask("known")
			other, _ := ask("other") // as long a word
			if known.StatusCode != status || other.StatusCode != status {
				t.Errorf("%s: %d and %d", domain, known.StatusCode, other.StatusCode)
			}
			plain := func(r reply) string {
				shown := fmt.Sprint(r.Header.Get("Location"), r.Header.Get("Content-Type"), r.Header.Get("Content-Security-Policy"), len(r.Cookies()), r.body)
				return strings.NewReplacer("known", "who", "other", "who").Replace(shown)
			}
			if plain(known) != plain(other) {
				t.Errorf("%s: the answers differ:\n%s\n%s", domain, plain(known), plain(other))
			}
			var times [2][]time.Duration
			for range 15 {
				for i, who := range []string{"known", "other"} {
					_, took := ask(who)
					times[i] = append(times[i], took)
				}
			}
			slices.Sort(times[0])
			slices.Sort(times[1])
			a, b := times[0][7], times[1][7]
			if a > 3*b || b > 3*a {
				t.Errorf("%s: somebody known takes %v, a stranger %v", domain, a, b)
			}
		}
		if got := h.browser().post("/signin", url.Values{"email": {"other@example.com"}}).Header.Get("Location"); !strings.HasPrefix(got, "/sso/"+string(c.ID)+"/login?") {
			t.Errorf("the domain leads to %s", got)
		}
	})
}

// proxied asks through a proxy that we trust until we are asked to wait.
func (h *house) proxied(t *testing.T) {
	t.Helper()
	mux := http.NewServeMux()
	console.New(console.Options{Provisioning: h.people, Authn: h.authn, URL: h.url}).Routes(mux)
	server := httptest.NewServer(web.New(web.Options{URL: h.url, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}).Handler(mux))
	defer server.Close()
	ask := func(from string) int {
		r, err := http.NewRequest(http.MethodPost, server.URL+"/signin", strings.NewReader("email=someone%40elsewhere.test"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-For", from)
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	n := 0
	for n <= 2000 && ask("203.0.113.7") == http.StatusOK {
		n++
	}
	if n < 100 || n > 1000 {
		t.Errorf("one address may ask %d times", n)
	}
	if got := ask("203.0.113.7"); got != http.StatusTooManyRequests {
		t.Errorf("over the limit the answer is %d", got)
	}
	if got := ask("203.0.113.8"); got != http.StatusOK {
		t.Errorf("another address is answered %d", got)
	}
}

func TestE33ATenantThatRequiresItsProviderTakesNothingElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, other := h.tenant(), h.tenant()
		c := h.own(acme.ID)
		person := h.person(acme.ID, ada.Email, "viewer")
		emergency := h.person(acme.ID, "boss@example.com", "administrator")
		h.person(other.ID, "otto@other.test", "viewer")
		h.person("", "root@bridge.test", "superadmin")
		boss, root, before := h.browser(), h.browser(), h.browser()
		boss.is(boss.withPassword("boss@example.com"), http.StatusSeeOther)
		root.is(root.withPassword("root@bridge.test"), http.StatusSeeOther)
		before.is(before.withPassword(ada.Email), http.StatusSeeOther)
		secret := boss.enrol()
		on := "/console/tenants/" + string(acme.ID) + "/require-sso"

		boss.is(boss.post(on, nil), http.StatusPreconditionFailed) // nobody ever came in through the provider
		through := h.browser()
		through.is(through.signIn(c, ada.Email), http.StatusSeeOther)
		boss.is(boss.post(on, nil), http.StatusPreconditionFailed) // no account for emergencies
		root.is(root.post("/console/users/"+string(emergency.ID)+"/break-glass", url.Values{"reason": {"the safe"}}), http.StatusSeeOther)
		boss.is(boss.post(on, nil), http.StatusSeeOther)

		refused := h.browser().withPassword(ada.Email)
		if refused.StatusCode != http.StatusForbidden || !strings.Contains(refused.body, "identity provider") {
			t.Errorf("a password: %d %s", refused.StatusCode, refused.body)
		}
		if trace := h.lastTrace(); trace.OK || trace.Code != "sso.required" || trace.UserID != person.ID {
			t.Errorf("its trace is %+v", trace)
		}
		if _, err := before.session(); identity.KindOf(err) != identity.Unauthenticated {
			t.Errorf("the session that began with a password: %v", err)
		}
		if _, err := through.session(); err != nil {
			t.Errorf("the session through the provider: %v", err)
		}
		visit, err := through.session()
		if err != nil {
			t.Fatal(err)
		}
		hash, err := h.authn.HashPassword(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		for door, err := range map[string]error{
			"a new password":          h.authn.SetPassword(t.Context(), visit.Actor, person.ID, hash),
			"a key, or an invitation": h.authn.MayUseLocal(t.Context(), person.ID), // what those doors ask first
			"a proof":                 h.authn.Prove(t.Context(), person.ID, password, ""),
		} {
			if identity.KindOf(err) != identity.Forbidden || identity.CodeOf(err) != "sso.required" {
				t.Errorf("%s: %v", door, err)
			}
		}
		elsewhere, again := h.browser(), h.browser()
		elsewhere.is(elsewhere.withPassword("otto@other.test"), http.StatusSeeOther)
		again.is(again.withCode("boss@example.com", secret), http.StatusSeeOther)
		if err := h.authn.MayUseLocal(t.Context(), emergency.ID); err != nil {
			t.Errorf("the account for emergencies: %v", err)
		}
		again.is(again.post("/console/tenants/"+string(acme.ID)+"/allow-passwords", nil), http.StatusSeeOther)
		free := h.browser()
		free.is(free.withPassword(ada.Email), http.StatusSeeOther)
	})
}

func TestE34ASuperAdminComesInWhenTheProviderIsDown(t *testing.T) {
	for name, breakIt := range map[string]func(c *identity.Connection){
		"the provider is down":       func(c *identity.Connection) { c.OIDC.Issuer = "http://127.0.0.1:1/oidc" },
		"the connection is disabled": func(c *identity.Connection) { c.Enabled = false },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) { comesIn(t, h, breakIt) })
		})
	}
}

func comesIn(t *testing.T, h *house, breakIt func(c *identity.Connection)) {
	acme := h.tenant()
	c := h.own(acme.ID)
	h.person(acme.ID, ada.Email, "viewer")
	u := h.person("", "root@example.com", "superadmin") // the provider's domain, too
	root, person := h.browser(), h.browser()
	root.is(root.withPassword("root@example.com"), http.StatusSeeOther)
	secret := root.enrol()
	root.is(root.post("/console/users/"+string(u.ID)+"/break-glass", url.Values{"reason": {"the safe"}}), http.StatusSeeOther)
	person.is(person.signIn(c, ada.Email), http.StatusSeeOther)
	root.is(root.post("/console/tenants/"+string(acme.ID)+"/require-sso", nil), http.StatusSeeOther)
	if _, err := h.people.UpdateConnection(t.Context(), identity.Operator(), c.ID, func(c *identity.Connection) error { breakIt(c); return nil }); err != nil {
		t.Fatal(err)
	}

	if res := h.browser().get(h.at(c, "login")); res.StatusCode < 400 {
		t.Fatalf("the provider is not down: %d", res.StatusCode)
	}
	emergency := h.browser()
	emergency.says(emergency.is(emergency.get("/signin?with=password"), http.StatusOK), `name="password"`)
	emergency.is(emergency.post("/signin", url.Values{"email": {"root@example.com"}, "password": {"not the password"}}), http.StatusBadRequest)
	if next := emergency.is(emergency.withPassword("root@example.com"), http.StatusSeeOther).Header.Get("Location"); !strings.HasPrefix(next, "/signin/code") {
		t.Fatalf("the password alone leads to %s", next)
	}
	if _, err := emergency.session(); err == nil {
		t.Fatal("the password alone opens a session")
	}
	emergency.is(emergency.post("/signin/code", url.Values{"code": {emergency.code(secret, 0)}}), http.StatusSeeOther)
	if visit, err := emergency.session(); err != nil || visit.User.ID != u.ID {
		t.Fatalf("signed in as %q (%v)", visit.User.UserName, err)
	}
	said := h.happened(identity.SignInBreakGlass)
	if len(said) != 1 || said[0].UserID != u.ID || len(said[0].Changes) != 2 {
		t.Errorf("the audit has %+v", said)
	}
	if trace := h.lastTrace(); !trace.OK || trace.UserID != u.ID {
		t.Errorf("the trace is %+v", trace)
	}
	emergency.is(emergency.post("/console/tenants/"+string(acme.ID)+"/allow-passwords", nil), http.StatusSeeOther)
}
