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
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// table is what a file says: the heading, and rows with their line in front.
type table struct {
	form   string
	header []string
	rows   []sheets.Row
}

func read(content []byte, l sheets.Limits) (table, error) {
	r, err := sheets.Open(bytes.NewReader(content), int64(len(content)), l)
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

func mustRead(t *testing.T, content []byte) table {
	t.Helper()
	got, err := read(content, sheets.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func encode(t *testing.T, s string, fn func(string) (string, error)) []byte {
	t.Helper()
	out, err := fn(s)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(out)
}

func TestACSVFileIsReadAsItsWriterMeantIt(t *testing.T) {
	const text = "Vorname;Straße\r\nZoë;\"Am \"\"Ring\"\" 1; links\"\r\n\r\nJürgen;€ 5\r\n"
	want := []sheets.Row{{Line: 2, Cells: []string{"Zoë", `Am "Ring" 1; links`}}, {Line: 4, Cells: []string{"Jürgen", "€ 5"}}}
	utf16 := func(e unicode.Endianness, bom unicode.BOMPolicy) []byte {
		return encode(t, text, unicode.UTF16(e, bom).NewEncoder().String)
	}
	for name, content := range map[string][]byte{
		"UTF-8":                                []byte(text),
		"UTF-8 with a mark":                    []byte("\ufeff" + text),
		"UTF-16 little endian":                 utf16(unicode.LittleEndian, unicode.UseBOM),
		"UTF-16 big endian":                    utf16(unicode.BigEndian, unicode.UseBOM),
		"UTF-16 little endian without a mark":  utf16(unicode.LittleEndian, unicode.IgnoreBOM),
		"Windows-1252":                         encode(t, text, charmap.Windows1252.NewEncoder().String),
		"lines that end without a carriage":    []byte(strings.ReplaceAll(text, "\r\n", "\n")),
		"UTF-32 little endian":                 encode(t, text, utf32.UTF32(utf32.LittleEndian, utf32.UseBOM).NewEncoder().String),
		"UTF-32 big endian":                    encode(t, text, utf32.UTF32(utf32.BigEndian, utf32.UseBOM).NewEncoder().String),
		"semicolons named by Excel's own line": nil,
	} {
		t.Run(name, func(t *testing.T) {
			want := want
			if content == nil {
				content = []byte("sep=;\r\n" + text)
				want = []sheets.Row{{Line: 3, Cells: want[0].Cells}, {Line: 5, Cells: want[1].Cells}}
			}
			got := mustRead(t, content)
			if diff := cmp.Diff(want, got.rows); diff != "" {
				t.Error(diff)
			}
			if got.header[1] != "Straße" || !strings.Contains(got.form, "semicolons") {
				t.Error(got.header, got.form)
			}
		})
	}
}

func TestTheSeparatorIsGuessedFromTheFirstLines(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"commas":                        {"a,b,c\n1,2,3\n", []string{"a", "b", "c"}},
		"tabs":                          {"a\tb\n1,5\t2\n", []string{"a", "b"}},
		"bars":                          {"a|b\n1|2\n", []string{"a", "b"}},
		"semicolons with commas inside": {"name;role\nLovelace, Ada;viewer\nHopper, Grace;editor\n", []string{"name", "role"}},
		"one column":                    {"e-mail\nada@example.com\n", []string{"e-mail"}},
		"a separator inside quotes":     {"\"a;b;c\",d\n1,2\n", []string{"a;b;c", "d"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, mustRead(t, []byte(c.text)).header); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// book returns a workbook that the function filled.
func book(t *testing.T, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func set(t *testing.T, f *excelize.File, sheet string, cells map[string]any) {
	t.Helper()
	for at, v := range cells {
		if err := f.SetCellValue(sheet, at, v); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnXLSXFileIsReadByItsSavedValues(t *testing.T) {
	content := book(t, func(f *excelize.File) {
		set(t, f, "Sheet1", map[string]any{"A1": "nothing to see"})
		if _, err := f.NewSheet("People"); err != nil {
			t.Fatal(err)
		}
		f.SetActiveSheet(1)
		if err := f.SetSheetVisible("Sheet1", false); err != nil {
			t.Fatal(err)
		}
		set(t, f, "People", map[string]any{"A1": "name", "B1": "number", "C1": "active", "D1": "mail", "A3": "Zoë", "B3": 491701234567, "C3": true, "D3": 7})
		if err := f.SetCellFormula("People", "D3", `HYPERLINK("http://evil.example","click")`); err != nil {
			t.Fatal(err)
		}
	})
	got := mustRead(t, content)
	if len(got.rows) != 1 {
		t.Fatal(got)
	}
	if diff := cmp.Diff(sheets.Row{Line: 3, Cells: []string{"Zoë", "491701234567", "1", "7"}}, got.rows[0]); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(strings.Join(got.rows[0].Cells, " "), "click") {
		t.Error("a formula was calculated")
	}
}

func TestWhatWasWrittenIsReadBackExactly(t *testing.T) {
	rows := [][]string{
		{"Zoë", "=1+1", "-5", "two\nlines"},
		{"'quoted", "'=SUM(A1)", "''@x", `say "hello"; and, so`},
		{"@handle", "+49 170 1", "\ttab", "\uff1dwide"},
		{"", "", "", "last"},
	}
	columns := sheets.Columns("a", "b", "c", "d")
	for _, f := range []sheets.Format{sheets.CSV, sheets.XLSX} {
		t.Run(string(f), func(t *testing.T) {
			got := mustRead(t, write(t, f, columns, rows))
			if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got.header); diff != "" {
				t.Error(diff)
			}
			for i, row := range rows {
				for k, want := range row {
					if got.rows[i].Cell(k) != want {
						t.Errorf("row %d column %d: %q, want %q", i, k, got.rows[i].Cell(k), want)
					}
				}
			}
		})
	}
}

func write(t *testing.T, f sheets.Format, columns []sheets.Column, rows [][]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := sheets.NewWriter(&b, f, columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestACSVFileHoldsNoFormula(t *testing.T) {
	out := string(write(t, sheets.CSV, sheets.Columns("a"), [][]string{{"=cmd|' /C calc'!A0"}, {"+1"}, {"-1"}, {"@x"}, {"\t=1"}, {"\r=1"}, {"fine"}}))
	for line := range strings.Lines(strings.TrimPrefix(out, "\ufeff")) {
		cell := strings.Trim(line, "\"\r\n")
		if strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			t.Errorf("%q begins a formula", line)
		}
	}
	if !strings.Contains(out, "\r\nfine\r\n") {
		t.Errorf("an ordinary text was changed: %q", out)
	}
}

func TestJSONIsOneObjectALine(t *testing.T) {
	columns := []sheets.Column{{Name: "name"}, {Name: "active", JSON: true}, {Name: "changes", JSON: true}}
	out := string(write(t, sheets.JSON, columns, [][]string{{`Zoë "Z"`, "true", `[{"field":"x"}]`}, {"Bob", "false", ""}}))
	want := "{\"name\":\"Zoë \\\"Z\\\"\",\"active\":true,\"changes\":[{\"field\":\"x\"}]}\n{\"name\":\"Bob\",\"active\":false,\"changes\":null}\n"
	if out != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
}

func TestWhatIsNoTableIsRefusedWithASentence(t *testing.T) {
	small := sheets.Limits{Bytes: 5000, Unzipped: 100_000, Rows: 3, Columns: 3, Cell: 10}
	many := book(t, func(f *excelize.File) {
		for i := range 1200 {
			if err := f.SetSheetRow("Sheet1", "A"+itoa(i+1), &[]any{"x"}); err != nil {
				t.Fatal(err)
			}
		}
	})
	for name, c := range map[string]struct {
		content []byte
		limits  sheets.Limits
		kind    identity.Kind
		says    string
	}{
		"an empty file":            {nil, small, identity.Invalid, "empty"},
		"blank lines":              {[]byte("\n\n;;\n"), small, identity.Invalid, "empty"},
		"an old Excel file":        {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on"), small, identity.Invalid, "XLSX"},
		"bytes":                    {[]byte("a\x00\x00b\x01\x00"), small, identity.Invalid, "no table"},
		"too many bytes":           {bytes.Repeat([]byte("a"), 5001), small, identity.TooLarge, "Split"},
		"too many rows":            {[]byte("a\n1\n2\n3\n4\n"), small, identity.TooLarge, "3 rows"},
		"too many columns":         {[]byte("a,b,c,d\n"), small, identity.TooLarge, "columns"},
		"too long a cell":          {[]byte("a\n12345678901\n"), small, identity.TooLarge, "Line 2"},
		"a quote that never ends":  {[]byte("a,b\n1,\"2\n3,4\n"), small, identity.Invalid, "Line 2"},
		"a mark that is not true":  {[]byte("\xef\xbb\xbfa,b\n\xff,1\n"), small, identity.Invalid, "Line 2"},
		"a zip of something":       {[]byte("PK\x03\x04 and nothing"), small, identity.Invalid, "damaged"},
		"a workbook of many rows":  {many, sheets.Limits{Bytes: 1 << 20, Unzipped: 1 << 20, Rows: 3, Columns: 3, Cell: 10}, identity.TooLarge, "3 rows"},
		"a workbook that is large": {many, sheets.Limits{Bytes: 1 << 20, Unzipped: 2000, Rows: 5000, Columns: 3, Cell: 10}, identity.TooLarge, "unpacked"},
		"a sheet that breaks off":  {torn(t, many), sheets.DefaultLimits(), identity.Invalid, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(c.content, c.limits)
			var e *identity.Error
			if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Message, c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

func itoa(n int) string {
	s := ""
	for ; n > 0; n /= 10 {
		s = string(rune('0'+n%10)) + s
	}
	return s
}

// torn returns a workbook whose sheet lost its second half.
func torn(t *testing.T, content []byte) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, part := range in.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(part.Name, "xl/worksheets/") {
			raw = raw[:len(raw)/2]
		}
		w, err := out.Create(part.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestATextThatXLSXCannotHoldIsRefused(t *testing.T) {
	w, err := sheets.NewWriter(io.Discard, sheets.XLSX, sheets.Columns("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write([]string{strings.Repeat("x", 40_000)}); identity.KindOf(err) != identity.TooLarge {
		t.Error(err)
	}
}
