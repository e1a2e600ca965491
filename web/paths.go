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

// PendingLinksPath is where somebody confirms to tie a provider's account to the own one.
const PendingLinksPath = "/account/pending-links"

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

// secretLength is how many characters a secret of ours has at least, as identity.NewSecret makes them; an id has fewer.
const secretLength = 43

// withoutSecrets replaces the segments of a path that could be the secret of a link.
func withoutSecrets(path string) string {
	rest := path
	for more := true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if len(segment) >= secretLength && !strings.ContainsFunc(segment, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) {
			path = strings.Replace(path, segment, "…", 1)
		}
	}
	return path
}
