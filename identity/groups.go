package identity

import (
	"encoding/json"
	"time"
)

// Group is a set of users and groups that one directory owns. Its members are rows of their own, never part of the record.
type Group struct {
	ID          GroupID
	DirectoryID DirectoryID
	TenantID    TenantID
	DisplayName string
	ExternalID  string
	Attributes  json.RawMessage // other SCIM attributes, as in User
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// MemberType says what a member is (RFC 7643 4.2).
type MemberType string

// The member types.
const (
	MemberUser  MemberType = "User"
	MemberGroup MemberType = "Group"
)

// Member is one row of a group.
type Member struct {
	ID      string
	Type    MemberType
	Display string
}

// Membership is the same row, seen from the member.
type Membership struct {
	UserID  UserID
	GroupID GroupID
	Display string
	Direct  bool
}

// MemberChange is one step of a change of a group's members. Steps are applied in their order.
type MemberChange struct {
	Op      string   // "add", "remove", "replace" or "swap": those of Gone or Match for Members
	Members []Member // whom; Type may be empty when the door does not know it
	Gone    []Member // for "swap": who goes
	Match   *Filter  // for "remove" instead of Members, for "swap" instead of Gone: those that match
	Lenient bool     // for "swap": it is no error when nobody goes
}
