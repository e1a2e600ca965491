package sheets

import (
	"errors"
	"io"

	"github.com/xuri/excelize/v2"
)

// openXLSX checks an XLSX file and leaves its first visible sheet ready to be read. Formulas are not calculated: a cell has the value that was saved with it.
func (r *Reader) openXLSX(file io.ReaderAt, size int64) error {
	if err := checkXLSX(file, size, r.limits); err != nil {
		return err
	}
	book, err := excelize.OpenReader(io.NewSectionReader(file, 0, size), excelize.Options{RawCellValue: true, UnzipSizeLimit: r.limits.Unzipped})
	if err != nil {
		return brokenXLSX(err)
	}
	sheet := firstSheet(book)
	rows, err := book.Rows(sheet)
	if err != nil {
		return errors.Join(brokenXLSX(err), book.Close())
	}
	r.Form, r.Numbers = "XLSX, sheet "+sheet, true
	r.close = func() error { return errors.Join(rows.Close(), book.Close()) }
	line := 0
	r.next = func() (Row, error) {
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
		return Row{Line: line, Cells: cells}, nil
	}
	return nil
}

// firstSheet returns the name of the first sheet that is not hidden.
func firstSheet(book *excelize.File) string {
	names := book.GetSheetList()
	for _, name := range names {
		if shown, err := book.GetSheetVisible(name); err == nil && shown {
			return name
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

func brokenXLSX(err error) error {
	return invalid("The XLSX file cannot be read: it is damaged, or has a password. Open it in a spreadsheet and save it again.").WithCause(err)
}
