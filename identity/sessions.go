package identity

import "time"

// Session is one browser that somebody signed in with. Only the hash of its cookie is stored.
type Session struct {
	ID           SessionID
	UserID       UserID
	ConnectionID ConnectionID // empty: signed in with a password
	IP           string
	UserAgent    string
	Issuer       string // of the provider, with Subject: whose log-out at the provider ends this session
	Subject      string // NameID or sub
	NameID       string // the NameID as received, where the subject is another name; a log-out names the person by it
	SessionIndex string // SessionIndex or sid of the provider
	Upstream     Upstream
	CreatedAt    time.Time
	LastSeenAt   time.Time
	ExpiresAt    time.Time // at the latest
	MustChange   bool      // it began with a password that has to be changed, and reaches nothing else before

	// What lists show beside it, and nothing else fills in: the connection's name, and when the session ends as it is now, and why then.
	ConnectionName string
	EndsAt         time.Time
	EndsBy         SessionLimit
}

// SessionLimit is what ends a session by itself.
type SessionLimit string

// The limits.
const (
	EndsIdle     SessionLimit = "idle"     // nobody uses it
	EndsAge      SessionLimit = "age"      // it is as old as sessions get here
	EndsProvider SessionLimit = "provider" // the provider's own limit: SessionNotOnOrAfter or session_expiry
)

// Ending returns when a session ends if it is not used any more, and why then. idle is how long it may be unused.
func (s *Session) Ending(idle time.Duration) (time.Time, SessionLimit) {
	if unused := s.LastSeenAt.Add(idle); unused.Before(s.ExpiresAt) {
		return unused, EndsIdle
	}
	if s.Upstream.Ends != nil && !s.Upstream.Ends.After(s.ExpiresAt.Add(time.Millisecond)) {
		return s.ExpiresAt, EndsProvider // stored to the microsecond
	}
	return s.ExpiresAt, EndsAge
}

// Upstream is what a session keeps of the provider's session.
type Upstream struct {
	NameIDFormat    string     `json:"name_id_format,omitempty"` // SAML core 2.2.2: a LogoutRequest names the subject as it was received
	NameQualifier   string     `json:"name_qualifier,omitempty"`
	SPNameQualifier string     `json:"sp_name_qualifier,omitempty"`
	ACR             string     `json:"acr,omitempty"`
	AMR             []string   `json:"amr,omitempty"`
	AuthTime        *time.Time `json:"auth_time,omitempty"`
	Ends            *time.Time `json:"ends,omitempty"` // SessionNotOnOrAfter or session_expiry

	CodeAt *time.Time `json:"code_at,omitempty"` // when a code of ours was given in this session
}

// SignInPurpose is what somebody was sent to a provider for.
type SignInPurpose string

// The purposes. The zero value is an ordinary sign-in.
const (
	PurposeSignIn SignInPurpose = ""
	PurposeTest   SignInPurpose = "test"   // an administrator tries a connection: no user, link or session comes of it
	PurposeLink   SignInPurpose = "link"   // somebody who is signed in ties a provider's account to the own one
	PurposeLogout SignInPurpose = "logout" // we told the provider that somebody leaves, and wait for its answer; or the provider told us

	// PurposeUnsolicited is a sign-in that a provider began by itself: it signs nobody in, and leads to one that we begin.
	PurposeUnsolicited SignInPurpose = "unsolicited"
)

// SignInState is what must be remembered between sending a browser to a provider and its return.
type SignInState struct {
	Key          string // AuthnRequest id or OIDC state; stored as a hash, found once
	ConnectionID ConnectionID
	BrowserHash  []byte // of the cookie that binds the browser
	Nonce        string
	Verifier     string // PKCE
	ReturnTo     string // local path
	Purpose      SignInPurpose
	UserID       UserID  // who asked, for a test or a link
	TrialID      TrialID // of a test
	IP           string  // where the browser is; not stored
	Force        bool    // the provider was told to ask the person again
	CreatedAt    time.Time
	ExpiresAt    time.Time
}
