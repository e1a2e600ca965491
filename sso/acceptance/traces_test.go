package acceptance

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// hostile is what an attacker would like somebody's browser to show.
const hostile = `"><script>alert(1)</script><b>Call 555-0100 to unlock your account</b>`

// answer renders a response of the SAML provider to a connection, as an attacker with an account there could get one.
func (h *house) answer(c identity.Connection, change func(*ssotest.Answer)) string {
	h.t.Helper()
	a := h.saml.Answer(ssotest.SAMLClient{EntityID: h.at(c, "metadata"), ACS: h.at(c, "acs")}, "_request", ada)
	change(a)
	raw, err := a.Render()
	if err != nil {
		h.t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func TestB04ARefusalShowsNothingThatWasSent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		root := h.person("", "root@bridge.example", "superadmin")
		admin := h.browser()
		admin.withPassword(root.UserName)
		off := h.create(identity.Connection{Name: "Off " + hostile, Kind: identity.OIDC, Domains: []string{"off.example"}, OIDC: identity.OIDCSettings{Issuer: h.oidc.Issuer(), ClientID: "off", ClientSecret: "x"}})
		if _, err := h.people.UpdateConnection(t.Context(), identity.Operator(), off.ID, func(c *identity.Connection) error { c.Enabled = false; return nil }); err != nil {
			t.Fatal(err)
		}
		post := func(response string) func(*browser) reply {
			return func(b *browser) reply {
				return b.postFromAfar(h.at(h.viaSAML, "acs"), url.Values{"SAMLResponse": {response}, "RelayState": {hostile}})
			}
		}
		get := func(address string) func(*browser) reply {
			return func(b *browser) reply { return b.get(address) }
		}
		pages := map[string]string{}
		for name, tt := range map[string]struct {
			code string
			send func(*browser) reply
		}{
			"no response":          {"saml.malformed", post(hostile)},
			"the provider refused": {"saml.status", post(h.answer(h.viaSAML, func(a *ssotest.Answer) { a.Status = hostile }))},
			"another audience": {"saml.wrong_audience", post(h.answer(h.viaSAML, func(a *ssotest.Answer) {
				a.Audiences, a.NameID = []string{hostile}, html.EscapeString(hostile)
			}))},
			"another destination": {"saml.wrong_destination", post(h.answer(h.viaSAML, func(a *ssotest.Answer) { a.Destination = hostile }))},
			"no request of ours":  {"saml.unknown_request", post(h.answer(h.viaSAML, func(*ssotest.Answer) {}))},
			"an unknown state":    {"oidc.unknown_request", get(h.at(h.viaOIDC, "callback") + "?state=" + url.QueryEscape(hostile) + "&code=x")},
			"an error of the provider": {"oidc.provider_error", func(b *browser) reply {
				begun, err := url.Parse(b.get(h.at(h.viaOIDC, "login")).Header.Get("Location"))
				if err != nil {
					t.Fatal(err)
				}
				q := url.Values{"state": {begun.Query().Get("state")}, "iss": {h.oidc.Issuer()}, "error": {"access_denied"}, "error_description": {hostile}, "error_uri": {hostile}}
				return b.get(h.at(h.viaOIDC, "callback") + "?" + q.Encode())
			}},
			"switched off": {"connection.disabled", get(h.at(off, "login") + "?return_to=" + url.QueryEscape(hostile) + "&login_hint=" + url.QueryEscape(hostile))},
		} {
			res := tt.send(h.browser())
			trace := h.lastTrace()
			if res.StatusCode < 400 || trace.Code != tt.code || !strings.Contains(res.body, string(trace.ID)) {
				t.Errorf("%s: answered %d with the code %q and the reference %v", name, res.StatusCode, trace.Code, strings.Contains(res.body, string(trace.ID)))
			}
			said := strings.NewReplacer(string(trace.ID), "", string(trace.ConnectionID), "").Replace(res.body) // ids may hold any digits
			for _, leak := range []string{"<script", "script&gt;", "alert(1)", "555", ada.Subject, ada.Email, ada.FamilyName, trace.Code, "audience", "Off "} {
				if strings.Contains(said, leak) {
					t.Errorf("%s: the page has %q: %s", name, leak, res.body)
				}
			}
			pages[said] = name
			seen := admin.get("/console/signins/" + string(trace.ID))
			if seen.StatusCode != http.StatusOK || strings.Contains(seen.body, "<script>alert") || strings.Contains(seen.body, "<b>Call") {
				t.Errorf("%s: the administrator's page is %d, or it does not escape: %s", name, seen.StatusCode, seen.body)
			}
		}
		if len(pages) != 1 {
			t.Errorf("the pages tell the reasons apart: %v", pages)
		}
		for _, path := range []string{"/sso/" + url.PathEscape(hostile) + "/login", "/sso/" + string(identity.NewID[identity.ConnectionID]()) + "/acs?x=" + url.QueryEscape(hostile)} {
			if res := h.browser().get(path); res.StatusCode < 400 || strings.Contains(res.body, "alert(1)") {
				t.Errorf("%s answered %d: %s", path, res.StatusCode, res.body)
			}
		}
	})
}

// firm is a tenant with its administrator's browser and its own connection.
type firm struct {
	tenant identity.Tenant
	via    identity.Connection
	admin  *browser
	by     identity.Actor
}

func (h *house) firm(domain string) firm {
	h.t.Helper()
	f := firm{tenant: h.tenant(), admin: h.browser()}
	settings := h.viaSAML.SAML
	settings.Certificate, settings.Key = nil, nil
	f.via = h.create(identity.Connection{Name: "SAML of " + domain, TenantID: f.tenant.ID, Kind: identity.SAML, SAML: settings, Domains: []string{domain}})
	h.register(f.via)
	u := h.person(f.tenant.ID, "admin@"+domain, "administrator")
	f.by = identity.Actor{Kind: identity.ActorUser, ID: string(u.ID), Label: u.Label(), TenantID: f.tenant.ID, Roles: []identity.RoleID{"administrator"}}
	if res := f.admin.withPassword(u.UserName); res.StatusCode != http.StatusSeeOther {
		h.t.Fatalf("%s cannot sign in: %d", u.UserName, res.StatusCode)
	}
	return f
}

func TestB05ATraceExplainsTheSignInToItsTenantsAdministratorsOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.firm("acme.example"), h.firm("beta.example")
		const secret = "the-persons-password"
		h.browser().postFromAfar(h.at(acme.via, "acs"), url.Values{"SAMLResponse": {h.answer(acme.via, func(a *ssotest.Answer) {
			a.Audiences = []string{"https://old.example"}
			a.Attributes = append(a.Attributes, ssotest.Attribute{Name: "department", Values: []string{"Engines & <Looms>"}}, ssotest.Attribute{Name: "userPassword", Values: []string{secret}})
		})}})
		refused := h.lastTrace()
		page := "/console/signins/" + string(refused.ID)
		h.wantPage(acme.admin.get(page), page,
			"The check “audience” failed", "https://old.example", h.at(acme.via, "metadata"), "What to do:", "saml.wrong_audience", "signature of the Assertion",
			"department", "Engines & <Looms>", "userPassword", "(hidden)", ada.Subject, acme.via.Name, "30 days")
		if res := acme.admin.get(page); strings.Contains(res.body, secret) || strings.Contains(res.body, "<Looms>") {
			t.Errorf("the page has a secret or unescaped text: %s", res.body)
		}
		h.wantIsolated(acme, beta, refused)
		h.browser().postFromAfar(h.at(beta.via, "acs"), url.Values{"SAMLResponse": {h.answer(beta.via, func(a *ssotest.Answer) { a.Audiences = nil })}})
		h.wantIsolated(beta, acme, h.lastTrace())

		root := h.browser()
		root.withPassword(h.person("", "root@bridge.example", "superadmin").UserName)
		h.wantPage(root.get(page), page, "saml.wrong_audience")
		viewer := h.browser()
		viewer.withPassword(h.person(acme.tenant.ID, "viewer@acme.example", "viewer").UserName)
		if res := viewer.get(page); res.StatusCode != http.StatusForbidden {
			t.Errorf("a viewer gets %d", res.StatusCode)
		}

		u := h.person(acme.tenant.ID, ada.Email, "editor")
		h.browser().signIn(h.viaOIDC, ada.Email)
		good := h.lastTrace()
		h.wantPage(acme.admin.get("/console/signins/"+string(good.ID)), "the good one", "Signed in", string(good.SessionID), "/console/users/"+string(u.ID), "header alg", "given_name", ada.GivenName)
		if good.SessionID == "" || good.TenantID != acme.tenant.ID {
			t.Errorf("the good trace is of the session %q and the tenant %q", good.SessionID, good.TenantID)
		}
		h.wantIsolated(acme, beta, good)

		h.people.KeepTraces(time.Nanosecond)
		if err := h.people.SweepTraces(t.Context()); err != nil {
			t.Fatal(err)
		}
		if res := acme.admin.get(page); res.StatusCode != http.StatusNotFound {
			t.Errorf("a trace that is older than they are kept: %d", res.StatusCode)
		}
	})
}

// wantPage fails unless a page says every text.
func (h *house) wantPage(res reply, name string, texts ...string) {
	h.t.Helper()
	text := html.UnescapeString(res.body)
	for _, want := range texts {
		if res.StatusCode != http.StatusOK || !strings.Contains(text, want) {
			h.t.Fatalf("%s answered %d and lacks %q: %s", name, res.StatusCode, want, text)
		}
	}
}

// wantIsolated fails unless the owner's administrator finds the trace in every way, and the other's in none.
func (h *house) wantIsolated(owner, other firm, trace identity.Trace) {
	h.t.Helper()
	id := string(trace.ID)
	h.wantPage(owner.admin.get("/console/signins"), "the owner's list", id)
	if res := other.admin.get("/console/signins"); res.StatusCode != http.StatusOK || strings.Contains(res.body, id) {
		h.t.Errorf("the other's list answered %d: %s", res.StatusCode, res.body)
	}
	for _, path := range []string{"/console/signins/" + id, "/console/signins/links?trace=" + id} {
		if res := other.admin.get(path); res.StatusCode != http.StatusNotFound || strings.Contains(res.body, string(trace.Subject)) && trace.Subject != "" {
			h.t.Errorf("%s answers the other %d: %s", path, res.StatusCode, res.body)
		}
	}
	for path, found := range map[string]bool{"/console/signins?reference=" + id: true, "/console/signins?q=" + id: true} {
		if res := owner.admin.get(path); (res.Header.Get("Location") == "/console/signins/"+id) != found {
			h.t.Errorf("%s leads the owner to %q", path, res.Header.Get("Location"))
		}
	}
	if res := other.admin.get("/console/signins?q=" + id); res.StatusCode != http.StatusOK || res.Header.Get("Location") != "" {
		h.t.Errorf("a reference leads the other to %q (%d)", res.Header.Get("Location"), res.StatusCode)
	}
	for _, query := range []string{"?connection=" + string(trace.ConnectionID), "?email=" + url.QueryEscape(trace.Email), "?q=saml"} {
		if res := other.admin.get("/console/signins" + query); strings.Contains(res.body, id) {
			h.t.Errorf("%s shows it to the other", query)
		}
	}
	for _, form := range []url.Values{{"trace": {id}, "hours": {"24"}}, {"connection": {string(owner.via.ID)}, "hours": {"24"}}} {
		if res := other.admin.post("/console/signins/links", form); res.StatusCode != http.StatusNotFound {
			h.t.Errorf("the other's link to %v: %d", form, res.StatusCode)
		}
	}
	if _, err := h.people.Trace(h.t.Context(), other.by, trace.ID); identity.KindOf(err) != identity.NotFound {
		h.t.Errorf("the other reads it: %v", err)
	}
	page, err := h.people.Traces(h.t.Context(), other.by, provisioning.TraceQuery{Limit: 100})
	for _, t := range page.Items {
		if err != nil || t.TenantID != other.tenant.ID {
			h.t.Errorf("the other reads traces of %q (%v)", t.TenantID, err)
		}
	}
}
