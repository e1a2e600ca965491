package sso_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// explain explains a message as the operator, judged when it was issued.
func (h *house) explain(input string) identity.Trace {
	h.t.Helper()
	return h.explainAs(h.operator, identity.Pasted{Input: input})
}

func (h *house) explainAs(by identity.Actor, p identity.Pasted) identity.Trace {
	h.t.Helper()
	trace, err := h.door.Explain(h.t.Context(), by, p)
	if err != nil {
		h.t.Fatal(err)
	}
	return trace
}

// wantExplained fails unless the explanation ends with the code ("" for none) and its first failed check has the name.
func wantExplained(t *testing.T, trace identity.Trace, code, name string) {
	t.Helper()
	failure, _ := trace.Failure()
	if trace.Code != code || trace.OK != (code == "") || failure.Name != name {
		t.Fatalf("explained as %q by the check %q, want %q by %q: %+v", trace.Code, failure.Name, code, name, trace.Checks)
	}
	if code != "" && (failure.Fix == "" || trace.Message == "") {
		t.Errorf("nothing says what to do: %+v", failure)
	}
}

func resultOf(trace identity.Trace, name string) identity.CheckResult {
	for _, c := range trace.Checks {
		if c.Name == name {
			return c.Result
		}
	}
	return ""
}

func factOf(trace identity.Trace, name string) string {
	for _, f := range trace.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func TestExplainingSignsNobodyInAndUsesNothingUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		b := h.browser()
		response := b.samlResponse(ada.Email, "/console")
		before := len(h.users())
		for range 2 {
			trace := h.explain(response)
			wantExplained(t, trace, "", "")
			for _, name := range []string{"replay", "request", "browser"} {
				if resultOf(trace, name) != identity.Skipped {
					t.Errorf("the check %s is %q", name, resultOf(trace, name))
				}
			}
			if resultOf(trace, "would have") != identity.Passed || trace.Email != ada.Email || factOf(trace, "audience") != h.at(h.viaSAML, "metadata") || trace.UserID != "" {
				t.Errorf("explained as %+v", trace)
			}
		}
		page, err := h.people.Traces(t.Context(), h.operator, provisioning.TraceQuery{Limit: 10})
		if err != nil || len(page.Items) != 0 || len(h.users()) != before {
			t.Fatalf("explaining left %d traces and %d users (%v)", len(page.Items), len(h.users())-before, err)
		}
		b.wantSession(b.postResponse(response), "")
	})
}

func TestAMessageIsFoundInWhatPeoplePaste(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	response := h.answer("_1", nil)
	raw, err := base64.StdEncoding.DecodeString(response)
	if err != nil {
		t.Fatal(err)
	}
	var squeezed bytes.Buffer
	w, _ := flate.NewWriter(&squeezed, flate.BestCompression)
	w.Write(raw)
	w.Close()
	escaped := url.QueryEscape(response)
	for name, input := range map[string]string{
		"base64":                         response,
		"base64 in lines":                "\n  " + strings.Join(slices.Collect(slices.Values([]string{response[:76], response[76:152], response[152:]})), "\r\n  ") + "\n",
		"base64 for addresses":           base64.RawURLEncoding.EncodeToString(raw),
		"escaped":                        escaped,
		"a posted form":                  "RelayState=x&SAMLResponse=" + escaped + "&y=z",
		"a command line":                 "curl 'https://id.example.com/acs' --data-raw 'SAMLResponse=" + escaped + "&RelayState='",
		"XML":                            string(raw),
		"XML with a byte order mark":     "\ufeff" + string(raw) + "\n",
		"the page of the provider":       `<html><form><input type="hidden" name="RelayState" value="x"/><input type="hidden" name="SAMLResponse" value="` + html.EscapeString(response) + `"/></form></html>`,
		"the page, the other way round":  `<!doctype html><input value='` + html.EscapeString(response) + `' name='SAMLResponse' >`,
		"JSON":                           `{"RelayState":"x","SAMLResponse":"` + response + `"}`,
		"compressed, as in a redirect":   base64.StdEncoding.EncodeToString(squeezed.Bytes()),
		"an address of the redirect":     "https://id.example.com/acs?SAMLResponse=" + url.QueryEscape(base64.StdEncoding.EncodeToString(squeezed.Bytes())),
		"a form in which + was not kept": "SAMLResponse=" + response,
	} {
		t.Run(name, func(t *testing.T) { wantExplained(t, h.explain(input), "", "") })
	}
	for name, input := range map[string]string{
		"nothing": " \n", "words": "please help", "base64 of words": base64.StdEncoding.EncodeToString([]byte("please help")), "an encrypted token": "a.b.c.d.e",
		"too much": strings.Repeat("A", 512<<10+1), "a bomb": bomb(),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.door.Explain(t.Context(), h.operator, identity.Pasted{Input: input})
			if kind := identity.KindOf(err); kind != identity.Invalid && kind != identity.TooLarge {
				t.Errorf("the error is %v", err)
			}
		})
	}
	wantExplained(t, h.explain(`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1"/>`), "saml.malformed", "document")
}

// bomb is a compressed megabyte of nothing.
func bomb() string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	w.Write(bytes.Repeat([]byte("<"), 1<<20))
	w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestTheFirstFailedCheckOfAnExplanationIsTheCause(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	for _, tt := range []struct {
		name, code, check string
		change            func(*ssotest.Answer)
	}{
		{"another audience", "saml.wrong_audience", "audience", func(a *ssotest.Answer) { a.Audiences = []string{"https://other.example"} }},
		{"another destination", "saml.wrong_destination", "destination", func(a *ssotest.Answer) { a.SignResponse, a.Destination = true, "https://other.example" }},
		{"no signature", "saml.unsigned", "signature", func(a *ssotest.Answer) { a.SignAssertion, a.SignResponse = false, false }},
		{"refused by the provider", "saml.status", "status", func(a *ssotest.Answer) { a.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder" }},
	} {
		t.Run(tt.name, func(t *testing.T) { wantExplained(t, h.explain(h.answer("_1", tt.change)), tt.code, tt.check) })
	}
	trace := h.explain(h.answer("_1", func(a *ssotest.Answer) {
		a.SignAssertion, a.SignResponse, a.Audiences = false, false, []string{"https://other.example"}
	}))
	wantExplained(t, trace, "saml.unsigned", "signature")
	if resultOf(trace, "audience") != identity.Skipped || !strings.Contains(fmt.Sprint(trace.Checks), "This would be refused too (saml.wrong_audience)") || factOf(trace, "proven") == "" {
		t.Errorf("what is wrong beside the signature is not said: %+v", trace.Checks)
	}
}

// old moves the times of an answer into the past.
func old(by time.Duration) func(*ssotest.Answer) {
	return func(a *ssotest.Answer) {
		back := func(s *string) {
			if at, err := time.Parse(time.RFC3339, *s); err == nil {
				*s = ssotest.Stamp(at.Add(-by))
			}
		}
		for _, s := range []*string{&a.IssueInstant, &a.NotBefore, &a.NotOnOrAfter, &a.ConfirmationEnd, &a.AuthnInstant, &a.SessionNotOnOrAfter} {
			back(s)
		}
	}
}

func TestAnOldResponseIsJudgedWhenItWasIssuedAndNow(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	response := h.answer("_1", old(48*time.Hour))
	trace := h.explain(response)
	wantExplained(t, trace, "", "")
	if resultOf(trace, "now: not on or after") != identity.Skipped {
		t.Errorf("it is not said that it is over now: %+v", trace.Checks)
	}
	wantExplained(t, h.explainAs(h.operator, identity.Pasted{Input: response, At: "now"}), "saml.expired", "not on or after")
	wantExplained(t, h.explainAs(h.operator, identity.Pasted{Input: response, At: time.Now().Add(-48 * time.Hour).Format(time.RFC3339)}), "", "")
	wantExplained(t, h.explainAs(h.operator, identity.Pasted{Input: h.answer("_1", old(-time.Hour))}), "saml.from_the_future", "issue instant of the response")
	if _, err := h.door.Explain(t.Context(), h.operator, identity.Pasted{Input: response, At: "yesterday"}); identity.KindOf(err) != identity.Invalid {
		t.Errorf("a time that is none: %v", err)
	}
}

func TestAMessageIsExplainedWithTheConnectionsThatTheActorMayRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		tenant := func(name string) identity.Actor {
			tn, err := h.people.CreateTenant(t.Context(), h.operator, name)
			if err != nil {
				t.Fatal(err)
			}
			return identity.Actor{Kind: identity.ActorUser, ID: string(identity.NewID[identity.UserID]()), TenantID: tn.ID, Roles: []identity.RoleID{"administrator"}}
		}
		acme, beta := tenant("Acme"), tenant("Beta")
		own, err := h.people.CreateConnection(t.Context(), h.operator, identity.Connection{
			Name: "Acme SAML", TenantID: acme.TenantID, Kind: identity.SAML, SAML: identity.SAMLSettings{EntityID: h.viaSAML.SAML.EntityID, SSOURL: h.viaSAML.SAML.SSOURL, Certificates: h.viaSAML.SAML.Certificates},
			Domains: []string{"acme.example"}, Unknown: identity.UnknownLanding,
		})
		if err != nil {
			t.Fatal(err)
		}
		h.samlSP = h.client(own)
		response := h.answer("_1", func(a *ssotest.Answer) { a.EncryptTo = own.SAML.Certificate })
		trace := h.explainAs(acme, identity.Pasted{Input: response})
		if trace.ConnectionID != own.ID || resultOf(trace, "decryption") != identity.Passed || factOf(trace, "name id") != ada.Subject {
			t.Errorf("the owner gets %+v", trace)
		}
		trace = h.explainAs(beta, identity.Pasted{Input: response})
		wantExplained(t, trace, "explain.no_connection", "connection")
		if text := fmt.Sprintf("%+v", trace); strings.Contains(text, ada.Subject) || strings.Contains(text, "Acme SAML") {
			t.Errorf("another tenant reads the assertion: %s", text)
		}
		for _, id := range []identity.ConnectionID{own.ID, h.viaSAML.ID, identity.NewID[identity.ConnectionID]()} {
			if _, err := h.door.Explain(t.Context(), beta, identity.Pasted{Input: response, ConnectionID: id}); identity.KindOf(err) != identity.NotFound {
				t.Errorf("a connection of somebody else, by name: %v", err)
			}
		}
		if _, err := h.door.Explain(t.Context(), identity.Actor{Kind: identity.ActorUser, TenantID: acme.TenantID, Roles: []identity.RoleID{"viewer"}}, identity.Pasted{Input: response}); identity.KindOf(err) != identity.Forbidden {
			t.Errorf("a viewer may explain: %v", err)
		}
		wantExplained(t, h.explainAs(h.operator, identity.Pasted{Input: response, ConnectionID: h.viaOIDC.ID}), "explain.other_protocol", "connection")
	})
}

func TestAMessageOfNobodyIsStillDecoded(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	trace := h.explain(h.answer("_1", func(a *ssotest.Answer) {
		a.Issuer, a.ResponseIssuer, a.Audiences, a.Destination, a.Recipient = "https://nobody.example", "https://nobody.example", []string{"https://us.example"}, "https://us.example/acs", "https://us.example/acs"
	}))
	wantExplained(t, trace, "explain.no_connection", "connection")
	if factOf(trace, "issuer") != "https://nobody.example" || factOf(trace, "proven") == "" || resultOf(trace, "signature") != identity.Skipped || resultOf(trace, "not on or after") != identity.Skipped {
		t.Errorf("explained as %+v", trace)
	}
	other := h.answer("_1", func(a *ssotest.Answer) {
		a.Issuer, a.ResponseIssuer = "https://nobody.example", "https://nobody.example"
	})
	wantExplained(t, h.explain(other), "saml.wrong_issuer", "issuer of the response")
}

func TestAnIDTokenIsExplained(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		token := func(change func(*ssotest.IDToken)) string {
			id := h.oidc.NewIDToken(ssotest.OIDCClient{ID: h.viaOIDC.OIDC.ClientID}, ada, "n-1")
			if change != nil {
				change(id)
			}
			raw, err := id.Compact()
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
		trace := h.explain("id_token=" + token(nil) + "&state=x")
		wantExplained(t, trace, "", "")
		if resultOf(trace, "nonce") != identity.Skipped || resultOf(trace, "would have") != identity.Passed || factOf(trace, "email") != ada.Email || factOf(trace, "nonce") != "" {
			t.Errorf("explained as %+v", trace)
		}
		aged := func(id *ssotest.IDToken) {
			id.Claims["iat"], id.Claims["exp"] = time.Now().Add(-48*time.Hour).Unix(), time.Now().Add(-47*time.Hour).Unix()
		}
		trace = h.explain(token(aged))
		wantExplained(t, trace, "", "")
		if resultOf(trace, "now: expiry") != identity.Skipped {
			t.Errorf("it is not said that it is over now: %+v", trace.Checks)
		}
		wantExplained(t, h.explainAs(h.operator, identity.Pasted{Input: token(aged), At: "now"}), "oidc.expired", "expiry")
		wantExplained(t, h.explain(token(func(id *ssotest.IDToken) { id.Claims["aud"] = "another" })), "oidc.wrong_audience", "audience")
		wantExplained(t, h.explain(token(func(id *ssotest.IDToken) { delete(id.Claims, "nonce") })), "oidc.wrong_nonce", "nonce")
		wantExplained(t, h.explain(token(func(id *ssotest.IDToken) { id.Claims["iss"], id.Claims["aud"] = "https://nobody.example", "another" })), "explain.no_connection", "connection")
		signed := token(nil)
		forged := signed[:strings.LastIndexByte(signed, '.')+1] + strings.Repeat("A", 342)
		trace = h.explain(forged)
		wantExplained(t, trace, "oidc.bad_signature", "id token signature")
		if resultOf(trace, "audience") != identity.Skipped || factOf(trace, "proven") == "" {
			t.Errorf("explained as %+v", trace)
		}
		if strings.Contains(fmt.Sprintf("%+v", trace), "n-1") {
			t.Error("the explanation shows the nonce")
		}
	})
}

func TestAnExplanationIsNoWayIn(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	h.explain(h.answer("_1", nil))
	if res := h.browser().postResponse(h.answer("_1", nil)); res.StatusCode != http.StatusForbidden {
		t.Errorf("a response that answers nothing is accepted after it was explained: %d", res.StatusCode)
	}
}
