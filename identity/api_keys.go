package identity

import "time"

// APIKey is a key with which a program calls as a person. It is a JWT without an end, and holds as long as its row says so: the id is its jti.
type APIKey struct {
	ID          APIKeyID
	Application string
	UserID      UserID
	Name        string
	Hint        string // its last characters
	Revealable  bool   // is kept sealed and may be shown again
	CreatedBy   string
	CreatedAt   time.Time
	LastUsedAt  *time.Time
	RevokedAt   *time.Time
}

// KeyPolicy says whose API keys work. Keys of other roles stop at once, and work again when the policy changes back.
type KeyPolicy struct {
	Enabled bool          `json:"enabled"`
	Roles   []RoleID      `json:"roles"`  // nil: every role
	Reveal  bool          `json:"reveal"` // a key may be shown again
	JWT     bool          `json:"jwt"`    // else it is random text
	Age     time.Duration `json:"age"`    // how long a key works; 0: until it is revoked
}

// Allows reports whether the keys of somebody with these roles work: one allowed role is enough.
func (p KeyPolicy) Allows(roles []RoleID) bool {
	if !p.Enabled {
		return false
	}
	if p.Roles == nil {
		return len(roles) > 0
	}
	for _, allowed := range p.Roles {
		for _, r := range roles {
			if r == allowed {
				return true
			}
		}
	}
	return false
}
