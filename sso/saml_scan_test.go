package sso

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

const responseHead = `<samlp:Response xmlns:samlp="` + nsProtocol + `" xmlns:saml="` + nsAssertion + `" ID="_r" Version="2.0">`

// hostile is a document that must be refused quickly, with a status and a reason code.
type hostile struct {
	name, raw string
	status    int
	code      string
}

// malformedAll are documents that are not understood at all: 400.
func malformedAll(named map[string]string) []hostile {
	var all []hostile
	for _, name := range slices.Sorted(maps.Keys(named)) {
		all = append(all, hostile{name, named[name], http.StatusBadRequest, "saml.malformed"})
	}
	return all
}

// repel fails unless each document is refused within the time: the fastest of three, because the machine has other things to do.
func repel(t *testing.T, within time.Duration, documents ...hostile) {
	t.Helper()
	for _, d := range documents {
		t.Run(d.name, func(t *testing.T) {
			s := newSAMLCase(t)
			fastest := time.Hour
			for range 3 {
				began := time.Now()
				_, tr, err := s.verifyRaw([]byte(d.raw))
				fastest = min(fastest, time.Since(began))
				wantCode(t, tr, err, d.code)
				if web.Status(err) != d.status {
					t.Fatalf("the status is %d, want %d", web.Status(err), d.status)
				}
			}
			if fastest > slowdown*within {
				t.Errorf("took %v", fastest)
			}
		})
	}
}

func TestX01ADocumentTypeIsRefused(t *testing.T) {
	good := string(newSAMLCase(t).raw(t))
	repel(t, 100*time.Millisecond, malformedAll(map[string]string{
		"a document type": "<!DOCTYPE r>" + good, "behind the declaration": `<?xml version="1.0"?><!DOCTYPE r SYSTEM "http://127.0.0.1:1/x">` + good,
		"inside the document": strings.Replace(good, "<samlp:Status>", "<!DOCTYPE r><samlp:Status>", 1), "behind the document": good + "<!DOCTYPE r>",
		"another declaration": `<!ELEMENT r ANY>` + good, "in small letters": "<!doctype r>" + good,
	})...)
	for name, raw := range map[string]string{"a document type": "<!DOCTYPE r>" + string(testProvider().Metadata()), "entities": `<!DOCTYPE r [<!ENTITY a "b">]>` + string(testProvider().Metadata())} {
		if _, err := parseMetadata([]byte(raw), identity.SAMLSettings{}, true); web.Status(err) != http.StatusBadRequest || identity.CodeOf(err) != "saml.bad_metadata" {
			t.Errorf("metadata with %s: %v", name, err)
		}
	}
}

func TestX02EntitiesAreRefusedAndNothingIsFetched(t *testing.T) {
	var fetched atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer server.Close()
	good := string(newSAMLCase(t).raw(t))
	used := strings.Replace(good, ada.Subject, "&a;", 1)
	laughs := `<!ENTITY l0 "ha">`
	for i := range 30 {
		laughs += fmt.Sprintf(`<!ENTITY l%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&l%d;", i), 10))
	}
	repel(t, 100*time.Millisecond, malformedAll(map[string]string{
		"an internal entity": `<!DOCTYPE r [<!ENTITY a "b">]>` + used, "an undeclared entity": used, "billion laughs": "<!DOCTYPE r [" + laughs + "]><r>&l30;</r>",
		"a file": `<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + used, "an address": `<!DOCTYPE r [<!ENTITY a SYSTEM "` + server.URL + `">]>` + used,
		"a parameter entity": `<!DOCTYPE r [<!ENTITY % a SYSTEM "` + server.URL + `">%a;]>` + good, "an external subset": `<!DOCTYPE r SYSTEM "` + server.URL + `">` + good,
		"a reference to no character": strings.Replace(good, ada.Subject, "&#0;", 1), "to a surrogate": strings.Replace(good, ada.Subject, "&#xD800;", 1),
		"beyond Unicode": strings.Replace(good, ada.Subject, "&#x110000;", 1), "without an end": strings.Replace(good, ada.Subject, "&lt", 1),
	})...)
	if fetched.Load() != 0 {
		t.Errorf("%d requests went out", fetched.Load())
	}
}

func TestX03TwoRootsAndTextOutsideAreRefused(t *testing.T) {
	good := string(newSAMLCase(t).raw(t))
	repel(t, 100*time.Millisecond, malformedAll(map[string]string{
		"a second root": good + "<x/>", "a second response": good + good, "text before the root": "x" + good, "text behind the root": good + "x",
		"a reference outside": good + "&#32;", "CDATA outside": good + "<![CDATA[ ]]>", "no root": "", "only a comment": "<!-- x -->", "no XML": "hello",
		"half a document": good[:len(good)/2], "another root": "<x/>", "a request": `<samlp:AuthnRequest xmlns:samlp="` + nsProtocol + `"/>`,
		"an assertion alone": good[strings.Index(good, "<saml:Assertion"):strings.Index(good, "</samlp:Response>")],
	})...)
	repel(t, 100*time.Millisecond, hostile{"a processing instruction before the root", "<?x y?>" + good, http.StatusForbidden, "saml.processing_instruction"})
}

func TestX04OtherEncodingsAreRefused(t *testing.T) {
	good := string(newSAMLCase(t).raw(t))
	wide := []byte("\xff\xfe")
	for _, c := range []byte(good) {
		wide = append(wide, c, 0)
	}
	repel(t, 100*time.Millisecond, malformedAll(map[string]string{
		"UTF-16 declared": `<?xml version="1.0" encoding="UTF-16"?>` + good, "Latin-1 declared": `<?xml version="1.0" encoding="ISO-8859-1"?>` + good,
		"a byte order mark": "\ufeff" + good, "UTF-16": string(wide), "invalid UTF-8": strings.Replace(good, ada.Subject, "\xff\xfe", 1),
		"an overlong character": strings.Replace(good, ada.Subject, "\xc0\xbc", 1), "a surrogate": strings.Replace(good, ada.Subject, "\xed\xa0\x80", 1),
		"NUL": strings.Replace(good, ada.Subject, "a\x00b", 1), "a control character": strings.Replace(good, ada.Subject, "a\x0bb", 1),
		"a character that XML does not have": strings.Replace(good, ada.Subject, "a\uffffb", 1), "XML 1.1": `<?xml version="1.1"?>` + good,
	})...)
	s := newSAMLCase(t)
	_, tr, err := s.verifyRaw(append([]byte(`<?xml version='1.0' encoding="utf-8" standalone="no" ?>`+"\r\n"), s.raw(t)...))
	wantCode(t, tr, err, "")
}

func TestX05DeepNestingIsRefused(t *testing.T) {
	deep := func(n int) string {
		return responseHead + strings.Repeat("<a>", n) + strings.Repeat("</a>", n) + "</samlp:Response>"
	}
	repel(t, 100*time.Millisecond, malformedAll(map[string]string{
		"20,000 levels": deep(20_000), "65 levels": deep(64), "20,000 levels that never end": responseHead + strings.Repeat("<a>", 20_000),
	})...)
}

func TestX09ManyOfEverythingIsRefused(t *testing.T) {
	repel(t, 200*time.Millisecond, malformedAll(map[string]string{
		"50,000 siblings": responseHead + strings.Repeat("<a/>", 50_000) + "</samlp:Response>", "20,000 attributes": manyAttributes(20_000, ""),
		"20,000 namespaces": manyAttributes(20_000, "xmlns:"),
	})...)
	repel(t, 200*time.Millisecond,
		hostile{"20,000 false assertions", responseHead + strings.Repeat("<saml:Assertion/>", 20_000) + "</samlp:Response>", http.StatusForbidden, "saml.several_assertions"},
		hostile{"20,000 signatures", responseHead + strings.Repeat(`<Signature xmlns="`+nsSignature+`"/>`, 6_000) + "</samlp:Response>", http.StatusForbidden, "saml.misplaced_signature"},
		hostile{"one id 20,000 times", responseHead + strings.Repeat(`<a ID="_a"/>`, 20_000) + "</samlp:Response>", http.StatusForbidden, "saml.duplicate_id"})
}

// CVE-2020-29509, -29510 and -29511: names and directives that encoding/xml wrote otherwise than it read them.
func TestX11WhatReadsDifferentlyAfterWritingIsRefused(t *testing.T) {
	good := string(newSAMLCase(t).raw(t))
	inside := func(markup string) string { return strings.Replace(good, "<samlp:Status>", markup+"<samlp:Status>", 1) }
	repel(t, 100*time.Millisecond, malformedAll(map[string]string{
		"two colons": inside(`<x::y/>`), "an empty prefix": inside(`<:y/>`), "an empty name": inside(`<x:/>`), "three parts": inside(`<samlp:y:z/>`),
		"an attribute with two colons": inside(`<y x::z=""/>`), "an attribute with an empty prefix": inside(`<y :z=""/>`), "an attribute with an empty name": inside(`<y x:=""/>`),
		"a prefix that is not declared": inside(`<x:y/>`), "an attribute's prefix that is not declared": inside(`<y x:z=""/>`), "an element called xmlns:x": inside(`<xmlns:x/>`),
		"a prefix without a namespace": inside(`<y xmlns:x=""/>`), "xml bound to something else": inside(`<y xmlns:xml="urn:x"/>`), "the namespace of xmlns": inside(`<y xmlns:x="` + nsXMLNS + `"/>`),
		"a directive with a comment inside": inside(`<!x <!-- -->>`), "a comment that ends twice": inside(`<!-- -- -->`), "a comment with three hyphens": inside(`<!-- --->`), "an open comment": good + "<!-- ",
		"attributes without a space": inside(`<y a="b"c="d"/>`), "a value without quotes": inside(`<y a=b/>`), "a value with a tag": inside(`<y a="<"/>`), "no value": inside(`<y a/>`),
		"an end tag with an attribute": inside(`<y></y a="">`), "another end tag": inside(`<y></z>`), "another prefix in the end tag": inside(`<samlp:y></saml:y>`),
		"the end of CDATA in a text": inside(`]]>`), "CDATA without an end": inside(`<![CDATA[`), "an empty CDATA section": inside(`<y><![CDATA[]]></y>`), "a space before the name": inside(`< y/>`),
	})...)
}

func manyAttributes(n int, prefix string) string {
	var b bytes.Buffer
	b.WriteString("<samlp:Response xmlns:samlp=\"" + nsProtocol + "\"")
	for i := range n {
		fmt.Fprintf(&b, " %sa%d=\"u\"", prefix, i)
	}
	b.WriteString("/>")
	return b.String()
}

func TestCommentsOutsideIdentitiesAreHarmless(t *testing.T) {
	s := newSAMLCase(t)
	raw := strings.Replace(string(s.raw(t)), "<samlp:Status>", "<!-- made by hand --><samlp:Status>", 1)
	_, tr, err := s.verifyRaw([]byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + raw))
	wantCode(t, tr, err, "")
}

func TestPeopleInAThousandGroupsCanSignIn(t *testing.T) {
	for _, response := range []bool{false, true} {
		s := newSAMLCase(t)
		s.answer.SignResponse, s.answer.SignAssertion = response, !response
		groups := make([]string, 900) // goxmldsig's own signer stops at 1,000 elements
		for i := range groups {
			groups[i] = fmt.Sprintf("group %d", i)
		}
		s.answer.Attributes[len(s.answer.Attributes)-1].Values = groups
		v, tr, err := s.verify(t)
		wantCode(t, tr, err, "")
		if len(v.claims.Groups) != len(groups) {
			t.Errorf("%d groups, want %d", len(v.claims.Groups), len(groups))
		}
	}
}
