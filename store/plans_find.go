package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// PlanQuery says which plans are wanted; empty fields do not narrow.
type PlanQuery struct {
	Kinds  []identity.PlanKind
	States []identity.PlanState
	Source string
	Parent identity.PlanID // plans that undo this one
	After  identity.PlanID // older ones than this
	Limit  int
}

// FindPlans returns a page of the scope's plans, newest first.
func (tx *Tx) FindPlans(ctx context.Context, scope Scope, q PlanQuery) (identity.Page[identity.Plan], error) {
	var page identity.Page[identity.Plan]
	visible, args := scope.tenants("p.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if len(q.Kinds) > 0 {
		in, arg := tx.textList("p.kind", asTexts(q.Kinds))
		b.add(in, arg)
	}
	if len(q.States) > 0 {
		in, arg := tx.textList("p.state", asTexts(q.States))
		b.add(in, arg)
	}
	if q.Source != "" {
		b.add("p.source = ?", q.Source)
	}
	if q.Parent != "" {
		b.add("p.parent_id = ?", string(q.Parent))
	}
	order := identity.Query{After: string(q.After), Newest: true, Limit: q.Limit}
	b.after("p.id", order)
	var rows []planRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+planColumns+` FROM plans p`+b.where()+b.order("p.id", order), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Plan, len(rows))
	for i := range rows {
		var err error
		if page.Items[i], err = rows[i].plan(); err != nil {
			return page, err
		}
	}
	return page, nil
}
