package identity

import (
	"net/netip"
	"time"
)

// Dialect is how a directory's client speaks SCIM where the standard and the big providers disagree.
type Dialect string

// The dialects.
const (
	DialectStandard Dialect = "standard"
	DialectEntra    Dialect = "entra"
	DialectOkta     Dialect = "okta"
)

// Directory is one SCIM source. Without a tenant it belongs to the whole installation and its new people land in SSO Landing.
type Directory struct {
	ID        DirectoryID
	TenantID  TenantID
	Name      string
	Dialect   Dialect
	Enabled   bool
	Domains   []string       // e-mail domains in which it may adopt people who already exist; none means all of its scope
	Networks  []netip.Prefix // from where its tokens and clients may be used; none means from anywhere
	Guard     DirectoryGuard // how many people it may keep out at once
	CreatedAt time.Time
	UpdatedAt time.Time
	Tokens    []Token  // filled where a page shows them
	Clients   []Client // the same
}

// DirectoryTokenPrefix starts every bearer token of a directory, so that scanners for leaked secrets can find it.
const DirectoryTokenPrefix = "dbs_"

// MaxTokens is how many live tokens a directory may have: two, so that one can be rotated without a gap.
const MaxTokens = 2

// Token is a directory's bearer token; only its hash is stored.
type Token struct {
	ID          TokenID
	DirectoryID DirectoryID
	Hint        string // the last four characters
	CreatedAt   time.Time
	ExpiresAt   *time.Time
	LastUsedAt  *time.Time
	RevokedAt   *time.Time
	WarnedAt    *time.Time // when it was last said that it ends soon
}

// TokenWarning is how long before its end a token that is in use is warned of.
const TokenWarning = 14 * 24 * time.Hour

// Live reports whether a token still opens the door.
func (t Token) Live(now time.Time) bool {
	return t.RevokedAt == nil && (t.ExpiresAt == nil || now.Before(*t.ExpiresAt))
}

// Ending reports whether a live token ends soon: within TokenWarning.
func (t Token) Ending(now time.Time) bool {
	return t.Live(now) && t.ExpiresAt != nil && t.ExpiresAt.Sub(now) <= TokenWarning
}

// DirectoryLink says that a directory knows a user, under which id and whether it lets the user in.
type DirectoryLink struct {
	DirectoryID   DirectoryID
	DirectoryName string
	TenantID      TenantID // the directory's
	UserID        UserID
	ExternalID    string
	Active        bool
	CreatedAt     time.Time
}
