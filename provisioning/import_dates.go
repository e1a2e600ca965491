package provisioning

import (
	"context"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The forms in which a table may have a date. One with slashes is refused: nobody knows whether its first number is the day. A day is the whole day in UTC: somebody
// starts when it begins and leaves when it ends.
var (
	dayForms    = []string{time.DateOnly, "02.01.2006", "2.1.2006", "20060102"}
	momentForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04"}
)

// forever is the year in which HR systems let people leave who never do.
const forever = 9999

// readDate returns a day as 2006-01-02, and a moment in UTC as RFC 3339 writes it.
func readDate(text string) (string, bool) {
	for _, form := range dayForms {
		if t, err := time.Parse(form, text); err == nil && t.Year() >= 1900 {
			return t.Format(time.DateOnly), true
		}
	}
	for _, form := range momentForms {
		if t, err := time.Parse(form, text); err == nil && t.Year() >= 1900 {
			return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano), true
		}
	}
	return "", false
}

// ReadStart reads the day or the moment from which somebody belongs here; nil for "".
func ReadStart(text string) (*time.Time, error) { return readTerm(fieldStartDate, text, startOf) }

// ReadEnd reads the last day, or the moment from which somebody is gone; nil for "".
func ReadEnd(text string) (*time.Time, error) { return readTerm(fieldEndDate, text, endOf) }

func readTerm(field, text string, read func(string) *time.Time) (*time.Time, error) {
	text = identity.TidyText(text)
	if text == "" {
		return nil, nil
	}
	date, ok := readDate(text)
	if !ok {
		return nil, wrongDate(field, text)
	}
	return read(date), nil
}

func wrongDate(field, text string) *identity.Error {
	return identity.Errorf(identity.Invalid, "%s is %q. Write a day as 2006-01-02, or a moment as 2006-01-02T15:04:05Z; what a source writes otherwise becomes that by the transform date.", field, text).WithField(field)
}

// startOf reads what readDate wrote.
func startOf(date string) *time.Time {
	day, moment := time.Parse(time.DateOnly, date)
	if moment == nil {
		return &day
	}
	if t, err := time.Parse(time.RFC3339Nano, date); err == nil {
		return &t
	}
	return nil
}

// endOf reads what readDate wrote: a day ends with it.
func endOf(date string) *time.Time {
	t := startOf(date)
	if t == nil || t.Year() == forever {
		return nil
	}
	if len(date) == len(time.DateOnly) {
		end := t.AddDate(0, 0, 1)
		return &end
	}
	return t
}

func startCell(at *time.Time) string {
	switch {
	case at == nil:
		return ""
	case at.Equal(at.UTC().Truncate(24 * time.Hour)):
		return at.UTC().Format(time.DateOnly)
	}
	return at.UTC().Format(time.RFC3339Nano)
}

func endCell(at *time.Time) string {
	if at != nil && at.Equal(at.UTC().Truncate(24*time.Hour)) {
		last := at.AddDate(0, 0, -1)
		return startCell(&last)
	}
	return startCell(at)
}

// termsOf writes what a row says of start and end into the terms that there are.
func (p *planner) termsOf(r importRow, was identity.Terms) identity.Terms {
	is := was
	if r.has(fieldStartDate, p.plan.Options.Clear) {
		is.StartsAt = startOf(r.fields[fieldStartDate])
	}
	switch {
	case r.has(fieldEndDate, p.plan.Options.Clear):
		is.EndsAt = endOf(r.fields[fieldEndDate])
	case was.EndsAt != nil && was.Source == p.plan.Source && !sameTime(was.StartsAt, is.StartsAt) && is.StartsAt != nil && !was.EndsAt.After(*is.StartsAt):
		is.EndsAt = nil // the source lets somebody start again after the end that it said
	}
	if !sameTime(was.StartsAt, is.StartsAt) || !sameTime(was.EndsAt, is.EndsAt) {
		is.Source = p.plan.Source
	}
	return is
}

// termsOfNew returns the terms of somebody new as they are now; how they hear of the account is kept until the start.
func (p *planner) termsOfNew(tx *store.Tx, r importRow) (identity.Terms, error) {
	is := p.termsOf(r, identity.Terms{})
	if is.StartsAt != nil && is.EndsAt != nil && !is.EndsAt.After(*is.StartsAt) {
		return is, identity.Errorf(identity.Invalid, "The end is not after the start.").WithField(fieldEndDate)
	}
	is = is.At(tx.Now())
	if !is.Started && !is.Ended && r.hash == "" {
		is.Welcome = p.plan.Options.Welcome
	}
	return is, nil
}

// dates makes the terms of somebody what a row says, and returns the person as they are then.
func (p *planner) dates(ctx context.Context, tx *store.Tx, is standing, facts store.UserFacts, r importRow, reason string) (standing, store.UserFacts, error) {
	wanted := p.termsOf(r, is.terms)
	wanted.UserID = is.user.ID
	var err error
	is.user, is.terms, err = p.s.setTerms(ctx, tx, p.by, is.user, facts, is.terms, wanted, reason)
	facts.Out = is.terms.Out()
	return is, facts, err
}

// newStart reports whether a row says a start that the person does not have yet.
func newStart(r importRow, now personFields) bool {
	v := r.fields[fieldStartDate]
	return v != "" && v != now[fieldStartDate]
}

// dateFields are the fields that are dates.
var dateFields = []string{fieldStartDate, fieldEndDate}

// dated makes the dates of a row what readDate writes.
func (r *importRow) dated(field, value string) (string, bool) {
	if value == "" || !slices.Contains(dateFields, field) {
		return value, true
	}
	date, ok := readDate(value)
	if !ok && r.wrong == nil {
		r.wrong = wrongDate(field, value)
	}
	return date, ok
}
