package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type offboardingRow struct {
	ID        text   `db:"id"`
	UserID    text   `db:"user_id"`
	TenantID  text   `db:"tenant_id"`
	Successor text   `db:"successor_id"`
	Reason    string `db:"reason"`
	State     string `db:"state"`
	BegunBy   string `db:"begun_by"`
	BegunAt   moment `db:"begun_at"`
	ClosedBy  string `db:"closed_by"`
	ClosedAt  moment `db:"closed_at"`
	Data      text   `db:"data"`
}

const offboardingColumns = `o.id, o.user_id, o.tenant_id, o.successor_id, o.reason, o.state, o.begun_by, o.begun_at, o.closed_by, o.closed_at, o.data`

func (r *offboardingRow) offboarding() (identity.Offboarding, error) {
	o := identity.Offboarding{
		ID: identity.OffboardingID(r.ID), UserID: identity.UserID(r.UserID), TenantID: identity.TenantID(r.TenantID), Successor: identity.UserID(r.Successor), Reason: r.Reason,
		State: identity.OffboardingState(r.State), BegunBy: r.BegunBy, BegunAt: r.BegunAt.time(), ClosedBy: r.ClosedBy, ClosedAt: r.ClosedAt.at,
	}
	return o, fromJSON(r.Data, &o.Facts)
}

// InsertOffboarding writes a new offboarding. Conflict when the person has one that is open.
func (tx *Tx) InsertOffboarding(ctx context.Context, o identity.Offboarding) error {
	data, err := asJSON(o.Facts)
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO offboardings (id, user_id, tenant_id, successor_id, reason, state, begun_by, begun_at, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(o.ID), string(o.UserID), null(o.TenantID), null(o.Successor), o.Reason, string(o.State), o.BegunBy, o.BegunAt, data)
}

// UpdateOffboarding writes how far an offboarding is.
func (tx *Tx) UpdateOffboarding(ctx context.Context, o identity.Offboarding) error {
	data, err := asJSON(o.Facts)
	if err != nil {
		return err
	}
	return tx.execOne(ctx, `UPDATE offboardings SET successor_id = ?, reason = ?, state = ?, closed_by = ?, closed_at = ?, data = ? WHERE id = ?`,
		null(o.Successor), o.Reason, string(o.State), o.ClosedBy, o.ClosedAt, data, string(o.ID))
}

// Offboarding returns an offboarding of the scope, or NotFound.
func (tx *Tx) Offboarding(ctx context.Context, scope Scope, id identity.OffboardingID) (identity.Offboarding, error) {
	return tx.offboarding(ctx, scope, "o.id = ?", "", string(id))
}

// OffboardingForUpdate is Offboarding with the row locked until the transaction ends.
func (tx *Tx) OffboardingForUpdate(ctx context.Context, scope Scope, id identity.OffboardingID) (identity.Offboarding, error) {
	return tx.offboarding(ctx, scope, "o.id = ?", tx.lockRows("o"), string(id))
}

// OpenOffboarding returns the offboarding of a person that is open, with its row locked, or NotFound.
func (tx *Tx) OpenOffboarding(ctx context.Context, user identity.UserID) (identity.Offboarding, error) {
	return tx.offboarding(ctx, Everything(), "o.closed_at IS NULL AND o.user_id = ?", tx.lockRows("o"), string(user))
}

func (tx *Tx) offboarding(ctx context.Context, scope Scope, which, lock, value string) (identity.Offboarding, error) {
	visible, args := scope.tenants("o.tenant_id")
	var r offboardingRow
	if err := tx.get(ctx, &r, `SELECT `+offboardingColumns+` FROM offboardings o WHERE `+which+` AND `+visible+lock, append([]any{value}, args...)...); err != nil {
		return identity.Offboarding{}, err
	}
	return r.offboarding()
}

// OffboardingQuery says which offboardings are wanted; empty fields do not narrow.
type OffboardingQuery struct {
	State    identity.OffboardingState
	UserID   identity.UserID
	TenantID identity.TenantID
	After    identity.OffboardingID // older than this one
	Limit    int
}

// Offboardings returns a page of the scope's offboardings, newest first.
func (tx *Tx) Offboardings(ctx context.Context, scope Scope, q OffboardingQuery) (identity.Page[identity.Offboarding], error) {
	var page identity.Page[identity.Offboarding]
	visible, args := scope.tenants("o.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.State != "" {
		b.add("o.state = ?", string(q.State))
	}
	if q.UserID != "" {
		b.add("o.user_id = ?", string(q.UserID))
	}
	if q.TenantID != "" {
		b.add("o.tenant_id = ?", string(q.TenantID))
	}
	list := identity.Query{After: string(q.After), Newest: true, Limit: q.Limit}
	b.after("o.id", list)
	var rows []offboardingRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+offboardingColumns+` FROM offboardings o`+b.where()+b.order("o.id", list), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Offboarding, len(rows))
	for i := range rows {
		var err error
		if page.Items[i], err = rows[i].offboarding(); err != nil {
			return page, err
		}
	}
	return page, nil
}

// Leavers returns people who may not come in, deleted ones too, who own something or have to do it, and whom no offboarding deals with: none is open, and what they hold was said
// after the last one was closed. At most limit, behind an id.
func (tx *Tx) Leavers(ctx context.Context, after identity.UserID, limit int) ([]identity.UserID, error) {
	var ids []identity.UserID
	behind, args := "", []any{}
	if after != "" {
		behind, args = "h.user_id > ? AND ", append(args, string(after))
	}
	err := tx.list(ctx, &ids, `SELECT DISTINCT h.user_id FROM holdings h JOIN users u ON u.id = h.user_id WHERE `+behind+`(NOT u.enabled OR u.deleted_at IS NOT NULL)
		AND NOT EXISTS (SELECT 1 FROM offboardings o WHERE o.user_id = h.user_id AND (o.state = 'open' OR o.state = 'closed' AND o.closed_at >= h.updated_at)) ORDER BY h.user_id LIMIT ?`, append(args, limit)...)
	return ids, err
}

// MoveOffboardings makes the offboardings of one user those of another, and so those in whose favour the one was. An open one ends: the person goes on under the other account.
func (tx *Tx) MoveOffboardings(ctx context.Context, from, to identity.UserID) error {
	if err := tx.exec(ctx, `UPDATE offboardings SET state = 'cancelled', closed_at = ? WHERE user_id = ? AND closed_at IS NULL`, tx.now, string(from)); err != nil {
		return err
	}
	if err := tx.exec(ctx, `UPDATE offboardings SET user_id = ? WHERE user_id = ?`, string(to), string(from)); err != nil {
		return err
	}
	return tx.exec(ctx, `UPDATE offboardings SET successor_id = ? WHERE successor_id = ?`, string(to), string(from))
}
