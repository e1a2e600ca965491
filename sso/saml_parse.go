package sso

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	nsXML   = "http://www.w3.org/XML/1998/namespace"
	nsXMLNS = "http://www.w3.org/2000/xmlns/"
)

// parser reads a document once, from its first byte to its last, and builds its tree. It takes less than XML 1.0 allows: no document type, no processing
// instruction, no entities but the five, ASCII names, one colon in them at most, declared prefixes only. What two parsers could
// understand differently is refused here, and there is no second parser.
type parser struct {
	scanner
	s      string
	at     int
	root   *node
	open   *node // the innermost open element
	scopes []binding
	around []binding // what is in force where the document stands

	// Nodes and attributes are handed out from pieces that never move.
	nodes    []node
	texts    int
	attrs    []attr
	bindings []binding
	pending  []attr // of the start tag that is being read
}

// parse builds the tree of raw, or says why it is no document of the kind.
func parse(raw []byte, doc document) (*node, error) { return parseWithin(raw, doc, nil) }

// parseWithin is parse for a document that stands inside another: its root has the declarations around it too.
func parseWithin(raw []byte, doc document, around []binding) (*node, error) {
	p := parser{scanner: scanner{doc: doc}, s: string(raw), around: around}
	if !plain(p.s) {
		return nil, malformed("it is not plain UTF-8; the provider must send UTF-8 without a byte order mark")
	}
	if err := p.declaration(); err != nil {
		return nil, err
	}
	for p.at < len(p.s) {
		if err := p.token(); err != nil {
			return nil, err
		}
	}
	switch {
	case p.open != nil:
		return nil, p.wrong("it ends inside an element")
	case p.root == nil:
		return nil, malformed("it has no root element; it is empty, or was cut off")
	}
	return p.root, nil
}

// plain reports whether s is UTF-8 of characters that XML has (XML 1.0, 2.2), without a byte order mark.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' && s[i] != '\n' && s[i] != '\r' {
			return false
		}
	}
	return utf8.ValidString(s) && !strings.HasPrefix(s, "\ufeff") && !strings.Contains(s, "\ufffe") && !strings.Contains(s, "\uffff")
}

func (p *parser) wrong(why string) error {
	return malformed("it is not well-formed XML; it was cut off, copied in part, or changed on its way").WithCause(fmt.Errorf("byte %d: %s", p.at, why))
}

// declarationShape is an XML declaration that says what is true: XML 1.0 in UTF-8.
var declarationShape = regexp.MustCompile(`^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*["']1\.0["']([ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*["'](?i:utf-8)["'])?([ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*["'](yes|no)["'])?[ \t\r\n]*\?>`)

func (p *parser) declaration() error {
	if !strings.HasPrefix(p.s, "<?xml") || len(p.s) > 5 && !isSpace(p.s[5]) {
		return nil
	}
	found := declarationShape.FindString(p.s[:min(len(p.s), 200)])
	if found == "" {
		return p.wrong("its declaration is not that of XML 1.0 in UTF-8")
	}
	p.at = len(found)
	return nil
}

func (p *parser) token() error {
	rest := p.s[p.at:]
	switch {
	case rest[0] != '<':
		return p.chars()
	case strings.HasPrefix(rest, "</"):
		return p.endTag()
	case strings.HasPrefix(rest, "<!--"):
		return p.comment()
	case strings.HasPrefix(rest, "<![CDATA["):
		return p.section()
	case strings.HasPrefix(rest, "<!"):
		return malformed("it has a document type, which SAML forbids; the provider must leave it out")
	case strings.HasPrefix(rest, "<?"):
		return odd("saml.processing_instruction", "The document has a processing instruction. No identity provider writes them: look for what has added it on the way.")
	}
	return p.startTag()
}

// chars reads text up to the next tag.
func (p *parser) chars() error {
	end := strings.IndexByte(p.s[p.at:], '<')
	if end < 0 {
		end = len(p.s) - p.at
	}
	raw := p.s[p.at : p.at+end]
	if p.open == nil {
		if strings.Trim(raw, " \t\r\n") != "" {
			return malformed("it has text outside its root; something was joined to it on its way")
		}
		p.at += end
		return nil
	}
	text, ok := resolve(raw)
	if !ok || strings.Contains(raw, "]]>") {
		return p.wrong("a text has a character or a reference that must not be there")
	}
	p.at += end
	return p.add(text)
}

// section reads a CDATA section: text like any other. An empty one is refused: it vanishes for some parsers and splits a text for others.
func (p *parser) section() error {
	const opening = len("<![CDATA[")
	end := strings.Index(p.s[p.at:], "]]>")
	if p.open == nil || end < 0 {
		return p.wrong("a CDATA section stands outside the root or has no end")
	}
	text := p.s[p.at+opening : p.at+end]
	if text == "" {
		return p.wrong("a CDATA section is empty")
	}
	p.at += end + len("]]>")
	return p.add(newlines(text))
}

func (p *parser) add(text string) error {
	if p.texts++; p.texts > 2*p.doc.elements {
		return malformed(fmt.Sprintf("its text is in more than %d pieces", 2*p.doc.elements))
	}
	n := p.node()
	n.text = text
	p.attach(n)
	return nil
}

// comment skips a comment and remembers where it stood. Two hyphens inside end it for some parsers.
func (p *parser) comment() error {
	body := p.s[p.at+len("<!--"):]
	end := strings.Index(body, "--")
	if end < 0 || !strings.HasPrefix(body[end:], "-->") {
		return p.wrong("a comment has no proper end")
	}
	if p.open != nil {
		p.open.noted = true
	}
	p.at += len("<!--") + end + len("-->")
	return nil
}

func (p *parser) endTag() error {
	p.at += len("</")
	prefix, local, ok := p.qualified()
	p.spaces()
	if !ok || p.open == nil || p.open.prefix != prefix || p.open.local != local || !p.skip(">") {
		return p.wrong("an end tag does not fit")
	}
	return p.leave()
}

// leave closes the innermost element.
func (p *parser) leave() error {
	n := p.open
	p.open, p.depth = n.parent, p.depth-1
	p.scopes = p.scopes[:len(p.scopes)-len(n.declared)]
	return p.closed(n)
}

func (p *parser) startTag() error {
	p.at++
	n := p.node()
	var ok bool
	if n.prefix, n.local, ok = p.qualified(); !ok {
		return p.wrong("a tag has no proper name")
	}
	p.pending = p.pending[:0]
	for {
		spaced := p.spaces()
		if p.skip(">") {
			return p.enter(n)
		}
		if p.skip("/>") {
			if err := p.enter(n); err != nil {
				return err
			}
			return p.leave()
		}
		if !spaced {
			return p.wrong("a tag has no end")
		}
		if err := p.attribute(); err != nil {
			return err
		}
	}
}

// attribute reads name="value" into pending.
func (p *parser) attribute() error {
	prefix, local, ok := p.qualified()
	p.spaces()
	if !ok || !p.skip("=") {
		return p.wrong("an attribute has no proper name or no value")
	}
	p.spaces()
	if p.at >= len(p.s) || p.s[p.at] != '"' && p.s[p.at] != '\'' {
		return p.wrong("a value is not in quotes")
	}
	end := strings.IndexByte(p.s[p.at+1:], p.s[p.at])
	if end < 0 {
		return p.wrong("a value has no end")
	}
	raw := p.s[p.at+1 : p.at+1+end]
	value, ok := resolve(raw)
	if !ok || strings.IndexByte(raw, '<') >= 0 {
		return p.wrong("a value has a character or a reference that must not be there")
	}
	p.at += end + len(`""`)
	if len(p.pending) == maxAttributes {
		return malformed(fmt.Sprintf("an element has more than %d attributes", maxAttributes))
	}
	p.pending = append(p.pending, attr{prefix: prefix, local: local, value: value})
	return nil
}

// enter puts an element whose start tag was read into the tree.
func (p *parser) enter(n *node) error {
	if p.open == nil && p.root != nil {
		return malformed("it has two roots; something was joined to it on its way")
	}
	if err := p.declare(n); err != nil {
		return err
	}
	if err := p.name(n); err != nil {
		return err
	}
	if p.open == nil {
		p.root = n
	}
	if err := p.opened(n, p.open); err != nil {
		return err
	}
	p.attach(n)
	p.open, p.depth = n, p.depth+1
	return nil
}

func (p *parser) attach(n *node) {
	n.parent = p.open
	switch {
	case p.open == nil:
		return
	case p.open.last == nil:
		p.open.first = n
	default:
		p.open.last.next = n
	}
	p.open.last = n
}

// node hands out an empty node.
func (p *parser) node() *node {
	if len(p.nodes) == cap(p.nodes) {
		p.nodes = make([]node, 0, min(max(2*cap(p.nodes), 64), 256))
	}
	p.nodes = p.nodes[:len(p.nodes)+1]
	return &p.nodes[len(p.nodes)-1]
}

// qualified reads a name with at most one colon in it.
func (p *parser) qualified() (prefix, local string, ok bool) {
	if local = p.simple(); local == "" {
		return "", "", false
	}
	if !p.skip(":") {
		return "", local, true
	}
	prefix, local = local, p.simple()
	return prefix, local, local != "" && !p.skip(":")
}

// simple reads a name without colons; only ASCII ones, which is what SAML has.
func (p *parser) simple() string {
	start := p.at
	for p.at < len(p.s) {
		c := p.s[p.at]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (p.at == start || (c < '0' || c > '9') && c != '-' && c != '.') {
			break
		}
		p.at++
	}
	return p.s[start:p.at]
}

func (p *parser) skip(what string) bool {
	if !strings.HasPrefix(p.s[p.at:], what) {
		return false
	}
	p.at += len(what)
	return true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (p *parser) spaces() bool {
	start := p.at
	for p.at < len(p.s) && isSpace(p.s[p.at]) {
		p.at++
	}
	return p.at > start
}

// newlines makes every line end one \n (XML 1.0, 2.11).
func newlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// resolve replaces references to characters and to the five entities; any other is refused.
func resolve(s string) (string, bool) {
	s = newlines(s)
	amp := strings.IndexByte(s, '&')
	if amp < 0 {
		return s, true
	}
	var b strings.Builder
	b.Grow(len(s))
	for ; amp >= 0; amp = strings.IndexByte(s, '&') {
		b.WriteString(s[:amp])
		s = s[amp+1:]
		end := strings.IndexByte(s[:min(len(s), 12)], ';')
		if end < 0 {
			return "", false
		}
		r, ok := referred(s[:end])
		if !ok {
			return "", false
		}
		b.WriteRune(r)
		s = s[end+1:]
	}
	b.WriteString(s)
	return b.String(), true
}

// referred returns the character that a reference means.
func referred(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	digits, base := strings.TrimPrefix(name, "#"), 10
	if hex := strings.TrimPrefix(digits, "x"); hex != digits {
		digits, base = hex, 16
	}
	code, err := strconv.ParseUint(digits, base, 32)
	if err != nil || name[0] != '#' {
		return 0, false
	}
	r := rune(code)
	return r, r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r < 0xd800 || r > 0xdfff && r < 0xfffe || r > 0xffff && r <= utf8.MaxRune
}
