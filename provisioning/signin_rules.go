package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// What a connection gives by what its provider says is exactly the assignments with the connection as their source, at each sign-in. What an administrator, a
// directory or the arrival gave is never touched.

// follow makes the person's roles what the rules say now, and moves somebody in SSO Landing where they say. It changes nobody above all tenants.
func (a *signIn) follow(ctx context.Context, u identity.User) (identity.User, error) {
	if u.TenantID == "" {
		a.note("rules", "the account stands above all tenants, where rules give nothing", "")
		return u, nil
	}
	if a.groupsUnknown() {
		a.note("rules", "the provider has more groups than it sends, so the roles stay as they are", "Let it send only the groups that are assigned to this application (Entra: groupMembershipClaims ApplicationGroup), or application roles instead of groups.")
		return u, nil
	}
	plan, err := a.planRules(ctx, u)
	if err != nil || !plan.changes() {
		a.noteRoles(plan)
		return u, err
	}
	if u, err = a.tx.UserForUpdate(ctx, store.Everything(), u.ID); err != nil {
		return u, err
	}
	if plan, err = a.planRules(ctx, u); err != nil { // again: somebody may have placed the person before the row was locked
		return u, err
	}
	if err := a.keepRuled(ctx, u, &plan); err != nil || !plan.changes() {
		a.noteRoles(plan)
		return u, err
	}
	a.noteRoles(plan)
	return a.applyRules(ctx, u, plan)
}

// keepRuled takes out of a plan what an invariant forbids: somebody who signs in is not refused for it, and keeps what they have.
func (a *signIn) keepRuled(ctx context.Context, u identity.User, plan *rulePlan) error {
	advice, all := "Hand the tenant to somebody else first; then the rules are followed.", true // or only what is taken away
	err := a.s.keepOwnerRoles(ctx, a.tx, u)
	if err == nil {
		advice, all = "The rules are followed once somebody else is there.", plan.to != nil
		switch {
		case plan.to != nil:
			_, err = a.s.keepMove(ctx, a.tx, u, plan.to.ID, nil)
		case len(plan.gone) > 0:
			err = a.s.keepAdministrators(ctx, a.tx, departure{User: u, Roles: lacking(roleIDs(plan.gone), plan.others)})
		}
	}
	if identity.KindOf(err) != identity.Forbidden && identity.KindOf(err) != identity.Precondition {
		return err
	}
	a.note("rules.kept", messageFor(err), advice)
	if all {
		plan.to, plan.given = nil, nil
	}
	plan.kept, plan.gone = plan.kept+len(plan.gone), nil
	return nil
}

// rulePlan is what the rules change for one person.
type rulePlan struct {
	to     *identity.Tenant // where the person is moved; nil: they stay
	from   identity.Tenant
	given  []identity.Rule // the first rule of each role that the person lacks
	gone   []identity.Assignment
	kept   int               // assignments that stay, whatever their source
	others []identity.RoleID // the roles of those
	wanted []identity.Rule   // the first rule of each role that the rules give
	stays  string            // why somebody whom a rule would move is not moved
}

func (p rulePlan) changes() bool { return p.to != nil || len(p.given) > 0 || len(p.gone) > 0 }

func (a *signIn) planRules(ctx context.Context, u identity.User) (rulePlan, error) {
	var plan rulePlan
	held, err := a.tx.Assignments(ctx, u.ID)
	if err != nil {
		return plan, err
	}
	if err := a.planMove(ctx, u, held, &plan); err != nil {
		return plan, err
	}
	home := u.TenantID
	if plan.to != nil {
		home, held = plan.to.ID, nil // whoever moves leaves all roles behind
	}
	plan.wanted, err = a.ruledRoles(ctx, home)
	plan.compare(held, a.c.ID)
	return plan, err
}

// compare fills in what the person lacks, and what the connection gave and no rule gives any more.
func (p *rulePlan) compare(held []identity.Assignment, connection identity.ConnectionID) {
	var has []identity.RoleID
	for _, h := range held {
		own := h.Source == identity.SourceClaim && h.SourceID == string(connection)
		if own && !slices.ContainsFunc(p.wanted, func(r identity.Rule) bool { return r.Role == h.RoleID }) {
			p.gone = append(p.gone, h)
			continue
		}
		p.kept, p.others = p.kept+1, append(p.others, h.RoleID)
		if own {
			has = append(has, h.RoleID)
		}
	}
	for _, r := range p.wanted {
		if !slices.Contains(has, r.Role) {
			p.given = append(p.given, r)
		}
	}
}

// planMove fills in the move of somebody who waits in SSO Landing. Whom an administrator placed there, or whom a directory of that tenant holds, stays.
func (a *signIn) planMove(ctx context.Context, u identity.User, held []identity.Assignment, plan *rulePlan) error {
	to := a.ruledTenant()
	landing, err := a.tx.LandingTenant(ctx)
	if err != nil || to == "" || u.TenantID != landing.ID || to == landing.ID {
		return err
	}
	if slices.ContainsFunc(held, func(h identity.Assignment) bool { return h.Source == identity.SourceManual }) {
		plan.stays = "an administrator placed this person in " + landing.Name + ", and rules move nobody whom an administrator placed"
		return nil
	}
	tenant, err := a.tx.Tenant(ctx, store.Everything(), to)
	if identity.KindOf(err) == identity.NotFound {
		plan.stays = "the tenant of a rule was deleted"
		return nil
	}
	if err != nil {
		return err
	}
	why, err := a.s.whyNotThere(ctx, a.tx, u, tenant)
	if err != nil {
		return err
	}
	if why != "" {
		plan.stays = "not moved to " + tenant.Name + ": the person " + why
		return nil
	}
	plan.to, plan.from = &tenant, landing
	return nil
}

// applyRules writes a plan, with an event for each role and its rule.
func (a *signIn) applyRules(ctx context.Context, u identity.User, plan rulePlan) (identity.User, error) {
	var events []identity.Event
	var err error
	if plan.to != nil {
		list := []identity.User{u}
		if err := a.s.describe(ctx, a.tx, list); err != nil {
			return u, err
		}
		var roles []identity.Role
		for _, r := range plan.given {
			role, _ := a.s.model.Role(r.Role)
			roles = append(roles, role)
		}
		step := PlacementStep{User: list[0], FromTenant: plan.from.Name, FromRoles: list[0].Roles}
		if u, events, err = a.s.move(ctx, a.tx, a.by, step, *plan.to, roles, "rules of the connection "+a.c.Name); err != nil {
			return u, err
		}
	}
	for _, h := range plan.gone {
		e, err := a.s.unassign(ctx, a.tx, a.by, u, h, "no longer so: "+h.Reason)
		if err != nil {
			return u, err
		}
		events = append(events, e)
	}
	for _, r := range plan.given {
		e, err := a.assignByRule(ctx, u, r)
		if err != nil {
			return u, err
		}
		events = append(events, e)
	}
	if len(events) > 0 {
		err = a.tx.InsertEvent(ctx, events...)
	}
	if err == nil && plan.kept+len(plan.given) == 0 {
		err = a.flagNoRole(ctx, u)
	}
	return u, err
}

func (a *signIn) assignByRule(ctx context.Context, u identity.User, r identity.Rule) (identity.Event, error) {
	given := assignment(a.tx, a.by, u, r.Role, identity.SourceClaim, "rule "+r.Label()+" of the connection "+a.c.Name)
	given.SourceID = string(a.c.ID)
	e := about(a.by, identity.RoleAssigned, u)
	e.Reason = given.Reason
	e.Changes = []identity.Change{{Field: "role", After: a.s.roleTitle(r.Role)}, {Field: "source", After: given.Source}}
	return e, a.tx.InsertAssignment(ctx, given)
}

// noteRoles says in the trace what the rules gave.
func (a *signIn) noteRoles(plan rulePlan) {
	for _, r := range plan.wanted {
		a.pass("rules", r.Label()+" gives "+a.s.roleTitle(r.Role))
	}
	for _, h := range plan.gone {
		a.note("rules", a.s.roleTitle(h.RoleID)+" is taken away: "+h.Reason+" does not hold any more", "")
	}
	if len(plan.wanted) == 0 {
		a.note("rules", "no rule gives a role", "")
	}
	if plan.stays != "" {
		a.note("rules.place", plan.stays, "Place the person by hand.")
	}
}

// groupsUnknown reports whether the rules ask for groups that the provider has and did not send.
func (a *signIn) groupsUnknown() bool {
	return a.claims.GroupsElsewhere && slices.ContainsFunc(a.c.Options.Rules, func(r identity.Rule) bool { return r.Attribute == identity.RuleGroups })
}

// holds reports whether a rule may give its role at all, and the provider says what it asks for.
func (a *signIn) holds(r identity.Rule) bool {
	if a.s.checkRule(a.c, r) != nil {
		return false
	}
	if r.Attribute == identity.RuleGroups {
		return slices.Contains(a.claims.Groups, r.Value)
	}
	return slices.Contains(a.claims.Attributes[r.Attribute], r.Value)
}

// ruledTenant returns the tenant of the first rule that holds and has one, or "".
func (a *signIn) ruledTenant() identity.TenantID {
	for _, r := range a.c.Options.Rules {
		if r.Tenant != "" && a.holds(r) {
			return r.Tenant
		}
	}
	return ""
}

// ruledRoles returns the first rule that holds of each role that the rules give in a tenant. They give nothing in SSO Landing, over others who wait there, and
// a tenant's own connection gives nothing in another tenant, where one of its people may have been placed.
func (a *signIn) ruledRoles(ctx context.Context, home identity.TenantID) ([]identity.Rule, error) {
	landing, err := a.s.landingID(ctx, a.tx)
	if err != nil || home == landing || a.c.TenantID != "" && home != a.c.TenantID {
		return nil, err
	}
	var out []identity.Rule
	for _, r := range a.c.Options.Rules {
		seen := slices.ContainsFunc(out, func(o identity.Rule) bool { return o.Role == r.Role })
		if !seen && (r.Tenant == "" || r.Tenant == home) && a.holds(r) {
			out = append(out, r)
		}
	}
	return out, nil
}
