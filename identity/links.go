package identity

import "time"

// Link ties a subject of a provider to a user. It is made once and then followed whatever the e-mail address says.
type Link struct {
	ConnectionID   ConnectionID
	ConnectionName string
	Issuer         string
	Subject        string
	UserID         UserID
	Email          string // what the provider said last; it may be another address than the account's
	CreatedAt      time.Time
	LastUsedAt     *time.Time
}

// PendingLinkID is the id of a pending link, a UUID like all ids.
type PendingLinkID string

// PendingLinkAge is how long somebody has to confirm a pending link.
const PendingLinkAge = 10 * time.Minute

// PendingLink is a link that its owner must confirm: in the same browser, signed in as the user.
type PendingLink struct {
	ID             PendingLinkID
	ConnectionID   ConnectionID
	ConnectionName string
	Issuer         string
	Subject        string
	Email          string
	UserID         UserID
	BrowserHash    []byte // of the cookie that binds the browser
	Asked          bool   // the owner asked for it in My Account and had proven to be themselves; else it came of a refused sign-in
	CreatedAt      time.Time
	ExpiresAt      time.Time
}

// NeedsProof reports whether its owner must show the password before it is confirmed: it came of a refused sign-in, and the session is none that began with the
// password since.
func (l PendingLink) NeedsProof(session Session) bool {
	fresh := session.UserID == l.UserID && session.ConnectionID == "" && session.CreatedAt.After(l.CreatedAt)
	return !l.Asked && !fresh
}
