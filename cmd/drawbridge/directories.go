package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// directory returns the commands about SCIM sources.
func (p *program) directory() *cobra.Command {
	cmd := &cobra.Command{Use: "directory", Short: "Directories, the sources that push people by SCIM: create, list, rotate-token"}
	cmd.AddCommand(p.directoryCreate(), p.directoryList(), p.directoryRotate())
	return p.group(cmd)
}

func (p *program) directoryCreate() *cobra.Command {
	var tenant, dialect string
	var domains []string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a directory and print its base URL and bearer token, once",
		Long: `Creates a directory: one source that pushes people and groups by SCIM 2.0. Give its base URL and token to Okta, Entra or whoever pushes.
The token is shown only now; only its hash is kept. Without --tenant the directory belongs to the whole installation and its new people land in SSO Landing.`,
		Example: `  drawbridge directory create "Acme Okta" --tenant Acme --dialect okta --domain acme.example
  drawbridge directory create "Acme Entra" --tenant Acme --dialect entra --json`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			d := identity.Directory{Name: args[0], Dialect: identity.Dialect(strings.ToLower(dialect)), Enabled: true, Domains: domains}
			known := []identity.Dialect{identity.DialectStandard, identity.DialectOkta, identity.DialectEntra}
			if !slices.Contains(known, d.Dialect) {
				return usage("directory create", "--dialect is %q; use standard, okta or entra", dialect)
			}
			return p.with(ctx, func(b *bridge) error { return p.createDirectory(ctx, b, d, tenant) })
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant whose people it pushes, by name or id (default: the whole installation)")
	cmd.Flags().StringVar(&dialect, "dialect", string(identity.DialectStandard), "how its client speaks SCIM: standard, okta or entra")
	cmd.Flags().StringSliceVar(&domains, "domain", nil, "an e-mail domain in which it may adopt people who already exist; repeatable (default: all of its scope)")
	return cmd
}

func (p *program) createDirectory(ctx context.Context, b *bridge, d identity.Directory, tenant string) error {
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return err
	}
	d.TenantID = t.ID
	made, token, err := b.people.CreateDirectory(ctx, identity.Operator(), d)
	if err != nil {
		return err
	}
	v := viewDirectory(made, t.Name, b.settings.URL)
	v.Token = token
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "Created the directory %s for %s.\n", clean(v.Name), place(v.Tenant))
		fields(w, "  id", string(v.ID), "  base URL", v.BaseURL, "  token", v.Token)
		fmt.Fprintln(w, "The token is shown only now. If it is lost: drawbridge directory rotate-token", v.ID)
	})
}

func (p *program) directoryList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List directories with their live tokens",
		Example: "  drawbridge directory list --json",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error { return p.listDirectories(ctx, b) })
		}),
	}
}

func (p *program) listDirectories(ctx context.Context, b *bridge) error {
	all, err := b.allDirectories(ctx)
	if err != nil {
		return err
	}
	names, err := b.tenantNames(ctx)
	if err != nil {
		return err
	}
	list := views(identity.Page[identity.Directory]{Items: all}, func(d identity.Directory) directoryView {
		return viewDirectory(d, names[d.TenantID], b.settings.URL)
	}, nil)
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "NAME", "TENANT", "DIALECT", "TOKENS", "LAST USED"}, none: "No directories. Make one with 'drawbridge directory create'."}
		for i, v := range list.Items {
			hints, used := liveTokens(all[i].Tokens)
			t.add(string(v.ID), v.Name, place(v.Tenant), string(v.Dialect), hints, when(used))
		}
		t.write(w)
	})
}

// liveTokens returns the ends of the tokens that still open the door, and when one of them last did.
func liveTokens(tokens []identity.Token) (hints string, used *time.Time) {
	var live []string
	for _, t := range tokens {
		if t.RevokedAt != nil {
			continue
		}
		live = append(live, "…"+t.Hint)
		if t.LastUsedAt != nil && (used == nil || t.LastUsedAt.After(*used)) {
			used = t.LastUsedAt
		}
	}
	return orDash(strings.Join(live, " ")), used
}

func (p *program) directoryRotate() *cobra.Command {
	var days int
	cmd := &cobra.Command{
		Use:   "rotate-token DIRECTORY",
		Short: "Make a new bearer token; the one before it goes on working until the next rotation",
		Example: `  drawbridge directory rotate-token "Acme Okta"
  drawbridge directory rotate-token "Acme Okta" --days 365 --json`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if days < 0 || days > 3650 {
				return usage("directory rotate-token", "--days is %d; give 1 to 3650, or 0 for a token that does not expire", days)
			}
			return p.with(ctx, func(b *bridge) error { return p.rotateToken(ctx, b, args[0], days) })
		}),
	}
	cmd.Flags().IntVar(&days, "days", 0, "days until the new token expires; 0 is never")
	return cmd
}

func (p *program) rotateToken(ctx context.Context, b *bridge, word string, days int) error {
	d, err := b.findDirectory(ctx, word)
	if err != nil {
		return err
	}
	var expires *time.Time
	if days > 0 {
		at := time.Now().UTC().AddDate(0, 0, days)
		expires = &at
	}
	token, made, err := b.people.RotateToken(ctx, identity.Operator(), d.ID, expires)
	if err != nil {
		return err
	}
	v := struct {
		ID        identity.DirectoryID `json:"id"`
		BaseURL   string               `json:"base_url"`
		Token     string               `json:"token"`
		ExpiresAt *time.Time           `json:"expires_at,omitempty"`
	}{d.ID, b.settings.URL + "/scim/v2", token, made.ExpiresAt}
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "Made a new token for %s. It is shown only now.\n", clean(d.Name))
		fields(w, "  base URL", v.BaseURL, "  token", v.Token, "  expires", when(v.ExpiresAt))
	})
}
