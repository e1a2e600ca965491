package sheets

import (
	"errors"
	"io"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/drawbridge-id/drawbridge/identity"
)

// xlsxWriter writes a workbook with one sheet, all cells as text. The rows go to a temporary file when they are many.
type xlsxWriter struct {
	out  io.Writer
	book *excelize.File
	rows *excelize.StreamWriter
	line int
	row  []any
}

const sheetName = "Sheet1"

// maxXLSXCell is how many characters a cell holds; the library would cut off what is longer.
const maxXLSXCell = 32_767 / 2 // some characters count twice

func newXLSXWriter(out io.Writer, columns []Column) (*xlsxWriter, error) {
	book := excelize.NewFile()
	rows, err := book.NewStreamWriter(sheetName)
	if err != nil {
		return nil, errors.Join(err, book.Close())
	}
	w := &xlsxWriter{out: out, book: book, rows: rows}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	if err := w.rows.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, errors.Join(err, book.Close())
	}
	return w, w.Write(names)
}

func (w *xlsxWriter) Write(cells []string) error {
	w.row = w.row[:0]
	w.line++
	for _, cell := range cells {
		if len(cell) > maxXLSXCell && utf8.RuneCountInString(cell) > maxXLSXCell {
			return identity.Errorf(identity.TooLarge, "Row %d has a text that is longer than XLSX can hold. Use CSV or JSON.", w.line).WithField("format")
		}
		w.row = append(w.row, cell)
	}
	at, err := excelize.CoordinatesToCellName(1, w.line)
	if err != nil {
		return err
	}
	return w.rows.SetRow(at, w.row)
}

func (w *xlsxWriter) Close() error {
	err := w.rows.Flush()
	if err == nil {
		_, err = w.book.WriteTo(w.out)
	}
	return errors.Join(err, w.book.Close())
}
