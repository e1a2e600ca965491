package sso

import (
	"context"
	"encoding/base64"
	"net/url"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// FuzzExplain throws anything at the box for messages: it ends, soon, without a panic, and always with a reason. No connection is found for it, or one whose
// provider signed the seeds long before the time that they are judged at, so that nothing may pass.
func FuzzExplain(f *testing.F) {
	s := newSAMLCase(f)
	raw := s.raw(f)
	encrypted := *s.answer
	encrypted.EncryptTo = s.connection.SAML.Certificate
	sealed, err := encrypted.Render()
	must(err)
	token, err := newOIDCCase(f).token.Compact()
	must(err)
	good := base64.StdEncoding.EncodeToString(raw)
	for _, seed := range []string{
		good, string(raw), string(sealed), "SAMLResponse=" + url.QueryEscape(good) + "&RelayState=", token, `{"id_token":"` + token + `"}`, `<input name="SAMLResponse" value="` + good + `">`,
		"a.b.c", "a.b.c.d.e", "", "<", "%", "SAMLResponse=", "eyJhbGciOiJub25lIn0.eyJpc3MiOjF9.", "e30.e30.", `<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>`,
		`<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"><a:Assertion><a:Subject/></a:Assertion></p:Response>`,
	} {
		f.Add(seed)
	}
	door := &Door{url: "https://sp.example.com"}
	after := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, input string) {
		began := time.Now()
		m, err := readPasted(input)
		if err != nil {
			if kind := identity.KindOf(err); kind != identity.Invalid && kind != identity.TooLarge {
				t.Errorf("the error is %v", err)
			}
			return
		}
		unknown := &explanation{attempt: attempt{door: door}, message: m, now: began}
		explain := unknown.saml
		if m.token != "" {
			explain = unknown.oidc
		}
		wantReason(t, unknown, explain(context.Background()))
		if root, err := parse(m.xml, responseDocument); err == nil && m.token == "" {
			known := &explanation{attempt: attempt{door: door, connection: s.connection}, message: m, now: began, at: after}
			seen := look(root, &known.connection)
			wantReason(t, known, known.verified(context.Background(), &seen))
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func wantReason(t *testing.T, x *explanation, err error) {
	t.Helper()
	trace := x.concluded(err)
	failure, failed := trace.Failure()
	if trace.OK || trace.Code == "" || !failed || failure.Fix == "" || len(trace.Facts) > 200 {
		t.Errorf("explained as %v %q, first failure %+v, %d facts", trace.OK, trace.Code, failure, len(trace.Facts))
	}
}
