package sheets_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/xuri/excelize/v2"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// small are limits that a fuzz test reaches.
var small = sheets.Limits{Bytes: 64 << 10, Unzipped: 1 << 20, Rows: 100, Columns: 20, Cell: 1000, Line: 4000}

// holds checks what is true of every file: it is refused with a sentence, or read within the limits in the order of its lines.
func holds(t *testing.T, got table, err error) bool {
	t.Helper()
	if err != nil {
		if k := identity.KindOf(err); k != identity.Invalid && k != identity.TooLarge {
			t.Fatalf("an error without a sentence: %v", err)
		}
		return false
	}
	if len(got.rows) > small.Rows || len(got.header) > small.Columns {
		t.Fatal("more than the limits allow")
	}
	line := 0
	for _, row := range got.rows {
		if row.Line <= line || len(row.Cells) > small.Columns {
			t.Fatalf("line %d with %d cells comes after line %d", row.Line, len(row.Cells), line)
		}
		line = row.Line
	}
	return true
}

// readsBack writes what was read and reads it again.
func readsBack(t *testing.T, got table, f sheets.Format) {
	t.Helper()
	width := len(got.header)
	for _, row := range got.rows {
		width = max(width, len(row.Cells))
	}
	cells := func(row sheets.Row) []string {
		out := make([]string, width)
		for i := range out {
			out[i] = held(row.Cell(i), f)
		}
		return out
	}
	heading := cells(sheets.Row{Cells: got.header})
	if strings.Join(heading, "") == "" || strings.HasPrefix(heading[0], "sep=") {
		return
	}
	var rows [][]string
	for _, row := range got.rows {
		if c := cells(row); strings.Join(c, "") != "" {
			rows = append(rows, c)
		}
	}
	content := write(t, f, sheets.Columns(heading...), rows)
	again, err := readAs(content, sheets.Options{Separator: ","})
	if err != nil || len(again.rows) != len(rows) {
		t.Fatalf("%d rows of %d: %v", len(again.rows), len(rows), err)
	}
	for i, row := range rows {
		for k := range row {
			if back := again.rows[i].Cell(k); back != row[k] {
				t.Fatalf("%s: row %d, column %d: %q became %q", f, i, k, row[k], back)
			}
		}
	}
}

// held is a cell without what its format does not keep: CSV no carriage returns, and XLSX nothing that nobody sees.
func held(cell string, f sheets.Format) string {
	return strings.Map(func(r rune) rune {
		if r == '\r' || f == sheets.XLSX && (unicode.IsControl(r) || !unicode.IsGraphic(r) || r == unicode.ReplacementChar) {
			return -1
		}
		return r
	}, cell)
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"a;b\n1;2\n", "\ufeffa,b\r\n\"x\"\"y\",'=1\r\n", "\xff\xfea\x00,\x00b\x00\n\x00", "\xff\xfe\x00\x00a\x00\x00\x00", "sep=|\na|b\n", "a,b\n\"1\n2\",3\n", "Stra\xdfe\tb\n", "a\rb\r",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if bytes.HasPrefix(content, []byte("PK")) {
			return
		}
		got, err := read(content, small)
		if holds(t, got, err) {
			readsBack(t, got, sheets.CSV)
		}
	})
}

func FuzzXLSX(f *testing.F) {
	file := excelize.NewFile()
	defer file.Close()
	if err := file.SetSheetRow("Sheet1", "A1", &[]any{"a", 1, true}); err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := file.Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes(), []byte(nil), []byte(nil))
	f.Add([]byte(nil), []byte(`<row r="1"><c r="A1" t="s"><v>0</v></c><c t="inlineStr"><is><t>x</t></is></c></row><row r="3"><c r="B3"><f>A1</f></c></row>`), []byte(`<si><t>name</t></si>`))
	f.Add([]byte(nil), []byte(`<row><c t="e"><v>#N/A</v></c></row>`), []byte(`<si><r><t>a</t></r></si>`))
	f.Fuzz(func(t *testing.T, content, rows, texts []byte) {
		if len(content) == 0 {
			content = packed(t, map[string][3]string{
				"[Content_Types].xml":        {`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`},
				"_rels/.rels":                {`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
				"xl/workbook.xml":            {`<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`},
				"xl/_rels/workbook.xml.rels": {`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
				"xl/worksheets/sheet1.xml":   {`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` + string(rows) + `</sheetData></worksheet>`},
				"xl/sharedStrings.xml":       {`<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` + string(texts) + `</sst>`},
			}, 1)
		}
		if !bytes.HasPrefix(content, []byte("PK")) {
			return
		}
		got, err := read(content, small)
		if holds(t, got, err) {
			readsBack(t, got, sheets.XLSX)
		}
	})
}
