package scim

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/elimity-com/scim/schema"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Schemas is what an installation declares beside the standard: extensions of users and groups, and resource types of its own. ReadSchemas
// makes it.
type Schemas struct {
	user  []*extension
	group []*extension
	types []*resourceType
}

// ReadSchemas reads a JSON object with the lists "schemas" and "resourceTypes", whose elements have the form of RFC 7643 sections 6 and 7. A
// resource type named User or Group adds its schemaExtensions to what is served at /Users or /Groups; any other is served at its endpoint.
// The error is Invalid and names every mistake, so that all can be mended in one go.
func ReadSchemas(raw []byte) (*Schemas, error) {
	doc, err := readObject(raw)
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "The declared schemas cannot be read: %s", message(err))
	}
	r := &schemaReader{schemas: map[string]*declaredSchema{}}
	r.members(doc, "", "schemas", "resourceTypes")
	for i, o := range r.objects(doc, "", "schemas") {
		r.schema(o, fmt.Sprintf("schemas[%d]", i))
	}
	for i, o := range r.objects(doc, "", "resourceTypes") {
		r.resourceType(o, fmt.Sprintf("resourceTypes[%d]", i))
	}
	for _, d := range r.order {
		if !d.used {
			r.wrong(d.at, "no resource type uses the schema %s; name it as the schema or among the schemaExtensions of one.", d.schema.ID)
		}
	}
	if len(r.mistakes) > 0 {
		return nil, identity.Errorf(identity.Invalid, "The declared schemas have mistakes:\n  %s", strings.Join(r.mistakes, "\n  "))
	}
	return &r.out, nil
}

// schemaReader reads declared schemas and gathers what is wrong with them.
type schemaReader struct {
	out      Schemas
	mistakes []string
	schemas  map[string]*declaredSchema // by URN in lower case
	order    []*declaredSchema
}

// declaredSchema is a schema with the place in the file where it stands.
type declaredSchema struct {
	schema schema.Schema
	at     string
	used   bool
}

func (r *schemaReader) wrong(at, format string, args ...any) {
	r.mistakes = append(r.mistakes, at+": "+fmt.Sprintf(format, args...))
}

func dotted(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// members finds names that mean nothing here.
func (r *schemaReader) members(o object, at string, known ...string) {
	for _, name := range sortedNames(o) {
		if !slices.Contains(known, name) {
			r.wrong(dotted(at, name), "there is no such name here; the names are %s.", strings.Join(known, ", "))
		}
	}
}

// text returns a member that must be a string, one of the choices when there are any.
func (r *schemaReader) text(o object, at, name, otherwise string, choices ...string) string {
	v, there := o[name]
	if !there {
		return otherwise
	}
	s, ok := v.(string)
	if !ok || len(choices) > 0 && !slices.Contains(choices, s) {
		want := "a string"
		if len(choices) > 0 {
			want = "one of " + strings.Join(choices, ", ")
		}
		r.wrong(dotted(at, name), "it must be %s.", want)
		return otherwise
	}
	return s
}

func (r *schemaReader) flag(o object, at, name string) bool {
	v, there := o[name]
	b, ok := v.(bool)
	if there && !ok {
		r.wrong(dotted(at, name), "it must be true or false.")
	}
	return b
}

func (r *schemaReader) texts(o object, at, name string) []string {
	v, there := o[name]
	if !there {
		return nil
	}
	list, ok := v.([]any)
	out := make([]string, 0, len(list))
	for _, e := range list {
		s, isText := e.(string)
		ok = ok && isText && s != ""
		out = append(out, s)
	}
	if !ok {
		r.wrong(dotted(at, name), "it must be a list of strings that are not empty.")
		return nil
	}
	return out
}

func (r *schemaReader) objects(o object, at, name string) []object {
	v, there := o[name]
	if !there {
		return nil
	}
	list, ok := v.([]any)
	out := make([]object, 0, len(list))
	for _, e := range list {
		m, isObject := e.(object)
		ok = ok && isObject
		out = append(out, m)
	}
	if !ok {
		r.wrong(dotted(at, name), "it must be a list of objects.")
		return nil
	}
	return out
}

// The forms of names. A URN here has no characters that an address or a query would have to encode.
var (
	urnForm       = regexp.MustCompile(`^[uU][rR][nN]:[A-Za-z0-9][A-Za-z0-9-]{0,31}:[A-Za-z0-9._:-]*[A-Za-z0-9]$`)
	attributeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
	typeForm      = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
	endpointForm  = regexp.MustCompile(`^/[A-Za-z][A-Za-z0-9_-]{0,63}$`)
)

// schema reads one schema (RFC 7643 section 7).
func (r *schemaReader) schema(o object, at string) {
	r.members(o, at, "schemas", "id", "name", "description", "attributes", "meta")
	id := r.text(o, at, "id", "")
	if !urnForm.MatchString(id) {
		r.wrong(dotted(at, "id"), "it must be a URN of letters, digits, dots, hyphens and underscores, such as urn:example:params:scim:schemas:Device.")
		return
	}
	if other := r.clash(id); other != "" {
		r.wrong(dotted(at, "id"), "%s and %s cannot both be schemas, since a path could mean either.", id, other)
		return
	}
	attributes := r.attributes(o, at, "attributes", nil)
	if len(attributes) == 0 {
		r.wrong(dotted(at, "attributes"), "a schema needs at least one attribute.")
	}
	d := &declaredSchema{at: at}
	doc := object{"id": id, "name": r.text(o, at, "name", id), "description": r.text(o, at, "description", ""), "attributes": attributes}
	if err := json.Unmarshal(encode(doc), &d.schema); err != nil && len(r.mistakes) == 0 {
		r.wrong(at, "%v.", err)
	}
	r.schemas[strings.ToLower(id)] = d
	r.order = append(r.order, d)
}

// clash returns a schema whose attributes could be confused with those of a new one: the same, or one that starts with the other.
func (r *schemaReader) clash(id string) string {
	known := []string{userType.schema.ID, groupType.schema.ID, enterpriseURN, configURN, resourceTypeURN, schemaURN}
	for _, d := range r.order {
		known = append(known, d.schema.ID)
	}
	for _, other := range known {
		a, b := strings.ToLower(id), strings.ToLower(other)
		if a == b || strings.HasPrefix(a, b+":") || strings.HasPrefix(b, a+":") {
			return other
		}
	}
	return ""
}
