package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// OffboardingQuery says which offboardings are wanted; empty fields do not narrow.
type OffboardingQuery = store.OffboardingQuery

// ThingState says what became of something that somebody who leaves owned or had to do.
type ThingState string

// The states of a thing.
const (
	ThingUnassigned   ThingState = "unassigned"   // nobody was named for it
	ThingOpen         ThingState = "open"         // a successor was named; the application did not acknowledge it yet
	ThingAcknowledged ThingState = "acknowledged" // somebody else has it
	ThingGone         ThingState = "gone"         // the application says that it is done, or owned no more
)

// OffboardingThing is something that somebody who leaves owned or had to do, as it is now.
type OffboardingThing struct {
	identity.OffboardThing
	State    ThingState
	Holder   identity.UserID    // who has it now
	Transfer *identity.Transfer // open
}

// OffboardingView is all about an offboarding: what ended, what went over, and what is left.
type OffboardingView struct {
	identity.Offboarding
	User      identity.User // with roles; deleted or not
	Successor identity.User // zero: nobody was named
	Sessions  int           // that are open now
	Keys      int           // API keys that work now
	Groups    []identity.Membership
	Things    []OffboardingThing
	Left      int // things that are unassigned or open
}

// Ended reports whether the person cannot come in.
func (v OffboardingView) Ended() bool { return !v.User.Enabled || v.User.DeletedAt != nil }

// mostOffboardings is how many offboardings are listed at once at most.
const mostOffboardings = 500

// Offboardings returns a page of the offboardings that the actor may see, newest first.
func (s *Service) Offboardings(ctx context.Context, by identity.Actor, q OffboardingQuery) (identity.Page[identity.Offboarding], error) {
	var page identity.Page[identity.Offboarding]
	scope, err := s.offboardingScope(by)
	if err != nil || !validIDs(&q.UserID) || !validIDs(&q.TenantID) {
		return page, err
	}
	if q.State != "" && !slices.Contains([]identity.OffboardingState{identity.OffboardOpen, identity.OffboardClosed, identity.OffboardCancelled}, q.State) {
		return page, identity.Errorf(identity.Invalid, "There is no state %q. Use open, closed or cancelled.", q.State).WithField("state")
	}
	q.After = identity.OffboardingID(cursor(string(q.After)))
	if q.Limit <= 0 || q.Limit > mostOffboardings {
		q.Limit = mostOffboardings
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Offboardings(ctx, scope, q)
		return err
	})
	return page, err
}

// offboardingScope returns whose offboardings the actor may see.
func (s *Service) offboardingScope(by identity.Actor) (store.Scope, error) {
	if by.Kind == identity.ActorDirectory {
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A directory may not do this.")
	}
	return s.scopeFor(by, usersRead)
}

// Offboarding returns all about an offboarding that the actor may see, or NotFound.
func (s *Service) Offboarding(ctx context.Context, by identity.Actor, id identity.OffboardingID) (OffboardingView, error) {
	var v OffboardingView
	scope, err := s.offboardingScope(by)
	if err != nil {
		return v, err
	}
	if id == "" || !validIDs(&id) {
		return v, noOffboarding()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		v = OffboardingView{}
		if v.Offboarding, err = tx.Offboarding(ctx, scope, id); err != nil {
			return sharpen(err, noOffboarding)
		}
		if err := s.loadLeaver(ctx, tx, &v); err != nil {
			return err
		}
		return loadThings(ctx, tx, &v)
	})
	return v, err
}

// loadLeaver fills in who leaves and what the person still holds.
func (s *Service) loadLeaver(ctx context.Context, tx *store.Tx, v *OffboardingView) error {
	people := make([]identity.User, 1, 2)
	var err error
	if people[0], err = tx.AnyUser(ctx, store.Everything(), v.UserID); err != nil {
		return err
	}
	if v.Offboarding.Successor != "" {
		heir, err := tx.AnyUser(ctx, store.Everything(), v.Offboarding.Successor)
		switch {
		case identity.KindOf(err) == identity.NotFound:
			v.Successor.ID = v.Offboarding.Successor // was erased since
		case err != nil:
			return err
		default:
			people = append(people, heir)
		}
	}
	if err := s.describe(ctx, tx, people); err != nil {
		return err
	}
	v.User = people[0]
	if len(people) > 1 {
		v.Successor = people[1]
	}
	groups, err := tx.Memberships(ctx, "", []identity.UserID{v.UserID})
	if err != nil {
		return err
	}
	sessions, err := tx.SessionsOf(ctx, v.UserID)
	if err != nil {
		return err
	}
	keys, err := tx.APIKeys(ctx, v.UserID, mostKeys)
	v.Groups, v.Sessions = groups[v.UserID], len(sessions)
	v.Keys = len(slices.DeleteFunc(keys, func(k identity.APIKey) bool { return k.RevokedAt != nil }))
	return err
}

// loadThings fills in what became of what the person owned or had to do, then what an application said since.
func loadThings(ctx context.Context, tx *store.Tx, v *OffboardingView) error {
	held, err := allHoldings(ctx, tx, store.HoldingQuery{UserID: v.UserID}, (*store.Tx).Holdings)
	if err != nil {
		return err
	}
	known := len(v.Facts.Things)
	things := v.Facts.Things[:known:known]
	if v.State == identity.OffboardOpen {
		things = addThings(things, held)
	}
	now := map[identity.HoldingKey]identity.Holding{}
	for part := range slices.Chunk(things, mostHoldings) {
		q := store.HoldingQuery{Limit: mostHoldings}
		for _, t := range part {
			q.Keys = append(q.Keys, t.HoldingKey)
		}
		page, err := tx.Holdings(ctx, store.Everything(), q)
		if err != nil {
			return err
		}
		for _, h := range page.Items {
			now[h.HoldingKey] = h
		}
	}
	for _, t := range things {
		thing := thingNow(v.UserID, t, now[t.HoldingKey])
		if thing.State == ThingUnassigned || thing.State == ThingOpen {
			v.Left++
		}
		v.Things = append(v.Things, thing)
	}
	return nil
}

// thingNow says what became of a thing by the holding that there is now; a zero one is none.
func thingNow(leaver identity.UserID, t identity.OffboardThing, h identity.Holding) OffboardingThing {
	out := OffboardingThing{OffboardThing: t, State: ThingGone, Holder: h.UserID, Transfer: h.Transfer}
	switch {
	case h.UserID == "":
	case h.UserID != leaver:
		out.State, out.Transfer = ThingAcknowledged, nil
	case h.Transfer != nil:
		out.State = ThingOpen
	default:
		out.State = ThingUnassigned
	}
	return out
}
