package identity

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// together are scripts that one language writes with (UTS 39 5.1, "highly restrictive"); Latin stands beside each of them.
var together = [][]string{{"Han", "Hiragana", "Katakana"}, {"Han", "Hangul"}, {"Han", "Bopomofo"}}

// MixedScripts reports whether the local part or one label of the domain of an address mixes scripts that no language writes together, such as a Cyrillic letter
// among Latin ones: it may be made to be taken for another address.
func MixedScripts(address string) bool {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return mixed(address)
	}
	domain := address[at+1:]
	if readable, err := idna.ToUnicode(domain); err == nil {
		domain = readable
	}
	return mixed(address[:at]) || slices.ContainsFunc(strings.Split(domain, "."), mixed)
}

func mixed(s string) bool {
	var scripts []string
	for _, r := range s {
		if name := scriptOf(r); name != "" && !slices.Contains(scripts, name) {
			scripts = append(scripts, name)
		}
	}
	if len(scripts) < 2 {
		return false
	}
	return !slices.ContainsFunc(together, func(allowed []string) bool {
		return !slices.ContainsFunc(scripts, func(name string) bool { return name != "Latin" && !slices.Contains(allowed, name) })
	})
}

// scriptOf returns the script of a letter, or "" for what belongs to all of them.
func scriptOf(r rune) string {
	if r < 0x80 {
		if unicode.IsLetter(r) {
			return "Latin"
		}
		return ""
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) && name != "Common" && name != "Inherited" {
			return name
		}
	}
	return ""
}
