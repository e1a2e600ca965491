package main

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// matching is the part of the settings about whom a provider's people are here, and what they may do by its word.
func (n *connectionSettings) matching(ctx context.Context, b *bridge) (func(*identity.Connection) error, error) {
	proof := identity.LinkProof(n.linkProof)
	if n.linkProof == "second-factor" {
		proof = identity.LinkProofSecondFactor
	}
	var ceiling []identity.RoleID
	for _, word := range listed(n.ceiling) {
		role, err := b.findRole(word)
		if err != nil {
			return nil, err
		}
		ceiling = append(ceiling, role.ID)
	}
	var rules []identity.Rule
	for _, text := range listed(n.ruleTexts) {
		rule, err := b.rule(ctx, text)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return func(c *identity.Connection) error {
		o := &c.Options
		give(n.set("link-proof"), &o.LinkProof, proof)
		give(n.set("directory-key"), &o.DirectoryKey, n.directoryKey)
		give(n.set("deleted-as-new"), &o.DeletedAsNew, n.deletedAsNew)
		give(n.set("ceiling"), &o.Ceiling, ceiling)
		if n.set("rule") {
			o.Rules = keepRuleIDs(o.Rules, rules)
		}
		return nil
	}, nil
}

// rule reads ATTRIBUTE=VALUE=>ROLE, with @TENANT after it or not.
func (b *bridge) rule(ctx context.Context, text string) (identity.Rule, error) {
	says, gives, ok := strings.Cut(text, "=>")
	attribute, value, is := strings.Cut(says, "=")
	if !ok || !is {
		return identity.Rule{}, usage("connection update", "--rule is %q; write ATTRIBUTE=VALUE=>ROLE, such as groups=Editors=>editor", text)
	}
	word, place, _ := strings.Cut(gives, "@")
	role, err := b.findRole(strings.TrimSpace(word))
	if err != nil {
		return identity.Rule{}, err
	}
	tenant, err := b.findTenant(ctx, strings.TrimSpace(place))
	return identity.Rule{Attribute: strings.TrimSpace(attribute), Value: strings.TrimSpace(value), Role: role.ID, Tenant: tenant.ID}, err
}

// keepRuleIDs gives rules that say the same as before their id back, so that what they gave is not taken and given again.
func keepRuleIDs(before, after []identity.Rule) []identity.Rule {
	for i := range after {
		for _, old := range before {
			id := old.ID
			if old.ID = ""; old == after[i] {
				after[i].ID = id
			}
		}
	}
	return after
}

// ruleText writes a rule as --rule reads it.
func ruleText(r identity.Rule) string {
	text := r.Attribute + "=" + r.Value + "=>" + string(r.Role)
	if r.Tenant != "" {
		text += "@" + string(r.Tenant)
	}
	return text
}
