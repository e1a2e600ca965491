package identity

import "time"

// Trial is one try of a connection by whoever sets it up: the whole way to the provider and back, of which no user, link or session comes.
type Trial struct {
	ID           TrialID
	ConnectionID ConnectionID
	UserID       UserID      // the administrator who began it; empty: the command line, or a setup link
	SetupID      SetupLinkID // the setup link that began it
	By           string      // who began it, for people
	CreatedAt    time.Time
	ExpiresAt    time.Time  // until then it can be opened, and finished
	OpenedAt     *time.Time // when the browser was sent to the provider
	FinishedAt   *time.Time
	OK           bool    // the person would have come in
	TraceID      TraceID // the checks, once it is finished
}

// TrialAge is how long a trial waits for its result.
const TrialAge = time.Hour

// Running reports whether a browser is on its way with the trial.
func (t Trial) Running(now time.Time) bool {
	return t.OpenedAt != nil && t.FinishedAt == nil && now.Before(t.ExpiresAt)
}
