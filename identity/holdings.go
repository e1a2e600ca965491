package identity

import (
	"strings"
	"time"
)

// HoldingKind says what somebody has to do with something of an application.
type HoldingKind string

// The kinds: what a person owns, such as an integration, and what a person has to do, such as a work order.
const (
	Ownership HoldingKind = "ownership"
	OpenTask  HoldingKind = "assignment"
)

// HoldingKey names a holding.
type HoldingKey struct {
	Application string
	Kind        HoldingKind
	ForeignID   string // the application's own id
}

// Holding is something that an application says a person owns or has to do.
type Holding struct {
	HoldingKey
	Display   string // what people call it
	TenantID  TenantID
	UserID    UserID
	UpdatedAt time.Time

	Transfer *Transfer // open until the application acknowledges it; nil: none
}

// Transfer is the wish that somebody else takes over a holding.
type Transfer struct {
	ID          TransferID
	Successor   UserID
	RequestedAt time.Time
	RequestedBy string
	Reason      string
}

// String writes a key as application/kind/id.
func (k HoldingKey) String() string {
	return k.Application + "/" + string(k.Kind) + "/" + k.ForeignID
}

// ParseHoldingKey reads what String wrote; false when it is none.
func ParseHoldingKey(s string) (HoldingKey, bool) {
	application, rest, _ := strings.Cut(s, "/")
	kind, id, ok := strings.Cut(rest, "/")
	k := HoldingKey{application, HoldingKind(kind), id}
	return k, ok && application != "" && id != "" && k.Kind.Valid()
}

// Valid reports whether it is one of the kinds.
func (k HoldingKind) Valid() bool { return k == Ownership || k == OpenTask }
