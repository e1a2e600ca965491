package sheets

import "strings"

// dangerous are the characters with which a spreadsheet begins a formula, their full-width forms, and those that it skips before one.
const dangerous = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"

// escape keeps a spreadsheet from taking a text of a CSV file for a formula: an apostrophe in front says that it is a text. A text that looks escaped already gets
// one more, so that unescape gives back exactly what was written.
func escape(cell string) string {
	if risky(cell) {
		return "'" + cell
	}
	return cell
}

// unescape takes the apostrophe of escape away.
func unescape(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && risky(rest) {
		return rest
	}
	return cell
}

// risky reports whether a text, apart from apostrophes in front, begins like a formula.
func risky(cell string) bool {
	rest := strings.TrimLeft(cell, "'")
	return rest != "" && strings.IndexAny(rest, dangerous) == 0
}
