package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// event starts an event of an actor.
func event(by identity.Actor, kind identity.EventType) identity.Event {
	return identity.Event{
		Type: kind, ActorKind: by.Kind, ActorID: by.ID, ActorLabel: by.Label, Door: by.Door, RequestID: by.RequestID, IP: by.IP, Hidden: by.Hidden,
	}
}

// about starts an event about a user.
func about(by identity.Actor, kind identity.EventType, u identity.User) identity.Event {
	e := event(by, kind)
	e.TenantID, e.UserID, e.ObjectKind, e.ObjectID, e.ObjectLabel = u.TenantID, u.ID, "user", string(u.ID), u.Label()
	return e
}

// EventQuery says which events are wanted; empty fields do not narrow.
type EventQuery = store.EventQuery

// Events returns what happened, newest first, as far as the actor may read the audit. A user's own timeline needs the right to see users; it has what happened to
// those who were joined with the user.
func (s *Service) Events(ctx context.Context, by identity.Actor, q EventQuery) (identity.Page[identity.Event], error) {
	var page identity.Page[identity.Event]
	capability := auditRead
	if q.UserID != "" {
		capability = usersRead
	}
	scope, err := s.scopeFor(by, capability)
	if err != nil {
		return page, err
	}
	q.After = identity.EventID(cursor(string(q.After)))
	if !validIDs(&q.UserID) || !validIDs(&q.TenantID) || !validIDs(&q.ActorID) {
		return page, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if q.UserID != "" {
			if q.Merged, err = tx.MergedInto(ctx, q.UserID); err != nil {
				return err
			}
		}
		page, err = tx.Events(ctx, scope, q)
		return err
	})
	return page, err
}

// eventsRead is how many events one search for parts of texts reads at most.
const eventsRead = 20_000

// SearchEvents is Events for a query with parts of texts, which no index finds: it reads a bounded number of events. What it did not get to has More set, and is
// found by asking again after the event that is returned, which need not be one of the page.
func (s *Service) SearchEvents(ctx context.Context, by identity.Actor, q EventQuery) (identity.Page[identity.Event], identity.EventID, error) {
	if q.Reads() {
		scope, err := s.scopeFor(by, auditRead)
		if err != nil {
			return identity.Page[identity.Event]{}, "", err
		}
		q.After = identity.EventID(cursor(string(q.After)))
		if !validIDs(&q.UserID) || !validIDs(&q.TenantID) || !validIDs(&q.ActorID) {
			return identity.Page[identity.Event]{}, "", nil
		}
		err = s.db.View(ctx, func(tx *store.Tx) error {
			q.From, err = tx.EventsBack(ctx, scope, q, eventsRead)
			return err
		})
		if err != nil {
			return identity.Page[identity.Event]{}, "", err
		}
	}
	page, err := s.Events(ctx, by, q)
	switch {
	case page.More:
		return page, page.Items[len(page.Items)-1].ID, err
	case q.From != "":
		page.More = true
		return page, q.From, err
	}
	return page, "", err
}

// mostCounted is how far events are counted.
const mostCounted = 100_000

// CountEvents returns how many events a query names, and whether there are more than were counted. Parts of texts do not narrow it.
func (s *Service) CountEvents(ctx context.Context, by identity.Actor, q EventQuery) (int64, bool, error) {
	scope, err := s.scopeFor(by, auditRead)
	if err != nil {
		return 0, false, err
	}
	if !validIDs(&q.UserID) || !validIDs(&q.TenantID) || !validIDs(&q.ActorID) {
		return 0, false, nil
	}
	var n int64
	err = s.db.View(ctx, func(tx *store.Tx) error {
		n, err = tx.CountEvents(ctx, scope, q, mostCounted+1)
		return err
	})
	return min(n, mostCounted), n > mostCounted, err
}

// Event returns one event that the actor may read in the audit, or NotFound.
func (s *Service) Event(ctx context.Context, by identity.Actor, id identity.EventID) (identity.Event, error) {
	none := func() *identity.Error { return identity.Errorf(identity.NotFound, "There is no such event here.") }
	if !validIDs(&id) || id == "" {
		return identity.Event{}, none()
	}
	page, err := s.Events(ctx, by, EventQuery{ID: id, Limit: 1})
	if err == nil && len(page.Items) == 0 {
		err = none()
	}
	if err != nil {
		return identity.Event{}, err
	}
	return page.Items[0], nil
}

// cursor returns an id to continue a list after, or "" for what is none.
func cursor(after string) string {
	id, _ := identity.ParseID[string](after)
	return id
}

// validIDs makes an optional id canonical; false when it is no id.
func validIDs[T ~string](id *T) bool {
	if *id == "" {
		return true
	}
	parsed, ok := identity.ParseID[T](string(*id))
	*id = parsed
	return ok
}
