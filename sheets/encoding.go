package sheets

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// encoded says how the bytes of a text are written.
type encoded struct {
	name string
	mark string            // the bytes that stand in front of such a text, or may
	skip int64             // how many of them do
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

// marked are the encodings that a mark in front tells, which is skipped by ourselves: UTF-32 first, since its mark begins as one of UTF-16 does.
var marked = []encoded{
	{name: "UTF-32", mark: "\xff\xfe\x00\x00", by: utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)},
	{name: "UTF-32", mark: "\x00\x00\xfe\xff", by: utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)},
	{name: "UTF-8", mark: "\xef\xbb\xbf"},
	littleEndian,
	bigEndian,
}

var (
	littleEndian = encoded{name: "UTF-16", mark: "\xff\xfe", by: unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)}
	bigEndian    = encoded{name: "UTF-16", mark: "\xfe\xff", by: unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)}
	windows1252  = encoded{name: "Windows-1252", by: charmap.Windows1252}
)

// named are the encodings that somebody may name.
var named = map[string]encoded{
	"utf-8":        {name: "UTF-8", mark: "\xef\xbb\xbf"},
	"utf-16le":     littleEndian,
	"utf-16be":     bigEndian,
	"utf-32le":     marked[0],
	"utf-32be":     marked[1],
	"windows-1250": {name: "Windows-1250", by: charmap.Windows1250},
	"windows-1251": {name: "Windows-1251", by: charmap.Windows1251},
	"windows-1252": windows1252,
	"windows-1253": {name: "Windows-1253", by: charmap.Windows1253},
	"windows-1254": {name: "Windows-1254", by: charmap.Windows1254},
	"iso-8859-1":   {name: "ISO 8859-1", by: charmap.ISO8859_1},
	"iso-8859-2":   {name: "ISO 8859-2", by: charmap.ISO8859_2},
	"iso-8859-15":  {name: "ISO 8859-15", by: charmap.ISO8859_15},
	"ibm437":       {name: "IBM 437", by: charmap.CodePage437},
	"ibm850":       {name: "IBM 850", by: charmap.CodePage850},
	"macintosh":    {name: "Mac OS Roman", by: charmap.Macintosh},
	"koi8-r":       {name: "KOI8-R", by: charmap.KOI8R},
}

// Encodings returns the names that Options.Encoding takes.
func Encodings() []string { return slices.Sorted(maps.Keys(named)) }

// encodingOf tells by a mark in front, by zeros in every second byte, or by whether all of it is UTF-8. What is none of these is taken for Windows-1252, which
// older spreadsheets write. An encoding that somebody names goes before.
func encodingOf(file io.ReaderAt, size int64, l Limits, name string) (encoded, error) {
	start := make([]byte, min(size, peeked))
	if _, err := file.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return encoded{}, unreadable(err)
	}
	if name != "" {
		return namedEncoding(name, start)
	}
	for _, e := range marked {
		if bytes.HasPrefix(start, []byte(e.mark)) {
			e.skip = int64(len(e.mark))
			return e, nil
		}
	}
	carriage := onlyCarriage(start)
	start = start[:min(len(start), looked)]
	if even, odd := zeros(start); odd > len(start)/4 && even == 0 {
		return littleEndian, nil
	} else if even > len(start)/4 && odd == 0 {
		return bigEndian, nil
	} else if even+odd > 0 {
		return encoded{}, invalid("This is no table: it has zero bytes. Save it as CSV or as XLSX.")
	}
	guarded := newGuard(io.NewSectionReader(file, 0, size), l, 0)
	guarded.carriage = carriage
	ok, err := isUTF8(guarded)
	if err != nil {
		return encoded{}, unreadable(err)
	}
	if ok {
		return encoded{name: "UTF-8"}, nil
	}
	return windows1252, nil
}

func namedEncoding(name string, start []byte) (encoded, error) {
	e, ok := named[strings.ToLower(strings.TrimSpace(name))]
	if !ok {
		return e, invalid("There is no encoding %q. Use one of: %s.", name, strings.Join(Encodings(), ", ")).WithField("encoding")
	}
	if e.mark != "" && bytes.HasPrefix(start, []byte(e.mark)) {
		e.skip = int64(len(e.mark))
	}
	return e, nil
}

// onlyCarriage reports whether lines end with a carriage return alone, as they did on old Macs.
func onlyCarriage(start []byte) bool {
	return bytes.IndexByte(start, '\n') < 0 && bytes.IndexByte(start, '\r') >= 0
}

// looked is in how many bytes zeros are looked for.
const looked = 1024

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
		whole := len(part)
		if err == nil {
			whole = wholeRunes(part)
		}
		if !utf8.Valid(part[:whole]) {
			return false, nil
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(buffer, part[whole:])
	}
}

// wholeRunes returns how many bytes of a text stand before a character that is cut off at its end.
func wholeRunes(part []byte) int {
	for i := len(part) - 1; i >= 0 && i >= len(part)-utf8.UTFMax; i-- {
		if utf8.RuneStart(part[i]) {
			if utf8.FullRune(part[i:]) {
				return len(part)
			}
			return i
		}
	}
	return len(part)
}
