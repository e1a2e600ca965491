package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxRuleText is the longest name of an attribute and the longest value of a rule, in bytes.
const maxRuleText = 1024

// checkMatching holds what a connection says about matching, rules and their ceiling. Rules without an id get one.
func (s *Service) checkMatching(c *identity.Connection) error {
	o := &c.Options
	switch o.LinkProof {
	case identity.LinkProofSecondFactor, identity.LinkProofAlways, identity.LinkProofNever:
	default:
		return identity.Errorf(identity.Invalid, "When the password is asked for before a link is made is always, never, or empty: with a second factor.").WithField("link proof")
	}
	if o.DirectoryKey = strings.TrimSpace(o.DirectoryKey); len(o.DirectoryKey) > maxRuleText {
		return identity.Errorf(identity.Invalid, "The name of a claim has at most %d bytes.", maxRuleText).WithField("directory key")
	}
	slices.Sort(o.Ceiling)
	o.Ceiling = slices.Compact(o.Ceiling)
	for _, id := range o.Ceiling {
		if err := s.checkCeiling(id); err != nil {
			return err
		}
	}
	if len(o.Rules) > identity.MaxRules {
		return identity.Errorf(identity.TooLarge, "A connection has at most %d rules.", identity.MaxRules).WithField("rules")
	}
	seen := map[string]bool{}
	for i := range o.Rules {
		r := &o.Rules[i]
		r.Attribute = strings.TrimSpace(r.Attribute)
		if r.ID == "" || seen[r.ID] {
			r.ID = identity.NewID[string]()
		}
		seen[r.ID] = true
		if !validIDs(&r.Tenant) {
			return noTenant().WithField("rules")
		}
		if err := s.checkRule(*c, *r); err != nil {
			return err
		}
	}
	return nil
}

// checkCeiling refuses what no rule may ever give: roles of the platform, and roles that no administrator gives.
func (s *Service) checkCeiling(id identity.RoleID) error {
	role, ok := s.model.Role(id)
	if !ok {
		return identity.Errorf(identity.Invalid, "There is no role %q in the access model %s.", id, s.model.Name()).WithField("ceiling")
	}
	if role.Scope != identity.ScopeTenant || !s.model.Assignable(id) {
		return identity.Errorf(identity.Invalid, "No provider gives %s, whatever its rules say: take it out of the ceiling.", role.Title).WithField("ceiling")
	}
	return nil
}

// checkRule refuses a rule that may give nothing. It is asked again at each sign-in, because the access model may have changed since the rule was written.
func (s *Service) checkRule(c identity.Connection, r identity.Rule) error {
	invalid := func(format string, args ...any) error {
		return identity.Errorf(identity.Invalid, format, args...).WithField("rules")
	}
	switch {
	case r.Attribute == "" || r.Value == "" || len(r.Attribute) > maxRuleText || len(r.Value) > maxRuleText:
		return invalid("A rule needs the name of an attribute and a value, of at most %d bytes.", maxRuleText)
	case !slices.Contains(c.Options.Ceiling, r.Role):
		return invalid("The rule %s gives %s, which is not among the roles that this connection's rules may give. Add it to the ceiling, or give another role.", r.Label(), s.roleTitle(r.Role))
	case c.TenantID != "" && r.Tenant != "" && r.Tenant != c.TenantID:
		return invalid("The rule %s is about another tenant than the connection's own.", r.Label())
	}
	return s.checkCeiling(r.Role)
}

// checkRuleTenants refuses rules about tenants that do not exist, or about the one in which people wait.
func (s *Service) checkRuleTenants(ctx context.Context, tx *store.Tx, c identity.Connection) error {
	landing, err := s.landingID(ctx, tx)
	if err != nil {
		return err
	}
	for _, r := range c.Options.Rules {
		if r.Tenant == landing {
			return identity.Errorf(identity.Invalid, "The rule %s is about the tenant in which people wait; rules give nothing there.", r.Label()).WithField("rules")
		}
		if r.Tenant == "" {
			continue
		}
		if _, err := tx.Tenant(ctx, store.Everything(), r.Tenant); err != nil {
			return sharpen(err, func() *identity.Error { return noTenant().WithField("rules") })
		}
	}
	return nil
}

// ruleTexts writes rules for an event.
func ruleTexts(rules []identity.Rule) []string {
	var out []string
	for _, r := range rules {
		text := r.Label() + ": " + string(r.Role)
		if r.Tenant != "" {
			text += " in " + string(r.Tenant)
		}
		out = append(out, text)
	}
	return out
}
