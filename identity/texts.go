package identity

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// TidyText returns a text as it is meant: in the composed form of Unicode (NFC), with ordinary spaces, one at a time, and none around it.
func TidyText(s string) string {
	return strings.Join(strings.FieldsFunc(norm.NFC.String(s), unicode.IsSpace), " ")
}

// PlainKey returns what is left of a heading or a title when only its letters and digits count, in lower case and without marks: "E-Mail-Adresse" is
// "emailadresse", "Straße" is "strasse".
func PlainKey(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.ReplaceAll(norm.NFKD.String(s), "ß", "ss")) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}
