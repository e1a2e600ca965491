package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// demoNames are the people whom an administrator made before the demo begins, one for each role of the access model.
var demoNames = []string{"Edith Clarke", "Mary Keller", "Radia Perlman", "Barbara Liskov", "Frances Allen", "Karen Jones", "Jean Sammet", "Evelyn Boyd"}

// demoWhy is the reason that the demo's people have their roles.
const demoWhy = "the demo's people"

// furnish fills a tenant with what its access model speaks of: somebody for each role, units and teams, records, an owner, an invitation, a key.
func (s *stage) furnish(ctx context.Context, tenant identity.Tenant) error {
	units, err := s.units(ctx, tenant)
	if err != nil {
		return err
	}
	roles, err := s.b.people.AssignableRoles(ctx, identity.Operator(), tenant.ID)
	if err != nil {
		return err
	}
	for i, role := range roles {
		u, err := s.employ(ctx, tenant, role, demoNames[i%len(demoNames)], units, i)
		if err != nil {
			return err
		}
		if err := s.equip(ctx, u, role, i == 0); err != nil {
			return err
		}
	}
	return s.invite(ctx, tenant)
}

// units are two branches with a team each, where the model has units; nil where it has none.
func (s *stage) units(ctx context.Context, tenant identity.Tenant) ([]identity.Unit, error) {
	rule, ok := s.b.model.Units()
	if !ok {
		return nil, nil
	}
	tree, err := s.b.people.Units(ctx, identity.Operator(), tenant.ID)
	if err != nil {
		return nil, err
	}
	var out []identity.Unit
	for _, name := range []string{"North", "South"} {
		unit, err := s.b.people.CreateUnit(ctx, identity.Operator(), identity.Unit{TenantID: tenant.ID, ParentID: tree[0].ID, Kind: identity.KindUnit, Name: name})
		if err != nil {
			return nil, err
		}
		out = append(out, unit)
		if rule.Teams {
			team := identity.Unit{TenantID: tenant.ID, ParentID: unit.ID, Kind: identity.KindTeam, Name: name + " nights"}
			if team, err = s.b.people.CreateUnit(ctx, identity.Operator(), team); err != nil {
				return nil, err
			}
			out = append(out, team)
		}
	}
	return out, nil
}

// employ makes the person who holds a role.
func (s *stage) employ(ctx context.Context, tenant identity.Tenant, role identity.Role, name string, units []identity.Unit, i int) (identity.User, error) {
	given, _, _ := strings.Cut(name, " ")
	email := strings.ToLower(given) + "@" + strings.ToLower(tenant.Name) + ".example"
	n := provisioning.NewUser{
		User: identity.User{
			TenantID: tenant.ID, UserName: email, DisplayName: name, Enabled: true,
			Emails: []identity.Email{{Value: email, Type: "work", Primary: true}},
		},
		Role: role.ID, Reason: demoWhy, Position: s.position(role, units, i),
	}
	return s.b.people.CreateUser(ctx, identity.Operator(), n)
}

// position is where the i-th person stands: the user type that goes with the role, and the units in turn.
func (s *stage) position(role identity.Role, units []identity.Unit, i int) identity.Position {
	var p identity.Position
	for _, t := range s.b.model.UserTypes() {
		if t.DefaultRole == role.ID {
			p.Type = t.ID
		}
	}
	if len(units) > 0 {
		u := units[i%len(units)]
		if p.UnitID = u.ID; u.Kind == identity.KindTeam {
			p.UnitID, p.TeamID = u.ParentID, u.ID
		}
	}
	if levels, where, _ := s.b.model.DataLevels(); where == access.LevelOfUser {
		p.DataLevel = levels[i%len(levels)]
	}
	return p
}

// equip gives somebody what goes with the role: the record that its permissions ask for, the tenant itself for the first one, a key for programs.
func (s *stage) equip(ctx context.Context, u identity.User, role identity.Role, first bool) error {
	if owner, ok := s.b.model.Owner(); ok && first {
		if _, err := s.b.people.TransferOwnership(ctx, identity.Operator(), provisioning.Ownership{Tenant: u.TenantID, User: u.ID, Reason: demoWhy}); err != nil {
			return fmt.Errorf("%s: %w", owner.Role, err)
		}
	}
	for _, link := range s.b.model.LinkTypes() {
		if string(role.ID) != link.Type {
			continue
		}
		name := u.Label()
		key := provisioning.RecordKey{Tenant: u.TenantID, Type: link.Type, ForeignID: "demo-1"}
		if _, err := s.b.people.PutRecord(ctx, identity.Operator(), key, provisioning.RecordChange{Display: &name, User: &u.ID, Reason: demoWhy}); err != nil {
			return err
		}
	}
	if keys, ok := s.b.model.APIKeys(); !ok || role.Interactive || keys.Roles != nil && !slices.Contains(keys.Roles, role.ID) {
		return nil
	}
	_, _, err := s.b.authn.CreateAPIKey(ctx, identity.Operator(), u.ID, "nightly report", "")
	return err
}

// invite leaves an invitation open, where people are invited. Without a mail server the mail is kept and shown by "drawbridge mails".
func (s *stage) invite(ctx context.Context, tenant identity.Tenant) error {
	if s.b.model.Onboarding().Default != access.OnboardInvite {
		return nil
	}
	_, role := s.b.model.Landing()
	_, err := s.b.people.Invite(ctx, identity.Operator(), provisioning.NewInvitation{
		Email: "hedy@" + strings.ToLower(tenant.Name) + ".example", Tenant: tenant.ID, Role: role, Reason: demoWhy,
	})
	return err
}
