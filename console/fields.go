package console

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/drawbridge-id/drawbridge/identity"
)

// fieldNames are the words for fields whose own names are for programs. It is the one place that has them: the audit, the timeline of a user, plans and stale
// forms use it. What is not here is written as its own words, "costCenter" as "cost center".
var fieldNames = map[string]string{
	"active":            "may come in",
	"apiKey":            "API key",
	"apiKeys":           "API keys",
	"avatar":            "picture",
	"below":             "units below",
	"client secret":     "client secret",
	"client":            "client",
	"clientSecret":      "client secret",
	"connection":        "connection",
	"costCenter":        "cost center",
	"department":        "department",
	"dialect":           "dialect",
	"directory":         "directory",
	"displayName":       "name",
	"division":          "division",
	"domains":           "domains",
	"email":             "e-mail",
	"emails":            "e-mail",
	"employeeNumber":    "employee number",
	"enabled":           "enabled",
	"expires":           "expires",
	"externalId":        "external id",
	"familyName":        "family name",
	"givenName":         "given name",
	"group":             "group",
	"groups":            "groups",
	"held":              "held by an administrator",
	"hint":              "ends in",
	"html":              "text as HTML",
	"id":                "id",
	"ims":               "messengers",
	"ip":                "address",
	"kind":              "kind",
	"links":             "links",
	"locale":            "locale",
	"manager.value":     "manager",
	"members":           "members",
	"method":            "method",
	"model":             "model",
	"must be changed":   "must be changed",
	"name":              "name",
	"name.formatted":    "full name",
	"name.value":        "name",
	"networks":          "networks",
	"note":              "note",
	"offboarding":       "offboarding",
	"organization":      "organization",
	"owner":             "owner",
	"password":          "password",
	"people":            "people",
	"person":            "person",
	"phoneNumbers":      "phone",
	"photos":            "picture",
	"plan":              "plan",
	"preferredLanguage": "language",
	"profileUrl":        "profile page",
	"proposed role":     "proposed role",
	"proposedRole":      "proposed role",
	"role":              "role",
	"roles":             "roles",
	"scope":             "scope",
	"sessions":          "sessions",
	"source":            "source",
	"state":             "state",
	"status":            "status",
	"subject":           "subject",
	"switch on":         "switch on",
	"temporary until":   "temporary until",
	"tenant":            "tenant",
	"text":              "text",
	"timezone":          "time zone",
	"title":             "title",
	"token":             "token",
	"until":             "until",
	"user":              "user",
	"userName":          "user name",
	"userType":          "user type",
	"version":           "version",
	"x509Certificates":  "certificates",
}

// fieldName writes the name of a field for people. It takes a path ("name.givenName") and the name of an extension with it.
func fieldName(s string) string {
	if at := strings.LastIndexByte(s, ':'); strings.HasPrefix(s, "urn:") && at >= 0 {
		s = s[at+1:]
	}
	for _, path := range []string{s, strings.TrimPrefix(s, "User.")} {
		if name, ok := fieldNames[path]; ok {
			return name
		}
	}
	if at := strings.LastIndexByte(s, '.'); at >= 0 && at < len(s)-1 {
		return fieldName(s[at+1:])
	}
	return plainWords(s)
}

// plainWords parts a name for programs into words: "costCenter" and "cost_center" are "cost center", "ownerID" is "owner ID".
func plainWords(s string) string {
	if strings.ContainsRune(s, ' ') {
		return s
	}
	var out strings.Builder
	letters := []rune(s)
	for i, r := range letters {
		starts := i > 0 && unicode.IsUpper(r) && !unicode.IsUpper(letters[i-1])
		switch {
		case r == '_' || r == '-':
			r = ' '
		case starts:
			out.WriteByte(' ')
		}
		if starts && (i+1 == len(letters) || !unicode.IsUpper(letters[i+1])) {
			r = unicode.ToLower(r)
		}
		out.WriteRune(r)
	}
	return out.String()
}

// plainChanges parts what changed inside of an attribute into fields of its own, so that a page can name each: "department: Sales → Support" and not two texts of
// braces. Lists stay whole.
func plainChanges(changes []identity.Change) []identity.Change {
	out := make([]identity.Change, 0, len(changes))
	for _, c := range changes {
		before, wasObject := c.Before.(map[string]any)
		after, isObject := c.After.(map[string]any)
		if (!wasObject && c.Before != nil) || (!isObject && c.After != nil) || (!wasObject && !isObject) {
			out = append(out, c)
			continue
		}
		keys := slices.Collect(maps.Keys(before))
		for key := range after {
			if _, known := before[key]; !known {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		var inner []identity.Change
		for _, key := range keys {
			if key != "$ref" && !reflect.DeepEqual(before[key], after[key]) {
				inner = append(inner, identity.Change{Field: c.Field + "." + key, Before: before[key], After: after[key]})
			}
		}
		out = append(out, plainChanges(inner)...)
	}
	return out
}

// maxValue is how many characters of a changed value a list shows.
const maxValue = 160

// changeValue writes one side of a changed field for people, as short as a list needs it.
func changeValue(v any) string { return clip(wholeValue(v), maxValue) }

// wholeValue writes one side of a changed field for people.
func wholeValue(v any) string {
	switch x := v.(type) {
	case nil:
		return "–"
	case string:
		return textValue(x)
	case bool:
		return map[bool]string{true: "yes", false: "no"}[x]
	case []any:
		return listValue(x)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	var list []any
	if json.Unmarshal(raw, &list) == nil {
		return listValue(list)
	}
	var object map[string]any
	if json.Unmarshal(raw, &object) == nil {
		return objectValue(object)
	}
	return string(raw)
}

// textValue writes a text; a time in it is written as the pages write times.
func textValue(s string) string {
	if s == "" {
		return "–"
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	return s
}

func listValue(list []any) string {
	texts := make([]string, 0, len(list))
	for _, item := range list {
		if text := wholeValue(item); text != "–" {
			texts = append(texts, text)
		}
	}
	return textValue(strings.Join(texts, ", "))
}

// objectValue writes what an object is for people: what it is shown as, else its value, else each of its fields.
func objectValue(object map[string]any) string {
	for _, key := range []string{"display", "displayName", "formatted", "value"} {
		if text, ok := object[key].(string); ok && text != "" {
			return textValue(text)
		}
	}
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if key != "$ref" && object[key] != nil {
			texts = append(texts, fieldName(key)+" "+wholeValue(object[key]))
		}
	}
	return textValue(strings.Join(texts, ", "))
}
