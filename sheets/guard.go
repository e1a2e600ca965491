package sheets

import (
	"io"

	"github.com/drawbridge-id/drawbridge/identity"
)

// guard stands between a text and what reads rows from it, and ends the reading where one row is longer than any honest one: a reader of CSV takes a whole row into
// memory before anybody can look at it. A row ends with a line that is not inside quotation marks.
type guard struct {
	in       io.Reader
	limits   Limits
	split    []byte // the separator; nil: cells are not counted
	carriage bool   // lines end with a carriage return alone, as they did on old Macs

	line, begun  int // the line, and the one in which the row began
	bytes, cells int // of the row
	matched      int // bytes of the separator
	quoted       bool
	failed       error
}

func newGuard(in io.Reader, l Limits, separator rune) *guard {
	g := &guard{in: in, limits: l, line: 1, begun: 1}
	if separator != 0 {
		g.split = []byte(string(separator))
	}
	return g
}

// Read hands the text on up to where a limit is reached.
func (g *guard) Read(p []byte) (int, error) {
	if g.failed != nil {
		return 0, g.failed
	}
	n, err := g.in.Read(p)
	for i := range n {
		if g.carriage && p[i] == '\r' {
			p[i] = '\n'
		}
		if g.failed = g.see(p[i]); g.failed != nil {
			return i, g.failed
		}
	}
	return n, err
}

// see counts one more byte of the row.
func (g *guard) see(b byte) error {
	g.bytes++
	switch {
	case b == '\n':
		g.line++
		if !g.quoted {
			g.begun, g.bytes, g.cells, g.matched = g.line, 0, 0, 0
			return nil
		}
	case b == '"':
		g.quoted = !g.quoted
	case b == 0:
		return invalid("Line %d has a zero byte: this is no table, or it was written wrongly. Save it as CSV or as XLSX.", g.line)
	}
	if !g.quoted && g.split != nil {
		g.separate(b)
	}
	switch {
	case g.bytes > g.limits.Line:
		return identity.Errorf(identity.TooLarge, "Line %d is longer than %d bytes, which no row of people is; perhaps a quotation mark is missing.", g.begun, g.limits.Line).WithField("file")
	case g.cells >= g.limits.Columns:
		return identity.Errorf(identity.TooLarge, "Line %d has more than %d columns, which are the most that are read. Leave some out.", g.begun, g.limits.Columns).WithField("file")
	}
	return nil
}

// separate counts the separators of a row; one may be several bytes long.
func (g *guard) separate(b byte) {
	if b != g.split[g.matched] {
		g.matched = 0
	}
	if b == g.split[g.matched] {
		g.matched++
	}
	if g.matched == len(g.split) {
		g.cells, g.matched = g.cells+1, 0
	}
}
