package sso

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	roundtrip "github.com/mattermost/xml-roundtrip-validator"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// maxResponse is the largest response in bytes that fits into a posted form.
const maxResponse = maxBody / 4 * 3

// budget is how much CPU time a response may cost before it is refused.
const budget = 100 * time.Millisecond

// fixedKey makes the provider sign with a key that every process of a fuzzing run has, so that the seeds are good ones in all of them.
func fixedKey(s *samlCase) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	must(err)
	cert, err := ssotest.SelfSigned(key, "fixed")
	must(err)
	s.answer.Key, s.answer.Certificate, s.answer.SignatureMethod = key, cert, dsig.ECDSASHA256SignatureMethod
	s.connection.SAML.Certificates = [][]byte{cert}
}

// cost returns the CPU time that f takes in this process; the least of several, because other tests and the collector count too.
func cost(times int, f func()) time.Duration {
	used := func() time.Duration {
		var u syscall.Rusage
		must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	least := time.Hour
	for range times {
		before := used()
		f()
		least = min(least, used()-before)
		if least < budget {
			break
		}
	}
	return least
}

// fuzzCase is one connection for all inputs, and good responses of its provider as seeds.
func fuzzCase(f *testing.F) (*samlCase, [][]byte) {
	s, seeds := signedSeeds(f)
	for _, cipher := range []string{ssotest.AES128GCM, ssotest.AES128CBC} {
		encrypted := newSAMLCase(f)
		fixedKey(encrypted)
		encrypted.answer.EncryptTo, encrypted.answer.Cipher = ownPair().cert, cipher
		seeds = append(seeds, encrypted.raw(f))
	}
	for _, tt := range append(brokenDocuments(), brokenSignatures()...) {
		broken := newSAMLCase(f)
		tt.do(broken)
		seeds = append(seeds, broken.raw(f))
	}
	for _, tt := range append(brokenConditions(), brokenIdentities()...) {
		broken := newSAMLCase(f)
		fixedKey(broken)
		tt.do(broken)
		seeds = append(seeds, broken.raw(f))
	}
	return s, seeds
}

// believe verifies raw within the budget, and fails if it is believed as anybody but the person whom the provider has signed.
func believe(t *testing.T, s *samlCase, raw []byte) {
	t.Helper()
	if len(raw) > maxResponse {
		return
	}
	if took := cost(4, func() {
		if v, _, err := s.verifyRaw(raw); err == nil && (v.claims.Subject != ada.Subject || v.claims.Email != "" && v.claims.Email != ada.Email) {
			t.Fatalf("believed %q with %q, whom the provider never signed", v.claims.Subject, v.claims.Email)
		}
	}); took > slowdown*budget {
		t.Errorf("%d bytes took %v", len(raw), took)
	}
}

// FuzzSAMLResponse: no bytes make the verifier panic or think for long, and none that the provider did not sign are believed.
func FuzzSAMLResponse(f *testing.F) {
	s, seeds := fuzzCase(f)
	for _, raw := range seeds {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { believe(t, s, raw) })
}

// FuzzSAMLSignedResponse arranges signed responses anew: whatever is still accepted means the same person, and the second opinion agrees.
func FuzzSAMLSignedResponse(f *testing.F) {
	s, seeds := signedSeeds(f)
	for i := range seeds {
		f.Add(i, uint64(i), uint64(1))
	}
	f.Fuzz(func(t *testing.T, which int, one, two uint64) {
		raw := mutate(rand.New(rand.NewPCG(one, two)), seeds[uint(which)%uint(len(seeds))])
		if took := cost(4, func() { agree(t, s, raw) }); took > slowdown*budget {
			t.Errorf("%d bytes took %v", len(raw), took)
		}
	})
}

// FuzzSAMLForm: no posted form makes the door panic or think for long before it has a response in its hands, and no response inside is believed that should not be.
func FuzzSAMLForm(f *testing.F) {
	s, seeds := fuzzCase(f)
	for _, raw := range seeds[:4] {
		f.Add(url.Values{"SAMLResponse": {encodeBase64(raw)}, "RelayState": {"x"}}.Encode())
	}
	f.Add("SAMLResponse=PGE%2b&SAMLResponse=%")
	f.Add(strings.Repeat("a&", 1000) + "SAMLResponse=" + strings.Repeat("A", 100))
	f.Fuzz(func(t *testing.T, form string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		var raw []byte
		if took := cost(4, func() {
			r.Body, r.PostForm, r.Form = http.NoBody, nil, nil
			r.Body = http.MaxBytesReader(nil, readCloser{strings.NewReader(form)}, maxBody)
			if readPost(httptest.NewRecorder(), r) == nil && len(r.PostForm[samlArtifact]) == 0 {
				raw, _ = (&attempt{}).responseOf(r)
			}
		}); took > slowdown*budget {
			t.Errorf("%d bytes took %v", len(form), took)
		}
		believe(t, s, raw)
	})
}

// readCloser is a reader that needs no closing.
type readCloser struct{ *strings.Reader }

// Close does nothing.
func (readCloser) Close() error { return nil }

// FuzzSAMLReader: what our reader accepts, encoding/xml accepts, etree reads as the same tree, and goxmldsig canonicalises as we do.
func FuzzSAMLReader(f *testing.F) {
	_, seeds := signedSeeds(f)
	for _, raw := range seeds {
		f.Add(raw)
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		f.Add([]byte(strings.Replace(strings.Replace(someDocument(random), "<p0:root", `<r:Response xmlns:r="`+nsProtocol+`"`, 1), "</p0:root>", "</r:Response>", 1)))
	}
	rules := responseDocument
	rules.message = false
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 32<<10 {
			return // the others need too long
		}
		if _, err := parse(raw, rules); err != nil {
			return
		}
		if err := roundtrip.Validate(bytes.NewReader(raw)); err != nil {
			t.Fatalf("encoding/xml: %v", err)
		}
		ours, theirs := bothTrees(t, raw)
		if differs(ours) {
			return // where goxmldsig is known to differ from the standard
		}
		compareForms(t, ours, theirs, "exclusive", canonicalization{}, func() dsig.Canonicalizer { return dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("") })
		compareForms(t, ours, theirs, "inclusive", canonicalization{inclusive: true}, dsig.MakeC14N10RecCanonicalizer)
	})
}

// differs reports whether goxmldsig writes a form of the tree that is not the standard's: it sorts attributes of two foreign namespaces by their
// names, writes an empty default namespace where none was, and canonicalises no more than 1,000 elements.
func differs(n *node) bool {
	total := 0
	var walk func(n *node) bool
	walk = func(n *node) bool {
		total++
		foreign := ""
		for _, a := range n.attrs {
			if a.prefix != "" && foreign != "" && foreign != a.prefix {
				return true
			}
			if a.prefix != "" {
				foreign = a.prefix
			}
		}
		for _, b := range n.declared {
			if b.uri == "" {
				return true
			}
		}
		for _, c := range n.elements() {
			if walk(c) {
				return true
			}
		}
		return false
	}
	return walk(n) || total > 900
}
