package scim

import (
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
)

// target is what the path of a PATCH operation points to (RFC 7644 figure 7): what a ref is, and which elements of a multi-valued
// attribute are meant.
type target struct {
	ref
	filter *identity.Filter // nil: all elements
	ignore bool             // an attribute that is accepted and never kept
}

// parsedPath is a path as it was written.
type parsedPath struct {
	name   string // before [, with a sub-attribute when there is no [
	filter *expr
	sub    string // after ]
}

// parsePath reads a path. Its errors are 400 with invalidPath.
func parsePath(text string, l Limits) (parsedPath, error) {
	l = l.filled()
	if len(text) > l.Filter || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return parsedPath{}, bad(invalidPath, "The path is too long or not valid UTF-8.")
	}
	p := &parser{text: strings.TrimSpace(text), limits: l}
	out := parsedPath{name: p.word()}
	if out.name == "" {
		return parsedPath{}, wrongPath(text, "it does not start with the name of an attribute")
	}
	if p.at('[') {
		var err error
		if out.filter, err = p.selection(); err != nil {
			return parsedPath{}, bad(invalidPath, "In the path %q: %s", clip(text), message(err)).WithCause(err)
		}
		if p.at('.') {
			p.pos++
			if out.sub = p.word(); out.sub == "" || strings.ContainsAny(out.sub, ".:") {
				return parsedPath{}, wrongPath(text, "no sub-attribute follows the last dot")
			}
		}
	}
	if p.pos < len(p.text) {
		return parsedPath{}, wrongPath(text, "what follows the attribute is not understood")
	}
	return out, nil
}

func wrongPath(text, why string) error {
	return bad(invalidPath, "The path %q is not valid: %s. Examples of valid ones: name.givenName, emails[type eq \"work\"].value.", clip(text), why)
}

// path parses a path and resolves it against the schema of the type. What it names and nobody knows is 400 with invalidPath.
func (t *resourceType) path(text string, d dialect) (target, error) {
	p, err := parsePath(text, d.limits)
	if err != nil {
		return target{}, err
	}
	if t.ignores(p.name) {
		return target{ignore: true}, nil
	}
	r, ok := t.resolve(p.name, d.bareNames)
	if !ok {
		return target{}, bad(invalidPath, "The path %q names no attribute of a %s.", clip(text), t.name)
	}
	out := target{ref: r}
	if p.filter == nil {
		return out, nil
	}
	if r.attr == nil || r.sub != nil || !r.attr.multi {
		return target{}, wrongPath(text, "a filter can only follow an attribute with several values")
	}
	if out.filter, err = (resolver{t: t, d: d, in: r.attr}).resolve(p.filter); err != nil {
		return target{}, bad(invalidPath, "The path %q is not valid: %s", clip(text), message(err)).WithCause(err)
	}
	if p.sub != "" {
		if out.sub = r.attr.index[strings.ToLower(p.sub)]; out.sub == nil {
			return target{}, bad(invalidPath, "%s has no sub-attribute %s.", r.attr.path(), clip(p.sub))
		}
	}
	return out, nil
}
