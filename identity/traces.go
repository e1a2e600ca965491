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
