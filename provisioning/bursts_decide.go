package provisioning

import (
	"context"
	"errors"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noBurst() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such burst here. See 'drawbridge directory bursts list'.").WithField("burst")
}

// Bursts returns a page of the bursts of the directories that the actor may see, newest first.
func (s *Service) Bursts(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.Burst], error) {
	var page identity.Page[identity.Burst]
	scope, err := s.byHand(by)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Bursts(ctx, scope, q)
		return err
	})
	return page, err
}

// Departures returns who waits in a burst, in the order of ids, behind q.After.
func (s *Service) Departures(ctx context.Context, by identity.Actor, id identity.BurstID, q identity.Query) (identity.Page[identity.Departure], error) {
	var page identity.Page[identity.Departure]
	scope, err := s.byHand(by)
	if err != nil {
		return page, err
	}
	if id == "" || !validIDs(&id) {
		return page, noBurst()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		b, err := tx.BurstForUpdate(ctx, scope, id)
		if err == nil {
			page, err = tx.Departures(ctx, b.ID, identity.UserID(cursor(q.After)), q.Limit)
		}
		return err
	})
	return page, sharpen(err, noBurst)
}

// ApproveBurst lets a directory keep out the people who wait, and whomever else for a day, with a reason. Those whom Drawbridge keeps for it are kept out now, in the directory's
// name; of somebody about whom it wrote again since, the later word counts.
func (s *Service) ApproveBurst(ctx context.Context, by identity.Actor, id identity.BurstID, reason string) (identity.Burst, error) {
	b, err := s.decideBurst(ctx, by, id, identity.BurstApproved, identity.BurstAllowed, reason)
	if err != nil {
		return b, err
	}
	return b, s.carryOutDepartures(ctx, b)
}

// RejectBurst refuses what a directory asked for, with a reason. Nobody of it is kept out, and for a day more of it is answered 403.
func (s *Service) RejectBurst(ctx context.Context, by identity.Actor, id identity.BurstID, reason string) (identity.Burst, error) {
	return s.decideBurst(ctx, by, id, identity.BurstRejected, identity.BurstRefused, reason)
}

func (s *Service) decideBurst(ctx context.Context, by identity.Actor, id identity.BurstID, state identity.BurstState, kind identity.EventType, reason string) (identity.Burst, error) {
	var b identity.Burst
	scope, err := s.byHand(by)
	if err != nil {
		return b, err
	}
	if id == "" || !validIDs(&id) {
		return b, noBurst()
	}
	if reason, err = s.tidyReason(reason); err != nil {
		return b, err
	}
	if reason == "" {
		return b, identity.Errorf(identity.Invalid, "Say why.").WithField("reason").WithCode("reason_required")
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if b, err = tx.BurstForUpdate(ctx, scope, id); err != nil {
			return err
		}
		if b.State != identity.BurstHeld {
			return identity.Errorf(identity.Precondition, "%s decided it already: it is %s.", b.DecidedBy, b.State).WithCode("burst_state")
		}
		at := tx.Now()
		until := at.Add(burstAgain)
		b.State, b.DecidedBy, b.DecidedAt, b.Reason, b.AllowedUntil = state, by.Label, &at, reason, &until
		e := burstEvent(by, kind, b)
		e.Reason = reason
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
		return tx.PutBurst(ctx, b)
	})
	return b, sharpen(err, noBurst)
}

// carryOutDepartures keeps out those of an approved burst whom Drawbridge keeps for its directory. Each is a change of its own; one that is refused stays in the list.
func (s *Service) carryOutDepartures(ctx context.Context, b identity.Burst) error {
	by, err := s.directoryNow(ctx, b.DirectoryID)
	if err != nil {
		return err
	}
	var failed error
	for after := identity.UserID(""); ; {
		var page identity.Page[identity.Departure]
		err := s.db.View(ctx, func(tx *store.Tx) (err error) {
			page, err = tx.Departures(ctx, b.ID, after, pageOfAll)
			return err
		})
		if err != nil {
			return err
		}
		for _, d := range page.Items {
			after = d.UserID
			if d.Queued {
				failed = errors.Join(failed, s.depart(ctx, by, b, d))
			}
		}
		if !page.More {
			return failed
		}
	}
}

// depart carries out one departure that waited, unless the directory wrote about the person again.
func (s *Service) depart(ctx context.Context, by identity.Actor, b identity.Burst, d identity.Departure) error {
	var later bool
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		later, err = tx.WroteSince(ctx, b.DirectoryID, d.UserID, d.At, d.RequestID)
		return err
	})
	switch {
	case err != nil:
		return err
	case later:
	case d.Delete:
		err = s.DeleteUser(ctx, by, d.UserID, 0)
	default:
		_, err = s.updateUser(ctx, by, d.UserID, 0, "approved with many others: "+b.Reason, func(u *identity.User) error { u.Enabled = false; return nil })
	}
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error { return tx.DropDeparture(ctx, b.ID, d.UserID) })
}
