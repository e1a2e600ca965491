package console

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// attributeNames are the words for the attributes of a person that SCIM has names for.
var attributeNames = map[string]string{
	"givenName": "given name", "familyName": "family name", "middleName": "middle name", "formatted": "full name", "honorificPrefix": "title before the name", "honorificSuffix": "title after the name",
	"employeeNumber": "personnel number", "costCenter": "cost centre", "nickName": "nickname", "preferredLanguage": "language", "userType": "kind of employee", "profileUrl": "profile page",
	"phoneNumbers": "phone", "streetAddress": "street", "postalCode": "postal code", "ims": "instant messaging", "x509Certificates": "certificates", "timezone": "time zone", "title": "job title",
}

// inPlainWords writes the changes of objects as changes of what is in them, each under its own name, so that nobody has to read JSON.
func inPlainWords(changes []identity.Change) []identity.Change {
	var out []identity.Change
	for _, c := range changes {
		before, isObject := c.Before.(map[string]any)
		after, also := c.After.(map[string]any)
		if !isObject && !also {
			out = append(out, identity.Change{Field: attributeName(c.Field), Before: inWords(c.Before), After: inWords(c.After)})
			continue
		}
		for _, key := range keysOf(before, after) {
			if !reflect.DeepEqual(before[key], after[key]) {
				out = append(out, identity.Change{Field: attributeName(key), Before: inWords(before[key]), After: inWords(after[key])})
			}
		}
	}
	return out
}

func keysOf(objects ...map[string]any) []string {
	all := map[string]bool{}
	for _, o := range objects {
		for key := range o {
			all[key] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func attributeName(field string) string {
	if name, ok := attributeNames[field]; ok {
		return name
	}
	if strings.HasPrefix(field, "urn:") {
		return field[strings.LastIndexByte(field, ':')+1:]
	}
	return field
}

// inWords is a value as people write it: of an object what it stands for, of a list each of them.
func inWords(v any) any {
	switch t := v.(type) {
	case map[string]any:
		return objectInWords(t)
	case []any:
		texts := make([]string, 0, len(t))
		for _, e := range t {
			if text := changeValue(inWords(e)); text != "–" {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, ", ")
	}
	return v
}

// objectInWords is what an object stands for: its display name or its value, with its type; else all that is in it.
func objectInWords(o map[string]any) any {
	text := func(key string) string { s, _ := o[key].(string); return s }
	if value := cmp.Or(text("displayName"), text("display"), text("formatted"), text("value")); value != "" {
		if kind := text("type"); kind != "" {
			return value + " (" + kind + ")"
		}
		return value
	}
	var parts []string
	for _, key := range keysOf(o) {
		if inside := changeValue(inWords(o[key])); inside != "–" && key != "primary" {
			parts = append(parts, attributeName(key)+": "+inside)
		}
	}
	return strings.Join(parts, ", ")
}

// detailOf are the attributes of a person that a source sent and that have no place of their own on the page.
func detailOf(u identity.User) []identity.Change {
	var attributes map[string]any
	if json.Unmarshal(u.Attributes, &attributes) != nil {
		return nil
	}
	delete(attributes, "schemas")
	delete(attributes, "meta")
	var out []identity.Change
	for _, key := range keysOf(attributes) {
		out = append(out, identity.Change{Field: key, After: attributes[key]})
	}
	return slices.DeleteFunc(inPlainWords(out), func(c identity.Change) bool { return c.Field == "full name" || changeValue(c.After) == "–" })
}
