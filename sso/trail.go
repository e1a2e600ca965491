package sso

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
)

// maxShown is how many characters of a foreign value a trace keeps.
const maxShown = 200

// check is one thing that must be true before a sign-in is believed.
type check struct {
	name string        // what was looked at, for the trace
	ok   bool          // whether it holds
	code string        // the reason code when it does not
	kind identity.Kind // of the refusal; the zero value means Forbidden
	got  string
	want string
	fix  string // one sentence for the administrator: what is wrong and what to do
}

// trail collects the checks of one attempt in their order.
type trail struct{ checks []identity.Check }

// require records every check, so that an administrator sees all that is wrong at once, and returns the first failure.
func (t *trail) require(checks ...check) error {
	var first error
	for _, c := range checks {
		if err := t.record(c); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (t *trail) record(c check) error {
	entry := identity.Check{Name: c.name, Result: identity.Passed, Got: shown(c.got), Expected: shown(c.want)}
	if c.ok {
		t.checks = append(t.checks, entry)
		return nil
	}
	entry.Result, entry.Fix = identity.Failed, c.fix
	t.checks = append(t.checks, entry)
	kind := c.kind
	if kind == identity.Internal {
		kind = identity.Forbidden
	}
	return (&identity.Error{Kind: kind, Message: c.fix}).WithCode(c.code)
}

// note records something that was seen and is no reason to refuse.
func (t *trail) note(name, got, fix string) {
	t.checks = append(t.checks, identity.Check{Name: name, Result: identity.Skipped, Got: shown(got), Fix: fix})
}

// shown makes a foreign value safe to keep: cut, and without control characters.
func shown(s string) string {
	if len(s) <= maxShown && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return s // as nearly all values are
	}
	s = s[:min(len(s), utf8.UTFMax*(maxShown+1))] // what is cut anyway need not be looked at
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	r := []rune(s)
	if len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return s
}

// anyCause returns the text of err, or "".
func anyCause(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
