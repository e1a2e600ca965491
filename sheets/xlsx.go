package sheets

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/drawbridge-id/drawbridge/identity"
)

// openXLSX checks an XLSX file and leaves a sheet ready to be read, the first visible one where none is named. Formulas are not calculated: a cell has the value
// that was saved with it.
func (r *Reader) openXLSX(file io.ReaderAt, size int64, o Options) error {
	found, err := checkXLSX(file, size, r.limits)
	if err != nil {
		return err
	}
	spill, err := spillAbove(found.spilled)
	if err != nil {
		return err
	}
	book, err := excelize.OpenReader(io.NewSectionReader(file, 0, size), excelize.Options{RawCellValue: true, UnzipSizeLimit: r.limits.Unzipped, UnzipXMLSizeLimit: spill})
	if err != nil {
		return brokenXLSX(err)
	}
	sheet, err := chosenSheet(book, o.Sheet)
	if err != nil {
		return errors.Join(err, book.Close())
	}
	rows, err := book.Rows(sheet)
	if err != nil {
		return errors.Join(brokenXLSX(err), book.Close())
	}
	r.Form, r.Numbers = "XLSX, sheet "+sheet, true
	r.close = func() error { return errors.Join(rows.Close(), book.Close()) }
	r.next = nextXLSX(rows, found.formulas(sheet))
	return nil
}

// nextXLSX reads the rows of a sheet; formulas has the column of the first cell without a value, by the line.
func nextXLSX(rows *excelize.Rows, formulas map[int]int) func() (Row, error) {
	line := 0
	return func() (Row, error) {
		if !rows.Next() {
			if err := rows.Error(); err != nil {
				return Row{}, brokenXLSX(err)
			}
			return Row{}, io.EOF
		}
		line++
		cells, err := rows.Columns()
		if err != nil {
			return Row{}, brokenXLSX(err)
		}
		return Row{Line: line, Cells: cells, Formula: formulas[line]}, nil
	}
}

const (
	// spillDefault is how large a sheet or the list of texts is held in memory, in bytes; larger ones go to a temporary file, where there is a folder for it.
	spillDefault = 16 << 20
	// spillMost is how large they are held in memory where there is none.
	spillMost = 64 << 20
)

// spillAbove returns above which size parts go to a temporary file, where the largest of them has so many bytes.
func spillAbove(largest int64) (int64, error) {
	if largest <= spillDefault {
		return spillDefault, nil
	}
	file, err := os.CreateTemp("", "drawbridge-sheet-*")
	if err == nil {
		return spillDefault, errors.Join(file.Close(), os.Remove(file.Name()))
	}
	if largest <= spillMost {
		return spillMost, nil
	}
	return 0, identity.Errorf(identity.TooLarge, "The XLSX file is large, and there is no folder for a temporary file here. Save it as CSV, or set TMPDIR.").WithField("file").WithCause(err)
}

// chosenSheet returns the name of the sheet that somebody named, whatever its case, or of the first that is not hidden.
func chosenSheet(book *excelize.File, wanted string) (string, error) {
	names := book.GetSheetList()
	for _, name := range names {
		if wanted != "" {
			if strings.EqualFold(name, wanted) {
				return name, nil
			}
			continue
		}
		if shown, err := book.GetSheetVisible(name); err == nil && shown {
			return name, nil
		}
	}
	switch {
	case wanted != "":
		return "", invalid("The workbook has no sheet %q. It has: %s.", wanted, strings.Join(names, ", ")).WithField("sheet")
	case len(names) == 0:
		return "", nil
	}
	return names[0], nil
}

func brokenXLSX(err error) error {
	var e *identity.Error
	if errors.As(err, &e) {
		return e
	}
	return invalid("The XLSX file cannot be read: it is damaged, or has a password. Open it in a spreadsheet and save it again.").WithCause(err)
}
