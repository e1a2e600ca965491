package sheets

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// What the parts of a workbook may have at most, whatever the table in it is.
const (
	maxParts   = 2000
	maxDepth   = 64
	maxStrings = 1_500_000 // shared texts: each costs memory even when it is empty
	maxPacked  = 64 << 20  // bytes of the file: the library holds it in memory
	maxOther   = 32 << 20  // bytes of all parts that are neither sheets nor shared texts: the library holds them in memory
	maxRatio   = 300       // how many times as large a part is as it is when it is packed, and larger than
	bombBytes  = 8 << 20   // this, that no spreadsheet wrote it
)

// checkedXLSX is what a look through a workbook found.
type checkedXLSX struct {
	spilled int64                  // bytes of the largest part that may go to a temporary file
	empty   map[string]map[int]int // by part and line: the column of the first cell whose value is missing
	sheets  map[string]string      // the relation of each sheet, by its name
	targets map[string]string      // the part of each relation
	texts   int                    // shared ones
	highest int                    // the highest number of a shared text that a cell names
}

// formulas returns the cells without a value of a sheet. Where it cannot be told which part a sheet is, those of all sheets count.
func (c *checkedXLSX) formulas(sheet string) map[int]int {
	if part := c.targets[c.sheets[sheet]]; part != "" {
		return c.empty[strings.ToLower(part)]
	}
	all := map[int]int{}
	for _, lines := range c.empty {
		maps.Copy(all, lines)
	}
	return all
}

// checkXLSX looks through every XML part of a workbook before the library holds it in memory: sizes, the number of rows and cells, and that the XML is whole. The
// library takes a sheet whose XML breaks off for a shorter one, and whoever is missing from a file may lose an account.
func checkXLSX(file io.ReaderAt, size int64, l Limits) (*checkedXLSX, error) {
	if size > maxPacked {
		return nil, identity.Errorf(identity.TooLarge, "The XLSX file has %d bytes; at most %d are read. Split it, or save it as CSV.", size, maxPacked).WithField("file")
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, brokenXLSX(err)
	}
	if len(archive.File) > maxParts {
		return nil, brokenXLSX(fmt.Errorf("%d parts", len(archive.File)))
	}
	found := &checkedXLSX{empty: map[string]map[int]int{}, sheets: map[string]string{}, targets: map[string]string{}, highest: -1}
	if err := found.sizes(archive.File, l); err != nil {
		return nil, err
	}
	for _, part := range archive.File {
		if name := strings.ToLower(part.Name); strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".rels") {
			if err := found.part(part, l); err != nil {
				return nil, err
			}
		}
	}
	if found.highest >= found.texts {
		return nil, brokenXLSX(fmt.Errorf("a cell names the text %d of %d", found.highest, found.texts)) // the library would show the number
	}
	return found, nil
}

// sizes holds what the parts say they have to the limits. That they have no more is seen when they are unpacked.
func (c *checkedXLSX) sizes(parts []*zip.File, l Limits) error {
	left, other := l.Unzipped, int64(maxOther)
	for _, part := range parts {
		if part.UncompressedSize64 > uint64(left) {
			return identity.Errorf(identity.TooLarge, "The XLSX file is too large when it is unpacked: at most %d bytes are read. Split it, or save it as CSV.", l.Unzipped).WithField("file")
		}
		unpacked := int64(part.UncompressedSize64)
		if unpacked > bombBytes && part.UncompressedSize64/maxRatio > part.CompressedSize64 {
			return identity.Errorf(identity.TooLarge, "The XLSX file has a part that is packed %d times as small as it is, which no spreadsheet does. Save the table as CSV.", maxRatio).WithField("file")
		}
		left -= unpacked
		if name := strings.ToLower(part.Name); strings.HasPrefix(name, "xl/worksheets/sheet") || name == sharedTexts {
			c.spilled = max(c.spilled, unpacked)
			continue
		}
		if other -= unpacked; other < 0 {
			return identity.Errorf(identity.TooLarge, "The XLSX file has more than %d bytes besides its tables, such as pictures. Take them out, or save it as CSV.", maxOther).WithField("file")
		}
	}
	return nil
}

// sharedTexts is the part with the texts of all sheets.
const sharedTexts = "xl/sharedstrings.xml"

// counted is what one part has.
type counted struct {
	*checkedXLSX
	name            string
	limits          Limits
	sheet           bool
	open            []xml.Name // the elements that have not ended
	cells, rows     int
	line, column    int  // of the cell
	shared          bool // its value is the number of a shared text
	text            bool // its value is the text that a formula gave
	value           bool // what comes is its value
	formula, valued bool // the cell is one, and has a value
	failed          bool // the value is an error
}

// part looks through one part.
func (c *checkedXLSX) part(part *zip.File, l Limits) error {
	in, err := part.Open()
	if err != nil {
		return brokenXLSX(err)
	}
	defer in.Close()
	name := strings.ToLower(strings.ReplaceAll(part.Name, `\`, "/"))
	count := counted{checkedXLSX: c, name: name, limits: l, sheet: strings.HasPrefix(name, "xl/worksheets/")}
	bytes := &budget{in: bufio.NewReaderSize(in, 64<<10), most: l.Line}
	decoder := xml.NewDecoder(bytes)
	decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // the library knows more encodings; here only the tags count
	for {
		bytes.spent = 0
		token, err := decoder.RawToken() // the elements are matched here: the name spaces do not count, and looking them up takes half of the time
		if errors.Is(err, io.EOF) && len(count.open) == 0 {
			return nil
		}
		if err != nil {
			return brokenXLSX(fmt.Errorf("%s: %w", part.Name, err))
		}
		if err := count.see(token); err != nil {
			return err
		}
	}
}

// budget hands on the bytes of a part, up to as many as one tag or one text may have. It is counted anew for each.
type budget struct {
	in          *bufio.Reader
	spent, most int
}

// ReadByte makes the decoder read no further than it needs to.
func (b *budget) ReadByte() (byte, error) {
	if b.spent++; b.spent > b.most {
		return 0, identity.Errorf(identity.TooLarge, "The XLSX file has a text of more than %d bytes in one place, which no row of people has. Take it out, or save it as CSV.", b.most).WithField("file")
	}
	return b.in.ReadByte()
}

func (b *budget) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	b.spent += n
	return n, err
}

// see holds one more token to the limits.
func (c *counted) see(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		return brokenXLSX(errors.New("it declares a document type"))
	case xml.EndElement:
		if len(c.open) == 0 || c.open[len(c.open)-1] != t.Name {
			return brokenXLSX(fmt.Errorf("</%s> ends what did not begin", t.Name.Local))
		}
		c.open = c.open[:len(c.open)-1]
		c.value = false
		if c.sheet && t.Name.Local == "c" {
			c.endCell()
		}
	case xml.CharData:
		c.valued = c.valued || c.value && len(t) > 0
		if c.value && c.shared {
			n, err := strconv.Atoi(strings.TrimSpace(string(t)))
			if err != nil || n < 0 {
				return brokenXLSX(errors.New("a cell names no shared text"))
			}
			c.highest = max(c.highest, n)
		}
	case xml.StartElement:
		c.open = append(c.open, t.Name)
		c.start(t)
	}
	l := c.limits
	switch {
	case len(c.open) > maxDepth:
		return brokenXLSX(errors.New("its XML is nested too deep"))
	case c.rows > l.Sheet+1000: // some empty ones, and the heading
		return identity.Errorf(identity.TooLarge, "The workbook has more than %d rows. Split it, or save it as CSV, which may have %d.", l.Sheet, l.Rows).WithField("file")
	case c.cells > (l.Sheet+1000)*min(l.Columns, 40), c.texts > maxStrings:
		return identity.Errorf(identity.TooLarge, "The file has too many cells. Split it, or save it as CSV.").WithField("file")
	}
	return nil
}

// start notes what begins.
func (c *counted) start(t xml.StartElement) {
	switch t.Name.Local {
	case "row":
		c.rows++
		c.line, c.column = c.line+1, 0
		if n, err := strconv.Atoi(attribute(t, "r")); err == nil && n > 0 {
			c.line = n
		}
	case "c":
		c.cells++
		c.column++
		if at := columnOf(attribute(t, "r")); at > 0 {
			c.column = at
		}
		kind := attribute(t, "t")
		c.formula, c.valued, c.failed, c.shared, c.text = false, false, kind == "e", kind == "s", kind == "str"
	case "f":
		c.formula = true
	case "v", "is": // programs that do not calculate write an empty value; only that of a text is one
		c.valued, c.value = c.text || t.Name.Local == "is", c.sheet
	case "si":
		if c.name == sharedTexts {
			c.texts++
		}
	case "sheet":
		if c.name == "xl/workbook.xml" {
			c.sheets[attribute(t, "name")] = attribute(t, "id")
		}
	case "Relationship":
		if c.name == "xl/_rels/workbook.xml.rels" {
			target := attribute(t, "Target")
			if !strings.HasPrefix(target, "/") {
				target = "/xl/" + target
			}
			c.targets[attribute(t, "Id")] = strings.TrimPrefix(path.Clean(target), "/")
		}
	}
}

// endCell notes a formula whose value was not saved, and one that failed.
func (c *counted) endCell() {
	if (!c.formula || c.valued) && !c.failed {
		return
	}
	lines := c.empty[c.name]
	if lines == nil {
		lines = map[int]int{}
		c.empty[c.name] = lines
	}
	if lines[c.line] == 0 {
		lines[c.line] = c.column
	}
}

// attribute returns an attribute of an element, whatever its name space, or "".
func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// columnOf returns the column of a cell that is named as AB12 is, from 1; 0 when it is not.
func columnOf(cell string) int {
	n := 0
	for _, letter := range []byte(cell) {
		if letter < 'A' || letter > 'Z' {
			break
		}
		if n = n*26 + int(letter-'A') + 1; n > 1<<14 {
			return 0
		}
	}
	return n
}
