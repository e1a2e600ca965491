package identity

import (
	"encoding/json"
	"time"
)

// Resource is something of a type that the installation declared itself, such as a device. One directory owns it and nobody else sees it.
type Resource struct {
	ID          ResourceID
	DirectoryID DirectoryID
	Type        string // the name of the resource type, "Device"
	ExternalID  string
	Attributes  json.RawMessage // every attribute but id, externalId and meta, as in User
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ResourceKey is a value that no other resource of its type in the directory may have.
type ResourceKey struct {
	Attribute string // as a client would address it: "serialNumber", "ports.mac"
	Value     string // as it is compared: in lower case where the schema ignores case
}

// Veil is the path of an attribute whose values are shown to nobody: the names in an object, one inside the other, through lists too.
type Veil []string

// masked is what stands for a hidden value.
const masked = "***"

// Veiled returns a value without what is hidden in it. The value itself is not changed.
func Veiled(v any, hidden []Veil) any {
	for _, h := range hidden {
		v = h.cover(v)
	}
	return v
}

func (h Veil) cover(v any) any {
	if len(h) == 0 {
		if v == nil {
			return nil
		}
		return masked
	}
	switch t := v.(type) {
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = h.cover(e)
		}
		return out
	case map[string]any:
		inner, ok := t[h[0]]
		if !ok {
			return v
		}
		out := make(map[string]any, len(t))
		for name, e := range t {
			out[name] = e
		}
		out[h[0]] = h[1:].cover(inner)
		return out
	}
	return v
}

// veiled returns the change without what is hidden in it.
func (c Change) veiled(hidden []Veil) Change {
	for _, h := range hidden {
		if len(h) > 0 && h[0] == c.Field {
			c.Before, c.After = h[1:].cover(c.Before), h[1:].cover(c.After)
		}
	}
	return c
}

// Shown returns the changes of an event as they may be kept.
func (e Event) Shown() []Change {
	if len(e.Hidden) == 0 {
		return e.Changes
	}
	out := make([]Change, len(e.Changes))
	for i, c := range e.Changes {
		out[i] = c.veiled(e.Hidden)
	}
	return out
}
