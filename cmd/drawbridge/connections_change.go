package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func (p *program) connectionShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show NAME",
		Short:   "Show a connection with every setting, without its secrets",
		Example: `  drawbridge connection show "Acme Okta" --json`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.withConnection(ctx, args[0], func(b *bridge, c identity.Connection) error { return p.describeConnection(ctx, b, c) })
		}),
	}
}

func (p *program) connectionUpdate() *cobra.Command {
	var n connectionSettings
	cmd := &cobra.Command{
		Use:   "update NAME",
		Short: "Change settings of a connection; those that no flag names stay as they are",
		Example: `  drawbridge connection update "Acme Okta" --domain acme.example --domain acme.org
  drawbridge connection update "Acme Okta" --metadata https://acme.okta.com/app/abc/sso/saml/metadata
  drawbridge connection update "Acme Entra" --client-secret-file secret.txt --client-secret-ends 2028-01-31`,
		Args: cobra.ExactArgs(1),
	}
	n.flags(cmd.Flags())
	n.bound(cmd, p)
	cmd.RunE = p.do(func(ctx context.Context, args []string) error {
		return p.withConnection(ctx, args[0], func(b *bridge, c identity.Connection) error {
			change, err := n.change(ctx, b, c)
			if err != nil {
				return err
			}
			if c, err = b.people.UpdateConnection(ctx, identity.Operator(), c.ID, change); err != nil {
				return err
			}
			return p.describeConnection(ctx, b, c)
		})
	})
	return cmd
}

// connectionSwitch returns the command that switches a connection on or off.
func (p *program) connectionSwitch(use, short string, on bool) *cobra.Command {
	return &cobra.Command{
		Use:     use + " NAME",
		Short:   short,
		Example: `  drawbridge connection ` + use + ` "Acme Okta"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.withConnection(ctx, args[0], func(b *bridge, c identity.Connection) error {
				c, err := b.people.UpdateConnection(ctx, identity.Operator(), c.ID, func(c *identity.Connection) error { c.Enabled = on; return nil })
				if err != nil {
					return err
				}
				return p.describeConnection(ctx, b, c)
			})
		}),
	}
}

func (p *program) connectionDelete() *cobra.Command {
	var withLinks bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a connection for good; the people who came through it stay",
		Example: `  drawbridge connection delete "Acme Okta"
  drawbridge connection delete "Acme Okta" --with-links`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.withConnection(ctx, args[0], func(b *bridge, c identity.Connection) error {
				if err := b.people.DeleteConnection(ctx, identity.Operator(), c.ID, withLinks); err != nil {
					return err
				}
				return p.show(map[string]any{"id": c.ID, "deleted": true}, func(w io.Writer) { fmt.Fprintf(w, "Deleted the connection %s.\n", clean(c.Name)) })
			})
		}),
	}
	cmd.Flags().BoolVar(&withLinks, "with-links", false, "also when people are linked to it: they lose this way in")
	return cmd
}

func (p *program) connectionKey() *cobra.Command {
	return &cobra.Command{
		Use:   "key NAME add|use|drop",
		Short: "Change a connection's own key without a failed sign-in: add, let the provider read it, use, drop",
		Example: `  drawbridge connection key "Acme Okta" add
  drawbridge connection key "Acme Okta" use
  drawbridge connection key "Acme Okta" drop`,
		Args: cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.withConnection(ctx, args[0], func(b *bridge, c identity.Connection) error {
				c, err := b.people.RotateConnectionKey(ctx, identity.Operator(), c.ID, provisioning.KeyStep(args[1]))
				if err != nil {
					return err
				}
				return p.describeConnection(ctx, b, c)
			})
		}),
	}
}

// describeConnection prints a connection with every setting.
func (p *program) describeConnection(ctx context.Context, b *bridge, c identity.Connection) error {
	names, err := b.tenantNames(ctx)
	if err != nil {
		return err
	}
	health, err := b.people.ConnectionHealth(ctx, identity.Operator(), c.ID)
	if err != nil {
		return err
	}
	v := viewConnectionFully(c, names[c.TenantID], b.settings.URL, health[c.ID])
	return p.show(v, func(w io.Writer) {
		state := "switched off"
		if v.Enabled {
			state = "switched on"
		}
		fields(w, "connection", v.Name, "id", string(v.ID), "protocol", string(v.Kind), "state", state, "tenant", place(v.Tenant), "trusted for", strings.Join(v.Domains, " "),
			"unknown people", string(v.Unknown), "their role", string(v.UnknownRole), "clock may be off", c.Skew.String(), "provider is", v.Provider,
			"asks again each time", yes(v.ForceAuthn), "our ACS", v.ACSURL, "our entity id", v.EntityID, "our redirect URI", v.RedirectURI, "sign-in begins at", v.LoginURL)
		fields(w, "password before a link", v.LinkProof, "directory's id is", v.DirectoryKey, "deleted people return as new", yes(v.DeletedAsNew))
		for _, r := range v.Rules {
			fmt.Fprintf(w, "rule  %s\n", clean(ruleText(r)))
		}
		for _, role := range v.Ceiling {
			fmt.Fprintf(w, "ceiling  %s\n", role)
		}
		v.provider(w)
		fields(w, "last read", when(v.CheckedAt), "what failed", v.Failure)
	})
}

// yes prints a switch only when it is on.
func yes(on bool) string {
	if on {
		return "yes"
	}
	return ""
}
