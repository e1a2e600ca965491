package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// estate is a site that has been in use for a while, so that every kind of page has something to show: people of all roles and states, directories with
// requests, providers with sign-ins that went well and wrong, people who wait, plans in every state, leavers, mails.
type estate struct {
	*site
	erin identity.User // editor in Acme
}

// newEstate builds one on a fresh SQLite database.
func newEstate(t *testing.T) *estate {
	t.Helper()
	return newEstateOn(t, storetest.SQLiteURL(t))
}

func newEstateOn(t *testing.T, database string) *estate {
	t.Helper()
	e := &estate{site: start(t, storetest.Open(t, database))}
	ctx := t.Context()
	e.erin = e.user(ctx, "erin@acme.example", "Erin Editor", e.acme.ID, "editor")
	for i, name := range []string{"Grace Hopper", "Radia Perlman", "Katherine Johnson", "Barbara Liskov", "Hedy Lamarr", "Annie Easley"} {
		e.user(ctx, strings.ToLower(strings.Replace(name, " ", ".", 1))+"@acme.example", name, e.acme.ID, []identity.RoleID{"viewer", "editor", "operator"}[i%3])
	}
	must(e.prov.CreateTenant(ctx, identity.Operator(), "Globex"))(t)
	_, err := e.prov.DeactivateUser(ctx, identity.Operator(), e.find(t, "hedy.lamarr@acme.example")[0].ID, "left the project")
	e.need(err)
	e.directories()
	e.signIns()
	e.imports()
	return e
}

func (e *estate) need(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *estate) directories() {
	e.t.Helper()
	ctx := e.t.Context()
	team := must(e.prov.CreateGroup(ctx, e.push, identity.Group{DisplayName: "Engineering"}, nil))(e.t)
	e.keep(identity.Request{Method: "POST", Path: "/scim/v2/Users", Body: `{"userName":"grace@partner.example"}`, Status: 201, Duration: 12 * time.Millisecond})
	e.keep(identity.Request{Method: "PATCH", Path: "/scim/v2/Groups/" + string(team.ID), Status: 204, Duration: 7 * time.Millisecond})
	e.keep(identity.Request{Method: "POST", Path: "/scim/v2/Users", Status: 409, Code: "uniqueness", Detail: "The user name is taken.", Duration: 5 * time.Millisecond})
}

// signIns has people who came in, one who was refused, and one who waits for an administrator.
func (e *estate) signIns() {
	e.t.Helper()
	ctx := e.t.Context()
	c := must(e.prov.CreateConnection(ctx, identity.Operator(), identity.Connection{
		Name: "Okta of Acme", TenantID: e.acme.ID, Kind: identity.OIDC, Enabled: true, Domains: []string{"acme.example"},
		OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
	}))(e.t)
	saml := must(readMetadata(ctx, "<EntityDescriptor/>", identity.SAMLSettings{}))(e.t)
	must(e.prov.PrepareConnection(ctx, identity.Operator(), identity.Connection{Name: "Entra of Globex", Kind: identity.SAML, Domains: []string{"globex.example"}, SAML: saml}))(e.t)
	for _, email := range []string{"radia.perlman@acme.example", "katherine.johnson@acme.example", "new.person@acme.example", "someone@elsewhere.example"} {
		trace := identity.Trace{ID: identity.NewID[identity.TraceID](), ConnectionID: c.ID, TenantID: e.acme.ID, Email: email, Subject: "sub-" + email, IP: "192.0.2.7", At: time.Now().UTC()}
		verified := true
		_, err := e.prov.SignIn(ctx, c, identity.Claims{Issuer: "https://idp.example", Subject: "sub-" + email, Email: email, EmailVerified: &verified, DisplayName: email}, &trace)
		trace.OK, trace.Code = err == nil, identity.CodeOf(err)
		e.need(e.prov.RecordTrace(ctx, trace))
	}
	e.attempted(identity.Trace{ConnectionID: c.ID, Code: "oidc.expired", Email: "bob@acme.example", Checks: []identity.Check{{Name: "The token is not too old", Result: identity.Failed, Got: "10 minutes", Expected: "5 minutes", Fix: "Set the clock of the provider."}}})
	_, _, err := e.prov.CreateSetupLink(ctx, identity.Operator(), identity.SetupLink{TenantID: e.acme.ID, Name: "Theirs", Domains: []string{"acme.example"}}, identity.DefaultSetupAge)
	e.need(err)
}

// imports has a plan that waits, one that was applied, one that was undone and one that a guard holds, a leaver, and a file that is no plan yet.
func (e *estate) imports() {
	e.t.Helper()
	b := e.signedIn("ada@acme.example")
	b.planOf(people, nil)
	done := b.planOf("email,givenName,familyName\nmary.keller@acme.example,Mary,Keller\n", nil)
	b.post(done.path+"/apply", nil).is(http.StatusOK)
	e.work(e.t)
	b.upload("people.csv", people, url.Values{"source": {"hr"}}).is(http.StatusOK)
	b.post("/console/sources/hr/settings", sourceSettings())
	nina := e.user(e.t.Context(), "nina@acme.example", "Nina Leaver", e.acme.ID, "editor")
	must(e.prov.PutHolding(e.t.Context(), identity.Operator(), identity.Holding{
		HoldingKey: identity.HoldingKey{Application: "flows", Kind: identity.Ownership, ForeignID: "f-1"}, Display: "Nightly flow", UserID: nina.ID,
	}))(e.t)
	e.held(e.t, b)
	b.post("/console/users/"+string(nina.ID)+"/offboard", url.Values{"reason": {"left"}}).is(http.StatusOK)
}

// found is one page, by how its address looks without ids and values.
type found struct{ pattern, path string }

// pages follows every link that a visitor sees, each kind of page once, and fails for those that do not open.
func (e *estate) pages(b *browser, who string) []found {
	e.t.Helper()
	seen, list := map[string]bool{patternOf("/console"): true}, []found{{"/console", "/console"}}
	for i := 0; i < len(list); i++ {
		r := b.get(list[i].path)
		if r.status != http.StatusOK {
			e.t.Errorf("%s: a link leads to %s, which answers %d: %s", who, list[i].path, r.status, r.text())
			continue
		}
		if !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, next := range r.all(`href="(/[^"#]*)`) {
			pattern := patternOf(next)
			if seen[pattern] || strings.HasPrefix(next, "/assets/") || strings.HasPrefix(next, "/sso/") {
				continue
			}
			seen[pattern] = true
			list = append(list, found{pattern, strings.ReplaceAll(next, "&amp;", "&")})
		}
	}
	var out []found
	for _, f := range list {
		if r := b.get(f.path); r.status == http.StatusOK && strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			out = append(out, f)
		}
	}
	return out
}

// pageNames are the parts of a query that make another page; all others only narrow or order a list.
var pageNames = []string{"tab", "provider", "kind", "step", "dialect"}

// patternOf is an address without its ids, and of its query only what makes another page.
func patternOf(address string) string {
	path, query, _ := strings.Cut(strings.ReplaceAll(address, "&amp;", "&"), "?")
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if _, ok := identity.ParseID[string](part); ok || len(part) > 40 {
			parts[i] = "*"
		}
	}
	out := strings.Join(parts, "/")
	values, err := url.ParseQuery(query)
	if err != nil {
		return out
	}
	for _, name := range pageNames {
		if value := values.Get(name); value != "" {
			out += " " + name + "=" + value
		}
	}
	return out
}
