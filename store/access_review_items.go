package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type reviewItemRow struct {
	ReviewID  text   `db:"review_id"`
	ID        text   `db:"assignment_id"`
	UserID    text   `db:"user_id"`
	RoleID    string `db:"role_id"`
	Source    string `db:"source"`
	GrantedBy string `db:"granted_by"`
	Granted   string `db:"granted_reason"`
	GrantedAt moment `db:"granted_at"`
	Decision  string `db:"decision"`
	DecidedBy string `db:"decided_by"`
	DecidedAt moment `db:"decided_at"`
	Reason    string `db:"reason"`
	Held      bool   `db:"held"`
}

// What a flag's item names is its person.
const reviewItemQuery = `SELECT i.review_id, i.assignment_id, i.user_id, i.role_id, i.source, i.granted_by, i.granted_reason, i.granted_at, i.decision, i.decided_by, i.decided_at, i.reason,
	EXISTS (SELECT 1 FROM users u WHERE u.id = i.user_id AND u.deleted_at IS NULL) AND (EXISTS (SELECT 1 FROM assignments a WHERE a.user_id = i.user_id AND a.role_id = i.role_id AND a.id = i.assignment_id)
		OR i.role_id = '' AND EXISTS (SELECT 1 FROM positions p WHERE p.user_id = i.user_id AND p.administrator)) AS held
	FROM access_review_items i`

func (r *reviewItemRow) item() identity.AccessReviewItem {
	return identity.AccessReviewItem{
		ReviewID: identity.AccessReviewID(r.ReviewID), ID: identity.AssignmentID(r.ID), UserID: identity.UserID(r.UserID), RoleID: identity.RoleID(r.RoleID),
		Source: identity.SourceKind(r.Source), GrantedBy: r.GrantedBy, GrantedReason: r.Granted, GrantedAt: r.GrantedAt.at,
		Decision: identity.AccessDecision(r.Decision), DecidedBy: r.DecidedBy, DecidedAt: r.DecidedAt.at, Reason: r.Reason, Held: r.Held,
	}
}

// AccessReviewItems returns a page of what a review looks at, in the order of the ids.
func (tx *Tx) AccessReviewItems(ctx context.Context, id identity.AccessReviewID, undecided bool, q identity.Query) (identity.Page[identity.AccessReviewItem], error) {
	var page identity.Page[identity.AccessReviewItem]
	b := builder{tx: tx}
	b.add("i.review_id = ?", string(id))
	if undecided {
		b.add("i.decision = ''")
	}
	var err error
	list := identity.Query{After: q.After, Limit: q.Limit, Total: q.Total}
	if page.Total, err = b.total(ctx, list, ` FROM access_review_items i`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("i.assignment_id", list)
	var rows []reviewItemRow
	if err := tx.listBuilt(ctx, &rows, reviewItemQuery+b.where()+b.order("i.assignment_id", list), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.AccessReviewItem, len(rows))
	for i := range rows {
		page.Items[i] = rows[i].item()
	}
	return page, nil
}

// AccessReviewItem returns one item, or NotFound.
func (tx *Tx) AccessReviewItem(ctx context.Context, review identity.AccessReviewID, id identity.AssignmentID) (identity.AccessReviewItem, error) {
	var r reviewItemRow
	err := tx.get(ctx, &r, reviewItemQuery+` WHERE i.review_id = ? AND i.assignment_id = ?`, string(review), string(id))
	return r.item(), err
}

// DecideAccessReviewItem writes what was decided, again where it was decided before.
func (tx *Tx) DecideAccessReviewItem(ctx context.Context, i identity.AccessReviewItem) error {
	return tx.execOne(ctx, `UPDATE access_review_items SET decision = ?, decided_by = ?, decided_at = ?, reason = ? WHERE review_id = ? AND assignment_id = ?`,
		string(i.Decision), i.DecidedBy, tx.now, i.Reason, string(i.ReviewID), string(i.ID))
}
