package sheets

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Format is a form in which a table is written.
type Format string

// The formats. JSON is one object a line.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
	JSON Format = "json"
)

// Formats lists them.
var Formats = []Format{CSV, XLSX, JSON}

// ParseFormat returns a format by its name, or Invalid.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats, f) {
		return f, nil
	}
	return "", identity.Errorf(identity.Invalid, "There is no format %q. Use csv, xlsx or json.", name).WithField("format")
}

// Column is a column of a table that is written.
type Column struct {
	Name string
	JSON bool // its cells are JSON already, such as true or [1,2]; an empty one is null
}

// Columns returns columns of text.
func Columns(names ...string) []Column {
	out := make([]Column, len(names))
	for i, name := range names {
		out[i].Name = name
	}
	return out
}

// Writer writes a table row by row. A row has as many cells as there are columns. Close writes what is left; it does not close what is written to.
type Writer interface {
	Write(cells []string) error
	Close() error
}

// NewWriter writes the heading of a table.
func NewWriter(out io.Writer, f Format, columns []Column) (Writer, error) {
	switch f {
	case CSV:
		return newCSVWriter(out, columns)
	case XLSX:
		return newXLSXWriter(out, columns)
	case JSON:
		return &jsonWriter{out: bufio.NewWriter(out), columns: columns}, nil
	}
	return nil, identity.Errorf(identity.Invalid, "There is no format %q. Use csv, xlsx or json.", f).WithField("format")
}

// csvWriter writes UTF-8 with a mark in front, by which spreadsheets see that it is, and with lines that end as RFC 4180 wants them.
type csvWriter struct {
	out *csv.Writer
	row []string
}

func newCSVWriter(out io.Writer, columns []Column) (*csvWriter, error) {
	if _, err := io.WriteString(out, "\ufeff"); err != nil {
		return nil, err
	}
	w := &csvWriter{out: csv.NewWriter(out)}
	w.out.UseCRLF = true
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return w, w.Write(names)
}

func (w *csvWriter) Write(cells []string) error {
	w.row = w.row[:0]
	for _, cell := range cells {
		w.row = append(w.row, escape(cell))
	}
	return w.out.Write(w.row)
}

func (w *csvWriter) Close() error {
	w.out.Flush()
	return w.out.Error()
}

// jsonWriter writes one object a line.
type jsonWriter struct {
	out     *bufio.Writer
	columns []Column
}

func (w *jsonWriter) Write(cells []string) error {
	for i, c := range w.columns {
		name, err := json.Marshal(c.Name)
		if err != nil {
			return err
		}
		value, err := jsonCell(c, cells[i])
		if err != nil {
			return err
		}
		w.out.WriteByte(map[bool]byte{true: '{', false: ','}[i == 0]) // the buffer keeps the first failure for the end
		w.out.Write(name)
		w.out.WriteByte(':')
		w.out.Write(value)
	}
	_, err := w.out.WriteString("}\n")
	return err
}

func jsonCell(c Column, cell string) ([]byte, error) {
	switch {
	case !c.JSON:
		return json.Marshal(cell)
	case cell == "":
		return []byte("null"), nil
	}
	return []byte(cell), nil
}

func (w *jsonWriter) Close() error { return w.out.Flush() }
