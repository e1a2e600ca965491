package identity

import (
	"encoding/json"
	"strings"
	"time"
)

// User is a person. Attributes holds every SCIM attribute that has no field here, as one JSON object in the schema's own spelling
// ("name", "title", "phoneNumbers", extension URNs …); it is never nil when it comes from the store.
type User struct {
	ID          UserID
	TenantID    TenantID // home tenant; empty for a user of the platform
	UserName    string
	DisplayName string
	Enabled     bool       // SCIM active: may come in at all
	Held        bool       // an administrator deactivated this user; no directory can undo that
	LockedAt    *time.Time // until an administrator unlocks it
	Emails      []Email
	RawEmails   json.RawMessage // the same as JSON; set instead of Emails where Query.Lean asks for it
	Attributes  json.RawMessage
	ExternalID  string // the asking directory's own id for this user; empty for everybody else
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
	LastLoginAt *time.Time
	DeletedAt   *time.Time
	Roles       []Role       // filled where a list or page shows them
	Admin       bool         // the admin flag; filled where somebody signs in
	TenantName  string       // likewise
	LockedUntil *time.Time   // likewise: after wrong passwords no password opens the account until then; nil when that is over
	Groups      []Membership // the asking directory's groups, nested ones too, where Query.Lean asks for it
}

// Status is what people call a user's condition. It is derived, never stored.
type Status string

// The statuses.
const (
	StatusActive   Status = "Active"
	StatusInactive Status = "Inactive"
	StatusLocked   Status = "Locked"
	StatusPending  Status = "Pending"
)

// Status derives the user's condition: inactive before locked before pending (never signed in) before active.
func (u *User) Status() Status {
	switch {
	case !u.Enabled || u.DeletedAt != nil:
		return StatusInactive
	case u.LockedAt != nil, u.LockedUntil != nil:
		return StatusLocked
	case u.LastLoginAt == nil:
		return StatusPending
	}
	return StatusActive
}

// Name is the SCIM complex attribute name (RFC 7643 4.1.1).
type Name struct {
	Formatted  string `json:"formatted,omitempty"`
	FamilyName string `json:"familyName,omitempty"`
	GivenName  string `json:"givenName,omitempty"`
}

// Text writes a name for people: as it is formatted, else given and family name.
func (n Name) Text() string {
	if n.Formatted != "" {
		return n.Formatted
	}
	return strings.TrimSpace(n.GivenName + " " + n.FamilyName)
}

// Name returns the user's name as far as it is known.
func (u *User) Name() Name {
	if raw, sure := valueOf(u.Attributes, "name"); sure {
		var name Name
		if raw != nil {
			_ = json.Unmarshal(raw, &name) // as below
		}
		return name
	}
	var a struct {
		Name Name `json:"name"`
	}
	_ = json.Unmarshal(u.Attributes, &a) // the store holds only objects that were valid; a wrong one has no name
	return a.Name
}

// Locale is the language tag that the record has (RFC 7643 4.1.1), such as de-AT; "" for none.
func (u *User) Locale() string {
	var a struct {
		Locale string `json:"locale"`
	}
	_ = json.Unmarshal(u.Attributes, &a) // as with the name
	return a.Locale
}

// Label returns what a page calls this user: the display name, else the full name, else the user name.
func (u *User) Label() string {
	if u.DisplayName != "" {
		return u.DisplayName
	}
	if s := u.Name().Text(); s != "" {
		return s
	}
	return u.UserName
}

// LoadEmails fills Emails from RawEmails.
func (u *User) LoadEmails() error {
	if u.Emails != nil || len(u.RawEmails) == 0 {
		return nil
	}
	return json.Unmarshal(u.RawEmails, &u.Emails)
}

// Email returns the primary address, or "".
func (u *User) Email() string { return PrimaryEmail(u.Emails) }

// LoginKeys returns what a user may type to sign in with a password: the user name and the primary e-mail address, as keys.
func (u *User) LoginKeys() []string {
	keys := []string{NameKey(u.UserName)}
	if key, err := EmailKey(u.Email()); err == nil && key != keys[0] {
		keys = append(keys, key)
	}
	return keys
}

// NameKey returns the form under which user names, display names of groups and tenant names are compared.
func NameKey(s string) string { return strings.ToLower(s) }
