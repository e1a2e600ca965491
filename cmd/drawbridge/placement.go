package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// placing is what the flags of user place say.
type placing struct {
	users                []string
	tenant, role, reason string
	dryRun, yes          bool
}

func (p *program) userPlace() *cobra.Command {
	var o placing
	cmd := &cobra.Command{
		Use:   "place USER... --role ROLE [--tenant TENANT]",
		Short: "Move people to a tenant with a role, all of them or nobody",
		Long: `Moves people to a tenant with a role, in one transaction: all of them or nobody. Their rights change with their next request.
At a terminal it shows the plan first and asks; --yes answers. In a script nobody is asked; --dry-run stops after the plan. A platform role such
as superadmin takes no tenant.`,
		Example: `  drawbridge user place ada@example.com --tenant Acme --role editor
  drawbridge user place ada@example.com bob@example.com --tenant Acme --role viewer --dry-run`,
		Args: cobra.MinimumNArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			o.users = args
			return p.with(ctx, func(b *bridge) error { return p.placeUsers(ctx, b, o) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.tenant, "tenant", "", "where to, by name or id")
	f.StringVar(&o.role, "role", "", "the role there")
	f.StringVar(&o.reason, "reason", "", "why; kept with the events")
	f.BoolVar(&o.dryRun, "dry-run", false, "only show what would happen")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	require(cmd, "role")
	return cmd
}

func (p *program) placeUsers(ctx context.Context, b *bridge, o placing) error {
	placement, err := b.placement(ctx, o)
	if err != nil {
		return err
	}
	plan, err := b.people.PreviewPlacement(ctx, identity.Operator(), placement)
	if err != nil {
		return err
	}
	if n := plan.Refusals(); n > 0 {
		if err := p.showPlacement(plan, false); err != nil {
			return err
		}
		return identity.Errorf(identity.Conflict, "%d of %d cannot be placed, so nobody was. Leave them out, or do what the plan says.", n, len(plan.Steps))
	}
	if o.dryRun {
		return p.showPlacement(plan, false)
	}
	if !o.yes && !p.json && p.asks() {
		if err := p.showPlacement(plan, false); err != nil {
			return err
		}
		if !p.confirm(fmt.Sprintf("Place %d?", len(plan.Steps))) {
			return identity.Errorf(identity.Precondition, "Nobody was placed. Answer y, or repeat with --yes.")
		}
	}
	// The versions of the preview go along: what changed since is refused, not overwritten.
	for i, step := range plan.Steps {
		placement.Users[i] = provisioning.PlacedUser{ID: step.User.ID, Version: step.User.Version}
	}
	done, err := b.people.PlaceUsers(ctx, identity.Operator(), placement)
	if err != nil {
		return err
	}
	return p.showPlacement(done, true)
}

// placement resolves the words of the command line to ids. The same person twice is one person.
func (b *bridge) placement(ctx context.Context, o placing) (provisioning.Placement, error) {
	out := provisioning.Placement{Reason: o.reason}
	role, err := b.findRole(o.role)
	if err != nil {
		return out, err
	}
	tenant, err := b.findTenant(ctx, o.tenant)
	if err != nil {
		return out, err
	}
	out.Role, out.Tenant = role.ID, tenant.ID
	seen := map[identity.UserID]bool{}
	for _, word := range o.users {
		u, err := b.findUser(ctx, word)
		if err != nil {
			return out, err
		}
		if !seen[u.ID] {
			seen[u.ID] = true
			out.Users = append(out.Users, provisioning.PlacedUser{ID: u.ID})
		}
	}
	return out, nil
}

type placementView struct {
	Placed bool                `json:"placed"`
	Tenant string              `json:"tenant,omitempty"`
	Role   identity.RoleID     `json:"role"`
	Steps  []placementStepView `json:"steps"`
	ID     identity.TenantID   `json:"tenant_id,omitempty"`
}

type placementStepView struct {
	UserID  identity.UserID   `json:"user_id"`
	User    string            `json:"user"`
	Email   string            `json:"email,omitempty"`
	From    string            `json:"from,omitempty"`
	Roles   []identity.RoleID `json:"from_roles"`
	Refused string            `json:"refused,omitempty"`
}

// showPlacement prints what would happen, or what happened.
func (p *program) showPlacement(plan provisioning.PlacementPlan, placed bool) error {
	v := placementView{Placed: placed, Tenant: plan.Tenant.Name, ID: plan.Tenant.ID, Role: plan.Role.ID, Steps: []placementStepView{}}
	for _, s := range plan.Steps {
		v.Steps = append(v.Steps, placementStepView{s.User.ID, s.User.Label(), s.User.Email(), s.FromTenant, roleIDs(s.FromRoles), s.Refused})
	}
	return p.show(v, func(w io.Writer) {
		t := table{heading: []string{"WHO", "E-MAIL", "FROM", "TO", ""}}
		for _, s := range plan.Steps {
			result := "would be placed"
			if placed {
				result = "placed"
			}
			if s.Refused != "" {
				result = "refused: " + s.Refused
			}
			t.add(s.User.Label(), orDash(s.User.Email()), place(s.FromTenant)+", "+titles(s.FromRoles), place(plan.Tenant.Name)+", "+plan.Role.Title, result)
		}
		t.write(w)
	})
}
