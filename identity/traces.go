package identity

import "time"

// Trace is one attempt to sign in: a list of named checks, so that an administrator sees exactly why it failed.
// It holds no assertion, token or secret.
type Trace struct {
	ID           TraceID // the reference that the browser is shown
	At           time.Time
	ConnectionID ConnectionID
	TenantID     TenantID
	OK           bool
	Code         string // why it was refused, such as "saml.wrong_audience"
	Message      string // the same for people, with what to do
	Issuer       string
	Subject      string
	Email        string
	UserID       UserID
	SessionID    SessionID // the session that it led to; empty: none
	IP           string
	Purpose      SignInPurpose
	Checks       []Check
	Facts        []Fact // what the provider said, redacted
}

// Fact is one thing that a provider said, such as an attribute with its values.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// CheckResult is how a check ended.
type CheckResult string

// The results.
const (
	Passed  CheckResult = "pass"
	Failed  CheckResult = "fail"
	Skipped CheckResult = "skipped"
)

// Check is one named step of a trace.
type Check struct {
	Name     string      `json:"name"`
	Result   CheckResult `json:"result"`
	Got      string      `json:"got,omitempty"`
	Expected string      `json:"expected,omitempty"`
	Fix      string      `json:"fix,omitempty"`
}

// Failure returns the first check that failed: the cause. The second result is false when none did.
func (t *Trace) Failure() (Check, bool) {
	for _, c := range t.Checks {
		if c.Result == Failed {
			return c, true
		}
	}
	return Check{}, false
}

// How long a link to traces may live.
const (
	MinShareAge = time.Hour
	MaxShareAge = 30 * 24 * time.Hour
)

// SharePrefix starts every token of a link to traces.
const SharePrefix = "dbv_"

// TraceShare is a link with which somebody without an account, such as the customer's IT, reads one trace or the refused sign-ins of one connection.
// Only the hash of its token is stored.
type TraceShare struct {
	ID           ShareID
	TenantID     TenantID     // whose traces it can show; empty: the whole installation's
	TraceID      TraceID      // this one, or
	ConnectionID ConnectionID // the refused ones of this connection
	CreatedBy    string
	CreatedAt    time.Time
	ExpiresAt    time.Time
	LastUsedAt   *time.Time
	RevokedAt    *time.Time
}

// Live reports whether the link opens at a time.
func (s *TraceShare) Live(at time.Time) bool { return s.RevokedAt == nil && at.Before(s.ExpiresAt) }

// Pasted is a message of a provider that somebody wants explained, as they found it.
type Pasted struct {
	Input        string       // a SAML response in base64, as XML or in the form that was posted, or an ID token; 512 KiB at most
	ConnectionID ConnectionID // empty: the one of the message's issuer and audience
	At           string       // the time to judge it at: "issued" (when it was made, the default), "now", or a time of RFC 3339
}
