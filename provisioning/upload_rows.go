package provisioning

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// uploadOperation is one operation of a bulk request as an HR system writes it.
type uploadOperation struct {
	Method string         `json:"method"`
	Path   string         `json:"path"`
	BulkID string         `json:"bulkId"`
	Data   map[string]any `json:"data"`
}

// uploadNote is what the log needs of an operation once it is done.
type uploadNote struct {
	BulkID  string   `json:"bulkId,omitempty"`
	Source  string   `json:"source,omitempty"`  // by what the sender knows the person
	Ignored []string `json:"ignored,omitempty"` // attributes that were not kept
}

// pushedFields says which field an attribute of a person fills that an HR system sends, by its path in SCIM (RFC 7643).
var pushedFields = map[string]string{
	"externalid": fieldExternalID, "username": fieldUserName, "displayname": fieldDisplayName, "name.givenname": fieldGivenName, "name.familyname": fieldFamilyName,
	"title": fieldTitle, "active": fieldActive, "emails": fieldEmail, "phonenumbers": fieldPhone, "usertype": fieldType, "addresses": "location",
	enterpriseKey + ":employeenumber": fieldEmployeeNumber, enterpriseKey + ":department": "department", enterpriseKey + ":division": "division",
	enterpriseKey + ":costcenter": "costCenter", enterpriseKey + ":organization": "organization", enterpriseKey + ":manager": "manager",
}

var enterpriseKey = strings.ToLower(enterprise)

// silent are attributes that say nothing about a person.
var silent = []string{"schemas", "meta", "name", "name.formatted"}

// unheard are fields that an HR system does not fill, whatever it sends: whom Drawbridge means, where people are and what they may do is said by an administrator, in
// the rules of the source.
var unheard = []string{fieldID, fieldTenant, fieldRole, fieldPassword, fieldPasswordHash}

// guessed are fields that an attribute of an extension fills by its name alone, as a column of a file does by its heading; others only where the source's mapping says so.
var guessed = []string{
	fieldGivenName, fieldFamilyName, fieldTitle, fieldPhone, fieldEmployeeNumber, "department", "division", "costCenter", "organization", "location", "manager", "startDate", "endDate",
}

// uploadReader makes operations into rows: the attributes of a person are columns, named by their paths.
type uploadReader struct {
	s       *Service
	plan    identity.Plan
	mapping identity.Mapping   // that the source has for attributes, by their paths or by their names alone
	shapers map[string]*shaper // by the columns
	ignored map[string][]string
	Notes   []uploadNote
}

func (s *Service) uploadReader(plan identity.Plan) *uploadReader {
	return &uploadReader{s: s, plan: plan, shapers: map[string]*shaper{}, ignored: map[string][]string{}}
}

// readOperations reads the operations of a body that a door has checked. One that is not of the form is there with Data nil, and cannot be used.
func readOperations(body []byte) ([]uploadOperation, error) {
	var raw struct{ Operations []json.RawMessage }
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, identity.Errorf(identity.Invalid, "The operations cannot be read.").WithCause(err)
	}
	out := make([]uploadOperation, len(raw.Operations))
	for i, o := range raw.Operations {
		d := json.NewDecoder(bytes.NewReader(o))
		d.UseNumber()
		if d.Decode(&out[i]) != nil {
			out[i].Data = nil
		}
	}
	return out, nil
}

// rows hands over the rows of operations, whose lines are their numbers.
func (r *uploadReader) rows(list []uploadOperation) rowSource {
	r.Notes = make([]uploadNote, len(list))
	at := 0
	return func() (importRow, error) {
		if at == len(list) {
			return importRow{}, io.EOF
		}
		at++
		return r.row(at, list[at-1]), nil
	}
}

// row reads one operation. What is none that says how somebody is cannot be used.
func (r *uploadReader) row(line int, o uploadOperation) importRow {
	r.Notes[line-1].BulkID = clipText(o.BulkID)
	wrong := importRow{line: line, fields: personFields{}}
	switch {
	case !strings.EqualFold(o.Method, "POST") || !strings.EqualFold(strings.Trim(o.Path, "/"), "Users"):
		wrong.refuse("", "Only POST of /Users is taken here: it says how somebody is, and what has to be done is found out. Send other operations to /Bulk.")
		return wrong
	case len(o.Data) == 0:
		wrong.refuse("data", "The operation has no data, or method, path and bulkId are no texts.")
		return wrong
	}
	header, cells := flatten(o.Data)
	shape, err := r.shape(header)
	if err != nil {
		if refused := refusalOf(err); refused != nil {
			wrong.wrong = refused
			return wrong
		}
		wrong.refuse("", "The source's transforms cannot be carried out.")
		return wrong
	}
	r.Notes[line-1].Ignored = r.ignored[strings.Join(header, "\n")]
	row := shape.read(sheets.Row{Line: line, Cells: cells})
	for _, field := range []string{fieldExternalID, fieldEmployeeNumber, fieldUserName, fieldEmail} {
		if n := &r.Notes[line-1]; n.Source == "" {
			n.Source = clipText(row.fields[field])
		}
	}
	if row.fields[fieldType] != "" && !r.s.namesType(row.fields[fieldType]) {
		delete(row.fields, fieldType) // a word of the sender's own, as with what is pushed person by person
	}
	return row
}

// namesType reports whether the access model has a user type that is called so.
func (s *Service) namesType(word string) bool {
	return slices.ContainsFunc(s.model.UserTypes(), func(t identity.UserType) bool {
		return strings.EqualFold(string(t.ID), word) || strings.EqualFold(t.Title, word)
	})
}

// shape returns what makes fields of the columns named: by the source's mapping, by what SCIM means, and by what headings usually mean.
func (r *uploadReader) shape(header []string) (*shaper, error) {
	key := strings.Join(header, "\n")
	if s, ok := r.shapers[key]; ok {
		return s, nil
	}
	columns := make([]string, len(header))
	taken := map[string]bool{}
	fill := func(i int, field string) {
		if field != "" && !taken[field] && r.s.hasField(field) && !slices.Contains(unheard, field) {
			columns[i], taken[field] = field, true
		}
	}
	said := make([]bool, len(header))
	for i, h := range header {
		field, ok := savedField(r.mapping, h)
		if !ok {
			field, ok = savedField(r.mapping, lastPart(h))
		}
		if ok {
			said[i] = true
			fill(i, field)
		}
	}
	var rest []string
	for i, h := range header {
		if field, ok := pushedFields[strings.ToLower(h)]; ok && !said[i] {
			fill(i, field)
			said[i] = true
		}
		if !said[i] {
			rest = append(rest, lastPart(h))
		}
	}
	suggested := r.s.SuggestMapping(rest, nil)
	for i := range header {
		if said[i] {
			continue
		}
		if slices.Contains(guessed, suggested[0].Field) && strings.HasPrefix(strings.ToLower(header[i]), "urn:") {
			fill(i, suggested[0].Field)
		}
		suggested = suggested[1:]
	}
	for i, h := range header {
		if columns[i] == "" && !slices.Contains(silent, strings.ToLower(h)) {
			r.ignored[key] = append(r.ignored[key], clipText(h))
		}
	}
	s, err := newShaper(&sheets.Reader{Header: header}, columns, r.plan.Options.Transforms)
	if err == nil {
		r.shapers[key] = s
	}
	return s, err
}

// lastPart is the name of an attribute without the URN of its extension.
func lastPart(path string) string {
	if !strings.HasPrefix(strings.ToLower(path), "urn:") {
		return path
	}
	return path[strings.LastIndexByte(path, ':')+1:]
}

// clipText shortens a name that somebody else chose.
func clipText(s string) string {
	const most = 200
	if r := []rune(identity.TidyText(s)); len(r) > most {
		return string(r[:most])
	}
	return identity.TidyText(s)
}

// flatten makes the attributes of a person into columns, in the order of their paths, with their values as texts. Of a list the primary element counts, else the one
// for work, else the first.
func flatten(data map[string]any) (header, cells []string) {
	all := map[string]string{}
	for name, value := range data {
		switch v := value.(type) {
		case map[string]any:
			for part, inner := range v {
				joint := "."
				if strings.HasPrefix(strings.ToLower(name), "urn:") {
					joint = ":"
				}
				all[name+joint+part] = textOfAny(inner)
			}
		default:
			all[name] = textOfAny(v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		header, cells = append(header, name), append(cells, all[name])
	}
	return header, cells
}

// textOfAny writes a value of JSON for a cell; of an object what it is called by.
func textOfAny(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case json.Number:
		return t.String()
	case bool:
		return yesNo(t)
	case map[string]any:
		for _, part := range []string{"value", "locality", "formatted", "displayName"} {
			if s := textOfAny(partOf(t, part)); s != "" {
				return s
			}
		}
	case []any:
		return textOfAny(mainOf(t))
	}
	return ""
}

// partOf returns a member of an object, whatever the case of its name.
func partOf(o map[string]any, name string) any {
	if v, ok := o[name]; ok {
		return v
	}
	for k, v := range o {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

// mainOf returns the element of a list that counts.
func mainOf(list []any) any {
	rank := func(v any) int {
		o, _ := v.(map[string]any)
		kind, _ := partOf(o, "type").(string)
		switch {
		case o == nil || textOfAny(o) == "":
			return 3
		case partOf(o, "primary") == true || strings.EqualFold(textOfAny(partOf(o, "primary")), "true"):
			return 0
		case strings.EqualFold(kind, "work"):
			return 1
		}
		return 2
	}
	if len(list) == 0 {
		return nil
	}
	return slices.MinFunc(list, func(a, b any) int { return rank(a) - rank(b) })
}
