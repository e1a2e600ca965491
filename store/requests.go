package store

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// InsertRequest writes an entry of the request journal.
func (tx *Tx) InsertRequest(ctx context.Context, r identity.Request) error {
	operations := ""
	if len(r.Operations) > 0 {
		var err error
		if operations, err = asJSON(r.Operations); err != nil {
			return err
		}
	}
	return tx.later(ctx, `INSERT INTO requests (id, at, directory_id, tenant_id, method, path, body, status, code, detail, operations, duration_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(r.ID), r.At, null(r.DirectoryID), null(r.TenantID), r.Method, r.Path, r.Body, r.Status, r.Code, r.Detail, operations, r.Duration.Microseconds())
}

// RequestQuery says which requests are wanted; empty fields do not narrow.
type RequestQuery struct {
	ID          identity.RequestID
	DirectoryID identity.DirectoryID
	Failed      bool // refused, or a bulk request of which a part was
	Class       int  // the first digit of the status
	Status      int
	Method      string
	Path        string   // a part of the path with its query, as it was sent
	About       []string // each an id of a user or group, or a word; a request that changed it, or names it, is about it
	Since       time.Time
	Until       time.Time          // exclusive
	After       identity.RequestID // older than this one
	Limit       int
}

// failedRequest is how a request is known of which something failed; the index requests_failed has these alone.
const failedRequest = "r.detail <> ''"

// conditions adds what the query asks for.
func (q RequestQuery) conditions(b *builder) {
	equal := func(column, value string) {
		if value != "" {
			b.add(column+" = ?", value)
		}
	}
	equal("r.id", string(q.ID))
	equal("r.directory_id", string(q.DirectoryID))
	equal("r.method", q.Method)
	if q.Failed || q.Class >= 4 || q.Status >= 400 {
		b.add(failedRequest)
	}
	if q.Class > 0 {
		b.add("r.status >= ? AND r.status < ?", q.Class*100, q.Class*100+100)
	}
	if q.Status > 0 {
		b.add("r.status = ?", q.Status)
	}
	if q.Path != "" {
		b.add(b.holds("r.path"), q.Path)
	}
	if !q.Since.IsZero() { // ids are of the time of the request, give or take nothing worth an index of its own
		b.add("r.at >= ? AND r.id >= ?", q.Since.UTC(), identity.IDBefore(q.Since.Add(-time.Minute)))
	}
	if !q.Until.IsZero() {
		b.add("r.at < ? AND r.id < ?", q.Until.UTC(), identity.IDBefore(q.Until.Add(time.Minute)))
	}
	q.about(b)
}

// about narrows to requests that changed one of the subjects, as the events tell, or that name it.
func (q RequestQuery) about(b *builder) {
	var ways []string
	var args []any
	for _, subject := range q.About {
		for _, column := range []string{"r.path", "r.body", "r.operations"} {
			ways, args = append(ways, b.holds(column)), append(args, subject)
		}
		if id, ok := identity.ParseID[string](subject); ok {
			ways = append(ways, `r.id IN (SELECT e.request_id FROM events e WHERE e.user_id = ? UNION SELECT o.request_id FROM events o WHERE o.object_id = ?)`)
			args = append(args, id, id)
		}
	}
	if len(ways) > 0 {
		b.add("("+strings.Join(ways, " OR ")+")", args...)
	}
}

// holds is the condition that a column has a text as a part of it, letter for letter.
func (b *builder) holds(column string) string {
	if b.tx.postgres() {
		return "strpos(" + column + ", ?) > 0"
	}
	return "instr(" + column + ", ?) > 0"
}

// Requests returns the scope's journal, newest first.
func (tx *Tx) Requests(ctx context.Context, scope Scope, q RequestQuery) (identity.Page[identity.Request], error) {
	var page identity.Page[identity.Request]
	visible, args := scope.tenants("r.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	q.conditions(&b)
	list := identity.Query{After: string(q.After), Newest: true, Limit: q.Limit}
	b.after("r.id", list)
	var rows []requestRow
	err := tx.listBuilt(ctx, &rows, `SELECT `+requestColumns+` FROM requests r`+b.where()+b.order("r.id", list), b.args...)
	if err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Request, len(rows))
	for i := range rows {
		if page.Items[i], err = rows[i].request(); err != nil {
			return page, err
		}
	}
	return page, nil
}

const requestColumns = `r.id, r.at, r.directory_id, r.tenant_id, r.method, r.path, r.body, r.status, r.code, r.detail, r.operations, r.duration_us`

type requestRow struct {
	ID          text   `db:"id"`
	At          moment `db:"at"`
	DirectoryID text   `db:"directory_id"`
	TenantID    text   `db:"tenant_id"`
	Method      string `db:"method"`
	Path        string `db:"path"`
	Body        string `db:"body"`
	Status      int    `db:"status"`
	Code        string `db:"code"`
	Detail      string `db:"detail"`
	Operations  text   `db:"operations"`
	DurationUS  int64  `db:"duration_us"`
}

func (r *requestRow) request() (identity.Request, error) {
	out := identity.Request{
		ID: identity.RequestID(r.ID), At: r.At.time(), DirectoryID: identity.DirectoryID(r.DirectoryID), TenantID: identity.TenantID(r.TenantID), Kept: true,
		Method: r.Method, Path: r.Path, Body: r.Body, Status: r.Status, Code: r.Code, Detail: r.Detail, Duration: time.Duration(r.DurationUS) * time.Microsecond,
	}
	return out, fromJSON(r.Operations, &out.Operations)
}

// EventsOfRequest returns what a request changed, in the order in which it happened, at most limit. Events have no index by request: those of the
// time that the request took are looked at.
func (tx *Tx) EventsOfRequest(ctx context.Context, r identity.Request, limit int) ([]identity.Event, error) {
	from, to := r.At.Add(-time.Second), r.At.Add(r.Duration+5*time.Second)
	var rows []eventRow
	err := tx.list(ctx, &rows, `SELECT `+eventColumns+` FROM events e WHERE e.request_id = ? AND e.id >= ? AND e.id < ? ORDER BY e.id LIMIT ?`,
		string(r.ID), identity.IDBefore(from), identity.IDBefore(to), limit)
	if err != nil {
		return nil, err
	}
	events := make([]identity.Event, len(rows))
	for i := range rows {
		if events[i], err = rows[i].event(); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// DeleteRequests deletes entries of the journal from before a time, at most limit, the oldest first, and returns how many.
func (tx *Tx) DeleteRequests(ctx context.Context, before time.Time, limit int) (int, error) {
	return tx.execCount(ctx, `DELETE FROM requests WHERE id IN (SELECT r.id FROM requests r WHERE r.id < ? ORDER BY r.id LIMIT ?)`, identity.IDBefore(before), limit)
}

// AddReads adds successful reads to the count of a directory's day, which is written as 2006-01-02 in UTC.
func (tx *Tx) AddReads(ctx context.Context, directory identity.DirectoryID, day string, n int64) error {
	return tx.exec(ctx, `INSERT INTO request_reads (directory_id, day, reads) VALUES (?, ?, ?)
		ON CONFLICT (directory_id, day) DO UPDATE SET reads = request_reads.reads + excluded.reads`, string(directory), day, n)
}

// Reads returns how many reads of each directory succeeded on a day.
func (tx *Tx) Reads(ctx context.Context, day string) (map[identity.DirectoryID]int64, error) {
	var rows []struct {
		Directory string `db:"directory_id"`
		Reads     int64  `db:"reads"`
	}
	err := tx.list(ctx, &rows, `SELECT c.directory_id, c.reads FROM request_reads c WHERE c.day = ?`, day)
	reads := make(map[identity.DirectoryID]int64, len(rows))
	for _, r := range rows {
		reads[identity.DirectoryID(r.Directory)] = r.Reads
	}
	return reads, err
}

// DeleteReads deletes the counts of days before the one given.
func (tx *Tx) DeleteReads(ctx context.Context, day string) error {
	return tx.exec(ctx, `DELETE FROM request_reads WHERE day < ?`, day)
}
