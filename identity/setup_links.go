package identity

import "time"

// SetupLink lets a customer's own administrators make one connection of their tenant, without an account here. Only the hash of its token is stored.
type SetupLink struct {
	ID           SetupLinkID
	TenantID     TenantID
	Name         string         // of the connection that it makes
	Kind         ConnectionKind // empty: whoever has the link chooses
	Domains      []string       // that the connection will be trusted for, chosen by whoever made the link
	SwitchOn     bool           // completing it after a successful test switches the connection on
	ConnectionID ConnectionID   // of the connection that it makes, chosen before there is one
	CreatedBy    string         // for people
	CreatedAt    time.Time
	ExpiresAt    time.Time
	RevokedAt    *time.Time
	CompletedAt  *time.Time
}

// SetupLinkPrefix starts every token of a setup link, so that scanners for leaked secrets can find it.
const SetupLinkPrefix = "dbl_"

// How long a setup link may live.
const (
	MinSetupAge     = time.Hour
	MaxSetupAge     = 30 * 24 * time.Hour
	DefaultSetupAge = 7 * 24 * time.Hour
)

// SetupState is what became of a setup link.
type SetupState string

// The states.
const (
	SetupOpen      SetupState = "open"
	SetupExpired   SetupState = "expired"
	SetupRevoked   SetupState = "revoked"
	SetupCompleted SetupState = "completed"
)

// State derives what became of the link; only one that is open opens anything.
func (l SetupLink) State(now time.Time) SetupState {
	switch {
	case l.CompletedAt != nil:
		return SetupCompleted
	case l.RevokedAt != nil:
		return SetupRevoked
	case !now.Before(l.ExpiresAt):
		return SetupExpired
	}
	return SetupOpen
}
