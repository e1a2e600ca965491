package identity

import "time"

// ReviewID is the id of a review, a UUID like all ids.
type ReviewID string

// ReviewState says what became of a review.
type ReviewState string

// The states.
const (
	ReviewOpen      ReviewState = "open"
	ReviewSettled   ReviewState = "settled"
	ReviewDismissed ReviewState = "dismissed"
)

// Review is a sign-in that an administrator can settle: one for each subject of a provider and reason, however often the person tries.
type Review struct {
	ID             ReviewID
	At             time.Time
	LastAt         time.Time
	Attempts       int
	ConnectionID   ConnectionID
	ConnectionName string
	TenantID       TenantID // the connection's
	Issuer         string
	Subject        string
	Email          string // as the provider said it
	Name           string // likewise; may be empty
	Code           string // of the refusal, as in the trace
	Message        string
	Flag           bool // somebody was found all the same, and should be looked at
	TraceID        TraceID
	UserID         UserID // whom it may be about; may be empty
	State          ReviewState
	SettledBy      string
	SettledAt      *time.Time
	Note           string
}
