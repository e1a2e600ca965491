package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// SetTerms says from when until when somebody belongs here; nil takes a date away. Who starts later may not come in until then, and whose end is over no longer: at
// once where the moment has passed already. No directory and nobody by hand lets them in meanwhile.
func (s *Service) SetTerms(ctx context.Context, by identity.Actor, id identity.UserID, starts, ends *time.Time, reason string) (identity.User, error) {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return identity.User{}, err
	}
	if by.Kind == identity.ActorDirectory {
		return identity.User{}, identity.Errorf(identity.Forbidden, "A directory says who may come in now, not from when until when.")
	}
	if id == "" || !validIDs(&id) {
		return identity.User{}, noUser()
	}
	var out identity.User
	err = s.update(ctx, by, func(tx *store.Tx) error {
		before, facts, err := tx.UserForChange(ctx, scope, id)
		if err != nil {
			return err
		}
		was, err := tx.Terms(ctx, id)
		if err != nil {
			return err
		}
		is := was
		is.StartsAt, is.EndsAt, is.Source = inMicroseconds(starts), inMicroseconds(ends), ""
		out, _, err = s.setTerms(ctx, tx, by, before, facts, was, is, reason)
		return err
	})
	return out, sharpen(err, noUser)
}

// inMicroseconds is a moment as the databases keep it.
func inMicroseconds(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	t := at.UTC().Truncate(time.Microsecond)
	return &t
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

func outOfTerms(u identity.User) *identity.Error {
	return identity.Errorf(identity.Precondition, "%s is before the start, or past the end, of the time for which the person belongs here. Change the start or the end.", u.Label()).
		WithField("active").WithCode("terms")
}

// setTerms writes the terms of a locked user, and lets the person in or keeps them out where that is due now. It returns both as they are afterwards.
func (s *Service) setTerms(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.User, facts store.UserFacts, was, is identity.Terms, reason string) (identity.User, identity.Terms, error) {
	if sameTime(was.StartsAt, is.StartsAt) && sameTime(was.EndsAt, is.EndsAt) {
		return before, was, nil
	}
	if is.StartsAt != nil && is.EndsAt != nil && !is.EndsAt.After(*is.StartsAt) {
		return before, was, identity.Errorf(identity.Invalid, "The end is not after the start.").WithField(fieldEndDate)
	}
	is = is.At(tx.Now())
	is.UserID = before.ID
	if by.UserID() == before.ID && before.Enabled && is.Out() {
		return before, was, identity.Errorf(identity.Forbidden, "You cannot keep yourself out; ask another administrator.").WithField(fieldEndDate)
	}
	e := about(by, identity.UserTermsChanged, before)
	e.Reason, e.Changes = reason, termChanges(was, is)
	if err := tx.InsertEvent(ctx, e); err != nil {
		return before, was, err
	}
	after, err := s.writeTerms(ctx, tx, by, before, facts, was, is, reason)
	return after, is, err
}

// writeTerms writes terms with what follows from them.
func (s *Service) writeTerms(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.User, facts store.UserFacts, was, is identity.Terms, reason string) (identity.User, error) {
	write := tx.PutTerms(ctx, is)
	if is.None() {
		write = tx.DeleteTerms(ctx, before.ID)
	}
	if write != nil {
		return before, write
	}
	after := before
	after.Enabled = letsIn(after, facts.Links) && !is.Out()
	if after.Enabled == before.Enabled {
		return before, nil
	}
	let, err := s.checkChange(ctx, tx, by, before, after, facts.Links)
	if err != nil {
		return before, err
	}
	if after, err = s.writeUser(ctx, tx, by, before, after, facts.Sessions, reason, append(diffUsers(before, after), let...)); err != nil {
		return before, err
	}
	if after.Enabled && !was.Started && was.StartsAt != nil {
		return after, s.greet(ctx, tx, by, after, is.Welcome)
	}
	return after, nil
}

// greet tells somebody who starts of the account. A password for the first sign-in would have had to be kept until now, so that everybody gets a link.
func (s *Service) greet(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, welcome identity.Welcome) error {
	if welcome == "" || welcome == identity.WelcomeNone || u.Email() == "" || u.LastLoginAt != nil {
		return nil
	}
	_, err := s.invite(ctx, tx, by, u, "")
	return err
}

// termChanges says in an event what differs.
func termChanges(was, is identity.Terms) []identity.Change {
	var out []identity.Change
	if !sameTime(was.StartsAt, is.StartsAt) {
		out = append(out, identity.Change{Field: fieldStartDate, Before: orNil(startCell(was.StartsAt)), After: orNil(startCell(is.StartsAt))})
	}
	if !sameTime(was.EndsAt, is.EndsAt) {
		out = append(out, identity.Change{Field: fieldEndDate, Before: orNil(endCell(was.EndsAt)), After: orNil(endCell(is.EndsAt))})
	}
	return out
}
