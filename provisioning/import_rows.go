package provisioning

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// importRow is a line of a file: what its cells say, by field. A field without a column is not in it; one whose cell is empty is there as "".
type importRow struct {
	line     int
	fields   personFields
	password string // taken out of the fields: it is hashed before the plan is written
	hash     string
	made     string // a password that was made up, to be sent
	terms    identity.PasswordTerms
	tenant   identity.TenantID // the person's, as the row or the plan says; empty: not said
	wrong    *identity.Error   // why the row cannot be used
	bulk     *bulkStep         // of a bulk act, which is no row of a file: what it does
	recalled bool              // no row: somebody whom the file no longer has
	undo     *undoStep         // no row either: what another plan did to somebody, to be put back
	manager  identity.UserID   // who leads the person, where somebody is found by the row's word
	leader   string            // the manager's name
	open     string            // the word for a manager whom nobody was found for
	kept     []string          // fields that were left out of the row, since they are for others to say
	because  map[string]string // what rules of the source gave: a field, or a role behind "role/", and which rule
	address  *string           // the address as EmailKey makes it, once somebody asked
}

// addressKey returns the address as EmailKey makes it; "" where it is none.
func (r *importRow) addressKey() string {
	if r.address == nil {
		key := matchKey(fieldEmail, r.fields[fieldEmail])
		r.address = &key
	}
	return *r.address
}

// key returns how the value of a field is compared; "" is no key.
func (r *importRow) key(field string) string {
	if field == fieldEmail {
		return r.addressKey()
	}
	return matchKey(field, r.fields[field])
}

// has reports whether the row says something about a field: a text, or that there is none where empty cells count.
func (r importRow) has(field string, clear bool) bool {
	v, ok := r.fields[field]
	return ok && (v != "" || clear)
}

// maxCell is the longest value of a field, in characters.
const maxCell = 500

// readRow takes the cells of a line by the mapping; columns has the field of each column.
func readRow(row sheets.Row, columns []string) importRow {
	out := importRow{line: row.Line, fields: personFields{}}
	if row.Beyond(len(columns)) {
		out.wrong = identity.Errorf(identity.Invalid, "The line has more cells than the heading: a separator inside a text needs quotation marks around it.")
		return out
	}
	for i, field := range columns {
		switch field {
		case "":
		case fieldPassword:
			out.password = row.Cell(i)
		case fieldPasswordHash:
			out.hash = strings.TrimSpace(row.Cell(i))
		default:
			out.set(field, row.Cell(i))
		}
	}
	return out
}

func (r *importRow) set(field, cell string) {
	value := identity.TidyText(cell)
	switch {
	case utf8.RuneCountInString(value) > maxCell:
		r.refuse(field, "%s has more than %d characters.", field, maxCell)
		return
	case strings.ContainsRune(value, utf8.RuneError):
		r.refuse(field, "%s has a character that was lost when the file was written. Save it as UTF-8.", field)
		return
	case strings.ContainsFunc(value, unicode.IsControl):
		r.refuse(field, "%s has characters that nobody sees. Take them out.", field)
		return
	}
	if field == fieldInactive || field == fieldActive || field == fieldExternal {
		yes, ok := readYes(value)
		if !ok && value != "" {
			r.refuse(field, "%s is %q. Write yes or no.", field, value)
			return
		}
		if value != "" {
			value = yesNo(yes != (field == fieldInactive))
		}
		if field == fieldInactive {
			field = fieldActive
			if r.fields[fieldActive] != "" {
				return // the column that says it straight counts
			}
		}
	}
	if date, ok := r.dated(field, value); ok {
		r.fields[field] = date
	}
}

// refuse keeps the first thing that is wrong.
func (r *importRow) refuse(field, format string, args ...any) {
	if r.wrong == nil {
		r.wrong = identity.Errorf(identity.Invalid, format, args...).WithField(field)
	}
}

var yesWords = keys("yes", "y", "true", "1", "x", "on", "active", "enabled", "ja", "j", "wahr", "aktiv", "aktiviert")

var noWords = keys("no", "n", "false", "0", "off", "inactive", "disabled", "terminated", "nein", "falsch", "inaktiv", "deaktiviert", "gesperrt", "ausgeschieden")

// readYes reads yes and no as systems and people write it.
func readYes(s string) (yes, ok bool) {
	key := identity.PlainKey(s)
	switch {
	case slices.Contains(yesWords, key):
		return true, true
	case slices.Contains(noWords, key):
		return false, true
	}
	return false, false
}

// applyTo writes what the row says into a user. Where clear is set an empty cell takes the value away, but never a name by which somebody is known, nor access.
func (r importRow) applyTo(u *identity.User, clear bool) error {
	_, err := r.putInto(u, clear)
	return err
}

// putInto is applyTo. The attributes are returned as they were written; nil when they did not change.
func (r importRow) putInto(u *identity.User, clear bool) (map[string]any, error) {
	if v := r.fields[fieldUserName]; v != "" {
		u.UserName = v
	}
	if r.has(fieldDisplayName, clear) {
		u.DisplayName = r.fields[fieldDisplayName]
	}
	if v := r.fields[fieldActive]; v != "" {
		u.Enabled = v == yesNo(true)
	}
	if r.has(fieldEmail, clear) {
		u.Emails = withAddress(u.Emails, r.fields[fieldEmail])
	}
	all, changed := r.attributes(u.Attributes, clear)
	if !changed {
		return nil, nil
	}
	var err error
	u.Attributes, err = identity.AppendJSON(make([]byte, 0, 256), all)
	return all, err
}

// withAddress makes an address the primary one; an empty one takes the primary one away. The others stay.
func withAddress(emails []identity.Email, address string) []identity.Email {
	old := identity.PrimaryEmail(emails)
	if sameAddress(old, address) {
		return emails
	}
	out := []identity.Email{}
	for _, e := range emails {
		if e.Value != old && !sameAddress(e.Value, address) {
			e.Primary = false
			out = append(out, e)
		}
	}
	if address == "" {
		return out
	}
	return slices.Insert(out, 0, identity.Email{Value: address, Type: "work", Primary: true})
}

// attributes writes what the row says into the SCIM attributes of a user, and reports whether that changes any.
func (r importRow) attributes(raw json.RawMessage, clear bool) (map[string]any, bool) {
	var now tableAttributes
	var all map[string]any
	if len(raw) > 0 {
		now, all = readAttributes(raw), object(raw)
	}
	if all == nil {
		all = map[string]any{}
	}
	changed := false
	put := func(field string, is string, write func(value string)) {
		if r.has(field, clear) && r.fields[field] != is {
			write(r.fields[field])
			changed = true
		}
	}
	name, _ := all["name"].(map[string]any)
	given, _ := name["givenName"].(string)
	family, _ := name["familyName"].(string)
	put(fieldGivenName, given, func(v string) { putName(all, "givenName", v) })
	put(fieldFamilyName, family, func(v string) { putName(all, "familyName", v) })
	put(fieldTitle, string(now.Title), func(v string) { putText(all, "title", v) })
	put(fieldPhone, now.phone(), func(v string) { putPhone(all, v) })
	put(fieldLocation, now.location(), func(v string) { putLocation(all, v) })
	for _, f := range now.Enterprise.fields() {
		put(f.field, f.value, func(v string) { putEnterprise(all, f.field, orNil(v)) })
	}
	switch {
	case r.manager != "" && string(r.manager) != now.manager().ID:
		putEnterprise(all, fieldManager, map[string]any{"value": string(r.manager), "displayName": r.leader})
		changed = true
	case r.manager == "" && r.has(fieldManager, clear) && r.fields[fieldManager] == "" && now.manager().ID != "":
		putEnterprise(all, fieldManager, nil)
		changed = true
	}
	return all, changed
}

func putText(in map[string]any, key, value string) {
	if value == "" {
		delete(in, key)
		return
	}
	in[key] = value
}

// putEnterprise sets an attribute of the enterprise extension, or takes it away.
func putEnterprise(all map[string]any, key string, value any) {
	extension, _ := all[enterprise].(map[string]any)
	if extension == nil {
		extension = map[string]any{}
	}
	extension[key] = value
	if value == nil {
		delete(extension, key)
	}
	putObject(all, enterprise, extension)
}

func putObject(in map[string]any, key string, value map[string]any) {
	if len(value) == 0 {
		delete(in, key)
		return
	}
	in[key] = value
}

// putName sets a part of the name. The whole name that somebody else wrote would be wrong now.
func putName(all map[string]any, part, value string) {
	name, _ := all["name"].(map[string]any)
	if name == nil {
		name = map[string]any{}
	}
	delete(name, "formatted")
	putText(name, part, value)
	putObject(all, "name", name)
}

// putPhone sets the number that phone reads, and leaves the others.
func putPhone(all map[string]any, value string) {
	list, _ := all["phoneNumbers"].([]any)
	at := 0
	for i, e := range list {
		if p, _ := e.(map[string]any); p != nil && p["primary"] == true {
			at = i
			break
		}
	}
	switch {
	case len(list) == 0 && value != "":
		list = []any{map[string]any{"value": value, "type": "work"}}
	case len(list) > 0 && value == "":
		list = slices.Delete(list, at, at+1)
	case len(list) > 0:
		p, _ := list[at].(map[string]any)
		if p == nil {
			p = map[string]any{"type": "work"}
		}
		p["value"] = value
		list[at] = p
	}
	if len(list) == 0 {
		delete(all, "phoneNumbers")
		return
	}
	all["phoneNumbers"] = list
}

// putLocation sets the locality that location reads, and leaves the other addresses.
func putLocation(all map[string]any, value string) {
	list, _ := all["addresses"].([]any)
	at := workAddress(len(list), func(i int) (string, bool) {
		a, _ := list[i].(map[string]any)
		kind, _ := a["type"].(string)
		return kind, a["primary"] == true
	})
	if at < 0 {
		if value != "" {
			all["addresses"] = append(list, map[string]any{"type": "work", "locality": value})
		}
		return
	}
	a, _ := list[at].(map[string]any)
	putText(a, "locality", value)
	if len(a) == 0 || len(a) == 1 && a["type"] != nil {
		list = slices.Delete(list, at, at+1)
	}
	all["addresses"] = list
	if len(list) == 0 {
		delete(all, "addresses")
	}
}

// refusalOf returns an error that is for the person who brought the file; nil when it is none.
func refusalOf(err error) *identity.Error {
	var e *identity.Error
	if errors.As(err, &e) && e.Kind != identity.Internal {
		return e
	}
	return nil
}
