package console

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// detailOf are the attributes of a person that a source sent and that have no place of their own on the page.
func detailOf(u identity.User) []identity.Change {
	var attributes map[string]any
	if json.Unmarshal(u.Attributes, &attributes) != nil {
		return nil
	}
	delete(attributes, "schemas")
	delete(attributes, "meta")
	var out []identity.Change
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		out = append(out, identity.Change{Field: key, After: attributes[key]})
	}
	return slices.DeleteFunc(plainChanges(out), func(c identity.Change) bool { return c.Field == "name.formatted" || changeValue(c.After) == "–" })
}
