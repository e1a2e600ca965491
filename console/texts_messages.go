package console

import (
	"regexp"
	"strconv"
	"strings"
	"text/template/parse"
)

// written returns the nodes of some pieces, with their messages translated.
func (w *rewriter) written(pieces []piece) []parse.Node {
	var out []parse.Node
	from := 0
	end := func(i int) {
		out = append(out, w.sentence(pieces[from:i])...)
		from = i + 1
	}
	for i, p := range pieces {
		if (p.kind == openPiece || p.kind == closePiece) && !inlineElements[p.name] {
			end(i)
			out = append(out, p.nodes...)
		}
	}
	end(len(pieces))
	return out
}

// unit is a text, an action, or an element with what is inside of it.
type unit struct {
	piece
	inside []piece
	end    *piece
}

// sentence writes pieces that break no line. Where elements stand beside each other without a text between them, each is a sentence of its own.
func (w *rewriter) sentence(pieces []piece) []parse.Node {
	units, alone := unitsOf(pieces)
	if alone >= 0 {
		out := append(w.sentence(pieces[:alone]), pieces[alone].nodes...)
		return append(out, w.sentence(pieces[alone+1:])...)
	}
	speaks := func(u unit) bool { return u.kind == textPiece && letters.MatchString(u.text) }
	first, last := len(units), -1
	for i, u := range units {
		if speaks(u) {
			first, last = min(first, i), i
		}
	}
	if last < 0 {
		var out []parse.Node
		for _, u := range units {
			out = append(out, w.alone(u)...)
		}
		return out
	}
	from, to := 0, len(units)
	for from < first && units[from].aside() {
		from++
	}
	for to > last+1 && units[to-1].aside() {
		to--
	}
	var out []parse.Node
	for _, u := range units[:from] {
		out = append(out, w.alone(u)...)
	}
	out = append(out, w.message(units[from:to])...)
	for _, u := range units[to:] {
		out = append(out, w.alone(u)...)
	}
	return out
}

// aside reports whether a unit at the edge of a sentence is no part of it: a space, a picture, a variable.
func (u unit) aside() bool {
	switch u.kind {
	case textPiece:
		return strings.TrimSpace(u.text) == ""
	case actionPiece:
		action, ok := u.nodes[0].(*parse.ActionNode)
		return ok && (len(action.Pipe.Decl) > 0 || strings.HasPrefix(action.String(), "{{icon "))
	}
	return false
}

// alone writes a unit that is in no sentence.
func (w *rewriter) alone(u unit) []parse.Node {
	if u.kind == textPiece {
		return []parse.Node{textNode(u.text)}
	}
	out := append([]parse.Node{}, u.nodes...)
	if u.kind == openPiece {
		out = append(out, w.sentence(u.inside)...)
		if u.end != nil {
			out = append(out, u.end.nodes...)
		}
	}
	return out
}

// unitsOf pairs the starts of elements with their ends. alone is where the first piece stands whose other half is missing, or -1.
func unitsOf(pieces []piece) (out []unit, alone int) {
	for i := 0; i < len(pieces); i++ {
		p := pieces[i]
		switch {
		case p.kind == closePiece:
			return nil, i
		case p.kind != openPiece || p.name == "br":
			out = append(out, unit{piece: p})
			continue
		}
		depth, end := 1, i+1
		for ; end < len(pieces); end++ {
			if pieces[end].name == p.name && pieces[end].kind == openPiece {
				depth++
			}
			if pieces[end].name == p.name && pieces[end].kind == closePiece {
				depth--
			}
			if depth == 0 {
				break
			}
		}
		if depth > 0 {
			return nil, i
		}
		out = append(out, unit{piece: p, inside: pieces[i+1 : end], end: &pieces[end]})
		i = end
	}
	return out, -1
}

func plain(pieces []piece) (out []parse.Node) {
	for _, p := range pieces {
		if p.kind == textPiece {
			out = append(out, textNode(p.text))
		} else {
			out = append(out, p.nodes...)
		}
	}
	return out
}

// message is a text with what stands at its places.
type message struct {
	key   strings.Builder
	text  strings.Builder         // what was read since the last action, of an attribute
	marks map[string][]parse.Node // "{0}", "<0>", "</0>" -> what is written there
	spots int
	parts int
}

func (m *message) mark(as string, nodes []parse.Node) {
	if m.marks == nil {
		m.marks = map[string][]parse.Node{}
	}
	m.key.WriteString(as)
	m.marks[as] = nodes
}

func (m *message) spot(nodes ...parse.Node) {
	m.mark("{"+strconv.Itoa(m.spots)+"}", nodes)
	m.spots++
}

// add appends units to a message. Elements inside of elements are numbered on.
func (m *message) add(units []unit) bool {
	for _, u := range units {
		switch u.kind {
		case textPiece:
			m.key.WriteString(u.text)
		case actionPiece:
			m.spot(u.nodes...)
		default:
			n := strconv.Itoa(m.parts)
			m.parts++
			m.mark("<"+n+">", u.nodes)
			if u.end == nil {
				continue
			}
			inside, alone := unitsOf(u.inside)
			if alone >= 0 || !m.add(inside) {
				return false
			}
			m.mark("</"+n+">", u.end.nodes)
		}
	}
	return true
}

// message writes units as one message.
func (w *rewriter) message(units []unit) []parse.Node {
	var m message
	var original []parse.Node
	for _, u := range units {
		if u.kind == textPiece {
			original = append(original, textNode(u.text))
			continue
		}
		original = append(original, u.nodes...)
		if u.end != nil {
			original = append(append(original, plain(u.inside)...), u.end.nodes...)
		}
	}
	if !m.add(units) {
		return original
	}
	return m.said(w, original)
}

// write takes a character of an attribute's value, and action what is filled in there.
func (m *message) write(c byte) { m.text.WriteByte(c) }

func (m *message) action(n parse.Node) {
	m.settle()
	m.spot(n)
}

func (m *message) settle() {
	m.key.WriteString(m.text.String())
	m.text.Reset()
}

// written returns the value of an attribute.
func (m *message) written(w *rewriter) []parse.Node {
	m.settle()
	return m.said(w, m.filled(m.key.String()))
}

var mark = regexp.MustCompile(`\{\d+\}|</?\d+>`)

var spaces = regexp.MustCompile(`\s+`)

// said translates a message; without a translation it stays what it was.
func (m *message) said(w *rewriter, original []parse.Node) []parse.Node {
	whole := m.key.String()
	key := spaces.ReplaceAllString(strings.TrimSpace(whole), " ")
	if !letters.MatchString(mark.ReplaceAllString(key, "")) {
		return original
	}
	out := w.say(key)
	if out == key {
		return original
	}
	before, after := whole[:len(whole)-len(strings.TrimLeft(whole, " \n\t"))], whole[len(strings.TrimRight(whole, " \n\t")):]
	return m.filled(before + out + after)
}

// filled puts what belongs there at the places of a text.
func (m *message) filled(s string) (out []parse.Node) {
	text := func(s string) {
		if s != "" {
			out = append(out, textNode(s))
		}
	}
	last := 0
	for _, at := range mark.FindAllStringIndex(s, -1) {
		text(s[last:at[0]])
		out = append(out, m.marks[s[at[0]:at[1]]]...)
		last = at[1]
	}
	text(s[last:])
	return out
}
