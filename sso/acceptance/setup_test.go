package acceptance

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// customer is a tenant with a setup link that somebody there has opened, in a browser without any session.
type customer struct {
	tenant identity.Tenant
	link   identity.SetupLink
	token  string
	it     *browser
}

func (h *house) customer(change func(*identity.SetupLink)) customer {
	h.t.Helper()
	out := customer{tenant: h.tenant(), it: h.browser()}
	l := identity.SetupLink{TenantID: out.tenant.ID, Name: "Provider of " + out.tenant.Name, Domains: []string{"customer.example"}, SwitchOn: true}
	if change != nil {
		change(&l)
	}
	var err error
	if out.link, out.token, err = h.people.CreateSetupLink(h.t.Context(), identity.Operator(), l, identity.DefaultSetupAge); err != nil {
		h.t.Fatal(err)
	}
	if res := out.it.get("/setup/" + out.token); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/setup" {
		h.t.Fatalf("the link answers %d", res.StatusCode)
	}
	return out
}

// connection returns what became of the link's connection.
func (c customer) connection(h *house) identity.Connection {
	h.t.Helper()
	out, err := h.people.Connection(h.t.Context(), identity.System(), c.link.ConnectionID)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func TestB07ASetupLinkMakesOneConnectionAndOpensNothingElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		t.Run("the customer's IT does it alone", func(t *testing.T) { setUpAlone(t, h) })
		t.Run("it cannot read anything else", func(t *testing.T) { setUpReadsNothing(t, h) })
		t.Run("by the console", func(t *testing.T) { setUpByConsole(t, h) })
		t.Run("a link that is over", func(t *testing.T) { setUpIsOver(t, h) }) // last: afterwards wrong links are answered slowly
	})
}

// setUpAlone goes through the whole journey, with a mistake on the way.
func setUpAlone(t *testing.T, h *house) {
	t.Helper()
	it := h.customer(nil)
	it.it.get("/setup").says(t, it.tenant.Name, "customer.example", "Okta", "Google Workspace")
	it.it.get("/setup?provider=saml").says(t, h.url+"/sso/"+string(it.link.ConnectionID)+"/acs")
	values := url.Values{"provider": {"saml"}, "metadata": {"no metadata"}}
	if res := it.it.post("/setup", values); res.StatusCode != http.StatusBadRequest || !strings.Contains(res.body, "no metadata") {
		t.Fatalf("a mistake answers %d: %s", res.StatusCode, res.body)
	}
	values = url.Values{
		"provider": {"saml"}, "metadataurl": {h.saml.EntityID()}, "domains": {"*"}, "tenant": {string(h.tenant().ID)}, "unknown": {"tenant"}, "on": {"sha1"}, "boxes": {"1"},
	}
	if res := it.it.post("/setup", values); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("the values answer %d: %s", res.StatusCode, res.body)
	}
	c := it.connection(h)
	if c.Enabled || c.TenantID != it.tenant.ID || len(c.Domains) != 1 || c.Domains[0] != "customer.example" || c.Unknown != identity.UnknownLanding || c.SAML.AllowSHA1 {
		t.Fatalf("the connection is %+v", c)
	}
	h.register(c)
	before := h.left()
	it.test(t, h, c, "eve@example.com").says(t, "It does not work yet", "email.domain_not_allowed", "Back to the set-up")
	it.test(t, h, c, "new@customer.example").says(t, "It works", "would have been created in SSO Landing as Viewer.")
	if after := h.left(); before != after {
		t.Errorf("the test left something: %+v before, %+v after", before, after)
	}
	it.it.post("/setup/finish", nil).says(t, "Single sign-on is on")
	if !it.connection(h).Enabled {
		t.Error("the connection is off after a good test")
	}
	if res := h.browser().signIn(c, "new@customer.example"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a person of the customer is answered %d: %+v", res.StatusCode, h.lastTrace())
	}
	for _, path := range []string{"/setup", "/setup/" + it.token} {
		if res := it.it.get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s opens with a link that is used up: %d", path, res.StatusCode)
		}
	}
}

// test goes through the provider from the set-up's own button.
func (c customer) test(t *testing.T, h *house, to identity.Connection, email string) reply {
	t.Helper()
	page := c.it.post("/setup/test", nil)
	found := trialLink.FindStringSubmatch(page.body)
	if found == nil {
		t.Fatalf("the test button answers %d: %s", page.StatusCode, page.body)
	}
	return c.it.get(c.it.atProvider(to, c.it.get(html.UnescapeString(found[1])), email).Header.Get("Location"))
}

// setUpReadsNothing: whoever has a link is nobody anywhere else, and other connections' secrets and results are not there.
func setUpReadsNothing(t *testing.T, h *house) {
	t.Helper()
	of := func(domain string) customer {
		return h.customer(func(l *identity.SetupLink) { l.Domains = []string{domain} })
	}
	it, other, clash := of("it.example"), of("other.example"), of("clash.example")
	entered := url.Values{"provider": {"oidc"}, "issuer": {h.oidc.Issuer()}, "clientid": {"theirs"}, "clientsecret": {"their-s3cret"}}
	if res := other.it.post("/setup", entered); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("the other customer is answered %d: %s", res.StatusCode, res.body)
	}
	for _, page := range []string{"/setup", "/setup?step=values", "/setup?provider=oidc"} {
		for name, c := range map[string]customer{"one's own": other, "the other's": it} {
			res := c.it.get(page)
			if strings.Contains(res.body, "their-s3cret") || name == "the other's" && (strings.Contains(res.body, other.tenant.Name) || strings.Contains(res.body, "theirs")) {
				t.Errorf("%s shows what is %s: %s", page, name, res.body)
			}
		}
	}
	for _, path := range []string{
		"/console", "/console/connections", "/console/connections/" + string(h.viaSAML.ID), "/console/connections/" + string(other.link.ConnectionID),
		"/console/setup-links", "/console/users", "/console/signins", "/account",
	} {
		if res := it.it.get(path); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/signin") {
			t.Errorf("%s answers %d to somebody with a setup link", path, res.StatusCode)
		}
	}
	if res := it.it.post("/setup/test", nil); res.StatusCode == http.StatusOK {
		t.Error("a test begins without a connection")
	}
	page := other.it.post("/setup/test", nil)
	if key := trialLink.FindStringSubmatch(page.body); key == nil || it.it.get(strings.Replace(html.UnescapeString(key[1]), string(other.link.ConnectionID), string(h.viaOIDC.ID), 1)).StatusCode != http.StatusNotFound {
		t.Errorf("the key of a test opens another connection: %s", page.body)
	}
	if _, err := h.people.UpdateConnection(t.Context(), identity.Operator(), other.link.ConnectionID, func(c *identity.Connection) error {
		c.Enabled, c.Domains = true, []string{"clash.example"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	res := clash.it.post("/setup", entered) // its domain is in use at another tenant by now
	if res.StatusCode != http.StatusConflict || strings.Contains(res.body, other.link.Name) {
		t.Errorf("a conflict names somebody else's connection: %s", res.body)
	}
}

// setUpIsOver: wrong, expired, revoked and used links are one and the same page, and nothing of a token is in the log.
func setUpIsOver(t *testing.T, h *house) {
	t.Helper()
	of := func(l *identity.SetupLink) { l.Domains = []string{"over.example"} }
	revoked, live := h.customer(of), h.customer(of)
	if err := h.people.RevokeSetupLink(t.Context(), identity.Operator(), revoked.link.ID); err != nil {
		t.Fatal(err)
	}
	wrong := h.browser().get("/setup/" + identity.NewSecret(identity.SetupLinkPrefix))
	if wrong.StatusCode != http.StatusNotFound {
		t.Fatalf("a wrong token answers %d", wrong.StatusCode)
	}
	for name, res := range map[string]reply{
		"revoked": h.browser().get("/setup/" + revoked.token), "a cookie of a revoked one": revoked.it.get("/setup"), "no cookie": h.browser().get("/setup"),
		"saving": revoked.it.post("/setup", url.Values{"provider": {"saml"}, "metadataurl": {h.saml.EntityID()}}), "testing": revoked.it.post("/setup/test", nil), "finishing": revoked.it.post("/setup/finish", nil),
	} {
		if res.StatusCode != http.StatusNotFound || faceless(res) != faceless(wrong) {
			t.Errorf("%s answers %d, another page than a wrong token", name, res.StatusCode)
		}
	}
	if _, err := h.people.OpenSetup(t.Context(), live.token); err != nil {
		t.Error(err)
	}
	for _, token := range []string{revoked.token, live.token} {
		if strings.Contains(h.log.String(), token) {
			t.Error("a token is in the log")
		}
	}
	var last int
	for range 70 {
		last = h.browser().get("/setup/" + identity.NewSecret(identity.SetupLinkPrefix)).StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the seventieth wrong token answers %d", last)
	}
	if res := h.browser().get("/setup/" + live.token); res.StatusCode != http.StatusSeeOther {
		t.Errorf("wrong tokens keep the right one out: %d", res.StatusCode)
	}
}

// faceless is a page without what differs each time.
func faceless(r reply) string {
	id := r.Header.Get("X-Request-Id")
	return strings.ReplaceAll(r.body, id, "")
}

// setUpByConsole: an administrator makes the link, sees it once, and revokes it.
func setUpByConsole(t *testing.T, h *house) {
	t.Helper()
	h.person("", "root@house.test", "superadmin")
	root := h.browser()
	root.withPassword("root@house.test")
	tenant := h.tenant()
	page := root.post("/console/setup-links", url.Values{"tenant": {string(tenant.ID)}, "name": {"By hand"}, "domains": {"by-hand.example"}, "kind": {"saml"}, "days": {"1"}})
	page.says(t, "it is shown once", tenant.Name)
	at := strings.Index(page.body, h.url+"/setup/"+identity.SetupLinkPrefix)
	token := page.body[at+len(h.url+"/setup/"):][:len(identity.NewSecret(identity.SetupLinkPrefix))]
	list := root.get("/console/setup-links")
	list.says(t, "By hand", tenant.Name)
	if strings.Contains(list.body, token) {
		t.Error("the list shows the token")
	}
	setup, err := h.people.OpenSetup(t.Context(), token)
	if err != nil || setup.Link.ExpiresAt.Sub(setup.Link.CreatedAt) != 24*time.Hour || setup.Link.Kind != identity.SAML {
		t.Fatalf("the link is %+v (%v)", setup.Link, err)
	}
	it := h.browser()
	it.get("/setup/" + token)
	if res := it.post("/setup", url.Values{"provider": {"oidc"}, "issuer": {h.oidc.Issuer()}, "clientid": {"x"}, "clientsecret": {"y"}}); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a link for SAML makes an OpenID connection: %d", res.StatusCode)
	}
	if res := root.post("/console/setup-links/"+string(setup.Link.ID)+"/revoke", nil); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("revoking answers %d", res.StatusCode)
	}
	if res := it.get("/setup"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a revoked link answers %d", res.StatusCode)
	}
	viewer := h.browser()
	h.person(tenant.ID, "boss@by-hand.example", "administrator")
	viewer.withPassword("boss@by-hand.example")
	if res := viewer.get("/console/setup-links"); res.StatusCode != http.StatusForbidden {
		t.Errorf("a tenant's administrator is answered %d", res.StatusCode)
	}
}
