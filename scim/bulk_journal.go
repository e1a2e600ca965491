package scim

import (
	"encoding/json"

	"github.com/drawbridge-id/drawbridge/identity"
)

// How much the journal keeps of a bulk request beside its body: so many operations, and so many bytes of a text of each.
const (
	maxJournalOperations = 2000
	maxJournalText       = 300
)

// journal is what became of each operation, as the journal of the whole request keeps it.
func (b *bulk) journal() []identity.RequestOperation {
	out := make([]identity.RequestOperation, 0, min(len(b.operations), maxJournalOperations))
	for _, o := range b.operations[:cap(out)] {
		out = append(out, o.journal())
	}
	return out
}

func (o *bulkOperation) journal() identity.RequestOperation {
	entry := identity.RequestOperation{
		Method: cut(o.method, maxJournalText), Path: cut(o.path, maxJournalText), BulkID: cut(o.bulkID, maxJournalText), ID: o.id, Status: o.status,
	}
	if speaksOfSecrets(entry.Path) {
		entry.Path = masked
	}
	if o.response == nil {
		return entry
	}
	var e struct {
		ScimType string `json:"scimType"`
		Detail   string `json:"detail"`
	}
	if json.Unmarshal(o.response, &e) == nil {
		entry.Code, entry.Detail = e.ScimType, cut(e.Detail, maxJournalText)
	}
	return entry
}
