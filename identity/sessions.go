package identity

import "time"

// Session is one browser that somebody signed in with. Only the hash of its cookie is stored.
type Session struct {
	ID           SessionID
	UserID       UserID
	ConnectionID ConnectionID // empty: signed in with a password
	IP           string
	UserAgent    string
	SessionIndex string // of the provider
	CreatedAt    time.Time
	LastSeenAt   time.Time
	ExpiresAt    time.Time
}

// SignInState is what must be remembered between sending a browser to a provider and its return.
type SignInState struct {
	Key          string // AuthnRequest id or OIDC state; stored as a hash, found once
	ConnectionID ConnectionID
	BrowserHash  []byte // of the cookie that binds the browser
	Nonce        string
	Verifier     string // PKCE
	ReturnTo     string // local path
	CreatedAt    time.Time
	ExpiresAt    time.Time
}
