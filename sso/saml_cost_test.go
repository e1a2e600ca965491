package sso

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// filled repeats a unit between head and tail until the response is as large as a form can be.
func filled(head, unit, tail string) string {
	return head + strings.Repeat(unit, (maxResponse-len(head)-len(tail))/len(unit)) + tail
}

// inFull numbers the units, so that no two are the same.
func inFull(head string, unit func(i int) string, tail string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 0; b.Len() < maxResponse-len(tail)-100; i++ {
		b.WriteString(unit(i))
	}
	return b.String() + tail
}

// The largest documents that fit, each made to be expensive for one part of the verifier. None may cost more than 100 ms of CPU before it is refused,
// and none of them may be worth more: the limits are in the reader, so cost grows with the size and with nothing else.
func TestNoResponseCostsMoreThanATenthOfASecond(t *testing.T) {
	const end = "</samlp:Response>"
	spaces := ""
	for i := range 60 {
		spaces += fmt.Sprintf(` xmlns:n%d="urn:%d"`, i, i)
	}
	wide := strings.Replace(responseHead, ">", spaces+">", 1)
	documents := map[string]string{
		"elements":                 filled(responseHead, "<a/>", end),
		"few enough elements":      inFull(responseHead, func(i int) string { return "<a>" + strings.Repeat("x", 14) + "</a>" }, end),
		"ids":                      inFull(responseHead, func(i int) string { return fmt.Sprintf(`<a ID="_%d"/>`, i) }, end),
		"attributes":               filled(responseHead, "<a"+fill(60, func(i int) string { return fmt.Sprintf(` b%d=""`, i) })+"/>", end),
		"attributes in namespaces": filled(wide, "<a"+fill(60, func(i int) string { return fmt.Sprintf(` n%d:b=""`, i) })+"/>", end),
		"elements in namespaces":   inFull(wide, func(i int) string { return fmt.Sprintf("<n%d:a></n%d:a>", i%60, i%60) }, end),
		"declared namespaces":      filled(responseHead, "<a"+fill(58, func(i int) string { return fmt.Sprintf(` xmlns:n%d="u"`, i) })+"/>", end),
		"levels":                   filled(responseHead, strings.Repeat("<a>", 62)+strings.Repeat("</a>", 62), end),
		"open levels":              filled(responseHead, "<a>", ""),
		"pieces of text":           filled(responseHead+"<a>", "x<!---->", "</a>"+end),
		"pieces of CDATA":          filled(responseHead+"<a>", "<![CDATA[x]]>", "</a>"+end),
		"references":               filled(responseHead+"<a>", "&#38;", "</a>"+end),
		"references in a value":    filled(responseHead+`<a b="`, "&lt;", `"/>`+end),
		"line ends":                filled(responseHead+"<a>", "\r\n", "</a>"+end),
		"comments":                 filled(responseHead, "<!---->", end),
		"one long text":            filled(responseHead+"<a>", "x", "</a>"+end),
		"one long name":            filled(responseHead+"<", "x", "/>"+end),
		"ampersands":               filled(responseHead+"<a>", "&", "</a>"+end),
		"open tags":                filled(responseHead, "<a ", ""),
		"nothing but brackets":     strings.Repeat("<", maxResponse),
		"nothing but spaces":       strings.Repeat(" ", maxResponse),
	}
	for name, raw := range documents {
		t.Run(name, func(t *testing.T) { affordable(t, newSAMLCase(t), []byte(raw)) })
	}
}

func fill(n int, unit func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(unit(i))
	}
	return b.String()
}

// affordable fails when the verification costs more than the budget.
func affordable(t *testing.T, s *samlCase, raw []byte) {
	t.Helper()
	if len(raw) > maxResponse {
		t.Fatalf("%d bytes do not fit into a form", len(raw))
	}
	var err error
	if took := cost(5, func() { _, _, err = s.verifyRaw(raw) }); took > slowdown*budget {
		t.Errorf("%d bytes took %v (%v)", len(raw), took, err)
	}
}

// What is done with signatures, keys and what was decrypted is bounded too, for strangers and for a provider of ill will.
func TestNoSignatureCostsMoreThanATenthOfASecond(t *testing.T) {
	signatureEnd := "</ds:SignedInfo>"
	large := func(at, unit string) func(*samlCase) {
		return func(s *samlCase) {
			s.rewrite = func(raw string) string {
				before, after, _ := strings.Cut(raw, at)
				return filled(before, unit, at+after)
			}
		}
	}
	tests := map[string]func(*samlCase){
		"transforms":       large("</ds:Transforms>", `<ds:Transform Algorithm="x"/>`),
		"SignedInfo":       large("</ds:Transforms>", strings.Repeat(" ", 100)),
		"references":       large(signatureEnd, "<ds:Reference/>"),
		"a long digest":    large("</ds:DigestValue>", "A"),
		"a long signature": large("</ds:SignatureValue>", "A"),
		"a long KeyInfo":   large("</ds:X509Certificate>", "A"),
		"certificates":     large("</ds:X509Data>", "<ds:X509Certificate>AAAA</ds:X509Certificate>"),
		"groups after signing": large("</saml:AttributeStatement>",
			`<saml:Attribute Name="groups"><saml:AttributeValue>x</saml:AttributeValue></saml:Attribute>`),
		"twenty pinned certificates": func(s *samlCase) {
			attacker(s)
			for range 19 {
				s.connection.SAML.Certificates = append(s.connection.SAML.Certificates, s.connection.SAML.Certificates[0])
			}
		},
		"a large ciphertext that is not ours": func(s *samlCase) { replaceAssertion(s, sealed(200_000, ssotest.AES256CBC, 32)) },
		"a large plaintext": func(s *samlCase) {
			replaceAssertion(s, plaintext(responseHead+strings.Repeat("<a/>", 45_000), ownPair().cert))
		},
		"a large plaintext that nobody signed": func(s *samlCase) {
			replaceAssertion(s, plaintext(`<saml:Assertion xmlns:saml="`+nsAssertion+`">`+strings.Repeat("<a>xxxx</a>", 18_000)+"</saml:Assertion>", ownPair().cert))
		},
		"four thousand addresses of a provider of ill will": func(s *samlCase) {
			values := make([]string, 4_000)
			for i := range values {
				values[i] = fmt.Sprintf("ada%d@example.com", i)
			}
			s.answer.Attributes = []ssotest.Attribute{mail(values...)}
			raw := string(signedOurselves(t, s))
			s.rewrite = func(string) string { return raw }
		},
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSAMLCase(t)
			do(s)
			affordable(t, s, s.raw(t))
		})
	}
	t.Run("five thousand groups", func(t *testing.T) {
		s := newSAMLCase(t)
		groups := make([]string, 5_000)
		for i := range groups {
			groups[i] = fmt.Sprint("g", i)
		}
		s.answer.Attributes[len(s.answer.Attributes)-1].Values = groups
		affordable(t, s, signedOurselves(t, s))
	})
}
