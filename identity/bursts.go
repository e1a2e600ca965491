package identity

import (
	"math"
	"time"
)

// DirectoryGuard says how many people a directory may keep out within a time; more wait until somebody approves it. One alone never waits, and nobody who came within that time. The zero value is the default.
type DirectoryGuard struct {
	Most       int         `json:"most,omitempty"`         // so many always; default 25, negative: the guard is off
	Percent    float64     `json:"percent,omitempty"`      // or so many per cent of the people whom the directory lets in, whichever is more; default 20
	Minutes    int         `json:"minutes,omitempty"`      // the time; default 60
	Answer     BurstAnswer `json:"answer,omitempty"`       // how the rest is answered; default: as its dialect does it best
	EndSession bool        `json:"end_sessions,omitempty"` // sessions of the people who wait end at once
}

// BurstAnswer is how a directory hears that somebody is not kept out yet.
type BurstAnswer string

// The answers.
const (
	AnswerRetry BurstAnswer = "429" // it repeats the request; Okta and most others do
	AnswerQueue BurstAnswer = "202" // Drawbridge keeps what was asked for and does it when it is approved
)

// The defaults of a guard.
const (
	guardBurst        = 25
	guardBurstPercent = 20
	guardBurstMinutes = 60
)

// For returns the guard with its defaults for a dialect. Entra gives up on a directory that answers 429 for long, so it gets 202.
func (g DirectoryGuard) For(d Dialect) DirectoryGuard {
	if g.Most == 0 {
		g.Most = guardBurst
	}
	if g.Percent == 0 {
		g.Percent = guardBurstPercent
	}
	if g.Minutes <= 0 {
		g.Minutes = guardBurstMinutes
	}
	if g.Answer == "" {
		g.Answer = AnswerRetry
		if d == DialectEntra {
			g.Answer = AnswerQueue
		}
	}
	return g
}

// Off reports whether the guard never holds anybody.
func (g DirectoryGuard) Off() bool { return g.Most < 0 }

// Span is the time that the guard looks back.
func (g DirectoryGuard) Span() time.Duration { return time.Duration(g.Minutes) * time.Minute }

// Limit is how many of some people may be kept out within the time, one at least.
func (g DirectoryGuard) Limit(people int) int {
	return max(1, g.Most, int(math.Floor(g.Percent*float64(people)/100)))
}

// BurstState says what was decided about many departures at once.
type BurstState string

// The states.
const (
	BurstHeld     BurstState = "held"
	BurstApproved BurstState = "approved"
	BurstRejected BurstState = "rejected"
)

// Burst is that a directory would keep out many people at once.
type Burst struct {
	ID           BurstID
	DirectoryID  DirectoryID
	Directory    string // its name
	TenantID     TenantID
	BeganAt      time.Time
	Count        int // people who wait, or waited
	State        BurstState
	DecidedBy    string // for people
	DecidedAt    *time.Time
	Reason       string
	AllowedUntil *time.Time // until when the decision holds for what the directory sends
}

// Departure is somebody whom a directory would keep out.
type Departure struct {
	UserID    UserID
	Who       string // for people
	RequestID RequestID
	Delete    bool // it would delete them
	Queued    bool // Drawbridge does it when the burst is approved; otherwise the directory asks again
	At        time.Time
}
