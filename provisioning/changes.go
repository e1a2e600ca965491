package provisioning

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"sort"

	"github.com/drawbridge-id/drawbridge/identity"
)

// diffUsers returns what differs, field by field.
func diffUsers(before, after identity.User) []identity.Change {
	return append(diffRecords(before, after), diffAttributes(before.Attributes, after.Attributes)...)
}

// diffNew is diffUsers of somebody new, whose attributes may have been read already.
func diffNew(u identity.User, read *readOnce) []identity.Change {
	if read.of(u.Attributes) {
		return append(diffRecords(identity.User{}, u), diffObjects(nil, read.all)...)
	}
	return diffUsers(identity.User{}, u)
}

// diffRecords is diffUsers without the attributes.
func diffRecords(before, after identity.User) []identity.Change {
	var out []identity.Change
	add := func(field string, a, b any, same bool) {
		if !same {
			out = append(out, identity.Change{Field: field, Before: a, After: b})
		}
	}
	text := func(field, a, b string) { add(field, orNil(a), orNil(b), a == b) }
	text("tenant", string(before.TenantID), string(after.TenantID))
	text("userName", before.UserName, after.UserName)
	text("displayName", before.DisplayName, after.DisplayName)
	add("active", before.Enabled, after.Enabled, before.Enabled == after.Enabled)
	add("held", before.Held, after.Held, before.Held == after.Held)
	text("externalId", before.ExternalID, after.ExternalID)
	add("emails", emailTexts(before.Emails), emailTexts(after.Emails), sameEmails(before.Emails, after.Emails))
	return out
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func sameEmails(a, b []identity.Email) bool { return slices.Equal(a, b) }

func emailTexts(emails []identity.Email) any {
	if len(emails) == 0 {
		return nil
	}
	list := make([]string, len(emails))
	for i, e := range emails {
		list[i] = e.Value
	}
	return list
}

// diffAttributes compares two JSON objects by their first level.
func diffAttributes(before, after json.RawMessage) []identity.Change {
	if bytes.Equal(before, after) {
		return nil
	}
	return diffObjects(object(before), object(after))
}

func diffObjects(a, b map[string]any) []identity.Change {
	var names []string
	for k := range a {
		names = append(names, k)
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			names = append(names, k)
		}
	}
	sort.Strings(names)
	var out []identity.Change
	for _, k := range names {
		if !reflect.DeepEqual(a[k], b[k]) {
			out = append(out, identity.Change{Field: k, Before: namelessManager(k, a[k]), After: namelessManager(k, b[k])})
		}
	}
	return out
}

func object(raw json.RawMessage) map[string]any {
	var m map[string]any
	if len(raw) > 0 {
		_ = json.Unmarshal(raw, &m) // a door checked it; what is no object has no attributes
	}
	return m
}

// splitActive parts the switch of access from the other changes.
func splitActive(changes []identity.Change) (switched, rest []identity.Change) {
	for _, c := range changes {
		if c.Field == "active" || c.Field == "held" || c.Field == fieldOpenWork {
			switched = append(switched, c)
		} else {
			rest = append(rest, c)
		}
	}
	if len(switched) == 1 && switched[0].Field == "held" {
		return nil, changes // held, but somebody else keeps the user out or lets them in: no switch
	}
	if len(switched) == 0 {
		return nil, changes
	}
	return switched, rest
}

// managedChanged reports whether an attribute that belongs to a directory would change.
func managedChanged(before, after identity.User) bool {
	before.Enabled, before.Held, before.TenantID = after.Enabled, after.Held, after.TenantID
	return len(diffUsers(before, after)) > 0
}

// keepFixed puts back what no change may touch.
func keepFixed(after *identity.User, before identity.User) {
	after.ID, after.TenantID, after.Version = before.ID, before.TenantID, before.Version
	after.CreatedAt, after.UpdatedAt, after.DeletedAt, after.LastLoginAt = before.CreatedAt, before.UpdatedAt, before.DeletedAt, before.LastLoginAt
}

// namelessManager leaves the name of the manager out of an attribute, so that events about a person name nobody else but by the id.
func namelessManager(attribute string, value any) any {
	extension, _ := value.(map[string]any)
	manager, _ := extension["manager"].(map[string]any)
	if _, named := manager["displayName"]; attribute != enterprise || !named {
		return value
	}
	extension, manager = maps.Clone(extension), maps.Clone(manager)
	delete(manager, "displayName")
	extension["manager"] = manager
	return extension
}
