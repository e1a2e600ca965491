package sheets

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// What the parts of a workbook may have at most, whatever the table in it is.
const (
	maxParts   = 2000
	maxDepth   = 64
	maxStrings = 1_500_000 // shared texts: each costs memory even when it is empty
)

// checkXLSX looks through every XML part of a workbook before the library holds it in memory: sizes, the number of rows and cells, and that the XML is whole. The
// library takes a sheet whose XML breaks off for a shorter one, and whoever is missing from a file may lose an account.
func checkXLSX(file io.ReaderAt, size int64, l Limits) error {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return brokenXLSX(err)
	}
	if len(archive.File) > maxParts {
		return brokenXLSX(fmt.Errorf("%d parts", len(archive.File)))
	}
	left := l.Unzipped
	for _, part := range archive.File {
		if part.UncompressedSize64 > uint64(left) {
			return identity.Errorf(identity.TooLarge, "The XLSX file is too large when it is unpacked: at most %d bytes are read. Split it, or save it as CSV.", l.Unzipped).WithField("file")
		}
		left -= int64(part.UncompressedSize64)
		if name := strings.ToLower(part.Name); strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".rels") {
			if err := checkPart(part, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// counted is what one part has.
type counted struct {
	depth, rows, cells, texts int
}

func checkPart(part *zip.File, l Limits) error {
	in, err := part.Open()
	if err != nil {
		return brokenXLSX(err)
	}
	defer in.Close()
	var c counted
	decoder := xml.NewDecoder(in)
	decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // the library knows more encodings; here only the tags count
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return brokenXLSX(fmt.Errorf("%s: %w", part.Name, err))
		}
		if err := c.count(token, l); err != nil {
			return err
		}
	}
}

// count holds one more token to the limits.
func (c *counted) count(token xml.Token, l Limits) error {
	switch t := token.(type) {
	case xml.Directive:
		return brokenXLSX(errors.New("it declares a document type"))
	case xml.EndElement:
		c.depth--
	case xml.StartElement:
		c.depth++
		switch t.Name.Local {
		case "row":
			c.rows++
		case "c":
			c.cells++
		case "si":
			c.texts++
		}
	}
	switch {
	case c.depth > maxDepth:
		return brokenXLSX(errors.New("its XML is nested too deep"))
	case c.rows > l.Rows+1000: // some empty ones, and the heading
		return identity.Errorf(identity.TooLarge, "The file has more than %d rows. Split it.", l.Rows).WithField("file")
	case c.cells > (l.Rows+1000)*min(l.Columns, 40), c.texts > maxStrings:
		return identity.Errorf(identity.TooLarge, "The file has too many cells. Split it, or save it as CSV.").WithField("file")
	}
	return nil
}
