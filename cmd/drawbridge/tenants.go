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
	cmd := &cobra.Command{Use: "tenant", Short: "Tenants: create, list"}
	cmd.AddCommand(p.tenantCreate(), p.tenantList())
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
			t.add(string(v.ID), v.Name, fmt.Sprint(v.Users), note)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}
