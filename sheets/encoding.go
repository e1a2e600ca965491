package sheets

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// encoded says how the bytes of a text are written.
type encoded struct {
	name string
	skip int64             // the byte order mark
	by   encoding.Encoding // nil: UTF-8
}

// reader returns the text as UTF-8.
func (e encoded) reader(file io.ReaderAt, size int64) io.Reader {
	in := io.NewSectionReader(file, e.skip, size-e.skip)
	if e.by == nil {
		return in
	}
	return e.by.NewDecoder().Reader(in)
}

// The encodings of UTF-16; the mark in front is skipped by ourselves.
var (
	littleEndian = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	bigEndian    = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
)

// encodingOf tells by a mark in front, by zeros in every second byte, or by whether all of it is UTF-8. What is none of these is taken for Windows-1252, which
// older spreadsheets write.
func encodingOf(file io.ReaderAt, size int64) (encoded, error) {
	start := make([]byte, min(size, 1024))
	if _, err := file.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return encoded{}, unreadable(err)
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		return encoded{name: "UTF-8", skip: 3}, nil
	case bytes.HasPrefix(start, []byte("\xff\xfe")):
		return encoded{name: "UTF-16", skip: 2, by: littleEndian}, nil
	case bytes.HasPrefix(start, []byte("\xfe\xff")):
		return encoded{name: "UTF-16", skip: 2, by: bigEndian}, nil
	}
	if even, odd := zeros(start); odd > len(start)/4 && even == 0 {
		return encoded{name: "UTF-16", by: littleEndian}, nil
	} else if even > len(start)/4 && odd == 0 {
		return encoded{name: "UTF-16", by: bigEndian}, nil
	} else if even+odd > 0 {
		return encoded{}, invalid("This is no table: it has zero bytes. Save it as CSV or as XLSX.")
	}
	ok, err := isUTF8(io.NewSectionReader(file, 0, size))
	if err != nil {
		return encoded{}, unreadable(err)
	}
	if ok {
		return encoded{name: "UTF-8"}, nil
	}
	return encoded{name: "Windows-1252", by: charmap.Windows1252}, nil
}

// zeros counts the zero bytes at even and at odd places.
func zeros(b []byte) (even, odd int) {
	for i, c := range b {
		switch {
		case c != 0:
		case i%2 == 0:
			even++
		default:
			odd++
		}
	}
	return even, odd
}

// isUTF8 reports whether all of a text is UTF-8.
func isUTF8(in io.Reader) (bool, error) {
	buffer := make([]byte, 64<<10)
	kept := 0 // bytes of a character that the last read cut in two
	for {
		n, err := in.Read(buffer[kept:])
		part := buffer[:kept+n]
		for len(part) > 0 && (len(part) >= utf8.UTFMax || err != nil || utf8.FullRune(part)) {
			r, size := utf8.DecodeRune(part)
			if r == utf8.RuneError && size <= 1 {
				return false, nil
			}
			part = part[size:]
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(buffer, part)
	}
}
