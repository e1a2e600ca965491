package identity

import "time"

// Terms are from when until when somebody belongs to the house. What is due is done by a job, once: Started and Ended say whether it was.
type Terms struct {
	UserID    UserID
	StartsAt  *time.Time // nil: the person is here already
	EndsAt    *time.Time // the moment from which the person is gone; nil: there is no end
	Started   bool       // let in, or never kept out
	Ended     bool       // kept out since
	KeptAt    *time.Time // when a rule last refused what is due; the end holds nobody off then
	Welcome   Welcome    // how the person hears of the account at the start
	Source    string     // whose file said so; empty: somebody by hand
	UpdatedAt time.Time
}

// None reports whether there is neither a start nor an end.
func (t Terms) None() bool { return t.StartsAt == nil && t.EndsAt == nil }

// Out reports whether the person is kept out, by what was done until now.
func (t Terms) Out() bool { return t.Ended || t.StartsAt != nil && !t.Started }

// Over reports whether the person may not begin a session at a moment, whether that was done already or not.
func (t Terms) Over(now time.Time) bool {
	return t.StartsAt != nil && now.Before(*t.StartsAt) || t.EndsAt != nil && !now.Before(*t.EndsAt) && t.KeptAt == nil
}

// At returns the terms as they are once what is due at a moment is done.
func (t Terms) At(now time.Time) Terms {
	t.Started = t.StartsAt == nil || !now.Before(*t.StartsAt)
	t.Ended = t.EndsAt != nil && !now.Before(*t.EndsAt)
	t.KeptAt = nil
	return t
}
