package identity

import "time"

// OffboardingState says how far an offboarding is.
type OffboardingState string

// The states.
const (
	OffboardOpen      OffboardingState = "open"
	OffboardClosed    OffboardingState = "closed"
	OffboardCancelled OffboardingState = "cancelled" // the person came back
)

// Offboarding is that somebody leaves. Access ends at once; what the person owned or had to do goes over one by one, and when nothing is left, or somebody says why it may stay, it is
// closed. A person has at most one that is open.
type Offboarding struct {
	ID        OffboardingID
	UserID    UserID
	TenantID  TenantID
	Successor UserID // empty: nobody was named
	Reason    string
	State     OffboardingState
	BegunBy   string // for people
	BegunAt   time.Time
	ClosedBy  string
	ClosedAt  *time.Time
	Facts     OffboardingFacts
}

// OffboardingFacts are what was so when an offboarding was opened, and when it ended.
type OffboardingFacts struct {
	EndedAt   time.Time       `json:"ended_at"`            // since when the person cannot come in
	Sessions  int             `json:"sessions"`            // that ended then
	Keys      int             `json:"keys"`                // API keys that worked until then
	Automatic bool            `json:"automatic,omitempty"` // a directory, an HR system or a rule let the person go
	Things    []OffboardThing `json:"things,omitempty"`    // what the person owned or had to do
	Word      string          `json:"word,omitempty"`      // why it was closed or cancelled
	Left      []string        `json:"left,omitempty"`      // the keys of what was open when it was closed all the same
}

// OffboardThing is something that somebody who leaves owned or had to do.
type OffboardThing struct {
	HoldingKey
	Display string `json:",omitempty"`
}
