package sso

import (
	"bytes"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	roundtrip "github.com/mattermost/xml-roundtrip-validator"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"

	"github.com/drawbridge-id/drawbridge/identity"
)

// secondOpinion reads a response with other people's code only: encoding/xml, etree, xml-roundtrip-validator and goxmldsig. It returns the NameID
// that the connection's first certificate has signed. It knows no conditions, and it may be more generous than we are, never stricter.
func secondOpinion(raw []byte, c *identity.Connection) (string, error) {
	if err := roundtrip.Validate(bytes.NewReader(raw)); err != nil {
		return "", err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		return "", err
	}
	cert, err := x509.ParseCertificate(c.SAML.Certificates[0])
	if err != nil {
		return "", err
	}
	covered, signed := doc.Root(), false
	for el := doc.Root(); el != nil; el = child(el, "Assertion") {
		if child(el, "Signature") == nil {
			continue
		}
		if covered, err = signedPart(el, cert); err != nil {
			return "", err
		}
		signed = true
	}
	if !signed {
		return "", errors.New("nothing is signed")
	}
	if covered.Tag == "Response" {
		covered = child(covered, "Assertion")
	}
	name := covered.FindElement("./Subject/NameID")
	if name == nil {
		return "", errors.New("no NameID")
	}
	return strings.TrimSpace(name.Text()), nil
}

// signedPart lets goxmldsig check the signature of an element; without KeyInfo, it uses the one certificate that it has.
func signedPart(el *etree.Element, cert *x509.Certificate) (*etree.Element, error) {
	around, err := etreeutils.NSBuildParentContext(el)
	if err != nil {
		return nil, err
	}
	own, err := etreeutils.NSDetatch(around, el)
	if err != nil {
		return nil, err
	}
	signature := child(own, "Signature")
	own.InsertChildAt(0, own.RemoveChildAt(signature.Index()))
	if info := child(signature, "KeyInfo"); info != nil {
		signature.RemoveChild(info)
	}
	value := child(signature, "SignatureValue")
	decoded, err := decodeBase64(value.Text())
	if err != nil {
		return nil, err
	}
	value.SetText(encodeBase64(asn1Signature(cert, decoded)))
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
	ctx.Clock = dsig.NewFakeClockAt(cert.NotBefore)
	return ctx.Validate(own)
}

// signedSeeds are good responses of every shape that a signature has.
func signedSeeds(tb testing.TB) (*samlCase, [][]byte) {
	tb.Helper()
	var seeds [][]byte
	base := newSAMLCase(tb)
	fixedKey(base)
	for _, do := range []func(*samlCase){
		func(*samlCase) {},
		func(s *samlCase) { s.answer.SignAssertion, s.answer.SignResponse = false, true },
		func(s *samlCase) { s.answer.SignResponse = true },
		func(s *samlCase) { s.answer.Canonicalization = string(dsig.CanonicalXML10RecAlgorithmId) },
		func(s *samlCase) {
			s.answer.Canonicalization, s.answer.SignResponse = string(dsig.CanonicalXML11AlgorithmId), true
		},
		pretty,
		func(s *samlCase) { s.answer.Before, s.answer.After = notes, section },
	} {
		s := newSAMLCase(tb)
		fixedKey(s)
		do(s)
		seeds = append(seeds, s.raw(tb))
	}
	return base, seeds
}

// pretty writes the response with line breaks, as many providers do.
func pretty(s *samlCase) {
	s.answer.Before = func(r *etree.Element) {
		doc := etree.NewDocument()
		doc.SetRoot(r.Copy())
		doc.Indent(2)
		r.Child = nil
		for _, token := range slices.Clone(doc.Root().Child) {
			r.AddChild(token)
		}
	}
}

// notes adds what canonicalization must treat well: a comment, characters that are escaped, namespaces that nobody uses.
func notes(r *etree.Element) {
	assertion := child(r, "Assertion")
	assertion.InsertChildAt(0, etree.NewComment("by hand"))
	assertion.CreateAttr("xmlns:unused", "urn:unused")
	at := r.FindElement(".//saml:AttributeStatement").CreateElement("saml:Attribute")
	at.CreateAttr("Name", "note\"<&>\t\n'")
	value := at.CreateElement("saml:AttributeValue")
	value.CreateAttr("xmlns", "urn:default")
	value.CreateAttr("xml:lang", "en")
	value.SetText("a < b && c > d \"'\n\té𝄞")
}

// section writes the last value as a CDATA section, which canonicalization turns into text.
func section(r *etree.Element) {
	values := r.FindElements(".//saml:AttributeValue")
	last := values[len(values)-1]
	last.SetCData(last.Text())
}

func TestWhatWeAcceptTheSecondOpinionAccepts(t *testing.T) {
	s, seeds := signedSeeds(t)
	random := rand.New(rand.NewPCG(1, 2))
	accepted, refused := 0, 0
	for i, seed := range seeds {
		if _, tr, err := s.verifyRaw(seed); err != nil {
			t.Fatalf("seed %d is refused: %v%s\n%s", i, err, tr.failures(), seed)
		}
		for range 600 {
			raw := mutate(random, seed)
			if agree(t, s, raw) {
				accepted++
			} else {
				refused++
			}
		}
	}
	t.Logf("%d mutations were accepted, %d refused", accepted, refused)
	if accepted < 100 || refused < 1000 {
		t.Errorf("%d mutations were accepted and %d refused: that compares too little", accepted, refused)
	}
}

// agree reports whether we accept the document; then the second opinion must, as the same person, who is the one that was signed.
func agree(t *testing.T, s *samlCase, raw []byte) bool {
	t.Helper()
	v, _, err := s.verifyRaw(raw)
	if err != nil {
		return false
	}
	name, err := secondOpinion(raw, &s.connection)
	if err != nil || name != v.claims.Subject || name != ada.Subject || v.claims.Email != ada.Email {
		t.Fatalf("we accept %q with %q, the second opinion says %q (%v)\n%s", v.claims.Subject, v.claims.Email, name, err, raw)
	}
	return true
}

// mutate changes a document in one to three places: bytes, tokens, or things that canonicalization ignores.
func mutate(random *rand.Rand, raw []byte) []byte {
	s := string(raw)
	for range 1 + random.IntN(3) {
		at := random.IntN(len(s))
		end := min(len(s), at+1+random.IntN(20))
		tag := nextOf(s, at, "<")
		switch random.IntN(10) {
		case 0:
			s = s[:at] + s[end:]
		case 1:
			s = s[:end] + s[at:]
		case 2:
			s = s[:at] + string(rune(32+random.IntN(95))) + s[min(len(s), at+1):]
		case 3:
			s = s[:tag] + []string{"<!-- x -->", "<?x?>", "<x/>", "<![CDATA[]]>", "<!---->", "\n", "&#10;", "x"}[random.IntN(8)] + s[tag:]
		case 4:
			end := nextOf(s, at, ">")
			s = s[:end] + []string{` xmlns:z="urn:z"`, ` xmlns=""`, ` ID="_z"`, " ", "\n", ` z="1"`, ` xmlns:ds="urn:z"`, ` xml:lang="de"`}[random.IntN(8)] + s[end:]
		case 5:
			s = strings.Replace(s, "saml:", []string{"samlp:", "x:", ""}[random.IntN(3)], 1+random.IntN(4))
		case 6:
			s = s[:at] + strings.Replace(s[at:], `"`, `'`, 2)
		case 7:
			other := nextOf(s, random.IntN(len(s)), "<")
			stop := nextOf(s, min(len(s), other+1), "<")
			s = s[:tag] + s[other:stop] + s[tag:]
		case 8:
			s = s[:at] + strings.Replace(s[at:], "a", []string{"&#97;", "&#x61;", "<![CDATA[a]]>", "b"}[random.IntN(4)], 1)
		case 9:
			s = s[:at] + strings.Replace(s[at:], "/>", []string{" />", "></x>", "\t/>"}[random.IntN(3)], 1)
		}
	}
	return []byte(s)
}

func nextOf(s string, at int, what string) int {
	if i := strings.Index(s[at:], what); i >= 0 {
		return at + i
	}
	return len(s)
}

// TestCanonicalFormsAreThoseOfTheSecondOpinion compares bytes, for every element of many documents and every method.
func TestCanonicalFormsAreThoseOfTheSecondOpinion(t *testing.T) {
	_, documents := signedSeeds(t)
	random := rand.New(rand.NewPCG(3, 4))
	for range 150 {
		documents = append(documents, []byte(someDocument(random)))
	}
	methods := []struct {
		name   string
		own    canonicalization
		theirs func() dsig.Canonicalizer
	}{
		{"exclusive", canonicalization{}, func() dsig.Canonicalizer { return dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("") }},
		{"exclusive with a list", canonicalization{prefixes: []string{"xs", "p1"}}, func() dsig.Canonicalizer {
			return dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("xs p1")
		}},
		{"inclusive 1.0", canonicalization{inclusive: true}, dsig.MakeC14N10RecCanonicalizer},
		{"inclusive 1.1", canonicalization{inclusive: true}, dsig.MakeC14N11Canonicalizer},
	}
	compared := 0
	for _, raw := range documents {
		ours, theirs := bothTrees(t, raw)
		for _, m := range methods {
			compared += compareForms(t, ours, theirs, m.name, m.own, m.theirs)
		}
	}
	if compared < 5000 {
		t.Errorf("%d elements were compared, which is too few", compared)
	}
}

func bothTrees(t *testing.T, raw []byte) (*node, *etree.Element) {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	root := doc.Root()
	ours, err := parse(raw, document{roots: []elementName{{root.NamespaceURI(), root.Tag}}, elements: maxElements})
	if err != nil {
		t.Fatalf("%v (%v): %s", err, errors.Unwrap(err), raw)
	}
	return ours, root
}

// compareForms walks both trees and returns how many elements it compared.
func compareForms(t *testing.T, n *node, el *etree.Element, name string, how canonicalization, theirs func() dsig.Canonicalizer) int {
	t.Helper()
	around, err := etreeutils.NSBuildParentContext(el)
	must(err)
	own, err := etreeutils.NSDetatch(around, el)
	must(err)
	want, err := theirs().Canonicalize(own)
	must(err)
	if got := canonical(n, nil, how); !bytes.Equal(got, want) {
		t.Fatalf("%s\n got %s\nwant %s", name, got, want)
	}
	compared := 1
	children := el.ChildElements()
	for i, c := range n.elements() {
		compared += compareForms(t, c, children[i], name, how, theirs)
	}
	return compared
}

// someDocument writes a document with namespaces declared, hidden and declared again, and with every character that is escaped. No element
// has attributes of two foreign namespaces, which goxmldsig sorts by their names and not, as it should be, by the namespaces.
func someDocument(random *rand.Rand) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<p0:root")
	for _, p := range []string{"p0", "p1", "p2", "xs"} {
		b.WriteString(` xmlns:` + p + `="urn:` + p + `"`)
	}
	b.WriteString(` xmlns="urn:d">`)
	for range 1 + random.IntN(4) {
		someElement(random, &b, 0)
	}
	b.WriteString("</p0:root><!-- end -->\n")
	return b.String()
}

func someElement(random *rand.Rand, b *strings.Builder, depth int) {
	some := func(all ...string) string { return all[random.IntN(len(all))] }
	name := some("", "p0:", "p1:", "p2:") + some("a", "b", "c")
	b.WriteString("<" + name)
	for _, p := range []string{"", "p1", "p2", "xs", "new"} {
		if random.IntN(4) == 0 {
			b.WriteString(some(" ", "\n\t") + strings.TrimSuffix("xmlns:"+p, ":") + some("=", " = ") + `"urn:` + some("d", p+"1", p+"2") + `"`)
		}
	}
	foreign := some("p1:", "p2:", "xml:")
	for _, a := range []string{"b", "a", foreign + "c", foreign + "a"} {
		if random.IntN(3) == 0 {
			b.WriteString(" " + a + `="` + some("", "x", "&#9;&#10;&#13;", "&lt;&gt;>&amp;&quot;'", "é𝄞", "a\nb", "\t") + `"`)
		}
	}
	b.WriteString(some(">", "\n>"))
	for range random.IntN(4) {
		b.WriteString(some("", " \n", "text", "&lt;&gt;>&amp;\"'&#13;\r\n\r", "<![CDATA[<&]]>", "<!-- c -->", "é𝄞", "]]"))
		if depth < 4 {
			someElement(random, b, depth+1)
		}
	}
	b.WriteString("</" + name + some(">", " >"))
}

// What goxmldsig does otherwise, by the examples of the standards.
func TestCanonicalFormsAreThoseOfTheStandards(t *testing.T) {
	tests := []struct {
		name, raw, want string
		how             canonicalization
	}{
		{
			"attributes are sorted by namespace, then by name", `<e5 xmlns:b="http://www.ietf.org" xmlns:a="http://www.w3.org" a:attr="out" b:attr="sorted" attr2="all" attr="I'm"/>`,
			`<e5 xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e5>`,
			canonicalization{},
		},
		{"the default namespace is taken away where it was", `<a xmlns="urn:a"><b xmlns=""/></a>`, `<a xmlns="urn:a"><b xmlns=""></b></a>`, canonicalization{}},
		{"and not where none was", `<a xmlns=""><b xmlns=""/></a>`, `<a><b></b></a>`, canonicalization{}},
		{"the same, inclusive", `<a xmlns=""><b xmlns=""/></a>`, `<a><b></b></a>`, canonicalization{inclusive: true}},
		{"the list may have the default namespace", `<p:a xmlns:p="urn:p" xmlns="urn:d"/>`, `<p:a xmlns="urn:d" xmlns:p="urn:p"></p:a>`, canonicalization{prefixes: []string{""}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := parse([]byte(tt.raw), anyDocument(tt.raw))
			must(err)
			if got := string(canonical(n, nil, tt.how)); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// anyDocument accepts the root that raw has.
func anyDocument(raw string) document {
	doc := etree.NewDocument()
	must(doc.ReadFromString(raw))
	return document{roots: []elementName{{doc.Root().NamespaceURI(), doc.Root().Tag}}, elements: maxElements}
}

// An attacker cannot slip the namespaces of an ancestor under an inner one: an undeclared default namespace hides the outer one.
func TestInclusiveFormsSeeWhatIsInForce(t *testing.T) {
	n, err := parse([]byte(`<p:a xmlns:p="urn:p" xmlns="urn:d"><b xmlns=""><c/></b></p:a>`), document{roots: []elementName{{"urn:p", "a"}}, elements: 10})
	must(err)
	if got, want := string(canonical(n.first.first, nil, canonicalization{inclusive: true})), `<c xmlns:p="urn:p"></c>`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
