package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// elsewhere returns how to find the person of a row who is at home in another tenant than the row says: one whom this source knows by its own id or the personnel number, or one
// who waits in SSO Landing. Somebody whom another row of the file is about is not meant: people may have accounts in two tenants.
func (p *planner) elsewhere(ctx context.Context, tx *store.Tx, rows []importRow, known found) (func(importRow) identity.UserID, error) {
	nobody := func(importRow) identity.UserID { return "" }
	if p.plan.TenantID != "" {
		return nobody, nil
	}
	landing, err := p.s.landingID(ctx, tx)
	if err != nil {
		return nobody, err
	}
	strangers := func(r importRow, field string) []store.Known {
		var out []store.Known
		for _, k := range known[field][matchKey(field, r.fields[field])] {
			own := field == fieldExternalID || field == fieldEmployeeNumber
			if k.TenantID != r.tenant && (own || k.TenantID == landing) {
				out = append(out, k)
			}
		}
		return out
	}
	var ids []identity.UserID
	for _, r := range rows {
		for _, field := range comeFields {
			if r.tenant != "" && r.fields[field] != "" {
				for _, k := range strangers(r, field) {
					ids = append(ids, k.UserID)
				}
			}
		}
	}
	if len(ids) == 0 {
		return nobody, nil
	}
	sources, err := tx.SourcesOf(ctx, p.scope, ids)
	return func(r importRow) identity.UserID {
		for _, field := range comeFields {
			if r.tenant == "" || r.fields[field] == "" {
				continue
			}
			var who []identity.UserID
			for _, k := range strangers(r, field) {
				ours := k.TenantID == landing || p.knownAs(standing{sources: sources[k.UserID]}) != nil
				if ours && p.match.people.get(printOfID(k.UserID)) == 0 {
					who = append(who, k.UserID)
				}
			}
			if len(who) == 1 {
				return who[0]
			}
		}
		return ""
	}, err
}

func otherTenant(u identity.User, why string) *identity.Error {
	return identity.Errorf(identity.Conflict, "%s belongs to another tenant. %s", u.Label(), why).WithField(fieldTenant).WithCode("other_tenant")
}

// goTo moves somebody to the tenant of the row, by the rules of a placement, with the roles that the row gives there.
func (p *planner) goTo(ctx context.Context, tx *store.Tx, t *rowStep, r importRow, reason string) error {
	u := t.is.user
	if r.tenant == "" || r.tenant == u.TenantID || r.recalled {
		return nil
	}
	switch {
	case p.plan.TenantID != "":
		return otherTenant(u, "A tenant's own import moves nobody: let the import be the whole installation's, or place the person there first.")
	case p.s.platform(p.by) != nil:
		return otherTenant(u, "Only a Super Admin's import moves people: place the person there first.")
	case u.TenantID == "":
		return otherTenant(u, "The person stands above all tenants, and no import changes that.")
	}
	to, err := tx.Tenant(ctx, store.Everything(), r.tenant)
	if err != nil {
		return sharpen(err, noTenant)
	}
	why, err := p.s.whyNotThere(ctx, tx, u, to)
	if err != nil {
		return err
	}
	if why != "" {
		return identity.Errorf(identity.Conflict, "%s cannot go to %s: the person %s.", u.Label(), to.Name, why).WithField(fieldTenant).WithCode("placement_refused")
	}
	roles, err := p.rolesOfNew(ctx, tx, r)
	if err != nil {
		return err
	}
	if _, err := p.s.keepMove(ctx, tx, u, to.ID, roles); err != nil {
		return err
	}
	return p.move(ctx, tx, t, to, roles, r, reason)
}

func (p *planner) move(ctx context.Context, tx *store.Tx, t *rowStep, to identity.Tenant, ids []identity.RoleID, r importRow, reason string) error {
	if err := p.s.checkRoles(to.ID, ids); err != nil {
		return err
	}
	var there []identity.Assignment
	for _, id := range ids {
		if err := p.s.checkRole(ctx, tx, p.by, id, to.ID); err != nil {
			return err
		}
		there = append(there, identity.Assignment{RoleID: id})
	}
	step := PlacementStep{User: t.is.user, FromTenant: t.now[fieldTenant], FromRoles: p.s.rolesOf(t.is.roles)}
	u, events, err := p.s.move(ctx, tx, p.by, step, to, p.s.rolesOf(there), reason)
	if err != nil {
		return err
	}
	for _, id := range ids {
		a := assignment(tx, p.by, u, id, identity.SourceImport, r.why(reason)(id))
		a.SourceID = p.plan.Source
		if err := tx.InsertAssignment(ctx, a); err != nil {
			return err
		}
		events = append(events, p.s.roleEvent(p.by, identity.RoleAssigned, u, a, a.Reason))
	}
	if err := tx.InsertEvent(ctx, events...); err != nil {
		return err
	}
	if t.out.action == "" {
		t.out.action = identity.StepMove
	}
	return p.reread(ctx, tx, t)
}
