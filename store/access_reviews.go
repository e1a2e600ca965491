package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type accessReviewRow struct {
	ID        text   `db:"id"`
	TenantID  text   `db:"tenant_id"`
	Tenant    text   `db:"tenant"`
	Name      string `db:"name"`
	Scope     string `db:"scope"`
	CreatedBy string `db:"created_by"`
	CreatedAt moment `db:"created_at"`
	DueAt     moment `db:"due_at"`
	ClosedAt  moment `db:"closed_at"`
	ClosedBy  string `db:"closed_by"`
	Items     int    `db:"items"`
	Undecided int    `db:"undecided"`
}

const accessReviewQuery = `SELECT r.id, r.tenant_id, t.name AS tenant, r.name, r.scope, r.created_by, r.created_at, r.due_at, r.closed_at, r.closed_by,
	(SELECT count(*) FROM access_review_items i WHERE i.review_id = r.id) AS items,
	(SELECT count(*) FROM access_review_items i WHERE i.review_id = r.id AND i.decision = '') AS undecided
	FROM access_reviews r LEFT JOIN tenants t ON t.id = r.tenant_id`

func (r *accessReviewRow) review() (identity.AccessReview, error) {
	scope, err := identity.ParseAccessReviewScope(r.Scope)
	return identity.AccessReview{
		ID: identity.AccessReviewID(r.ID), TenantID: identity.TenantID(r.TenantID), TenantName: string(r.Tenant), Name: r.Name, Scope: scope, CreatedBy: r.CreatedBy,
		CreatedAt: r.CreatedAt.time(), DueAt: r.DueAt.time(), ClosedAt: r.ClosedAt.at, ClosedBy: r.ClosedBy, Items: r.Items, Undecided: r.Undecided,
	}, err
}

// InsertAccessReview writes a review; its items follow.
func (tx *Tx) InsertAccessReview(ctx context.Context, r identity.AccessReview) error {
	return tx.exec(ctx, `INSERT INTO access_reviews (id, tenant_id, name, scope, created_by, created_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		string(r.ID), null(r.TenantID), r.Name, r.Scope.String(), r.CreatedBy, r.CreatedAt, r.DueAt)
}

// ReviewedAccess says which assignments a review takes up. Without Roles and Everything there are none.
type ReviewedAccess struct {
	Tenant     identity.TenantID // empty: the whole installation
	Everything bool
	Roles      []identity.RoleID
	Flagged    bool      // also who carries the admin flag
	UnseenFor  time.Time // unless zero: only people who were not seen since, may not come in, or whom every directory gave up
}

// InsertAccessReviewItems takes up what is held now, and returns how much that is.
func (tx *Tx) InsertAccessReviewItems(ctx context.Context, id identity.AccessReviewID, w ReviewedAccess) (int, error) {
	cond, args := tx.reviewed(w)
	names := []any{}
	held := ""
	if !w.Everything {
		in, list := tx.textList("a.role_id", roleTexts(w.Roles))
		held, names = " AND "+in, append(names, list)
	}
	head := `INSERT INTO access_review_items (review_id, assignment_id, user_id, application, role_id, decision, decided_by, reason, source, granted_by, granted_reason, granted_at) SELECT ` + tx.cast()
	n, err := tx.execCount(ctx, head+`, a.id, u.id, a.application, a.role_id, '', '', '', a.source, a.granted_by, a.reason, a.created_at
		FROM users u JOIN assignments a ON a.user_id = u.id WHERE `+cond+held, append(append([]any{string(id)}, args...), names...)...)
	if err != nil || !w.Flagged {
		return n, err
	}
	flags, err := tx.execCount(ctx, head+`, u.id, u.id, ?, '', '', '', '', '', '', '', p.updated_at
		FROM users u JOIN positions p ON p.user_id = u.id AND p.administrator WHERE `+cond, append([]any{string(id), identity.DefaultApplication}, args...)...)
	return n + flags, err
}

// reviewed returns the condition on the people of a review.
func (tx *Tx) reviewed(w ReviewedAccess) (string, []any) {
	cond, args := "u.deleted_at IS NULL", []any(nil)
	if w.Tenant != "" {
		cond, args = cond+" AND u.tenant_id = ?", append(args, string(w.Tenant))
	}
	if !w.UnseenFor.IsZero() {
		cond += ` AND (COALESCE(u.last_login_at, u.created_at) < ` + tx.castTime() + ` OR NOT u.enabled OR (EXISTS (SELECT 1 FROM directory_users d WHERE d.user_id = u.id)
			AND NOT EXISTS (SELECT 1 FROM directory_users d WHERE d.user_id = u.id AND d.active)))`
		args = append(args, w.UnseenFor)
	}
	return cond, args
}

// AccessReviewQuery says which reviews are wanted.
type AccessReviewQuery struct {
	Open  bool   // only those that are not closed
	After string // older than this one
	Limit int
	Total bool
}

// AccessReviews returns the scope's reviews, newest first.
func (tx *Tx) AccessReviews(ctx context.Context, scope Scope, q AccessReviewQuery) (identity.Page[identity.AccessReview], error) {
	var page identity.Page[identity.AccessReview]
	visible, args := scope.tenants("r.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.Open {
		b.add("r.closed_at IS NULL")
	}
	list := identity.Query{After: q.After, Newest: true, Limit: q.Limit, Total: q.Total}
	var err error
	if page.Total, err = b.total(ctx, list, ` FROM access_reviews r`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("r.id", list)
	var rows []accessReviewRow
	if err := tx.listBuilt(ctx, &rows, accessReviewQuery+b.where()+b.order("r.id", list), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.AccessReview, len(rows))
	for i := range rows {
		if page.Items[i], err = rows[i].review(); err != nil {
			return page, err
		}
	}
	return page, nil
}

// AccessReview returns a review of the scope, or NotFound.
func (tx *Tx) AccessReview(ctx context.Context, scope Scope, id identity.AccessReviewID) (identity.AccessReview, error) {
	return tx.accessReview(ctx, scope, id, "")
}

// AccessReviewForUpdate is AccessReview with the row locked until the transaction ends.
func (tx *Tx) AccessReviewForUpdate(ctx context.Context, scope Scope, id identity.AccessReviewID) (identity.AccessReview, error) {
	return tx.accessReview(ctx, scope, id, tx.lockRows("r"))
}

func (tx *Tx) accessReview(ctx context.Context, scope Scope, id identity.AccessReviewID, lock string) (identity.AccessReview, error) {
	visible, args := scope.tenants("r.tenant_id")
	var r accessReviewRow
	if err := tx.get(ctx, &r, accessReviewQuery+` WHERE r.id = ? AND `+visible+lock, append([]any{string(id)}, args...)...); err != nil {
		return identity.AccessReview{}, err
	}
	return r.review()
}

// LastAccessReview returns when a review of a tenant (none: the whole installation) with this scope last began, and whether it is still open; the zero time when none
// ever did.
func (tx *Tx) LastAccessReview(ctx context.Context, tenant identity.TenantID, scope identity.AccessReviewScope) (time.Time, bool, error) {
	home, args := "tenant_id IS NULL", []any{}
	if tenant != "" {
		home, args = "tenant_id = ?", append(args, string(tenant))
	}
	var last []struct {
		At   moment `db:"created_at"`
		Open bool   `db:"open"`
	}
	err := tx.list(ctx, &last, `SELECT created_at, closed_at IS NULL AS open FROM access_reviews WHERE `+home+` AND scope = ? ORDER BY created_at DESC LIMIT 1`, append(args, scope.String())...)
	if err != nil || len(last) == 0 {
		return time.Time{}, false, err
	}
	return last[0].At.time(), last[0].Open, nil
}

// CloseAccessReview notes that a review is over.
func (tx *Tx) CloseAccessReview(ctx context.Context, id identity.AccessReviewID, by string) error {
	return tx.execOne(ctx, `UPDATE access_reviews SET closed_at = ?, closed_by = ? WHERE id = ?`, tx.now, by, string(id))
}
