package sheets_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

func readAs(content []byte, o sheets.Options) (table, error) {
	r, err := sheets.OpenAs(bytes.NewReader(content), int64(len(content)), sheets.DefaultLimits(), o)
	if err != nil {
		return table{}, err
	}
	defer r.Close()
	t := table{form: r.Form, header: r.Header}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return t, err
		}
		t.rows = append(t.rows, row)
	}
}

func TestAFileIsReadAsSomebodySays(t *testing.T) {
	for name, c := range map[string]struct {
		content []byte
		o       sheets.Options
		header  []string
		cells   []string
		form    string
	}{
		"any separator":                  {[]byte("a^b\n1,5^2\n"), sheets.Options{Separator: "^"}, []string{"a", "b"}, []string{"1,5", "2"}, "CSV, UTF-8, separated by ^"},
		"one of several bytes":           {[]byte("a§b\n1§2\n"), sheets.Options{Separator: "§"}, []string{"a", "b"}, []string{"1", "2"}, "CSV, UTF-8, separated by §"},
		"a tab by its name":              {[]byte("a;x\tb\n1\t2\n"), sheets.Options{Separator: "tab"}, []string{"a;x", "b"}, []string{"1", "2"}, "CSV, UTF-8, separated by tabs"},
		"commas although it looks other": {[]byte("a;b\nc;d\n"), sheets.Options{Separator: ","}, []string{"a;b"}, []string{"c;d"}, "CSV, UTF-8, separated by commas"},
		"an encoding that no byte tells": {encode(t, "имя,a\nПётр,1\n", charmap.Windows1251.NewEncoder().String), sheets.Options{Encoding: "Windows-1251"}, []string{"имя", "a"}, []string{"Пётр", "1"}, "CSV, Windows-1251, separated by commas"},
		"an old Mac":                     {encode(t, "Straße;b\rZoë;2\r", charmap.Macintosh.NewEncoder().String), sheets.Options{Encoding: "macintosh"}, []string{"Straße", "b"}, []string{"Zoë", "2"}, "CSV, Mac OS Roman, separated by semicolons"},
		"UTF-8 with its mark":            {[]byte("\ufeffa,b\n1,2\n"), sheets.Options{Encoding: "utf-8"}, []string{"a", "b"}, []string{"1", "2"}, "CSV, UTF-8, separated by commas"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAs(c.content, c.o)
			if err != nil || len(got.rows) != 1 {
				t.Fatal(got, err)
			}
			if diff := cmp.Diff(c.header, got.header) + cmp.Diff(c.cells, got.rows[0].Cells); diff != "" || got.form != c.form {
				t.Error(got.form, diff)
			}
		})
	}
	for says, o := range map[string]sheets.Options{
		"The separator": {Separator: "ab"},
		"is none":       {Separator: `"`},
		"no encoding":   {Encoding: "klingon"},
	} {
		if _, err := readAs([]byte("a,b\n"), o); identity.KindOf(err) != identity.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestASheetIsChosenByItsName(t *testing.T) {
	content := book(t, func(f *excelize.File) {
		set(t, f, "Sheet1", map[string]any{"A1": "first"})
		if _, err := f.NewSheet("Leavers"); err != nil {
			t.Fatal(err)
		}
		set(t, f, "Leavers", map[string]any{"A1": "second"})
	})
	got, err := readAs(content, sheets.Options{Sheet: "leavers"})
	if err != nil || got.header[0] != "second" || got.form != "XLSX, sheet Leavers" {
		t.Error(got, err)
	}
	if _, err := readAs(content, sheets.Options{Sheet: "Joiners"}); identity.KindOf(err) != identity.Invalid || !strings.Contains(err.Error(), "Sheet1, Leavers") {
		t.Error(err)
	}
}

func TestAFormulaWithoutAValueIsNoted(t *testing.T) {
	content := book(t, func(f *excelize.File) {
		set(t, f, "Sheet1", map[string]any{"A1": "name", "B1": "start", "A2": "Ada", "B2": 46056, "A4": "Bob", "A5": "Cid", "B5": 1})
		for at, formula := range map[string]string{"B4": "TODAY()", "B5": "A1*2"} {
			if err := f.SetCellFormula("Sheet1", at, formula); err != nil {
				t.Fatal(err)
			}
		}
	})
	got := mustRead(t, content)
	var formulas []int
	for _, row := range got.rows {
		formulas = append(formulas, row.Formula)
	}
	if diff := cmp.Diff([]int{0, 2, 0}, formulas); diff != "" {
		t.Error(diff)
	}
}

// Programs that write formulas without calculating them write an empty value; a formula whose text is empty says that it is a text.
func TestAFormulaWithAnEmptyValueIsNoted(t *testing.T) {
	content := book(t, func(f *excelize.File) {
		set(t, f, "Sheet1", map[string]any{"A1": "name", "B1": "number", "A2": "Ada", "A3": "Bob", "A4": "Cid", "A5": "Dan"})
		for at, formula := range map[string]string{"B2": "1+1", "B3": "2+2", "B4": "3+3", "B5": "4+4"} {
			if err := f.SetCellFormula("Sheet1", at, formula); err != nil {
				t.Fatal(err)
			}
		}
	})
	content = rewritten(t, content, "xl/worksheets/sheet1.xml", strings.NewReplacer(
		`<c r="B2" t="str"><f>1+1</f>`, `<c r="B2"><f>1+1</f><v></v>`, `<c r="B3" t="str"><f>2+2</f>`, `<c r="B3"><f>2+2</f><v />`, "<f>3+3</f>", "<f>3+3</f><v>6</v>", "<f>4+4</f>", "<f>4+4</f><v></v>"))
	var formulas []int
	for _, row := range mustRead(t, content).rows {
		formulas = append(formulas, row.Formula)
	}
	if diff := cmp.Diff([]int{2, 2, 0, 0}, formulas); diff != "" {
		t.Error(diff)
	}
}

// rewritten is a workbook with one of its parts changed.
func rewritten(t *testing.T, content []byte, part string, with *strings.Replacer) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][3]string{}
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts[f.Name] = [3]string{string(text)}
		if f.Name == part {
			parts[f.Name] = [3]string{with.Replace(string(text))}
		}
	}
	return packed(t, parts, 1)
}

func TestACellThatNamesNoTextIsNotItsNumber(t *testing.T) {
	content := packed(t, map[string][3]string{
		"xl/workbook.xml":          {`<workbook/>`},
		"xl/worksheets/sheet1.xml": {`<worksheet><sheetData><row r="1"><c t="s"><v>1</v></c></row></sheetData></worksheet>`},
		"xl/sharedStrings.xml":     {`<sst><si><t>only</t></si></sst>`},
	}, 1)
	_, err := read(content, sheets.DefaultLimits())
	refusedWith(t, err, "damaged")
	if !strings.Contains(err.Error(), "the text 1 of 1") {
		t.Error(err)
	}
}
