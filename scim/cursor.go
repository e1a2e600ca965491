package scim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// A cursor (RFC 9865) says where the next page starts: behind an id when the list has its own order, at an index when it is sorted. It
// carries a mark of the question, since it is no answer to another one. It is no secret and gives no rights.

// mark is equal for two pages of the same list.
func (l listing) mark(t *resourceType) string {
	sum := sha256.Sum256([]byte(t.name + "\x00" + l.filter + "\x00" + l.sortBy + "\x00" + strconv.FormatBool(l.descending)))
	return hex.EncodeToString(sum[:8])
}

// place moves a query to where the cursor points. A cursor that is not ours, or of another list, is 400 with invalidCursor.
func (l listing) place(q *identity.Query, t *resourceType) error {
	if l.cursor == nil {
		return nil
	}
	q.Offset = 0
	if *l.cursor == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*l.cursor)
	mark, rest, ok := strings.Cut(string(raw), ":")
	if err != nil || !ok || mark != l.mark(t) {
		return wrongCursor()
	}
	if q.Sort == nil {
		if q.After, ok = identity.ParseID[string](rest); !ok {
			return wrongCursor()
		}
		return nil
	}
	if q.Offset, err = strconv.Atoi(rest); err != nil || q.Offset < 0 {
		return wrongCursor()
	}
	return nil
}

func wrongCursor() error {
	return bad(invalidCursor, "This cursor is not valid for this list. Start again with an empty cursor.")
}

// next returns the cursor of the page behind this one, or "" when there is none.
func (l listing) next(t *resourceType, q identity.Query, p page) string {
	if l.cursor == nil || !p.more || p.items == 0 {
		return ""
	}
	at := p.last
	if q.Sort != nil {
		at = strconv.Itoa(q.Offset + p.items)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(l.mark(t) + ":" + at))
}
