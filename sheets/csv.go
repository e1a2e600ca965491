package sheets

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// peeked is how much of a text is looked at to guess its separator, in bytes.
const peeked = 32 << 10

// openCSV finds out how a CSV file is written and leaves it ready to be read.
func (r *Reader) openCSV(file io.ReaderAt, size int64, o Options) error {
	enc, err := encodingOf(file, size, r.limits, o.Encoding)
	if err != nil {
		return err
	}
	start := make([]byte, peeked)
	n, err := io.ReadFull(enc.reader(file, size), start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return unreadable(err)
	}
	start = start[:n]
	carriage := onlyCarriage(start)
	if carriage {
		start = bytes.ReplaceAll(start, []byte("\r"), []byte("\n"))
	}
	separator, first := said(string(start))
	if by, err := separatorOf(o.Separator); err != nil {
		return err
	} else if by != 0 {
		separator = by
	}
	if separator == 0 {
		separator = guess(string(start), n < peeked)
	}
	guarded := newGuard(enc.reader(file, size), r.limits, separator)
	guarded.carriage = carriage
	in := bufio.NewReaderSize(guarded, peeked)
	if first > 0 {
		if _, err := in.ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
			return unreadable(err)
		}
	}
	r.Form = fmt.Sprintf("CSV, %s, separated by %s", enc.name, separatorName(separator))
	lines := newCSV(in, separator)
	r.next = func() (Row, error) { return nextCSV(lines, first) }
	return nil
}

// separators are those that spreadsheets write, the likeliest first.
var separators = []rune{',', ';', '\t', '|'}

var separatorNames = map[rune]string{',': "commas", ';': "semicolons", '\t': "tabs"}

func separatorName(separator rune) string {
	if name, ok := separatorNames[separator]; ok {
		return name
	}
	return string(separator)
}

// separatorOf reads a separator that somebody names; 0 where nobody did.
func separatorOf(name string) (rune, error) {
	switch strings.ToLower(name) {
	case "":
		return 0, nil
	case "tab", "tabs", `\t`:
		return '\t', nil
	}
	r, size := utf8.DecodeRuneInString(name)
	if size != len(name) || r == utf8.RuneError || strings.ContainsRune("\"\r\n\x00\ufeff", r) {
		return 0, invalid("The separator %q is none. Name one character that is no quotation mark, such as ; or tab.", name).WithField("separator")
	}
	return r, nil
}

func newCSV(in io.Reader, separator rune) *csv.Reader {
	c := csv.NewReader(in)
	c.Comma, c.FieldsPerRecord = separator, -1
	return c
}

// nextCSV reads a row; before is how many lines were taken off in front.
func nextCSV(c *csv.Reader, before int) (Row, error) {
	cells, err := c.Read()
	if err != nil {
		return Row{}, brokenCSV(err, before)
	}
	line, _ := c.FieldPos(0)
	for i, cell := range cells {
		cells[i] = unescape(cell)
	}
	return Row{Line: line + before, Cells: cells}, nil
}

func brokenCSV(err error, before int) error {
	var broken *csv.ParseError
	if !errors.As(err, &broken) {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return unreadable(err)
	}
	return invalid("Line %d: a quotation mark stands where none may be, or the one that ends a text is missing. Write a text with quotation marks as \"say \"\"hello\"\"\".", broken.StartLine+before).
		WithCause(err)
}

// said returns the separator that Excel's first line "sep=;" names and how many lines that takes, or 0.
func said(start string) (rune, int) {
	line, _, _ := strings.Cut(start, "\n")
	rest, ok := strings.CutPrefix(strings.TrimRight(line, "\r"), "sep=")
	for _, s := range separators {
		if ok && rest == string(s) {
			return s, 1
		}
	}
	return 0, 0
}

// guess returns the separator with which the first lines fall into the most columns, as many in each. whole says that start is the whole text.
func guess(start string, whole bool) rune {
	best, most := separators[0], 1.0
	for _, s := range separators {
		if score := columnsBy(start, whole, s); score > most {
			best, most = s, score
		}
	}
	return best
}

// columnsBy returns how many columns the first line has by a separator, less for each of the next lines that has another number.
func columnsBy(start string, whole bool, separator rune) float64 {
	const most = 20
	c := newCSV(strings.NewReader(start), separator)
	columns, rows, same := 0, 0, 0
	for rows < most {
		cells, err := c.Read()
		if err != nil || !whole && c.InputOffset() == int64(len(start)) { // the last line may be cut
			break
		}
		if rows++; rows == 1 {
			columns = len(cells)
		}
		if len(cells) == columns {
			same++
		}
	}
	if rows == 0 {
		return 0
	}
	return float64(columns) * float64(same) / float64(rows)
}
