package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// person is somebody whom a row is about, as they were when the rows around it were read.
type person struct {
	standing
	fields personFields
}

// people reads those whom some rows are about, all at once.
func (p *planner) people(ctx context.Context, tx *store.Tx, who []identity.UserID) (map[identity.UserID]person, error) {
	var ids []identity.UserID
	for _, id := range who {
		if id != "" {
			ids = append(ids, id)
		}
	}
	users, err := tx.UsersByID(ctx, p.scope, ids)
	if err != nil || len(users) == 0 {
		return nil, err
	}
	all, err := peopleOf(ctx, tx, p.scope, users)
	if err != nil {
		return nil, err
	}
	out := make(map[identity.UserID]person, len(all))
	for _, one := range all {
		f, err := p.names.fields(ctx, tx, one, p.plan.TenantID, p.plan.Source)
		if err != nil {
			return nil, err
		}
		out[one.user.ID] = person{one, f}
	}
	return out, nil
}

// same reports whether a row says of somebody what is there already, letter by letter, and the source knows the person so. Then planner.update would change nothing.
// A row of which this is not plain is not the same: it goes the single way, which may still find that nothing changes.
func (p *planner) same(r importRow, is person) bool {
	o := p.plan.Options
	if r.wrong != nil || r.bulk != nil || r.undo != nil || r.recalled || p.tellsAll() || r.tenant != "" && r.tenant != is.user.TenantID {
		return false
	}
	said := r
	if len(o.Rules) > 0 {
		if r = p.ruled(r, &effect{}); r.fields[fieldRole] == "" && p.rulesSeeRoles(r) {
			return false // a rule may take back what it gave
		}
	}
	for field, value := range r.fields {
		if !r.has(field, o.Clear) || field == fieldID || field == fieldTenant || field == fieldExternalID && value != "" {
			continue
		}
		if field == fieldRole && value != "" {
			roles, err := p.names.roles(value)
			if _, goes, fresh := p.roleMoves(is.roles, roles); err != nil || len(goes)+len(fresh) > 0 {
				return false
			}
			continue
		}
		if value != is.fields[field] && !(field == fieldManager && p.leadsAlready(value, is.user)) {
			return false
		}
	}
	return p.knows(is.standing, said)
}

// tellsAll reports whether the sender is told of every row what became of it: a directory asks for its log.
func (p *planner) tellsAll() bool { return p.plan.DirectoryID != "" }

// idle reports whether a step does nothing, so that nobody needs to see it.
func idle(step identity.PlanStep) bool {
	return step.Action == identity.StepSkip && step.State == identity.StepNone && step.Detail == nothingChanges
}

// nothingChanges is why a row is passed over that says what is there already.
const nothingChanges = "nothing changes"
