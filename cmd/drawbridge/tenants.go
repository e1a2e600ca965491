package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// tenant returns the commands about tenants.
func (p *program) tenant() *cobra.Command {
	cmd := &cobra.Command{Use: "tenant", Short: "Tenants: create, list, owner, require-sso, sso, require-second-factor, sessions, dormant"}
	cmd.AddCommand(
		p.tenantCreate(),
		p.tenantList(),
		p.tenantOwner(),
		p.tenantRequireSSO(),
		p.tenantSSO(),
		p.tenantRequireSecondFactor(),
		p.tenantSessions(),
		p.tenantDormant(),
	)
	return p.group(cmd)
}

func (p *program) tenantCreate() *cobra.Command {
	return &cobra.Command{
		Use:     "create NAME",
		Short:   "Create a tenant: one customer organisation",
		Example: "  drawbridge tenant create Acme",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				t, err := b.people.CreateTenant(ctx, identity.Operator(), args[0])
				if err != nil {
					return err
				}
				return p.show(viewTenant(t), func(w io.Writer) {
					fmt.Fprintf(w, "Created the tenant %s.\n", clean(t.Name))
					fields(w, "  id", string(t.ID))
				})
			})
		}),
	}
}

func (p *program) tenantRequireSSO() *cobra.Command {
	var off bool
	cmd := &cobra.Command{
		Use:   "require-sso TENANT",
		Short: "Let a tenant's people in through their identity provider only, or with --off by password again",
		Long: `Refuses passwords, and everything else that Drawbridge itself gave out, to the people of a tenant; their sessions that began with a password end.
It needs a sign-in through the tenant's provider in the last 30 days, and an account for emergencies (drawbridge user break-glass).`,
		Example: `  drawbridge tenant require-sso Acme
  drawbridge tenant require-sso Acme --off`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.requireSSO(ctx, b, args[0], !off) })
		}),
	}
	cmd.Flags().BoolVar(&off, "off", false, "let them use passwords again")
	return cmd
}

func (p *program) requireSSO(ctx context.Context, b *bridge, word string, on bool) error {
	t, err := b.findTenant(ctx, word)
	if err != nil {
		return err
	}
	if t, err = b.people.RequireSSO(ctx, identity.Operator(), t.ID, on); err != nil {
		return err
	}
	return p.show(viewTenant(t), func(w io.Writer) {
		if on {
			fmt.Fprintf(w, "The people of %s come in through their provider only; their sessions that began with a password ended.\n", clean(t.Name))
			return
		}
		fmt.Fprintf(w, "The people of %s may use passwords again.\n", clean(t.Name))
	})
}

func (p *program) tenantList() *cobra.Command {
	var q identity.Query
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List tenants with how many people they have",
		Example: "  drawbridge tenant list --json",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("tenant list", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.listTenants(ctx, b, q) })
		}),
	}
	cmd.Flags().StringVar(&q.Search, "search", "", "words in the name")
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listTenants(ctx context.Context, b *bridge, q identity.Query) error {
	page, err := b.people.Tenants(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewTenant, func(t identity.Tenant) string { return string(t.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "NAME", "PEOPLE", ""}, none: "No tenants."}
		for _, v := range list.Items {
			note := ""
			if v.Landing {
				note = "unknown people land here"
			}
			if v.Main {
				note = "the organisation's own"
			}
			if v.RequireSSO {
				note = "its people come in through its provider only"
			}
			t.add(string(v.ID), v.Name, fmt.Sprint(v.Users), note)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}
