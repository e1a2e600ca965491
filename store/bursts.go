package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// KeptOut counts the people whom a directory has kept out since a time, without those who came since then, and those whom it lets in.
func (tx *Tx) KeptOut(ctx context.Context, directory identity.DirectoryID, since time.Time) (left, active int, err error) {
	if err := tx.get(ctx, &left, `SELECT count(*) FROM directory_users WHERE directory_id = ? AND left_at > ? AND created_at <= ?`, string(directory), since, since); err != nil {
		return 0, 0, err
	}
	err = tx.get(ctx, &active, `SELECT count(*) FROM directory_users WHERE directory_id = ? AND active`, string(directory))
	return left, active, err
}

type burstRow struct {
	ID           string `db:"id"`
	DirectoryID  string `db:"directory_id"`
	Directory    string `db:"name"`
	TenantID     text   `db:"tenant_id"`
	BeganAt      moment `db:"began_at"`
	Count        int    `db:"count"`
	State        string `db:"state"`
	DecidedBy    string `db:"decided_by"`
	DecidedAt    moment `db:"decided_at"`
	Reason       string `db:"reason"`
	AllowedUntil moment `db:"allowed_until"`
}

const burstColumns = `b.id, b.directory_id, d.name, d.tenant_id, b.began_at, b.count, b.state, b.decided_by, b.decided_at, b.reason, b.allowed_until FROM directory_bursts b JOIN directories d ON d.id = b.directory_id`

func (r *burstRow) burst() identity.Burst {
	return identity.Burst{
		ID: identity.BurstID(r.ID), DirectoryID: identity.DirectoryID(r.DirectoryID), Directory: r.Directory, TenantID: identity.TenantID(r.TenantID), BeganAt: r.BeganAt.time(),
		Count: r.Count, State: identity.BurstState(r.State), DecidedBy: r.DecidedBy, DecidedAt: r.DecidedAt.at, Reason: r.Reason, AllowedUntil: r.AllowedUntil.at,
	}
}

// LastBurst returns the newest burst of a directory, or NotFound.
func (tx *Tx) LastBurst(ctx context.Context, directory identity.DirectoryID) (identity.Burst, error) {
	var r burstRow
	err := tx.get(ctx, &r, `SELECT `+burstColumns+` WHERE b.directory_id = ? ORDER BY b.id DESC LIMIT 1`, string(directory))
	return r.burst(), err
}

// BurstForUpdate returns a burst of the scope with its row locked, or NotFound.
func (tx *Tx) BurstForUpdate(ctx context.Context, scope Scope, id identity.BurstID) (identity.Burst, error) {
	visible, args := scope.tenants("d.tenant_id")
	var r burstRow
	err := tx.get(ctx, &r, `SELECT `+burstColumns+` WHERE b.id = ? AND `+visible+tx.lockRows("b"), append([]any{string(id)}, args...)...)
	return r.burst(), err
}

// Bursts returns a page of the scope's bursts, newest first.
func (tx *Tx) Bursts(ctx context.Context, scope Scope, q identity.Query) (identity.Page[identity.Burst], error) {
	var page identity.Page[identity.Burst]
	visible, args := scope.tenants("d.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	q.Newest, q.Sort = true, nil
	b.after("b.id", q)
	var rows []burstRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+burstColumns+b.where()+b.order("b.id", q), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Burst, len(rows))
	for i := range rows {
		page.Items[i] = rows[i].burst()
	}
	return page, nil
}

// PutBurst writes a burst, new or changed.
func (tx *Tx) PutBurst(ctx context.Context, b identity.Burst) error {
	return tx.exec(ctx, `INSERT INTO directory_bursts (id, directory_id, began_at, count, state, decided_by, decided_at, reason, allowed_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET count = excluded.count, state = excluded.state, decided_by = excluded.decided_by, decided_at = excluded.decided_at, reason = excluded.reason,
		allowed_until = excluded.allowed_until`,
		string(b.ID), string(b.DirectoryID), b.BeganAt, b.Count, string(b.State), b.DecidedBy, b.DecidedAt, b.Reason, b.AllowedUntil)
}

// The kinds of departures that wait.
const (
	departDelete = "delete"
	departOut    = "deactivate"
	departAgain  = "again" // the directory asks for it again
)

// HoldDeparture notes that somebody waits; false when that was noted before.
func (tx *Tx) HoldDeparture(ctx context.Context, burst identity.BurstID, d identity.Departure) (bool, error) {
	kind := departOut
	switch {
	case !d.Queued:
		kind = departAgain
	case d.Delete:
		kind = departDelete
	}
	n, err := tx.execCount(ctx, `INSERT INTO held_departures (burst_id, user_id, request_id, kind, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		string(burst), string(d.UserID), null(d.RequestID), kind, tx.now)
	return n > 0, err
}

type departureRow struct {
	UserID    string `db:"user_id"`
	Who       string `db:"who"`
	RequestID text   `db:"request_id"`
	Kind      string `db:"kind"`
	At        moment `db:"at"`
}

// Departures returns who waits in a burst, behind a user in the order of ids.
func (tx *Tx) Departures(ctx context.Context, burst identity.BurstID, after identity.UserID, limit int) (identity.Page[identity.Departure], error) {
	var page identity.Page[identity.Departure]
	var rows []departureRow
	err := tx.list(ctx, &rows, `SELECT h.user_id, CASE WHEN u.display_name = '' THEN u.user_name ELSE u.display_name END AS who, h.request_id, h.kind, h.at
		FROM held_departures h JOIN users u ON u.id = h.user_id WHERE h.burst_id = ? AND h.user_id > COALESCE(`+tx.cast()+`, `+nobody+`) ORDER BY h.user_id LIMIT ?`,
		string(burst), null(after), limit+1)
	if err != nil {
		return page, err
	}
	rows, page.More = cut(rows, limit)
	for _, r := range rows {
		page.Items = append(page.Items, identity.Departure{
			UserID: identity.UserID(r.UserID), Who: r.Who, RequestID: identity.RequestID(r.RequestID), Delete: r.Kind == departDelete, Queued: r.Kind != departAgain, At: r.At.time(),
		})
	}
	return page, nil
}

// DropDeparture notes that somebody of a burst does not wait any more.
func (tx *Tx) DropDeparture(ctx context.Context, burst identity.BurstID, user identity.UserID) error {
	return tx.exec(ctx, `DELETE FROM held_departures WHERE burst_id = ? AND user_id = ?`, string(burst), string(user))
}

// WroteSince reports whether a directory wrote about a user after a time, in a request other than the one named.
func (tx *Tx) WroteSince(ctx context.Context, directory identity.DirectoryID, user identity.UserID, since time.Time, other identity.RequestID) (bool, error) {
	b := builder{tx: tx}
	about := b.holds("r.path") + " OR " + b.holds("r.operations")
	var ids []text
	err := tx.list(ctx, &ids, `SELECT r.id FROM requests r WHERE r.directory_id = ? AND r.at > ? AND r.id <> COALESCE(`+tx.cast()+`, `+nobody+`) AND r.status < 300 AND r.status <> 202
		AND r.method <> 'GET' AND (`+about+`) LIMIT 1`, string(directory), since, null(other), string(user), string(user))
	return len(ids) > 0, err
}
