package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// setupView is a setup link as --json shows it.
type setupView struct {
	ID           identity.SetupLinkID    `json:"id"`
	Name         string                  `json:"name"`
	TenantID     identity.TenantID       `json:"tenant_id"`
	Tenant       string                  `json:"tenant,omitempty"`
	State        identity.SetupState     `json:"state"`
	Kind         identity.ConnectionKind `json:"kind,omitempty"`
	Domains      []string                `json:"domains"`
	SwitchOn     bool                    `json:"switch_on"`
	ConnectionID identity.ConnectionID   `json:"connection_id"`
	CreatedBy    string                  `json:"created_by"`
	ExpiresAt    time.Time               `json:"expires_at"`
	URL          string                  `json:"url,omitempty"` // only when it was made just now
}

func viewSetup(l identity.SetupLink, tenant string) setupView {
	return setupView{
		ID: l.ID, Name: l.Name, TenantID: l.TenantID, Tenant: tenant, State: l.State(time.Now()), Kind: l.Kind, Domains: l.Domains, SwitchOn: l.SwitchOn,
		ConnectionID: l.ConnectionID, CreatedBy: l.CreatedBy, ExpiresAt: l.ExpiresAt,
	}
}

// connectionSetupLink returns the command that makes a setup link, with those that list and revoke them below it.
func (p *program) connectionSetupLink() *cobra.Command {
	var l identity.SetupLink
	var tenant, kind string
	var age time.Duration
	cmd := &cobra.Command{
		Use:   "setup-link --tenant NAME --domain DOMAIN",
		Short: "Make a link with which a customer's own IT connects its provider; with list and revoke",
		Long: `Makes a link for somebody who has no account here: step by step they connect one identity provider for one tenant, with a test at the end, and see nothing
else. It opens until they finish, until it expires, or until it is revoked. It is shown only now; only its hash is kept.`,
		Example: `  drawbridge connection setup-link --tenant Acme --domain acme.example
  drawbridge connection setup-link --tenant Acme --domain acme.example --protocol saml --expires 72h --switch-on --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			l.Kind = identity.ConnectionKind(kind)
			return p.with(ctx, func(b *bridge) error { return p.makeSetupLink(ctx, b, l, tenant, age) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&tenant, "tenant", "", "the tenant whose provider it will be, by name or id")
	f.StringSliceVar(&l.Domains, "domain", nil, "an e-mail domain that the connection will be trusted for; repeatable")
	f.StringVar(&l.Name, "name", "", `the name of the connection (default: "Provider of" the tenant)`)
	f.StringVar(&kind, "protocol", "", "saml or oidc (default: they choose)")
	f.DurationVar(&age, "expires", identity.DefaultSetupAge, "how long it opens, from 1h to 720h")
	f.BoolVar(&l.SwitchOn, "switch-on", false, "switch the connection on when they finish after a test that went well")
	require(cmd, "tenant", "domain")
	cmd.AddCommand(p.setupLinkList(), p.setupLinkRevoke())
	return cmd
}

func (p *program) makeSetupLink(ctx context.Context, b *bridge, l identity.SetupLink, word string, age time.Duration) error {
	tenant, err := b.findTenant(ctx, word)
	if err != nil {
		return err
	}
	l.TenantID = tenant.ID
	if l.Name == "" {
		l.Name = "Provider of " + tenant.Name
	}
	l, token, err := b.people.CreateSetupLink(ctx, identity.Operator(), l, age)
	if err != nil {
		return err
	}
	v := viewSetup(l, tenant.Name)
	v.URL = b.settings.URL + "/setup/" + token
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "Send this link to the IT of %s. It is shown only now, and opens until %s:\n%s\n", clean(tenant.Name), when(&l.ExpiresAt), v.URL)
	})
}

func (p *program) setupLinkList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List setup links and what became of them", Example: "  drawbridge connection setup-link list --json", Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error { return p.listSetupLinks(ctx, b) })
		}),
	}
}

func (p *program) listSetupLinks(ctx context.Context, b *bridge) error {
	all, err := everything(func(q identity.Query) (identity.Page[identity.SetupLink], error) {
		return b.people.SetupLinks(ctx, identity.Operator(), q)
	}, func(l identity.SetupLink) string { return string(l.ID) })
	if err != nil {
		return err
	}
	names, err := b.tenantNames(ctx)
	if err != nil {
		return err
	}
	list := views(identity.Page[identity.SetupLink]{Items: all}, func(l identity.SetupLink) setupView { return viewSetup(l, names[l.TenantID]) }, nil)
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "CONNECTION", "TENANT", "STATE", "TRUSTED FOR", "EXPIRES"}, none: "No setup links. Make one with 'drawbridge connection setup-link'."}
		for _, v := range list.Items {
			t.add(string(v.ID), v.Name, v.Tenant, string(v.State), strings.Join(v.Domains, " "), when(&v.ExpiresAt))
		}
		t.write(w)
	})
}

func (p *program) setupLinkRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "Revoke a setup link that is still open", Example: "  drawbridge connection setup-link revoke 0199a1b2-…", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				if err := b.people.RevokeSetupLink(ctx, identity.Operator(), identity.SetupLinkID(args[0])); err != nil {
					return err
				}
				return p.show(map[string]any{"id": args[0], "state": identity.SetupRevoked}, func(w io.Writer) { fmt.Fprintln(w, "Revoked the setup link. It opens nothing any more.") })
			})
		}),
	}
}
