package identity

import "time"

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
	Domains   []string // e-mail domains in which it may adopt people who already exist; none means all of its scope
	CreatedAt time.Time
	UpdatedAt time.Time
	Tokens    []Token // filled where a page shows them
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
