package console

import (
	"regexp"
	"strconv"
	"strings"
	"text/template/parse"
)

// A page's template is a list of texts and actions. A message is what stands between two elements that break a line: its texts, with {0}, {1} … for the actions in it and
// <0> … </0> for the elements inside, such as <strong>. So a translation is free to put them elsewhere.

// piece is a part of a page: a text, the start or end of an element, or something that is filled in.
type piece struct {
	kind  pieceKind
	text  string       // of a text
	name  string       // of an element
	nodes []parse.Node // of everything else: what it is written with
}

type pieceKind int

const (
	textPiece pieceKind = iota
	openPiece
	closePiece
	actionPiece
)

// inlineElements are those that may stand inside a sentence.
var inlineElements = map[string]bool{"a": true, "b": true, "br": true, "code": true, "del": true, "em": true, "i": true, "ins": true, "kbd": true, "small": true, "span": true, "strong": true, "time": true, "abbr": true}

// opaqueElements have content that is no text.
var opaqueElements = map[string]bool{"code": true, "pre": true, "kbd": true, "script": true, "style": true, "textarea": true, "svg": true}

// spokenAttributes have a text as their value.
var spokenAttributes = regexp.MustCompile(`(?s)\s(?:title|placeholder|aria-label|alt|data-label|data-none|data-one|data-many|data-done|data-press|data-large|label)="$`)

// letters says whether there is anything to translate.
var letters = regexp.MustCompile(`\pL\pL`)

// rewriter goes through the trees of the templates and hands each message to say, which returns what stands there instead.
type rewriter struct {
	say func(string) string
}

// tree rewrites a template.
func (w *rewriter) tree(t *parse.Tree) {
	if t != nil && t.Root != nil {
		w.list(t.Root, new(pageState))
	}
}

// pageState is where in the page a list begins: it goes on from list to list.
type pageState struct {
	inTag  bool
	quoted bool   // in the value of an attribute
	tag    string // which element's start or end this is
	closes bool
	opaque string // inside of this element nothing is a text
	spoken bool   // the attribute has a text as its value
}

// list rewrites a list of nodes, and those inside of its conditions and loops.
func (w *rewriter) list(l *parse.ListNode, at *pageState) {
	if l == nil {
		return
	}
	r := reader{w: w, state: at}
	if at.spoken {
		r.value = new(message)
	}
	for _, node := range l.Nodes {
		if text, ok := node.(*parse.TextNode); ok {
			r.read(string(text.Text))
			continue
		}
		w.inside(node, at)
		r.action(node)
	}
	r.flush()
	l.Nodes = w.written(r.pieces)
}

// inside rewrites the lists of a condition or loop. Each goes on from where the node stands.
func (w *rewriter) inside(node parse.Node, at *pageState) {
	branch := func(b *parse.BranchNode) {
		first, second := *at, *at
		w.list(b.List, &first)
		w.list(b.ElseList, &second)
	}
	switch n := node.(type) {
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.ActionNode:
		w.counted(n.Pipe)
	}
}

// counted rewrites the nouns of a number: {{count .N "person" "people"}} is the message "person|people".
func (w *rewriter) counted(p *parse.PipeNode) {
	for _, c := range p.Cmds {
		if len(c.Args) == 4 && c.Args[0].String() == "count" {
			one, isOne := c.Args[2].(*parse.StringNode)
			many, isMany := c.Args[3].(*parse.StringNode)
			if isOne && isMany {
				if a, b, ok := strings.Cut(w.say(one.Text+"|"+many.Text), "|"); ok {
					setText(one, a)
					setText(many, b)
				}
			}
		}
		for _, arg := range c.Args {
			if inner, ok := arg.(*parse.PipeNode); ok {
				w.counted(inner)
			}
		}
	}
}

func setText(n *parse.StringNode, s string) { n.Text, n.Quoted = s, strconv.Quote(s) }

// reader cuts a list into pieces.
type reader struct {
	w      *rewriter
	state  *pageState
	pieces []piece
	text   strings.Builder // of a text, or of the element that is being read
	tag    []parse.Node    // of the element that is being read, before text
	value  *message        // of the attribute that is being read, when it is spoken
}

func (r *reader) read(s string) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !r.state.inTag {
			i = r.readText(s, i)
			continue
		}
		if c == '"' {
			r.quote()
			continue
		}
		if r.value != nil {
			r.value.write(c)
			continue
		}
		r.text.WriteByte(c)
		if c == '>' && !r.state.quoted {
			r.endTag()
		}
	}
}

// readText takes one character of a text; a < begins an element.
func (r *reader) readText(s string, i int) int {
	if s[i] != '<' {
		r.text.WriteByte(s[i])
		return i
	}
	end := i + 1
	closes := end < len(s) && s[end] == '/'
	if closes {
		end++
	}
	from := end
	for end < len(s) && (s[end] >= 'a' && s[end] <= 'z' || s[end] >= '0' && s[end] <= '9' || s[end] == '!') {
		end++
	}
	r.endText()
	*r.state = pageState{inTag: true, tag: s[from:end], closes: closes, opaque: r.state.opaque}
	r.text.WriteString(s[i:end])
	return end - 1
}

// quote begins or ends the value of an attribute.
func (r *reader) quote() {
	if r.state.quoted {
		if r.value != nil {
			r.tag = append(r.tag, r.value.written(r.w)...)
			r.value = nil
		}
		r.text.WriteByte('"')
		r.state.quoted, r.state.spoken = false, false
		return
	}
	r.text.WriteByte('"')
	r.state.quoted = true
	if spokenAttributes.MatchString(r.text.String()) {
		r.tag = append(r.tag, textNode(r.text.String()))
		r.text.Reset()
		r.state.spoken, r.value = true, new(message)
	}
}

func (r *reader) endText() {
	if r.text.Len() > 0 {
		p := piece{kind: textPiece, text: r.text.String()}
		if r.state.opaque != "" {
			p = piece{kind: actionPiece, nodes: []parse.Node{textNode(r.text.String())}}
		}
		r.pieces = append(r.pieces, p)
		r.text.Reset()
	}
}

func (r *reader) endTag() {
	r.tag = append(r.tag, textNode(r.text.String()))
	kind := openPiece
	if r.state.closes {
		kind = closePiece
	}
	name := r.state.tag
	r.pieces = append(r.pieces, piece{kind: kind, name: name, nodes: r.tag})
	r.tag = nil
	r.text.Reset()
	opaque := r.state.opaque
	switch {
	case r.state.closes && opaque == name:
		opaque = ""
	case !r.state.closes && opaque == "" && opaqueElements[name]:
		opaque = name
	}
	*r.state = pageState{opaque: opaque}
}

// action takes something that is filled in, wherever it stands.
func (r *reader) action(n parse.Node) {
	switch {
	case r.value != nil:
		r.value.action(n)
	case r.state.inTag:
		if r.text.Len() > 0 {
			r.tag = append(r.tag, textNode(r.text.String()))
			r.text.Reset()
		}
		r.tag = append(r.tag, n)
	default:
		r.endText()
		r.pieces = append(r.pieces, piece{kind: actionPiece, nodes: []parse.Node{n}})
	}
}

// flush ends a list, perhaps in the middle of an element.
func (r *reader) flush() {
	if r.value != nil {
		r.tag = append(r.tag, r.value.written(r.w)...)
		r.value = nil
	}
	if r.state.inTag {
		r.tag = append(r.tag, textNode(r.text.String()))
		r.pieces = append(r.pieces, piece{kind: openPiece, name: "!", nodes: r.tag})
		r.text.Reset()
		return
	}
	r.endText()
}

func textNode(s string) *parse.TextNode {
	return &parse.TextNode{NodeType: parse.NodeText, Text: []byte(s)}
}
