package console

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// attributesOf are what a source says of a person and that has no place of its own on the page, each under its own name.
func attributesOf(u identity.User) []identity.Change {
	var attributes map[string]any
	if json.Unmarshal(u.Attributes, &attributes) != nil {
		return nil
	}
	var out []identity.Change
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		if key != "schemas" && key != "meta" {
			out = append(out, identity.Change{Field: key, After: attributes[key]})
		}
	}
	return slices.DeleteFunc(plainChanges(out), func(c identity.Change) bool { return c.Field == "name.formatted" || changeValue(c.After) == "–" })
}

// telling parts changes into what people can read: each attribute by itself, names in place of ids, and without what says nothing.
func (d *Door) telling(ctx context.Context, v visit, changes []identity.Change, names map[string]string) []identity.Change {
	out := plainChanges(changes)
	for i, c := range out {
		out[i].Before, out[i].After = d.named(ctx, v, c.Field, c.Before, names), d.named(ctx, v, c.Field, c.After, names)
	}
	return slices.DeleteFunc(out, func(c identity.Change) bool {
		return changeValue(c.Before) == "–" && changeValue(c.After) == "–"
	})
}

// named is a value, or the name of what it is the id of. An id of something that the visitor does not see says nothing, so it is left out; a person's is read once.
func (d *Door) named(ctx context.Context, v visit, field string, value any, names map[string]string) any {
	text, _ := value.(string)
	id, isID := identity.ParseID[identity.UserID](text)
	if !isID {
		return value
	}
	if name, known := names[text]; known {
		return orNothing(name)
	}
	if !strings.HasSuffix(field, "manager.value") {
		return map[bool]any{true: nil, false: value}[field == "tenant" || field == "connection"]
	}
	u, err := d.prov.User(ctx, v.Actor, id)
	if err == nil {
		names[text] = u.Label()
	}
	return orNothing(names[text])
}

func orNothing(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// namesFor are the names of the ids that the story of somebody has, as far as the page knows them anyway.
func (d *Door) namesFor(ctx context.Context, v visit, b *userBody) (map[string]string, error) {
	names := map[string]string{string(b.Tenant.ID): b.Tenant.Name}
	if b.Single {
		names[string(b.Tenant.ID)] = ""
	}
	for _, l := range b.Links {
		names[string(l.ConnectionID)] = l.ConnectionName
	}
	if l := b.LastSignIn; l != nil && l.ConnectionName != "" {
		names[string(l.ConnectionID)] = l.ConnectionName
	}
	if !v.Can(tenantsWrite) {
		return names, nil
	}
	tenants, err := d.tenantOptions(ctx, v)
	if err != nil {
		return nil, err
	}
	connections, _, err := d.connectionNames(ctx, v)
	for _, t := range tenants {
		names[string(t.ID)] = t.Name
	}
	for _, c := range connections {
		names[string(c.ID)] = c.Name
	}
	return names, err
}
