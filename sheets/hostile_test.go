package sheets_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// endless is a file of some size whose bytes nobody stores: a beginning, then one byte again and again. It counts what is read of it.
type endless struct {
	start string
	fill  byte
	size  int64
	read  int64
}

func (e *endless) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), e.size-off))
	for i := range n {
		p[i] = e.fill
		if at := off + int64(i); at < int64(len(e.start)) {
			p[i] = e.start[at]
		}
	}
	e.read += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// drain reads a file to its end or to its first error.
func drain(file io.ReaderAt, size int64, l sheets.Limits) error {
	r, err := sheets.Open(file, size, l)
	for err == nil {
		_, err = r.Next()
	}
	if r != nil {
		err = errors.Join(err, r.Close())
	}
	return err
}

// allocated is how many bytes a function asks for, given back ones too.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func refusedWith(t *testing.T, err error, says string) {
	t.Helper()
	var e *identity.Error
	if !errors.As(err, &e) || e.Kind != identity.Invalid && e.Kind != identity.TooLarge || !strings.Contains(e.Message, says) {
		t.Errorf("%v, want %q", err, says)
	}
}

func TestALineOfTwoGigabytesIsRefusedAfterAMegabyte(t *testing.T) {
	open := sheets.DefaultLimits()
	open.Bytes = 4 << 30
	const huge = 2 << 30
	for name, c := range map[string]struct {
		file *endless
		l    sheets.Limits
		says string
	}{
		"FSM-47 it is larger than any file that is read":        {&endless{fill: 'a', size: huge}, sheets.DefaultLimits(), "at most 536870912 are read"},
		"FSM-47 a line of letters":                              {&endless{start: "email\n", fill: 'a', size: huge}, open, "Line 2 is longer than 1048576 bytes"},
		"FSM-47 the first line":                                 {&endless{fill: 'a', size: huge}, open, "Line 1 is longer"},
		"FSM-47 a text that is quoted and never ends":           {&endless{start: "email,name\nada@acme.test,\"", fill: '\n', size: huge}, open, "Line 2 is longer"},
		"FSM-47 a line of separators, which is columns":         {&endless{start: "email,name\n", fill: ',', size: huge}, open, "Line 2"},
		"FSM-47 letters in UTF-16":                              {&endless{start: "\xff\xfea\x00", fill: 'a', size: huge}, open, "Line 1 is longer"},
		"FSM-47 letters in an encoding that is told by no mark": {&endless{start: "\xe4\n", fill: 'a', size: huge}, open, "Line 2 is longer"},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocated(func() { err = drain(c.file, c.file.size, c.l) })
			refusedWith(t, err, c.says)
			if c.file.read > 4<<20 || used > 32<<20 {
				t.Errorf("%d bytes were read and %d of memory asked for", c.file.read, used)
			}
		})
	}
}

func TestAMillionColumnsAreRefusedBeforeTheyAreCells(t *testing.T) {
	for name, content := range map[string]string{
		"FSM-47 in the heading":        strings.Repeat(",", 1_000_000),
		"FSM-47 in a row":              "a,b\n" + strings.Repeat("x,", 500_000),
		"FSM-47 in a separator of two": "a§b\n" + strings.Repeat("§", 400_000),
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocated(func() {
				r, failed := sheets.OpenAs(strings.NewReader(content), int64(len(content)), sheets.DefaultLimits(), sheets.Options{Separator: map[bool]string{true: "§"}[strings.Contains(content, "§")]})
				for err = failed; err == nil; {
					_, err = r.Next()
				}
			})
			refusedWith(t, err, "more than 200 columns")
			if used > 8<<20 {
				t.Errorf("%d bytes of memory were asked for", used)
			}
		})
	}
	wide := book(t, func(f *excelize.File) { set(t, f, "Sheet1", map[string]any{"A1": "a", "XFD2": "far"}) })
	if _, err := read(wide, sheets.DefaultLimits()); err == nil {
		t.Error("a workbook of 16,384 columns was read")
	} else {
		refusedWith(t, err, "Line 2 has 16384 columns")
	}
}

func TestAZeroByteIsRefusedWhereverItStands(t *testing.T) {
	far := "email,name\n" + strings.Repeat("ada@acme.test,Ada\n", 5000)
	for name, content := range map[string]string{
		"FSM-47 at the beginning": "email\n\x00\n",
		"FSM-47 in a row":         far + "bob@acme.test,B\x00b\n",
		"FSM-47 within quotes":    far + "bob@acme.test,\"B\x00b\"\n",
		"FSM-47 in UTF-16":        "\xff\xfee\x00\n\x00a\x00\x00\x00b\x00",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read([]byte(content), sheets.DefaultLimits())
			refusedWith(t, err, "zero byte")
		})
	}
}

func TestWhatLooksLikeAFormulaIsAText(t *testing.T) {
	const cell = `=cmd|' /C calc'!A0`
	got := mustRead(t, []byte("name,note\nAda,"+cell+"\n"))
	if got.rows[0].Cell(1) != cell {
		t.Errorf("%q", got.rows[0].Cells)
	}
	out := string(write(t, sheets.CSV, sheets.Columns("name", "note"), [][]string{got.rows[0].Cells}))
	if !strings.Contains(out, "'"+cell) {
		t.Errorf("it left as a formula: %q", out)
	}
	if again := mustRead(t, []byte(out)); again.rows[0].Cell(1) != cell {
		t.Errorf("%q", again.rows[0].Cells)
	}
}

// packed is a zip of parts, each of a beginning, one text again and again, and an end.
func packed(t *testing.T, parts map[string][3]string, times int) []byte {
	t.Helper()
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for name, p := range parts {
		w, err := out.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		n := times
		if p[1] == "" {
			n = 0
		}
		for _, text := range []string{p[0], strings.Repeat(p[1], n), p[2]} {
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAWorkbookThatIsLargeWhenItIsPackedIsRefused(t *testing.T) {
	l := sheets.DefaultLimits()
	file := &endless{start: "PK\x03\x04", fill: 'x', size: 300 << 20}
	refusedWith(t, drain(file, file.size, l), "save it as CSV")
	if file.read > 1<<20 {
		t.Errorf("%d bytes were read", file.read)
	}
}

func TestAZipBombIsRefused(t *testing.T) {
	const workbook = `<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`
	sheet := func(before, again, after string) []byte {
		return packed(t, map[string][3]string{
			"xl/workbook.xml":          {workbook},
			"xl/worksheets/sheet1.xml": {"<worksheet><sheetData>" + before, again, after + "</sheetData></worksheet>"},
		}, 1<<20)
	}
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"FSM-47 a text of many megabytes":        {sheet(`<row><c t="inlineStr"><is><t>`, "aaaaaaaaaaaaaaaa", "</t></is></c></row>"), "packed 300 times"},
		"FSM-47 one that is packed less well":    {sheet(`<row><c t="inlineStr"><is><t>`, "aaaaaa", "</t></is></c></row>"), "more than 1048576 bytes in one place"},
		"FSM-47 a comment of many megabytes":     {sheet(`<!--`, " <<<< ", "-->"), "more than 1048576 bytes in one place"},
		"FSM-47 an attribute of many megabytes":  {sheet(`<row r="`, "1 2 3 ", `"/>`), "more than 1048576 bytes in one place"},
		"FSM-47 a million elements in the other": {sheet(``, `<row/>`, ""), "more than 200000 rows"},
		"FSM-47 elements in elements":            {sheet(``, `<row>`, ""), "damaged"},
		"FSM-47 pictures":                        {packed(t, map[string][3]string{"xl/workbook.xml": {workbook}, "xl/media/1.png": {"", "ab", ""}, "xl/media/2.png": {"", strings.Repeat("abcdefgh", 5), ""}}, 1<<20), "packed 300 times"},
		"FSM-47 a zip in a zip":                  {packed(t, map[string][3]string{"inner.zip": {string(sheet("", "", ""))}}, 1), "damaged"},
		"FSM-47 entities that grow":              {sheet(`<!DOCTYPE x [<!ENTITY a "aaaa">]>`, "", ""), "damaged"},
		"FSM-47 tags that do not match":          {sheet(`<row></c>`, "", ""), "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocated(func() { err = drain(bytes.NewReader(c.content), int64(len(c.content)), sheets.DefaultLimits()) })
			refusedWith(t, err, c.says)
			if used > 96<<20 {
				t.Errorf("%d bytes of memory were asked for", used)
			}
		})
	}
}
