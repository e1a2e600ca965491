package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// writeJSON writes one value, indented, with a line end.
func (p *program) writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// writeLine writes one value in one line.
func (p *program) writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// show writes v as JSON with --json, else what words writes.
func (p *program) show(v any, words func(w io.Writer)) error {
	if p.json {
		return p.writeJSON(p.stdout, v)
	}
	words(p.stdout)
	return nil
}

// table is a list of rows under a heading.
type table struct {
	heading []string
	rows    [][]string
	none    string // what to say when there are no rows
}

// add appends a row.
func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write prints the table with aligned columns. Cells come from directories and providers, so control characters are taken out:
// a display name must not move the cursor of whoever lists it.
func (t *table) write(w io.Writer) {
	if len(t.rows) == 0 {
		fmt.Fprintln(w, t.none)
		return
	}
	align(w, append([][]string{t.heading}, t.rows...))
}

// align prints rows with their cells in columns.
func align(w io.Writer, rows [][]string) {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = clean(cell)
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	tw.Flush()
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// fields prints pairs of a name and a value, aligned; pairs without a value are left out.
func fields(w io.Writer, pairs ...string) {
	var rows [][]string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			rows = append(rows, []string{pairs[i], pairs[i+1]})
		}
	}
	align(w, rows)
}

// clean replaces control and invisible formatting characters, except those kept, by a visible mark.
func clean(s string, keep ...rune) string {
	return strings.Map(func(r rune) rune {
		for _, k := range keep {
			if r == k {
				return r
			}
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// when prints a time for people, in UTC to the second; none as "never".
func when(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// more tells a reader of a list how to see its next page.
func more(w io.Writer, there bool, last string) {
	if there {
		fmt.Fprintf(w, "There are more: repeat with --after %s\n", last)
	}
}

// orDash shows an empty cell.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
