package scim

import (
	"slices"
	"strings"
)

// resource reads the body of POST and PUT: canonical names, checked values, no read-only and no unknown attributes (RFC 7644
// sections 3.3 and 3.5.1), and everything that the schema requires.
func (t *resourceType) resource(body object, d dialect) (object, error) {
	if err := t.checkSchemas(body); err != nil {
		return nil, err
	}
	out := object{}
	for name, v := range body {
		if x := t.extension(name); x != nil {
			part, err := readPart(x.index, v, d, x.urn)
			if err != nil {
				return nil, err
			}
			if len(part) > 0 {
				out[x.urn] = part
			}
			continue
		}
		if err := readInto(out, t.index, name, v, d); err != nil {
			return nil, err
		}
	}
	return out, t.checkRequired(out)
}

func readPart(index map[string]*attribute, v any, d dialect, urn string) (object, error) {
	if v == nil {
		return nil, nil
	}
	o, ok := v.(object)
	if !ok {
		return nil, bad(invalidValue, "%s must be an object, not %s.", urn, jsonType(v))
	}
	out := object{}
	for name, v := range o {
		if err := readInto(out, index, name, v, d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readInto(out object, index map[string]*attribute, name string, v any, d dialect) error {
	a := index[strings.ToLower(name)]
	if a == nil || a.readOnly || a == membersAttr {
		return nil
	}
	value, err := d.value(a, v)
	if err == nil && value != nil {
		out[a.name] = value
	}
	return err
}

// checkSchemas makes sure that a body says what it is (RFC 7643 section 3).
func (t *resourceType) checkSchemas(body object) error {
	v, _ := member(body, "schemas")
	list, ok := v.([]any)
	if !ok {
		return bad(invalidValue, "schemas is missing; it must be a list that holds %q.", t.schema.ID)
	}
	if !holds(list, t.schema.ID) {
		return bad(invalidValue, "schemas must hold %q.", t.schema.ID)
	}
	return nil
}

func holds(list []any, urn string) bool {
	return slices.ContainsFunc(list, func(v any) bool {
		s, ok := v.(string)
		return ok && strings.EqualFold(s, urn)
	})
}
