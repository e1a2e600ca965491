package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type holdingRow struct {
	Application string `db:"application"`
	Kind        string `db:"kind"`
	ForeignID   string `db:"foreign_id"`
	Display     string `db:"display"`
	TenantID    text   `db:"tenant_id"`
	UserID      text   `db:"user_id"`
	SuccessorID text   `db:"successor_id"`
	RequestedAt moment `db:"requested_at"`
	RequestedBy string `db:"requested_by"`
	TransferID  text   `db:"transfer_id"`
	Reason      string `db:"transfer_reason"`
	UpdatedAt   moment `db:"updated_at"`
}

const holdingColumns = `h.application, h.kind, h.foreign_id, h.display, h.tenant_id, h.user_id, h.successor_id, h.requested_at, h.requested_by, h.transfer_id, h.transfer_reason, h.updated_at`

func (r *holdingRow) holding() identity.Holding {
	h := identity.Holding{
		HoldingKey: identity.HoldingKey{Application: r.Application, Kind: identity.HoldingKind(r.Kind), ForeignID: r.ForeignID},
		Display:    r.Display, TenantID: identity.TenantID(r.TenantID), UserID: identity.UserID(r.UserID), UpdatedAt: r.UpdatedAt.time(),
	}
	if r.SuccessorID != "" && r.TransferID != "" {
		h.Transfer = &identity.Transfer{
			ID: identity.TransferID(r.TransferID), Successor: identity.UserID(r.SuccessorID), RequestedAt: r.RequestedAt.time(), RequestedBy: r.RequestedBy, Reason: r.Reason,
		}
	}
	return h
}

func holdingsOf(rows []holdingRow) []identity.Holding {
	out := make([]identity.Holding, len(rows))
	for i := range rows {
		out[i] = rows[i].holding()
	}
	return out
}

// HoldingForUpdate returns a holding, of whatever tenant, with its row locked, or NotFound.
func (tx *Tx) HoldingForUpdate(ctx context.Context, k identity.HoldingKey) (identity.Holding, error) {
	var r holdingRow
	err := tx.get(ctx, &r, `SELECT `+holdingColumns+` FROM holdings h WHERE h.application = ? AND h.kind = ? AND h.foreign_id = ?`+tx.lockRows("h"), k.Application, string(k.Kind), k.ForeignID)
	return r.holding(), err
}

// TransferForUpdate returns the holding of the scope that waits for a transfer, with its row locked, or NotFound.
func (tx *Tx) TransferForUpdate(ctx context.Context, scope Scope, application string, id identity.TransferID) (identity.Holding, error) {
	visible, args := scope.tenants("h.tenant_id")
	var r holdingRow
	err := tx.get(ctx, &r, `SELECT `+holdingColumns+` FROM holdings h WHERE h.transfer_id = ? AND h.application = ? AND h.successor_id IS NOT NULL AND `+visible+tx.lockRows("h"),
		append([]any{string(id), application}, args...)...)
	return r.holding(), err
}

// PutHolding writes a holding as a whole.
func (tx *Tx) PutHolding(ctx context.Context, h identity.Holding) error {
	t := identity.Transfer{}
	var at any
	if h.Transfer != nil {
		t, at = *h.Transfer, h.Transfer.RequestedAt
	}
	return tx.exec(ctx, `INSERT INTO holdings (application, kind, foreign_id, display, tenant_id, user_id, successor_id, requested_at, requested_by, transfer_id, transfer_reason, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (application, kind, foreign_id) DO UPDATE SET display = excluded.display, user_id = excluded.user_id,
		successor_id = excluded.successor_id, requested_at = excluded.requested_at, requested_by = excluded.requested_by, transfer_id = excluded.transfer_id,
		transfer_reason = excluded.transfer_reason, updated_at = excluded.updated_at`,
		h.Application, string(h.Kind), h.ForeignID, h.Display, string(h.TenantID), string(h.UserID), null(t.Successor), at, t.RequestedBy, null(t.ID), t.Reason, tx.now)
}

// DeleteHolding deletes a holding, or returns NotFound.
func (tx *Tx) DeleteHolding(ctx context.Context, k identity.HoldingKey) error {
	return tx.execOne(ctx, `DELETE FROM holdings WHERE application = ? AND kind = ? AND foreign_id = ?`, k.Application, string(k.Kind), k.ForeignID)
}

// MoveHoldings gives all that one user holds, or is to get, to another and returns how many that were.
func (tx *Tx) MoveHoldings(ctx context.Context, from, to identity.UserID) (int, error) {
	n, err := tx.execCount(ctx, `UPDATE holdings SET user_id = ?, updated_at = ? WHERE user_id = ?`, string(to), tx.now, string(from))
	if err != nil {
		return 0, err
	}
	m, err := tx.execCount(ctx, `UPDATE holdings SET successor_id = ?, updated_at = ? WHERE successor_id = ?`, string(to), tx.now, string(from))
	if err != nil {
		return 0, err
	}
	// What was to go from the one to the other is there.
	return n + m, tx.exec(ctx, `UPDATE holdings SET successor_id = NULL, transfer_id = NULL, requested_at = NULL WHERE user_id = successor_id AND user_id = ?`, string(to))
}

// HoldingQuery says which holdings are wanted; empty fields do not narrow.
type HoldingQuery struct {
	UserID      identity.UserID
	TenantID    identity.TenantID
	Application string
	Kind        identity.HoldingKind
	Unassigned  bool                  // without an open transfer
	Open        bool                  // with an open transfer, in the order in which these were asked for
	After       identity.HoldingKey   // behind this one
	AfterID     identity.TransferID   // with Open: behind this one
	Keys        []identity.HoldingKey // only these, if any
	Limit       int
}

func (q HoldingQuery) conditions(b *builder) {
	if q.UserID != "" {
		b.add("h.user_id = ?", string(q.UserID))
	}
	if q.TenantID != "" {
		b.add("h.tenant_id = ?", string(q.TenantID))
	}
	if q.Application != "" {
		b.add("h.application = ?", q.Application)
	}
	if q.Kind != "" {
		b.add("h.kind = ?", string(q.Kind))
	}
	if q.Unassigned {
		b.add("h.successor_id IS NULL")
	}
	if q.Open {
		b.add("h.successor_id IS NOT NULL AND h.transfer_id IS NOT NULL")
	}
	if q.AfterID != "" {
		b.add("h.transfer_id > ?", string(q.AfterID))
	}
	if q.After.Application != "" {
		b.add("(h.application, h.kind, h.foreign_id) > (?, ?, ?)", q.After.Application, string(q.After.Kind), q.After.ForeignID)
	}
	if len(q.Keys) > 0 {
		names := make([]string, len(q.Keys))
		for i, k := range q.Keys {
			names[i] = k.String()
		}
		in, arg := b.tx.textList("(h.application || '/' || h.kind || '/' || h.foreign_id)", names)
		b.add(in, arg)
	}
}

// Holdings returns a page of the scope's holdings in the order of their keys.
func (tx *Tx) Holdings(ctx context.Context, scope Scope, q HoldingQuery) (identity.Page[identity.Holding], error) {
	return tx.holdings(ctx, scope, q, "")
}

// HoldingsForUpdate is Holdings with the rows locked.
func (tx *Tx) HoldingsForUpdate(ctx context.Context, scope Scope, q HoldingQuery) (identity.Page[identity.Holding], error) {
	return tx.holdings(ctx, scope, q, tx.lockRows("h"))
}

func (tx *Tx) holdings(ctx context.Context, scope Scope, q HoldingQuery, lock string) (identity.Page[identity.Holding], error) {
	var page identity.Page[identity.Holding]
	visible, args := scope.tenants("h.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	q.conditions(&b)
	order := " ORDER BY h.application, h.kind, h.foreign_id LIMIT ?"
	if q.Open {
		order = " ORDER BY h.transfer_id LIMIT ?"
	}
	var rows []holdingRow
	err := tx.listBuilt(ctx, &rows, `SELECT `+holdingColumns+` FROM holdings h`+b.where()+order+lock, append(b.args, q.Limit+1)...)
	rows, page.More = cut(rows, q.Limit)
	page.Items = holdingsOf(rows)
	return page, err
}
