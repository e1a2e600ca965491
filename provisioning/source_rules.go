package provisioning

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxSourceRules is how many rules a source has at most.
const maxSourceRules = 500

// rolePrefix stands in front of a role among what rules gave.
const rolePrefix = "role/"

// ruled fills in what the rules of a source say where the row says nothing, and notes which rule it was.
func (p *planner) ruled(r importRow, out *effect) importRow {
	if len(p.plan.Options.Rules) == 0 || r.recalled || !p.fromSource() {
		return r
	}
	said := r.fields
	r.fields, r.because = maps.Clone(said), map[string]string{}
	give := func(field, value, rule string) {
		if value != "" && r.fields[field] == "" {
			r.fields[field], r.because[field] = value, rule
		}
	}
	var roles []identity.RoleID
	for i, rule := range p.plan.Options.Rules {
		text, holds := holdsFor(rule, said)
		if !holds {
			continue
		}
		text = fmt.Sprintf("rule %d: %s", i+1, text)
		if r.tenant == rule.Tenant && said[fieldTenant] == "" && r.because[fieldTenant] == "" && rule.Tenant != "" {
			r.because[fieldTenant] = text
		}
		give(fieldUnit, rule.Unit, text)
		give(fieldType, rule.Type, text)
		for _, id := range rule.Roles {
			if said[fieldRole] == "" && !slices.Contains(roles, id) {
				roles, r.because[rolePrefix+string(id)] = append(roles, id), text
			}
		}
	}
	if len(roles) > 0 {
		r.fields[fieldRole] = joinRoles(roles)
	}
	out.because = r.because
	return r
}

// ruledTenant returns the tenant that the rules give to a row that names none, or "".
func (p *planner) ruledTenant(r importRow) string {
	for _, rule := range p.plan.Options.Rules {
		if _, holds := holdsFor(rule, r.fields); holds && rule.Tenant != "" && p.fromSource() {
			return string(rule.Tenant)
		}
	}
	return ""
}

// holdsFor reports whether all conditions of a rule hold for a row, and says which. A field for which the row has no column decides nothing.
func holdsFor(rule identity.SourceRule, f personFields) (string, bool) {
	var texts []string
	for _, c := range rule.When {
		value, there := f[c.Field]
		if !there || isOneOf(value, c.Is) == c.Except {
			return "", false
		}
		if c.Except {
			texts = append(texts, c.Field+" is not "+strings.Join(c.Is, " or "))
		} else {
			texts = append(texts, c.Field+" = "+value)
		}
	}
	if len(texts) == 0 {
		return "everybody", true
	}
	return strings.Join(texts, ", "), true
}

// isOneOf compares a value with texts, whatever their case; one with * at its end matches what begins so.
func isOneOf(value string, texts []string) bool {
	key := identity.NameKey(value)
	return slices.ContainsFunc(texts, func(text string) bool {
		if begin, ok := strings.CutSuffix(identity.NameKey(text), "*"); ok {
			return strings.HasPrefix(key, begin)
		}
		return key == identity.NameKey(text)
	})
}

// why returns why a row gives a role: the import, and the rule where one gave it.
func (r importRow) why(reason string) roleReason {
	return func(id identity.RoleID) string {
		if rule := r.because[rolePrefix+string(id)]; rule != "" {
			return reason + ", " + rule
		}
		return reason
	}
}

// noteRules says which rules gave what changes.
func (e *effect) noteRules() {
	for _, c := range e.changes {
		if c.Field == fieldRole {
			for _, key := range slices.Sorted(maps.Keys(e.because)) {
				if id, ok := strings.CutPrefix(key, rolePrefix); ok {
					e.note(id + " by " + e.because[key])
				}
			}
		}
		if rule := e.because[c.Field]; rule != "" {
			e.note(c.Field + " by " + rule)
		}
	}
}

// rolesOf returns the roles that a row gives, and whether it says anything of roles. Rules that held before and hold no more take back what they gave.
func (p *planner) rolesOf(ctx context.Context, tx *store.Tx, t *rowStep, r importRow) ([]identity.RoleID, bool, error) {
	if v := r.fields[fieldRole]; v != "" {
		roles, err := p.names.roles(v)
		return roles, true, err
	}
	if r.recalled || slices.Contains(r.kept, fieldRole) || !p.rulesSeeRoles(r) {
		return nil, false, nil
	}
	var stay, lost []identity.RoleID
	others := false
	for _, a := range t.is.roles {
		switch {
		case a.Source != identity.SourceImport || a.SourceID != p.plan.Source:
			others = true
		case p.ruledRole(a.RoleID):
			lost = append(lost, a.RoleID)
		default:
			stay = append(stay, a.RoleID)
		}
	}
	if len(lost) == 0 {
		return nil, false, nil
	}
	if len(stay) == 0 && !others {
		r.tenant = t.is.user.TenantID
		roles, err := p.rolesOfNew(ctx, tx, r)
		return roles, true, err
	}
	return stay, true, nil
}

// rulesSeeRoles reports whether a row has the fields of all rules that give roles.
func (p *planner) rulesSeeRoles(r importRow) bool {
	some := false
	for _, rule := range p.plan.Options.Rules {
		if len(rule.Roles) == 0 {
			continue
		}
		some = true
		for _, c := range rule.When {
			if _, ok := r.fields[c.Field]; !ok {
				return false
			}
		}
	}
	return some && p.fromSource()
}

// ruledRole reports whether a rule of the source gives a role.
func (p *planner) ruledRole(id identity.RoleID) bool {
	return slices.ContainsFunc(p.plan.Options.Rules, func(rule identity.SourceRule) bool { return slices.Contains(rule.Roles, id) })
}

// checkSourceRules holds the rules of a source to what whoever saves them may give themselves: roles, tenants, units and types that are there. The tenant is the source's; empty is the whole
// installation.
func (s *Service) checkSourceRules(ctx context.Context, tx *store.Tx, by identity.Actor, tenant identity.TenantID, rules []identity.SourceRule) error {
	if len(rules) > maxSourceRules {
		return identity.Errorf(identity.TooLarge, "A source has at most %d rules.", maxSourceRules).WithField("rules")
	}
	scope := store.Everything()
	if tenant != "" {
		scope = store.OfTenant(tenant)
	}
	names := s.names(scope)
	for i, rule := range rules {
		if err := s.checkSourceRule(ctx, tx, by, tenant, names, rule); err != nil {
			if e := refusalOf(err); e != nil {
				return identity.Errorf(e.Kind, "Rule %d: %s", i+1, e.Message).WithField("rules").WithCode(e.Code).WithCause(err)
			}
			return err
		}
	}
	return nil
}

func (s *Service) checkSourceRule(ctx context.Context, tx *store.Tx, by identity.Actor, tenant identity.TenantID, names *names, rule identity.SourceRule) error {
	for _, c := range rule.When {
		if !s.hasField(c.Field) || c.Field == fieldPassword || c.Field == fieldPasswordHash {
			return identity.Errorf(identity.Invalid, "There is no field %q to look at. Use one of: %s.", c.Field, s.fieldNames())
		}
		if len(c.Is) == 0 {
			return identity.Errorf(identity.Invalid, "The condition on %s has nothing to compare it with.", c.Field)
		}
	}
	if rule.Tenant == "" && rule.Unit == "" && rule.Type == "" && len(rule.Roles) == 0 {
		return identity.Errorf(identity.Invalid, "It gives nothing: say a tenant, a unit, a type or a role.")
	}
	home := tenant
	if rule.Tenant != "" {
		id, err := names.tenant(ctx, tx, string(rule.Tenant))
		if err != nil {
			return err
		}
		if id != tenant && s.platform(by) != nil {
			return identity.Errorf(identity.Forbidden, "Only a Super Admin's rules place people in tenants.")
		}
		home = id
	}
	return s.checkRuleGives(ctx, tx, by, home, names, rule)
}

// checkRuleGives holds what a rule gives within a tenant; without one, where nobody knows yet whose people they will be, a role must be one of tenants.
func (s *Service) checkRuleGives(ctx context.Context, tx *store.Tx, by identity.Actor, home identity.TenantID, names *names, rule identity.SourceRule) error {
	for _, id := range rule.Roles {
		if home == "" {
			if err := s.checkCeiling(id); err != nil {
				return err
			}
			if err := mayGive(s.model, by, id); err != nil {
				return err
			}
			continue
		}
		if err := s.checkRole(ctx, tx, by, id, home); err != nil {
			return err
		}
	}
	if rule.Type != "" {
		if _, err := names.userType(ctx, tx, rule.Type); err != nil {
			return err
		}
	}
	if rule.Unit != "" && home != "" {
		_, err := names.unit(ctx, tx, home, identity.KindUnit, "", rule.Unit)
		return err
	}
	return nil
}
