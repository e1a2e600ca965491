package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type eventRow struct {
	ID          text   `db:"id"`
	At          moment `db:"at"`
	Type        string `db:"type"`
	ActorKind   string `db:"actor_kind"`
	ActorID     string `db:"actor_id"`
	ActorLabel  string `db:"actor_label"`
	Door        string `db:"door"`
	RequestID   text   `db:"request_id"`
	TenantID    text   `db:"tenant_id"`
	UserID      text   `db:"user_id"`
	ObjectKind  string `db:"object_kind"`
	ObjectID    string `db:"object_id"`
	ObjectLabel string `db:"object_label"`
	Reason      string `db:"reason"`
	Changes     text   `db:"changes"`
	IP          string `db:"ip"`
}

const eventColumns = `e.id, e.at, e.type, e.actor_kind, e.actor_id, e.actor_label, e.door, e.request_id, e.tenant_id, e.user_id, e.object_kind, e.object_id, e.object_label, e.reason, e.changes, e.ip`

func (r *eventRow) event() (identity.Event, error) {
	e := identity.Event{
		ID: identity.EventID(r.ID), At: r.At.time(), Type: identity.EventType(r.Type), ActorKind: identity.ActorKind(r.ActorKind), ActorID: r.ActorID, ActorLabel: r.ActorLabel,
		Door: r.Door, RequestID: identity.RequestID(r.RequestID), IP: r.IP, TenantID: identity.TenantID(r.TenantID), UserID: identity.UserID(r.UserID),
		ObjectKind: r.ObjectKind, ObjectID: r.ObjectID, ObjectLabel: r.ObjectLabel, Reason: r.Reason,
	}
	return e, fromJSON(r.Changes, &e.Changes)
}

// InsertEvent writes events; ids and times that are empty are filled in.
func (tx *Tx) InsertEvent(ctx context.Context, events ...identity.Event) error {
	args := make([]any, 0, 16*len(events))
	for _, e := range events {
		row, err := tx.eventArgs(e)
		if err != nil {
			return err
		}
		args = append(args, row...)
	}
	return tx.insert(ctx, newEvents, args)
}

var newEvents = rowsOf{table: "events", columns: []cell{
	{"id", "uuid"},
	{"at", "timestamptz"},
	{"type", "text"},
	{"actor_kind", "text"},
	{"actor_id", "text"},
	{"actor_label", "text"},
	{"door", "text"},
	{"request_id", "uuid"},
	{"tenant_id", "uuid"},
	{"user_id", "uuid"},
	{"object_kind", "text"},
	{"object_id", "text"},
	{"object_label", "text"},
	{"reason", "text"},
	{"changes", "jsonb"},
	{"ip", "text"},
}}

func (tx *Tx) eventArgs(e identity.Event) ([]any, error) {
	if e.ID == "" {
		e.ID = identity.NewID[identity.EventID]()
	}
	if e.At.IsZero() {
		e.At = tx.now
	}
	changes, err := asJSON(append([]identity.Change{}, e.Shown()...))
	return []any{
		string(e.ID), e.At, string(e.Type), string(e.ActorKind), e.ActorID, e.ActorLabel, e.Door, null(e.RequestID), null(e.TenantID), null(e.UserID),
		e.ObjectKind, e.ObjectID, e.ObjectLabel, e.Reason, changes, e.IP,
	}, err
}

// EventQuery says which events are wanted; empty fields do not narrow.
type EventQuery struct {
	UserID   identity.UserID
	Merged   []identity.UserID // with UserID: these too
	ActorID  identity.UserID   // what this person did
	ObjectID string            // of what is no user
	Type     identity.EventType
	Since    time.Time
	Until    time.Time            // exclusive
	Types    []identity.EventType // any of these
	TenantID identity.TenantID
	ID       identity.EventID // this one only
	Who      string           // a part of the name of whoever did it
	Whom     string           // a part of the name of what it is about
	Word     string           // a part of either name, of the reason or of what changed, or the whole network address
	From     identity.EventID // not older than this one
	After    identity.EventID // older than this one
	Limit    int
}

// Reads reports whether the query asks for parts of texts, for which there is no index.
func (q EventQuery) Reads() bool { return q.Who+q.Whom+q.Word != "" }

// texts adds what has no index.
func (q EventQuery) texts(b *builder) {
	part := func(column, word string) {
		b.add(b.holds("lower("+column+")"), strings.ToLower(word))
	}
	if q.Who != "" {
		part("e.actor_label", q.Who)
	}
	if q.Whom != "" {
		part("e.object_label", q.Whom)
	}
	if word := strings.ToLower(q.Word); word != "" {
		ways, args := []string{"e.ip = ?"}, []any{word}
		for _, column := range []string{"e.actor_label", "e.object_label", "e.reason", "CAST(e.changes AS text)"} {
			ways, args = append(ways, b.holds("lower("+column+")")), append(args, word)
		}
		b.add("("+strings.Join(ways, " OR ")+")", args...)
	}
}

// conditions adds what the query asks for.
func (q EventQuery) conditions(b *builder) {
	if q.UserID != "" && len(q.Merged) == 0 {
		b.add("e.user_id = ?", string(q.UserID))
	}
	if q.UserID != "" && len(q.Merged) > 0 {
		in, args := idList(b.tx, "e.user_id", append(slices.Clone(q.Merged), q.UserID))
		b.add(in, args...)
	}
	if q.ActorID != "" {
		b.add("e.actor_kind = 'user' AND e.actor_id = ?", string(q.ActorID))
	}
	if !q.Since.IsZero() { // ids are of the time of the change, give or take nothing worth an index of its own
		b.add("e.at >= ? AND e.id >= ?", q.Since.UTC(), identity.IDBefore(q.Since.Add(-time.Minute)))
	}
	if !q.Until.IsZero() {
		b.add("e.at < ? AND e.id < ?", q.Until.UTC(), identity.IDBefore(q.Until.Add(time.Minute)))
	}
	if q.ObjectID != "" {
		b.add("(e.object_kind <> 'user' AND e.object_id = ?)", q.ObjectID)
	}
	if q.Type != "" {
		b.add("e.type = ?", string(q.Type))
	}
	if len(q.Types) > 0 {
		names := make([]string, len(q.Types))
		for i, kind := range q.Types {
			names[i] = string(kind)
		}
		in, list := b.tx.textList("e.type", names)
		b.add(in, list)
	}
	if q.TenantID != "" {
		b.add("e.tenant_id = ?", string(q.TenantID))
	}
	if q.ID != "" {
		b.add("e.id = ?", string(q.ID))
	}
	if q.From != "" {
		b.add("e.id >= ?", string(q.From))
	}
}

// EventsBack returns the id of the event that is n events back among those that the query's indexed conditions name, or "" when there are fewer: how far a search
// for parts of texts reads in one go.
func (tx *Tx) EventsBack(ctx context.Context, scope Scope, q EventQuery, n int) (identity.EventID, error) {
	visible, args := scope.tenants("e.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	q.conditions(&b)
	b.after("e.id", identity.Query{After: string(q.After), Newest: true})
	var ids []text
	err := tx.listBuilt(ctx, &ids, `SELECT e.id FROM events e`+b.where()+` ORDER BY e.id DESC LIMIT 1 OFFSET ?`, append(b.args, n)...)
	if len(ids) == 0 {
		return "", err
	}
	return identity.EventID(ids[0]), err
}

// CountEvents returns how many events the query's indexed conditions name, counted up to most.
func (tx *Tx) CountEvents(ctx context.Context, scope Scope, q EventQuery, most int) (int64, error) {
	visible, args := scope.tenants("e.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	q.conditions(&b)
	var n []int64
	err := tx.listBuilt(ctx, &n, `SELECT count(*) FROM (SELECT 1 FROM events e`+b.where()+` LIMIT ?) counted`, append(b.args, most)...)
	if err != nil {
		return 0, err
	}
	return n[0], nil
}

// Events returns the scope's events, newest first.
func (tx *Tx) Events(ctx context.Context, scope Scope, q EventQuery) (identity.Page[identity.Event], error) {
	var page identity.Page[identity.Event]
	visible, args := scope.tenants("e.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	q.conditions(&b)
	q.texts(&b)
	list := identity.Query{After: string(q.After), Newest: true, Limit: q.Limit}
	b.after("e.id", list)
	var rows []eventRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+eventColumns+` FROM events e`+b.where()+b.order("e.id", list), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Event, len(rows))
	for i := range rows {
		var err error
		if page.Items[i], err = rows[i].event(); err != nil {
			return page, err
		}
	}
	return page, nil
}
