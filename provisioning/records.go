package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxRecordText is the longest id and the longest name of a record in bytes.
const maxRecordText = 255

// maxRecords is how many records one page has at most.
const maxRecords = 1000

// RecordQuery says which records are wanted; empty fields do not narrow.
type RecordQuery = store.RecordQuery

// RecordKey says which record is meant: its kind, the application's own id, and the tenant (empty: the actor's own, or the one of an installation that has one).
type RecordKey struct {
	Tenant    identity.TenantID
	Type      string
	ForeignID string
}

// RecordChange is what an application or an administrator says of a record. What is nil stays as it is; a new record is active.
type RecordChange struct {
	Display *string
	Active  *bool
	User    *identity.UserID // whom it is tied to; empty: nobody
	Reason  string
}

// Records returns a page of the records of people's applications that the actor may see, with Unlinked those for a picker.
func (s *Service) Records(ctx context.Context, by identity.Actor, q RecordQuery) (identity.Page[identity.Record], error) {
	var page identity.Page[identity.Record]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return page, err
	}
	if !validIDs(&q.User) {
		return page, nil
	}
	if q.After != "" && q.Type == "" {
		return page, identity.Errorf(identity.Invalid, "Name the kind of records to go on with.").WithField("type")
	}
	q.Limit = min(max(q.Limit, 1), maxRecords)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		tenant, err := s.tenantAsked(ctx, tx, by, scope, q.Tenant)
		if err != nil {
			return err
		}
		q.Tenant = tenant.ID
		page, err = tx.Records(ctx, scope, q)
		return err
	})
	return page, err
}

// PutRecord says how a record is: it is created when nobody knew it, and changed as far as the change says. This is how an application keeps its records here, and
// ties them to people from its own side.
func (s *Service) PutRecord(ctx context.Context, by identity.Actor, key RecordKey, c RecordChange) (identity.Record, error) {
	return s.changeRecord(ctx, by, key, true, c)
}

// LinkRecord ties a record that is known to a person of its tenant. Where the access model wants it unique, a person has one record of a kind: a second is a
// Conflict with the code "record_linked", and so is a record that somebody else has.
func (s *Service) LinkRecord(ctx context.Context, by identity.Actor, key RecordKey, user identity.UserID, reason string) (identity.Record, error) {
	if user == "" {
		return identity.Record{}, identity.Errorf(identity.Invalid, "Choose whom the record is tied to.").WithField("user")
	}
	return s.changeRecord(ctx, by, key, false, RecordChange{User: &user, Reason: reason})
}

// UnlinkRecord unties a record from its person; both stay.
func (s *Service) UnlinkRecord(ctx context.Context, by identity.Actor, key RecordKey, reason string) (identity.Record, error) {
	return s.changeRecord(ctx, by, key, false, RecordChange{User: new(identity.UserID), Reason: reason})
}

func (s *Service) changeRecord(ctx context.Context, by identity.Actor, key RecordKey, create bool, c RecordChange) (identity.Record, error) {
	var out identity.Record
	scope, err := s.byHand(by)
	if err != nil {
		return out, err
	}
	kind, err := s.checkKey(&key)
	if err != nil {
		return out, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		tenant, err := s.tenantAsked(ctx, tx, by, scope, key.Tenant)
		if err != nil {
			return err
		}
		before, err := s.lockedRecord(ctx, tx, tenant.ID, key)
		if identity.KindOf(err) == identity.NotFound && !create {
			return identity.Errorf(identity.NotFound, "No %s has the id %q.", kind.Title, key.ForeignID).WithField("id")
		}
		if err != nil && identity.KindOf(err) != identity.NotFound {
			return err
		}
		out, err = s.writeRecord(ctx, tx, by, kind, before, c)
		return err
	})
	return out, err
}

// checkKey refuses kinds of records that the access model does not have, and ids that are none.
func (s *Service) checkKey(key *RecordKey) (access.LinkType, error) {
	key.ForeignID = strings.TrimSpace(key.ForeignID)
	kinds := s.model.LinkTypes()
	i := slices.IndexFunc(kinds, func(l access.LinkType) bool { return l.Type == key.Type })
	if i < 0 {
		return access.LinkType{}, identity.Errorf(identity.Invalid, "The access model %s ties people to no record of the kind %q.", s.model.Name(), key.Type).WithField("type")
	}
	if key.ForeignID == "" || len(key.ForeignID) > maxRecordText || !readableText(key.ForeignID) {
		return kinds[i], identity.Errorf(identity.Invalid, "A record has the id that its application gave it, of at most %d bytes.", maxRecordText).WithField("id")
	}
	return kinds[i], nil
}

// lockedRecord returns the record that a key names, or an empty one and NotFound; nobody else changes or makes it until the transaction ends.
func (s *Service) lockedRecord(ctx context.Context, tx *store.Tx, tenant identity.TenantID, key RecordKey) (identity.Record, error) {
	r := identity.Record{Application: identity.DefaultApplication, Type: key.Type, ForeignID: key.ForeignID, TenantID: tenant}
	if err := tx.Lock(ctx, "record "+string(tenant)+" "+key.Type+" "+key.ForeignID); err != nil {
		return r, err
	}
	known, err := tx.RecordForUpdate(ctx, r)
	if err != nil {
		return r, err
	}
	return known, nil
}

// writeRecord writes what a change comes to, with its events; a record that is not known yet has no time of creation.
func (s *Service) writeRecord(ctx context.Context, tx *store.Tx, by identity.Actor, kind access.LinkType, before identity.Record, c RecordChange) (identity.Record, error) {
	after, isNew := before, before.CreatedAt.IsZero()
	after.Active = before.Active || isNew
	if c.Display != nil {
		if after.Display = strings.TrimSpace(*c.Display); len(after.Display) > maxRecordText || !readableText(after.Display) {
			return before, identity.Errorf(identity.Invalid, "The name of a record has at most %d bytes.", maxRecordText).WithField("display")
		}
	}
	if c.Active != nil {
		after.Active = *c.Active
	}
	if isNew {
		after.CreatedAt = tx.Now()
	}
	events := recordEvents(by, before, after, isNew)
	if c.User != nil && *c.User != before.UserID {
		after.UserID = *c.User
		tied, err := s.tieRecord(ctx, tx, by, kind, before, &after)
		if err != nil {
			return before, err
		}
		events = append(events, tied)
	}
	if len(events) == 0 {
		return before, nil
	}
	for i := range events {
		events[i].Reason = strings.TrimSpace(c.Reason)
	}
	after.UpdatedAt = tx.Now()
	if err := tx.PutRecord(ctx, after); err != nil {
		return before, err
	}
	return after, tx.InsertEvent(ctx, events...)
}

func recordEvents(by identity.Actor, before, after identity.Record, isNew bool) []identity.Event {
	e := aboutRecord(by, identity.RecordUpdated, after)
	if isNew {
		e.Type = identity.RecordCreated
	}
	if before.Display != after.Display {
		e.Changes = append(e.Changes, identity.Change{Field: "name", Before: orNil(before.Display), After: orNil(after.Display)})
	}
	if isNew || before.Active != after.Active {
		e.Changes = append(e.Changes, identity.Change{Field: "active", Before: before.Active, After: after.Active})
	}
	if len(e.Changes) == 0 {
		return nil
	}
	return []identity.Event{e}
}

// tieRecord looks whether a record may be tied as after says, and returns the event.
func (s *Service) tieRecord(ctx context.Context, tx *store.Tx, by identity.Actor, kind access.LinkType, before identity.Record, after *identity.Record) (identity.Event, error) {
	if after.UserID == "" {
		u, err := tx.User(ctx, store.Everything(), before.UserID)
		if identity.KindOf(err) == identity.NotFound {
			u, err = identity.User{ID: before.UserID, UserName: string(before.UserID)}, nil // deleted
		}
		return tied(by, identity.RecordUnlinked, *after, u), err
	}
	if !validIDs(&after.UserID) {
		return identity.Event{}, noUser()
	}
	u, err := tx.UserForUpdate(ctx, store.OfTenant(after.TenantID), after.UserID)
	if err != nil {
		return identity.Event{}, sharpen(err, noUser)
	}
	if before.UserID != "" {
		return identity.Event{}, identity.Errorf(identity.Conflict, "The %s %s is tied to somebody else already; untie it first.", kind.Title, before.ForeignID).WithField("user").WithCode("record_linked")
	}
	own, err := tx.RecordsOf(ctx, u.ID)
	if err != nil {
		return identity.Event{}, err
	}
	for _, r := range own {
		if kind.Unique && r.Type == kind.Type && r.Application == after.Application {
			return identity.Event{}, identity.Errorf(identity.Conflict, "%s is tied to the %s %s already; untie that one first.", u.Label(), kind.Title, r.ForeignID).WithField("user").WithCode("record_linked")
		}
	}
	return tied(by, identity.RecordLinked, *after, u), nil
}

// untieAll unties a person from all records, which are of the tenant that they leave, and returns the events.
func (s *Service) untieAll(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User) ([]identity.Event, error) {
	if len(s.model.LinkTypes()) == 0 {
		return nil, nil
	}
	own, err := tx.RecordsOf(ctx, u.ID)
	var events []identity.Event
	for _, r := range own {
		r.UserID = ""
		if err == nil {
			err = tx.PutRecord(ctx, r)
		}
		events = append(events, tied(by, identity.RecordUnlinked, r, u))
	}
	return events, err
}

// tied is the event of a record and a person; it stands in the timeline of both.
func tied(by identity.Actor, kind identity.EventType, r identity.Record, u identity.User) identity.Event {
	e := aboutRecord(by, kind, r)
	e.UserID = u.ID
	change := identity.Change{Field: "user", After: u.Label()}
	if kind == identity.RecordUnlinked {
		change = identity.Change{Field: "user", Before: u.Label()}
	}
	e.Changes = []identity.Change{change}
	return e
}

func aboutRecord(by identity.Actor, kind identity.EventType, r identity.Record) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = r.TenantID, "record", r.Type+" "+r.ForeignID, r.Type+" "+r.ForeignID
	if r.Display != "" {
		e.ObjectLabel = r.Display
	}
	return e
}
