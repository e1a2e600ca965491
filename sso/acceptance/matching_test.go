package acceptance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// edit changes a connection.
func (h *house) edit(c identity.Connection, change func(*identity.Connection)) {
	h.t.Helper()
	_, err := h.people.UpdateConnection(h.t.Context(), identity.Operator(), c.ID, func(c *identity.Connection) error { change(c); return nil })
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) linksOf(id identity.UserID) []identity.Link {
	h.t.Helper()
	d, err := h.people.UserDetail(h.t.Context(), identity.Operator(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return d.Links
}

// secondFactor gives somebody a second factor and returns the recovery codes.
func (h *house) secondFactor(u identity.User) []string {
	h.t.Helper()
	by := identity.Actor{Kind: identity.ActorUser, ID: string(u.ID), TenantID: u.TenantID, Door: "console"}
	e, err := h.authn.EnrolTOTP(h.t.Context(), by, "Drawbridge", password)
	if err != nil {
		h.t.Fatal(err)
	}
	recovery, err := h.authn.ConfirmTOTP(h.t.Context(), by, h.codeOf(e.Secret))
	if err != nil {
		h.t.Fatal(err)
	}
	return recovery
}

// codeOf is the code that an app shows.
func (h *house) codeOf(secret string) string {
	h.t.Helper()
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	return code
}

// signInWithCode signs in with password and code, on the way to a page.
func (b *browser) signInWithCode(login, code, returnTo string) reply {
	b.h.t.Helper()
	res := b.post("/signin", url.Values{"email": {login}, "password": {password}, "step": {"password"}, "return_to": {returnTo}})
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/signin/code") {
		b.h.t.Fatalf("no code was asked for: %d to %q", res.StatusCode, to)
	}
	return b.post("/signin/code", url.Values{"code": {code}, "return_to": {returnTo}})
}

var pendingForm = regexp.MustCompile(`action="(/account/pending-links/[0-9a-f-]+)"`)

// pending returns where the link that waits in this browser is confirmed, "" when none waits.
func (b *browser) pending() string {
	b.h.t.Helper()
	found := pendingForm.FindStringSubmatch(b.get("/account/pending-links").body)
	if found == nil {
		return ""
	}
	return found[1]
}

// wantRefused fails unless the sign-in was refused with 403 and the code.
func (h *house) wantRefused(b *browser, res reply, code string) {
	h.t.Helper()
	if trace := h.lastTrace(); res.StatusCode != http.StatusForbidden || trace.Code != code {
		h.t.Fatalf("answered %d with the code %q, want 403 and %q: %+v", res.StatusCode, trace.Code, code, trace.Checks)
	}
	if _, err := b.session(); err == nil {
		h.t.Error("there is a session all the same")
	}
}

func (h *house) wantSignedIn(b *browser, res reply, id identity.UserID) {
	h.t.Helper()
	visit, err := b.session()
	if res.StatusCode != http.StatusSeeOther || err != nil || visit.User.ID != id {
		h.t.Fatalf("answered %d, signed in as %q (%v): %+v", res.StatusCode, visit.User.UserName, err, h.lastTrace())
	}
}

func TestE11AnAccountWithPasswordAndSecondFactorIsLinkedAfterProof(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, c := range []identity.Connection{h.viaSAML, h.viaOIDC} {
			email := "guarded-" + string(c.Kind) + "@example.com"
			u := h.person(h.tenant().ID, email, "viewer")
			codes := h.secondFactor(u)
			b := h.browser()
			res := b.signIn(c, email)
			h.wantRefused(b, res, "link.requires_proof")
			if !strings.Contains(res.body, "account with a password") || !strings.Contains(res.body, "/signin?with=password") {
				t.Errorf("the page does not say what to do: %s", res.body)
			}
			stranger := h.browser()
			stranger.signInWithCode(email, codes[0], "/account/pending-links")
			if stranger.pending() != "" {
				t.Error("the link can be confirmed in another browser")
			}
			if res := b.signInWithCode(email, codes[1], "/account/pending-links"); res.Header.Get("Location") != "/account/pending-links" {
				t.Errorf("after the proof one comes to %q", res.Header.Get("Location"))
			}
			if len(h.linksOf(u.ID)) != 0 {
				t.Error("the proof alone made the link")
			}
			if res := b.post(b.pending(), nil); res.Header.Get("Location") != "/account?done=link-made" {
				t.Fatalf("confirming answered %d: %s", res.StatusCode, res.body)
			}
			fresh := h.browser()
			h.wantSignedIn(fresh, fresh.signIn(c, email), u.ID)
			h.provenInAnOldSession(t, c)
		}
		h.linkProofPolicies(t)
	})
}

// provenInAnOldSession: a session from before the refusal proves nothing, so the password and the code are asked for.
func (h *house) provenInAnOldSession(t *testing.T, c identity.Connection) {
	email := "earlier-" + string(c.Kind) + "@example.com"
	u := h.person(h.tenant().ID, email, "viewer")
	codes := h.secondFactor(u)
	b := h.browser()
	b.signInWithCode(email, codes[0], "/account")
	if res := b.signIn(c, email); res.StatusCode != http.StatusForbidden {
		t.Fatalf("answered %d", res.StatusCode)
	}
	form := b.pending()
	for name, f := range map[string]url.Values{
		"nothing": nil, "no code": {"password": {password}}, "a wrong password": {"password": {"wrong"}, "code": {codes[1]}}, "a wrong code": {"password": {password}, "code": {"000000"}},
	} {
		if res := b.post(form, f); res.StatusCode < 400 || len(h.linksOf(u.ID)) != 0 {
			t.Errorf("%s confirmed it: %d", name, res.StatusCode)
		}
	}
	if res := b.post(form, url.Values{"password": {password}, "code": {codes[1]}}); res.Header.Get("Location") != "/account?done=link-made" {
		t.Errorf("the proof answered %d: %s", res.StatusCode, res.body)
	}
	if len(h.linksOf(u.ID)) != 1 {
		t.Error("there is no link")
	}
}

// linkProofPolicies shows what a connection may choose, and that an administrator can link instead.
func (h *house) linkProofPolicies(t *testing.T) {
	tenant := h.tenant()
	for _, tt := range []struct {
		name   string
		policy identity.LinkProof
		factor bool
		code   string
	}{
		{"password-alone", identity.LinkProofSecondFactor, false, ""},
		{"both", identity.LinkProofSecondFactor, true, "link.requires_proof"},
		{"always", identity.LinkProofAlways, false, "link.requires_proof"},
		{"never", identity.LinkProofNever, true, ""},
	} {
		h.edit(h.viaOIDC, func(c *identity.Connection) { c.Options.LinkProof = tt.policy })
		email := tt.name + "@example.com"
		u := h.person(tenant.ID, email, "viewer")
		if tt.factor {
			h.secondFactor(u)
		}
		b := h.browser()
		res := b.signIn(h.viaOIDC, email)
		if tt.code == "" {
			h.wantSignedIn(b, res, u.ID)
			continue
		}
		h.wantRefused(b, res, tt.code)
		waiting, err := h.people.Reviews(t.Context(), identity.Operator(), provisioning.ReviewQuery{State: identity.ReviewOpen, Limit: 1})
		if err != nil || len(waiting.Items) != 1 || waiting.Items[0].UserID != u.ID {
			t.Fatalf("%s: the inbox has %+v (%v)", tt.name, waiting.Items, err)
		}
		if err := h.people.LinkFromReview(t.Context(), identity.Operator(), waiting.Items[0].ID, provisioning.Settlement{User: u.ID}); err != nil {
			t.Fatal(err)
		}
		b = h.browser()
		h.wantSignedIn(b, b.signIn(h.viaOIDC, email), u.ID)
	}
}

func TestE22APushAfterAFirstSignInMakesNoSecondUser(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, token, err := h.people.CreateDirectory(t.Context(), identity.Operator(), identity.Directory{Name: "Okta", Dialect: identity.DialectOkta})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []identity.Connection{h.viaSAML, h.viaOIDC} {
			email := "first-" + string(c.Kind) + "@example.com"
			b := h.browser()
			b.signIn(c, email)
			visit, err := b.session()
			if err != nil {
				t.Fatal(err)
			}
			before := h.count()
			push := map[string]any{
				"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "login-of-" + string(c.Kind), "externalId": "ext-" + string(c.Kind), "active": true,
				"emails": []map[string]any{{"value": strings.ToUpper(email), "primary": true}},
			}
			status, answer := h.scim(token, push)
			if status != http.StatusCreated || answer["id"] != string(visit.User.ID) {
				t.Errorf("the push answered %d with the id %v, want that of the person who came in: %s", status, answer["id"], visit.User.ID)
			}
			status, answer = h.scim(token, push) // the directory has the person now
			if status != http.StatusConflict || answer["scimType"] != "uniqueness" || !strings.Contains(answer["detail"].(string), string(visit.User.ID)) {
				t.Errorf("a second push answered %d: %v", status, answer)
			}
			if h.count() != before {
				t.Errorf("%d users, there were %d", h.count(), before)
			}
			fresh := h.browser()
			h.wantSignedIn(fresh, fresh.signIn(c, email), visit.User.ID)
		}
	})
}

func (h *house) count() int64 {
	h.t.Helper()
	page, err := h.people.Users(h.t.Context(), identity.Operator(), identity.Query{Total: true})
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Total
}

// scim pushes a user and returns the answer.
func (h *house) scim(token string, user map[string]any) (int, map[string]any) {
	h.t.Helper()
	raw, err := json.Marshal(user)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, h.url+"/scim/v2/Users", strings.NewReader(string(raw)))
	if err == nil {
		r.Header.Set("Content-Type", "application/scim+json")
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res := h.browser().do(r, err)
	var answer map[string]any
	if err := json.Unmarshal([]byte(res.body), &answer); err != nil {
		h.t.Fatalf("%d: %s", res.StatusCode, res.body)
	}
	return res.StatusCode, answer
}

// consoleRoute is one line of the console's table of routes, which is the list of everything that it answers.
var consoleRoute = regexp.MustCompile(`\{"(GET|POST) (/[^"]*)", (\w+), `)

func TestE26WhoLandedMayDoNothingBeyondAViewer(t *testing.T) {
	files, err := filepath.Glob("../../console/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var routes [][]string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		routes = append(routes, consoleRoute.FindAllStringSubmatch(string(source), -1)...)
	}
	if len(routes) < 250 {
		t.Fatalf("only %d routes were found: the table has another shape", len(routes))
	}
	each(t, func(t *testing.T, h *house) {
		victim := h.person(h.tenant().ID, "victim@example.com", "viewer")
		for _, c := range []identity.Connection{h.viaSAML, h.viaOIDC} {
			b := h.browser()
			b.signIn(c, "landed-"+string(c.Kind)+"@example.com")
			if _, err := b.session(); err != nil {
				t.Fatal(err)
			}
			fill := strings.NewReplacer("{id}", string(victim.ID), "{user}", string(victim.ID), "{connection}", string(c.ID))
			for _, route := range routes {
				method, path, need := route[1], fill.Replace(route[2]), route[3]
				if need == "anybody" || need == "signedIn" || need == "unfinished" { // the last are for people who still have something to do
					continue
				}
				path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, string(victim.ID))
				res := reply{}
				if method == http.MethodGet {
					res = b.get(path)
				} else {
					res = b.post(path, url.Values{"reason": {"x"}})
				}
				refused := res.StatusCode == http.StatusForbidden || need == "anyRight" && res.StatusCode == http.StatusNotFound // whoever may read nobody finds nobody
				if !refused || strings.Contains(res.body, "victim@example.com") {
					t.Errorf("%s %s (%s) answered %d", method, path, need, res.StatusCode)
				}
			}
			h.landedElsewhere(t, b, victim)
		}
	})
}

// landedElsewhere shows that the other doors and one's own pages give nothing of others either.
func (h *house) landedElsewhere(t *testing.T, b *browser, victim identity.User) {
	if res := b.get("/scim/v2/Users"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("SCIM answered %d to a session", res.StatusCode)
	}
	res := b.get("/console") // leads to what one may see
	if to := res.Header.Get("Location"); to != "/account" {
		t.Errorf("the console leads to %q", to)
	}
	if res := b.get("/account"); res.StatusCode != http.StatusOK || strings.Contains(res.body, victim.UserName) {
		t.Errorf("My Account answered %d", res.StatusCode)
	}
	visit, err := b.session()
	if err != nil || !slices.Equal(visit.Actor.Roles, []identity.RoleID{"viewer"}) {
		t.Errorf("the roles are %v (%v)", visit.Actor.Roles, err)
	}
	for name, try := range map[string]func() error{
		"users": func() error { _, err := h.people.Users(t.Context(), visit.Actor, identity.Query{Limit: 1}); return err },
		"events": func() error {
			_, err := h.people.Events(t.Context(), visit.Actor, provisioning.EventQuery{Limit: 1})
			return err
		},
		"traces": func() error {
			_, err := h.people.Traces(t.Context(), visit.Actor, provisioning.TraceQuery{Limit: 1})
			return err
		},
		"place": func() error {
			_, err := h.people.PlaceUsers(t.Context(), visit.Actor, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: visit.User.ID}}, Tenant: victim.TenantID, Role: "viewer"})
			return err
		},
	} {
		if err := try(); identity.KindOf(err) != identity.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
}
