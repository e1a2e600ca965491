package scim

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// cursorLife is how long a cursor is valid (RFC 9865 section 4: cursorTimeout). Each page comes with a new one.
const cursorLife = time.Hour

// cursorPurpose keeps the signatures of cursors apart from those of other things.
const cursorPurpose = "scim cursor"

// macLength is how long a signature is, in bytes.
const macLength = 32

// cursor says where the next page starts (RFC 9865): behind one resource, by the value that it was sorted by and by its id. Nothing is kept of
// it here: it is signed together with the question that it belongs to, and it gives no rights, since every page is asked for anew.
type cursor struct {
	issued time.Time
	place
}

// place is behind one resource. The zero value is the start of a list.
type place struct {
	Kind string  `json:"k"`           // the type of the resource
	ID   string  `json:"i"`           // empty: none
	Key  *string `json:"s,omitempty"` // what it was sorted by; nil: it has no such value, or the list is in the order of the ids
}

// question is everything that a cursor is bound to: it answers no other directory, type, filter or order. The number of resources of a page
// and the attributes that they are shown with may change, since the place in the list does not depend on them.
func (c *call) question(l listing, name string) []byte {
	return encode([]any{string(c.directory.ID), name, l.filter, strings.ToLower(l.sortBy), l.descending})
}

// cursorText renders a cursor in the characters that RFC 9865 section 2 allows: the signature, the time, and the place as JSON.
func (c *call) cursorText(question []byte, at cursor) (string, error) {
	body := binary.BigEndian.AppendUint64(nil, uint64(at.issued.Unix()))
	body = append(body, encode(at.place)...)
	mac, err := c.people.Sign(cursorPurpose, signed(question, body))
	if err != nil {
		return "", identity.Errorf(identity.Internal, "").WithCause(err)
	}
	return base64.RawURLEncoding.EncodeToString(append(mac, body...)), nil
}

// signed joins a question and the body of its cursor. The question is one JSON text, so nothing else can be read from the two together.
func signed(question, body []byte) []byte { return slices.Concat(question, body) }

// start returns where a list begins that is asked for by cursor; an empty one is the first page. What is not ours, or of another list, another
// directory too, is 400 with invalidCursor and always the same words; one that is too old is 400 with expiredCursor.
func (c *call) start(l listing, question []byte) (cursor, error) {
	if l.cursor == nil || *l.cursor == "" {
		return cursor{}, nil
	}
	const most = 8 << 10 // longer than any that is given out
	if len(*l.cursor) > most {
		return cursor{}, wrongCursor()
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(*l.cursor)
	if err != nil || len(raw) < macLength+8 {
		return cursor{}, wrongCursor()
	}
	mac, body := raw[:macLength], raw[macLength:]
	if !c.people.Signed(cursorPurpose, signed(question, body), mac) {
		return cursor{}, wrongCursor()
	}
	at := cursor{issued: time.Unix(int64(binary.BigEndian.Uint64(body)), 0)}
	if err := json.Unmarshal(body[8:], &at.place); err != nil {
		return cursor{}, identity.Errorf(identity.Internal, "").WithCause(err)
	}
	if time.Since(at.issued) > cursorLife {
		return cursor{}, bad(expiredCursor, "This cursor is older than %d seconds. Start again with an empty cursor.", int(cursorLife.Seconds()))
	}
	return at, nil
}

func wrongCursor() error {
	return bad(invalidCursor, "This cursor is not valid for this list. Send it with the filter and the order that it came from, or start again with an empty cursor.")
}

// next returns the cursor of the page behind this one, or "" when there is none.
func (c *call) next(l listing, question []byte, p page) (string, error) {
	if l.cursor == nil || !p.more || p.items == 0 {
		return "", nil
	}
	return c.cursorText(question, cursor{time.Now(), p.last})
}

// paging checks what only concerns pages by cursor: a startIndex asks for the other kind of pages (RFC 9865 section 2). A count of 0 asks for
// the total alone, as it does there.
func (l listing) paging(indexed bool) error {
	if l.cursor != nil && indexed {
		return bad(invalidValue, "startIndex and cursor ask for two kinds of pages. Send only one of them.")
	}
	return nil
}
