package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noOffboarding() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such offboarding here.").WithField("offboarding")
}

// Leaving is what is said when somebody leaves.
type Leaving struct {
	Successor identity.UserID // who takes over what the person owns or has to do; empty: nobody yet
	Reason    string          // needed
}

// Offboard ends a person's access at once, as DeactivateUser does and with its rules, asks that a successor takes over all that the person owns or has to do, and opens an offboarding,
// which CloseOffboarding ends when all of it went over. Where one is open already, because a directory let the person go, it names the successor and the reason. Open work without a
// successor is Conflict with the code "open_assignments" where the access model wants that.
func (s *Service) Offboard(ctx context.Context, by identity.Actor, id identity.UserID, l Leaving) (identity.Offboarding, error) {
	var o identity.Offboarding
	scope, err := s.byHand(by)
	if err != nil {
		return o, err
	}
	if l.Reason, err = needReason(l.Reason, "the person leaves"); err != nil {
		return o, err
	}
	if err := notOneself(by, id, "offboard"); err != nil {
		return o, err
	}
	if !validIDs(&l.Successor) || l.Successor == id {
		return o, identity.Errorf(identity.Invalid, "Choose somebody else as the successor.").WithField("successor")
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		u, heir, err := s.leaverAndHeir(ctx, tx, scope, id, l.Successor)
		if err != nil {
			return err
		}
		o, err = s.offboard(ctx, tx, by, scope, u, heir, l.Reason)
		return err
	})
	return o, err
}

// needReason tidies a reason that has to be there.
func needReason(reason, what string) (string, error) {
	if reason = identity.TidyText(reason); reason == "" || len(reason) > maxReason {
		return "", identity.Errorf(identity.Invalid, "Say why %s, in at most %d bytes.", what, maxReason).WithField("reason").WithCode("reason_required")
	}
	return reason, nil
}

// leaverAndHeir locks who leaves, deleted or not, and the successor, who must be able to take over; the zero user when none is named.
func (s *Service) leaverAndHeir(ctx context.Context, tx *store.Tx, scope store.Scope, id, to identity.UserID) (u, heir identity.User, err error) {
	if _, err = tx.AnyUser(ctx, scope, id); err != nil {
		return u, heir, sharpen(err, noUser)
	}
	if to != "" {
		if _, err = tx.User(ctx, scope, to); err != nil {
			return u, heir, sharpen(err, func() *identity.Error { return noUser().WithField("successor") })
		}
	}
	people, err := lockBoth(ctx, tx, id, to)
	if err != nil {
		return u, heir, err
	}
	u, heir = people[id], people[to]
	switch {
	case u.ID == "":
		return u, heir, noUser()
	case to == "":
	case !heir.Enabled || heir.DeletedAt != nil:
		err = identity.Errorf(identity.Invalid, "%s is inactive and can take nothing over.", heir.Label()).WithField("successor")
	case heir.TenantID != u.TenantID:
		err = identity.Errorf(identity.Invalid, "%s does not belong to the tenant of %s; choose somebody of that tenant.", heir.Label(), u.Label()).WithField("successor")
	}
	return u, heir, err
}

// offboard does it with people who are locked. What goes over is asked for first: the rules hold back whoever still has work that nobody was named for.
func (s *Service) offboard(ctx context.Context, tx *store.Tx, by identity.Actor, scope store.Scope, u, heir identity.User, reason string) (identity.Offboarding, error) {
	o, err := tx.OpenOffboarding(ctx, u.ID)
	known := err == nil
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return o, err
	}
	if !known {
		o = identity.Offboarding{ID: identity.NewID[identity.OffboardingID](), UserID: u.ID, TenantID: u.TenantID, State: identity.OffboardOpen, BegunBy: by.Label, BegunAt: tx.Now()}
	}
	things, err := allHoldings(ctx, tx, store.HoldingQuery{UserID: u.ID}, (*store.Tx).HoldingsForUpdate)
	if err != nil {
		return o, err
	}
	if heir.ID != "" {
		for i := range things {
			if t := things[i].Transfer; t != nil && t.Successor != o.Successor {
				continue // somebody else was named for it
			}
			if err := s.askFor(ctx, tx, by, &things[i], heir, reason); err != nil {
				return o, err
			}
		}
		o.Successor = heir.ID
	}
	if err := s.endAccess(ctx, tx, by, scope, u, reason, known, &o.Facts); err != nil {
		return o, err
	}
	o.Reason = reason
	o.Facts.Things = addThings(o.Facts.Things, things)
	return o, s.openOffboarding(ctx, tx, by, u, heir, o, known)
}

// openOffboarding writes an offboarding that is begun or goes on, with its event.
func (s *Service) openOffboarding(ctx context.Context, tx *store.Tx, by identity.Actor, u, heir identity.User, o identity.Offboarding, known bool) error {
	put := tx.InsertOffboarding
	if known {
		put = tx.UpdateOffboarding
	}
	if err := put(ctx, o); err != nil {
		return err
	}
	e := about(by, identity.OffboardingBegun, u)
	e.Reason = o.Reason
	e.Changes = []identity.Change{{Field: "offboarding", After: string(o.ID)}, {Field: "holdings", After: len(o.Facts.Things)}, {Field: "sessions", Before: o.Facts.Sessions, After: 0}}
	if heir.ID != "" {
		e.Changes = append(e.Changes, identity.Change{Field: "successor", After: string(heir.ID)})
	}
	return tx.InsertEvent(ctx, e)
}

// endAccess lets somebody in no more, by a person's word that no directory undoes, and notes since when that is so and what ended with it.
func (s *Service) endAccess(ctx context.Context, tx *store.Tx, by identity.Actor, scope store.Scope, u identity.User, reason string, known bool, f *identity.OffboardingFacts) error {
	if !known {
		if err := accessEnded(ctx, tx, u, f); err != nil {
			return err
		}
	}
	if u.DeletedAt != nil {
		return nil
	}
	before, facts, err := tx.UserForChange(ctx, scope, u.ID)
	if err != nil {
		return err
	}
	if before.Enabled {
		keys, err := tx.APIKeys(ctx, u.ID, mostKeys)
		if err != nil {
			return err
		}
		f.EndedAt, f.Sessions = tx.Now(), facts.Sessions
		f.Keys = len(slices.DeleteFunc(keys, func(k identity.APIKey) bool { return k.RevokedAt != nil }))
	}
	_, err = s.change(ctx, tx, by, before, facts, reason, func(u *identity.User) error {
		u.Enabled, u.Held = false, true
		return nil
	})
	return err
}

// accessEnded reads from the events since when somebody who may not come in may not, and what ended then.
func accessEnded(ctx context.Context, tx *store.Tx, u identity.User, f *identity.OffboardingFacts) error {
	f.EndedAt = tx.Now()
	if u.Enabled && u.DeletedAt == nil {
		return nil
	}
	page, err := tx.Events(ctx, store.Everything(), store.EventQuery{UserID: u.ID, Types: []identity.EventType{identity.UserDeactivated, identity.UserDeleted}, Limit: 1})
	if err != nil || len(page.Items) == 0 {
		return err
	}
	f.EndedAt = page.Items[0].At
	for _, c := range page.Items[0].Changes {
		n, ok := c.Before.(float64)
		switch {
		case ok && c.Field == "sessions":
			f.Sessions = int(n)
		case ok && c.Field == "api keys":
			f.Keys = int(n)
		}
	}
	return nil
}

type readHoldings func(*store.Tx, context.Context, store.Scope, store.HoldingQuery) (identity.Page[identity.Holding], error)

// allHoldings reads all holdings of a query, page by page.
func allHoldings(ctx context.Context, tx *store.Tx, q store.HoldingQuery, read readHoldings) ([]identity.Holding, error) {
	var out []identity.Holding
	q.Limit = mostHoldings
	for {
		page, err := read(tx, ctx, store.Everything(), q)
		out = append(out, page.Items...)
		if err != nil || !page.More {
			return out, err
		}
		q.After = page.Items[len(page.Items)-1].HoldingKey
	}
}

// addThings adds what is new among some holdings to what an offboarding knows.
func addThings(things []identity.OffboardThing, held []identity.Holding) []identity.OffboardThing {
	known := map[identity.HoldingKey]bool{}
	for _, t := range things {
		known[t.HoldingKey] = true
	}
	for _, h := range held {
		if !known[h.HoldingKey] {
			things = append(things, identity.OffboardThing{HoldingKey: h.HoldingKey, Display: h.Display})
		}
	}
	return things
}

// Closing says how an offboarding is closed.
type Closing struct {
	Reason string
	Force  bool // although something is left; what that is becomes part of the evidence, and a reason is needed
}

// CloseOffboarding ends an offboarding of which nothing is left: the person cannot come in, and has nothing any more. Otherwise it is Precondition with the code "offboarding_open",
// unless it is forced.
func (s *Service) CloseOffboarding(ctx context.Context, by identity.Actor, id identity.OffboardingID, c Closing) (identity.Offboarding, error) {
	var err error
	if c.Reason = identity.TidyText(c.Reason); c.Force || c.Reason != "" {
		if c.Reason, err = needReason(c.Reason, "it is closed although something is left"); err != nil {
			return identity.Offboarding{}, err
		}
	}
	return s.endOffboarding(ctx, by, id, func(tx *store.Tx, _ store.Scope, u identity.User, o *identity.Offboarding) (identity.Event, error) {
		e := about(by, identity.OffboardingClosed, u)
		if u.Enabled && u.DeletedAt == nil {
			return e, identity.Errorf(identity.Precondition, "%s can come in again. Cancel the offboarding, or end the access.", u.Label()).WithCode("offboarding_open")
		}
		left, err := allHoldings(ctx, tx, store.HoldingQuery{UserID: u.ID}, (*store.Tx).Holdings)
		if err != nil {
			return e, err
		}
		if len(left) > 0 && !c.Force {
			return e, identity.Errorf(identity.Precondition, "%s still has %s. Wait until the applications acknowledge it, or close it all the same and say why.", u.Label(), workText(left)).
				WithCode("offboarding_open")
		}
		o.State, o.Facts.Word = identity.OffboardClosed, c.Reason
		o.Facts.Things = addThings(o.Facts.Things, left)
		for _, h := range left {
			o.Facts.Left = append(o.Facts.Left, h.String())
		}
		e.Reason = c.Reason
		e.Changes = []identity.Change{{Field: "offboarding", After: string(o.ID)}, {Field: "left", After: len(left)}}
		return e, nil
	})
}

// RestoreOffboarded cancels an offboarding: the person comes in again, and what did not go over yet stays with them. Whoever was deleted is restored first. While a directory keeps the
// person out it is Forbidden, as for ActivateUser.
func (s *Service) RestoreOffboarded(ctx context.Context, by identity.Actor, id identity.OffboardingID, reason string) (identity.Offboarding, error) {
	reason, err := needReason(reason, "the person stays")
	if err != nil {
		return identity.Offboarding{}, err
	}
	return s.endOffboarding(ctx, by, id, func(tx *store.Tx, scope store.Scope, u identity.User, o *identity.Offboarding) (identity.Event, error) {
		e := about(by, identity.OffboardingCancelled, u)
		if u.DeletedAt != nil {
			return e, identity.Errorf(identity.Precondition, "%s was deleted. Restore the person first.", u.Label()).WithCode("offboarding_deleted")
		}
		before, facts, err := tx.UserForChange(ctx, scope, u.ID)
		if err != nil {
			return e, err
		}
		if _, err := s.change(ctx, tx, by, before, facts, reason, func(u *identity.User) error { u.Enabled = true; return nil }); err != nil {
			return e, err
		}
		held, err := allHoldings(ctx, tx, store.HoldingQuery{UserID: u.ID}, (*store.Tx).HoldingsForUpdate)
		if err != nil {
			return e, err
		}
		back := 0
		for _, h := range held {
			if h.Transfer == nil {
				continue
			}
			if err := s.takeBack(ctx, tx, by, h, reason); err != nil {
				return e, err
			}
			back++
		}
		o.State, o.Facts.Word = identity.OffboardCancelled, reason
		e.Reason = reason
		e.Changes = []identity.Change{{Field: "offboarding", After: string(o.ID)}, {Field: "transfers", Before: back, After: 0}}
		return e, nil
	})
}

// endOffboarding ends an offboarding that is open, by a function that says how.
func (s *Service) endOffboarding(ctx context.Context, by identity.Actor, id identity.OffboardingID, end func(tx *store.Tx, scope store.Scope, u identity.User, o *identity.Offboarding) (identity.Event, error)) (identity.Offboarding, error) {
	var o identity.Offboarding
	scope, err := s.byHand(by)
	if err != nil {
		return o, err
	}
	if id == "" || !validIDs(&id) {
		return o, noOffboarding()
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if o, err = tx.OffboardingForUpdate(ctx, scope, id); err != nil {
			return sharpen(err, noOffboarding)
		}
		if o.State != identity.OffboardOpen {
			return identity.Errorf(identity.Precondition, "The offboarding is %s already.", o.State).WithCode("offboarding_state")
		}
		u, err := tx.AnyUserForUpdate(ctx, scope, o.UserID)
		if err != nil {
			return sharpen(err, noUser)
		}
		e, err := end(tx, scope, u, &o)
		if err != nil {
			return err
		}
		at := tx.Now()
		o.ClosedBy, o.ClosedAt = by.Label, &at
		if err := tx.UpdateOffboarding(ctx, o); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, e)
	})
	return o, err
}
