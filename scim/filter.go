package scim

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
)

// expr is a filter as it was written, before the schema was asked (RFC 7644 section 3.4.2.2). and and or have two or more children,
// not and exists one.
type expr struct {
	op    identity.FilterOp
	name  string // the attribute; of exists: the attribute in front of [
	value any    // string, bool, json.Number or nil
	kids  []*expr
}

var comparisons = map[string]identity.FilterOp{
	"eq": identity.OpEq, "ne": identity.OpNe, "co": identity.OpCo, "sw": identity.OpSw, "ew": identity.OpEw,
	"gt": identity.OpGt, "ge": identity.OpGe, "lt": identity.OpLt, "le": identity.OpLe,
}

// parser reads filters and paths. Its cost is linear in the length of the text.
type parser struct {
	text  string
	pos   int
	depth int
	terms int
	group bool // inside a value path, where no other may start

	limits Limits
}

// parseFilter reads a whole filter. Its errors are 400 with invalidFilter, or tooMany when it has too many terms.
func parseFilter(text string, l Limits) (*expr, error) {
	l = l.filled()
	if len(text) > l.Filter {
		return nil, bad(invalidFilter, "The filter is longer than %d bytes.", l.Filter)
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, bad(invalidFilter, "The filter is not valid UTF-8 or holds U+0000.")
	}
	p := &parser{text: text, limits: l}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	p.spaces()
	if p.pos < len(p.text) {
		return nil, p.wrong("expected and, or, or the end")
	}
	return e, nil
}

func (p *parser) wrong(what string) error {
	return bad(invalidFilter, "The filter is not valid at character %d: %s. An example of a valid filter: userName eq \"ada@example.com\".",
		utf8.RuneCountInString(p.text[:p.pos])+1, what)
}

func (p *parser) or() (*expr, error) {
	return p.chain("or", identity.OpOr, func() (*expr, error) { return p.chain("and", identity.OpAnd, p.term) })
}

// chain reads one or more parts joined by a word.
func (p *parser) chain(word string, op identity.FilterOp, part func() (*expr, error)) (*expr, error) {
	first, err := part()
	if err != nil || !p.accept(word) {
		return first, err
	}
	list := &expr{op: op, kids: []*expr{first}}
	for {
		next, err := part()
		if err != nil {
			return nil, err
		}
		list.kids = append(list.kids, next)
		if !p.accept(word) {
			return list, nil
		}
	}
}

func (p *parser) term() (*expr, error) {
	p.spaces()
	if p.at('(') {
		return p.parenthesis()
	}
	start := p.pos
	if p.accept("not") && p.at('(') {
		e, err := p.parenthesis()
		if err != nil {
			return nil, err
		}
		return &expr{op: identity.OpNot, kids: []*expr{e}}, nil
	}
	p.pos = start
	return p.comparison()
}

func (p *parser) parenthesis() (*expr, error) {
	return p.nested(')')
}

// nested reads a filter between a bracket, on which the parser stands, and its end.
func (p *parser) nested(end byte) (*expr, error) {
	p.pos++
	if p.depth++; p.depth > p.limits.FilterDepth {
		return nil, bad(invalidFilter, "The filter is nested more than %d levels deep.", p.limits.FilterDepth)
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	p.depth--
	p.spaces()
	if !p.at(end) {
		return nil, p.wrong("expected " + string(end))
	}
	p.pos++
	return e, nil
}

// comparison reads an attribute with an operator, or a value path.
func (p *parser) comparison() (*expr, error) {
	if p.terms++; p.terms > p.limits.FilterTerms {
		return nil, bad(tooMany, "The filter has more than %d comparisons. Ask in several requests.", p.limits.FilterTerms)
	}
	name := p.word()
	if name == "" {
		return nil, p.wrong("expected the name of an attribute")
	}
	if p.at('[') {
		return p.valuePath(name)
	}
	return p.compare(name)
}

func (p *parser) compare(name string) (*expr, error) {
	p.spaces()
	word := strings.ToLower(p.word())
	if word == "pr" {
		return &expr{op: identity.OpPr, name: name}, nil
	}
	op, ok := comparisons[word]
	if !ok {
		return nil, p.wrong("expected an operator after " + clip(name))
	}
	p.spaces()
	v, err := p.literal()
	if err != nil {
		return nil, err
	}
	return &expr{op: op, name: name, value: v}, nil
}

// valuePath reads emails[type eq "work"], and emails[type eq "work"].value eq "x", which is the same as emails[type eq "work" and value eq "x"].
func (p *parser) valuePath(name string) (*expr, error) {
	e, err := p.selection()
	if err != nil {
		return nil, err
	}
	if p.at('.') {
		p.pos++
		sub, err := p.compare(p.word())
		if err != nil {
			return nil, err
		}
		e = &expr{op: identity.OpAnd, kids: []*expr{e, sub}}
	}
	return &expr{op: identity.OpExists, name: name, kids: []*expr{e}}, nil
}

// selection reads the filter between [ and ].
func (p *parser) selection() (*expr, error) {
	if p.group {
		return nil, p.wrong("a value path cannot hold another")
	}
	p.group = true
	e, err := p.nested(']')
	p.group = false
	return e, err
}

func (p *parser) literal() (any, error) {
	if p.at('"') {
		return p.quoted()
	}
	start := p.pos
	for p.pos < len(p.text) && isLiteral(p.text[p.pos]) {
		p.pos++
	}
	word := p.text[start:p.pos]
	switch strings.ToLower(word) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if word != "" && (word[0] == '-' || word[0] >= '0' && word[0] <= '9') && json.Valid([]byte(word)) {
		return json.Number(word), nil
	}
	p.pos = start
	return nil, p.wrong(`expected a value: a string in double quotes, a number, true, false or null`)
}

// quoted reads a JSON string.
func (p *parser) quoted() (string, error) {
	start := p.pos
	for i := start + 1; i < len(p.text); i++ {
		switch p.text[i] {
		case '\\':
			i++
		case '"':
			var s string
			if err := json.Unmarshal([]byte(p.text[start:i+1]), &s); err != nil || strings.ContainsRune(s, 0) {
				return "", p.wrong("not a valid JSON string")
			}
			p.pos = i + 1
			return s, nil
		}
	}
	return "", p.wrong("the string has no end")
}

func (p *parser) spaces() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

func (p *parser) at(c byte) bool { return p.pos < len(p.text) && p.text[p.pos] == c }

// word reads a name or an operator.
func (p *parser) word() string {
	start := p.pos
	for p.pos < len(p.text) && isName(p.text[p.pos]) {
		p.pos++
	}
	return p.text[start:p.pos]
}

// accept skips a word and the space around it when it comes next; otherwise nothing is skipped.
func (p *parser) accept(word string) bool {
	start := p.pos
	p.spaces()
	if strings.EqualFold(p.word(), word) {
		p.spaces()
		return true
	}
	p.pos = start
	return false
}

func isName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == ':' || c == '$'
}

func isLiteral(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.'
}
