package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// attempts opens the bridge until the test ends and returns what keeps a trace.
func (sh shell) attempts() func(identity.Trace) identity.TraceID {
	sh.t.Helper()
	s, err := config.Load(nil, func(name string) string { return sh.env[name] }, nil)
	if err != nil {
		sh.t.Fatal(err)
	}
	b, err := open(sh.t.Context(), s)
	if err != nil {
		sh.t.Fatal(err)
	}
	sh.t.Cleanup(func() { b.db.Close() })
	return func(t identity.Trace) identity.TraceID {
		sh.t.Helper()
		t.ID = identity.NewID[identity.TraceID]()
		if err := b.people.RecordTrace(sh.t.Context(), t); err != nil {
			sh.t.Fatal(err)
		}
		return t.ID
	}
}

func TestSignInsAreSearchedAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		var c connectionView
		secret := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		sh.json(&c, "connection", "create-oidc", "Acme Entra", "--issuer", "https://idp.example", "--client-id", "bridge", "--client-secret-file", secret, "--domain", "acme.example")
		keep := sh.attempts()
		id := keep(identity.Trace{
			ConnectionID: c.ID, Code: "oidc.wrong_audience", Message: "Compare the client id.", Email: "ada@acme.example", Subject: "00u1", Issuer: "https://idp.example",
			Checks: []identity.Check{{Name: "signature", Result: identity.Passed}, {Name: "audience", Result: identity.Failed, Got: "x\u202e", Expected: "bridge", Fix: "Compare the client id."}},
			Facts:  []identity.Fact{{Name: "department", Value: "Sales"}},
		})
		keep(identity.Trace{Code: "password.wrong", Email: "bob@acme.example"})
		keep(identity.Trace{OK: true, Email: "carol@acme.example"})
		for name, args := range map[string][]string{
			"connection": {"--connection", "acme entra"}, "connection by id": {"--connection", string(c.ID)}, "search": {"--search", "AUDIENCE"}, "e-mail": {"--email", "ADA@acme.example"},
			"subject": {"--subject", "00u1"}, "code": {"--code", "oidc."}, "several": {"--refused", "--since", "1h", "--search", "ada"},
		} {
			if out := sh.must(append([]string{"signins"}, args...)...); !strings.Contains(out, string(id)) || strings.Contains(out, "bob@") || strings.Contains(out, "carol@") {
				t.Errorf("%s:\n%s", name, out)
			}
		}
		if out := sh.must("signins", "--until", "1h"); !strings.Contains(out, "No attempts") {
			t.Errorf("an hour ago:\n%s", out)
		}
		out := sh.must("signins", "show", string(id))
		for _, word := range []string{"refused", "oidc.wrong_audience", "Failed", "Got         x\ufffd", "What to do  Compare the client id.", "signature", "pass", "department", "Sales", string(id)} {
			if !strings.Contains(out, word) {
				t.Errorf("it does not say %q:\n%s", word, out)
			}
		}
		var v traceView
		if sh.json(&v, "signins", "show", string(id)); len(v.Facts) != 1 || len(v.Checks) != 2 {
			t.Errorf("%+v", v)
		}
		sh.refused(1, []string{"There is no such sign-in", "30 days"}, "signins", "show", string(identity.NewID[identity.TraceID]()))
		sh.refused(2, []string{"no reference"}, "signins", "show", "x")
		sh.refused(2, []string{"--since"}, "signins", "--since", "whenever")
		sh.refused(1, []string{"no connection"}, "signins", "--connection", "Nobody")
	})
}

func TestAResponseIsExplainedAtTheCommandLine(t *testing.T) {
	sh := newShell(t)
	idp, err := ssotest.NewSAML("https://idp.example.com", ssotest.Person{Subject: "00u-ada", Email: "ada@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	var c connectionView
	sh.stdin = string(idp.Metadata())
	sh.json(&c, "connection", "create-saml", "Acme SAML", "--metadata", "-", "--domain", "acme.example")
	base := "https://id.example.com/sso/" + string(c.ID)
	response := func(audience string) string {
		a := idp.Answer(ssotest.SAMLClient{EntityID: audience, ACS: base + "/acs"}, "_1", ssotest.Person{Subject: "00u-ada", Email: "ada@acme.example"})
		past := ssotest.Stamp(time.Now().Add(-time.Hour))
		a.IssueInstant, a.NotBefore, a.AuthnInstant = past, past, past
		a.NotOnOrAfter, a.ConfirmationEnd = ssotest.Stamp(time.Now().Add(-55*time.Minute)), ssotest.Stamp(time.Now().Add(-55*time.Minute))
		raw, err := a.Render()
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(raw)
	}
	sh.stdin = response(base + "/metadata")
	out := sh.must("signin", "explain", "-")
	for _, word := range []string{"right: every check passes", "audience", "now: not on or after", "would have", "00u-ada"} {
		if !strings.Contains(out, word) {
			t.Errorf("it does not say %q:\n%s", word, out)
		}
	}
	sh.refused(1, []string{"saml.expired"}, "signin", "explain", "-", "--at", "now")
	sh.stdin = response("https://other.example")
	sh.refused(1, []string{"saml.wrong_audience"}, "signin", "explain", "-", "--connection", "acme saml")
	file := filepath.Join(t.TempDir(), "response.txt")
	if err := os.WriteFile(file, []byte("SAMLResponse="+response("https://other.example")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, err := sh.run("signin", "explain", file, "--json"); err == nil || !strings.Contains(out, `"code": "saml.wrong_audience"`) || strings.Contains(out, `"id"`) {
		t.Errorf("%v\n%s", err, out)
	}
	sh.stdin = "please"
	sh.refused(1, []string{"neither a SAML response nor an ID token"}, "signin", "explain", "-")
	sh.refused(1, []string{"at: ", "tomorrow"}, "signin", "explain", "-", "--at", "tomorrow")
	if out := sh.must("signins"); !strings.Contains(out, "No attempts") {
		t.Errorf("explaining left traces:\n%s", out)
	}
}
