package web

import (
	"net/url"
	"strings"
	"unicode"
)

// MaxLocalPath is the longest path in bytes that is carried through a sign-in.
const MaxLocalPath = 2048

// TrialPath is where the result of a connection's trial is shown, before the trial's id.
const TrialPath = "/connection-tests/"

// LocalPath returns s when it is a path with an optional query on this origin, else "/". It refuses what a browser would take for another site:
// a scheme, two slashes or a backslash at the start, and control characters and spaces, which browsers drop before they look.
func LocalPath(s string) string {
	if len(s) > MaxLocalPath || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.Contains(s, `\`) {
		return "/"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar }) {
		return "/"
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	return s
}
