package sheets

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Limits are what a file may have at most. They hold before and while it is read, so that a hostile file costs no more than a large one.
type Limits struct {
	Bytes    int64 // of the file
	Unzipped int64 // of all parts of an XLSX file together
	Rows     int   // below the heading
	Columns  int
	Cell     int // bytes of one cell
	Line     int // bytes of one row of a CSV file with its quotation marks, and of one tag or text of a workbook; 0: DefaultLine
	Sheet    int // rows of a workbook; 0: as Rows
}

// DefaultLine is how long a row may be, in bytes.
const DefaultLine = 1 << 20

// DefaultLimits are those of an import: 1,000,000 people in a CSV file, which is read in constant memory, and 200,000 in a workbook, whose texts are kept apart from
// its rows and have to be at hand.
func DefaultLimits() Limits {
	return Limits{Bytes: 512 << 20, Unzipped: 512 << 20, Rows: 1_000_000, Columns: 200, Cell: 8 << 10, Line: DefaultLine, Sheet: 200_000}
}

// Row is one line of a table. It may have fewer or more cells than the heading.
type Row struct {
	Line    int // as a spreadsheet or an editor numbers it, from 1
	Cells   []string
	Formula int // the first column, from 1, with a formula whose value was not saved; 0: none
}

// Cell returns a cell by its column, or "" where the row is shorter.
func (r Row) Cell(column int) string {
	if column < 0 || column >= len(r.Cells) {
		return ""
	}
	return r.Cells[column]
}

// Beyond reports whether the row has something behind as many columns.
func (r Row) Beyond(columns int) bool {
	return len(r.Cells) > columns && strings.Join(r.Cells[columns:], "") != ""
}

// Reader reads a table row by row. It is for one goroutine.
type Reader struct {
	Header  []string // the first row that is not empty
	Form    string   // for people: "CSV, UTF-8, separated by semicolons"
	Numbers bool     // dates are the numbers of days that a spreadsheet keeps

	limits Limits
	rows   int
	next   func() (Row, error) // the source's next row, empty ones too; io.EOF at the end
	close  func() error
}

// Options say how a file is written where that cannot be told from it; what is empty is guessed.
type Options struct {
	Separator string // of a CSV file, one character
	Encoding  string // of a CSV file, by a name that Encodings has
	Sheet     string // of a workbook, by its name; empty: the first that is not hidden
}

// Open reads the heading of a table. The form is seen from the content: XLSX, or CSV with its encoding and separator. The caller closes the reader, and the file
// after it. What is no table, or is larger than the limits, is Invalid or TooLarge.
func Open(file io.ReaderAt, size int64, l Limits) (*Reader, error) {
	return OpenAs(file, size, l, Options{})
}

// OpenAs is Open for a file that is written as somebody says.
func OpenAs(file io.ReaderAt, size int64, l Limits, o Options) (*Reader, error) {
	if size > l.Bytes {
		return nil, identity.Errorf(identity.TooLarge, "The file has %d bytes; at most %d are read. Split it.", size, l.Bytes).WithField("file")
	}
	start := make([]byte, min(size, 8))
	if _, err := file.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(err)
	}
	if l.Line == 0 {
		l.Line = DefaultLine
	}
	if l.Sheet == 0 {
		l.Sheet = l.Rows
	}
	r := &Reader{limits: l, close: func() error { return nil }}
	var err error
	switch {
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		err = r.openXLSX(file, size, o)
	case bytes.HasPrefix(start, []byte("\xd0\xcf\x11\xe0")):
		err = invalid("This is an old or an encrypted Excel file. Save it as XLSX without a password, or as CSV.")
	default:
		err = r.openCSV(file, size, o)
	}
	if err == nil {
		err = r.readHeader()
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *Reader) readHeader() error {
	first, err := r.Next()
	if errors.Is(err, io.EOF) {
		return invalid("The file is empty: its first line has to name the columns.")
	}
	r.rows = 0
	r.Header = first.Cells
	return err
}

// Next returns the next row that is not empty, or io.EOF.
func (r *Reader) Next() (Row, error) {
	for {
		row, err := r.next()
		if err != nil {
			return row, err
		}
		if len(row.Cells) > r.limits.Columns {
			return row, identity.Errorf(identity.TooLarge, "Line %d has %d columns; at most %d are read.", row.Line, len(row.Cells), r.limits.Columns).WithField("file")
		}
		if !row.Beyond(0) && row.Formula == 0 {
			continue
		}
		if r.rows++; r.rows > r.limits.Rows {
			return row, identity.Errorf(identity.TooLarge, "The file has more than %d rows. Split it.", r.limits.Rows).WithField("file")
		}
		return row, r.check(row)
	}
}

// check holds a row to the limits.
func (r *Reader) check(row Row) error {
	for i, cell := range row.Cells {
		if len(cell) > r.limits.Cell {
			return identity.Errorf(identity.TooLarge, "Line %d: column %d has %d bytes; a cell has at most %d.", row.Line, i+1, len(cell), r.limits.Cell).WithField("file")
		}
		if !utf8.ValidString(cell) {
			return invalid("Line %d: column %d is not the UTF-8 that the file says it is. Save the file as UTF-8.", row.Line, i+1)
		}
	}
	return nil
}

// Close ends the reading.
func (r *Reader) Close() error { return r.close() }

func invalid(format string, args ...any) *identity.Error {
	return identity.Errorf(identity.Invalid, format, args...).WithField("file")
}

// unreadable is an error of the file, unless it says itself what is wrong.
func unreadable(err error) *identity.Error {
	var e *identity.Error
	if errors.As(err, &e) {
		return e
	}
	return invalid("The file cannot be read.").WithCause(err)
}
