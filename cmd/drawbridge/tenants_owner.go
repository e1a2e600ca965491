package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// newOwner is what the flags of tenant owner say.
type newOwner struct {
	user, oldRole, reason string
}

func (p *program) tenantOwner() *cobra.Command {
	var n newOwner
	cmd := &cobra.Command{
		Use:   "owner TENANT",
		Short: "Show who owns a tenant, or with --set make somebody its owner",
		Long: `An owner is protected: nobody else changes, deactivates or deletes the account, or gives it another role. With --set the tenant gets another owner, one of
its own people, and the owner until now gets the role of --old-owner-role. Only access models with owners have them, such as fluentpro-backup.`,
		Example: `  drawbridge tenant owner Acme
  drawbridge tenant owner Acme --set ada@example.com --old-owner-role admin --reason "Bob retires"`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if n.user == "" && (n.oldRole != "" || n.reason != "") {
				return usage("tenant owner", "--old-owner-role and --reason belong to --set; say who shall own the tenant")
			}
			return p.with(ctx, func(b *bridge) error { return p.owner(ctx, b, args[0], n) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&n.user, "set", "", "who shall own it: the id, e-mail address or user name of one of its people")
	f.StringVar(&n.oldRole, "old-owner-role", "", "the role that the owner until now gets, such as admin")
	f.StringVar(&n.reason, "reason", "", "why; kept with the events")
	return cmd
}

func (p *program) owner(ctx context.Context, b *bridge, word string, n newOwner) error {
	t, err := b.findTenant(ctx, word)
	if err != nil {
		return err
	}
	var u identity.User
	if n.user == "" {
		u, err = b.people.Owner(ctx, identity.Operator(), t.ID)
	} else {
		u, err = b.setOwner(ctx, t, n)
	}
	if err != nil {
		return err
	}
	if u.ID == "" {
		return p.show(struct{}{}, func(w io.Writer) { fmt.Fprintf(w, "Nobody owns %s.\n", clean(t.Name)) })
	}
	u.TenantName = t.Name
	return p.show(viewUser(u), func(w io.Writer) {
		fmt.Fprintf(w, "%s owns %s.\n", clean(u.Label()), clean(t.Name))
		fields(w, "  id", string(u.ID), "  e-mail", orDash(u.Email()))
	})
}

func (b *bridge) setOwner(ctx context.Context, t identity.Tenant, n newOwner) (identity.User, error) {
	u, err := b.findUserIn(ctx, t.ID, n.user)
	if err != nil {
		return u, err
	}
	o := provisioning.Ownership{Tenant: t.ID, User: u.ID, Reason: n.reason}
	if n.oldRole != "" {
		role, err := b.findRole(n.oldRole)
		if err != nil {
			return u, err
		}
		o.OldRole = role.ID
	}
	if _, err := b.people.TransferOwnership(ctx, identity.Operator(), o); err != nil {
		return u, err
	}
	return b.people.User(ctx, identity.Operator(), u.ID)
}
