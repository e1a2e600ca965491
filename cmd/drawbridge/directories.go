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
	cmd := &cobra.Command{Use: "directory", Short: "Directories, the sources that push people by SCIM: create, list, rotate-token, allow, client, guard, bursts"}
	cmd.AddCommand(p.directoryCreate(), p.directoryList(), p.directoryRotate(), p.directoryAllow(), p.directoryClient(), p.directoryGuard(), p.directoryBursts())
	return p.group(cmd)
}

func (p *program) directoryCreate() *cobra.Command {
	var tenant, dialect, expires string
	var domains, networks []string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a directory and print its base URL and bearer token, once",
		Long: `Creates a directory: one source that pushes people and groups by SCIM 2.0. Give its base URL and token to Okta, Entra or whoever pushes.
The token is shown only now; only its hash is kept. Without --tenant the directory belongs to the whole installation and its new people land in SSO Landing.`,
		Example: `  drawbridge directory create "Acme Okta" --tenant Acme --dialect okta --domain acme.example
  drawbridge directory create "Acme Entra" --tenant Acme --dialect entra --expires 2027-01-31 --json`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			d := identity.Directory{Name: args[0], Dialect: identity.Dialect(strings.ToLower(dialect)), Enabled: true, Domains: domains}
			known := []identity.Dialect{identity.DialectStandard, identity.DialectOkta, identity.DialectEntra}
			if !slices.Contains(known, d.Dialect) {
				return usage("directory create", "--dialect is %q; use standard, okta or entra", dialect)
			}
			end, err := endOf("directory create", expires)
			if err != nil {
				return err
			}
			if d.Networks, err = identity.ParseNetworks(networks); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.createDirectory(ctx, b, d, tenant, end) })
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant whose people it pushes, by name or id (default: the whole installation)")
	cmd.Flags().StringVar(&dialect, "dialect", string(identity.DialectStandard), "how its client speaks SCIM: standard, okta or entra")
	cmd.Flags().StringSliceVar(&domains, "domain", nil, "an e-mail domain in which it may adopt people who already exist; repeatable (default: all of its scope)")
	cmd.Flags().StringSliceVar(&networks, "cidr", nil, "a network from which its tokens may be used; repeatable (default: from anywhere)")
	cmd.Flags().StringVar(&expires, "expires", "", expiresUsage)
	return cmd
}

// expiresUsage explains --expires.
const expiresUsage = "when the token expires: a date, whose end in UTC is meant, or a time such as 2027-01-31T12:00:00Z (default: never)"

// endOf reads --expires; "" is never.
func endOf(command, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		end := day.AddDate(0, 0, 1)
		return &end, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, usage(command, "--expires is %q; write a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z", text)
	}
	at = at.UTC()
	return &at, nil
}

func (p *program) createDirectory(ctx context.Context, b *bridge, d identity.Directory, tenant string, expires *time.Time) error {
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return err
	}
	d.TenantID = t.ID
	made, token, err := b.people.CreateDirectoryUntil(ctx, identity.Operator(), d, expires)
	if err != nil {
		return err
	}
	v := viewDirectory(made, t.Name, b.settings.URL)
	v.Token = token
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "Created the directory %s for %s.\n", clean(v.Name), place(v.Tenant))
		fields(w, "  id", string(v.ID), "  base URL", v.BaseURL, "  token", v.Token, "  expires", when(expires), "  only from", strings.Join(v.Networks, ", "))
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
		warnOfEnds(w, all)
	})
}

// warnOfEnds names the tokens that end soon.
func warnOfEnds(w io.Writer, all []identity.Directory) {
	for _, d := range all {
		for _, t := range d.Tokens {
			if t.Ending(time.Now()) {
				fmt.Fprintf(w, "The token …%s of %s ends at %s. Make a new one with: drawbridge directory rotate-token %s\n", t.Hint, clean(d.Name), when(t.ExpiresAt), d.ID)
			}
		}
	}
}

// liveTokens returns the ends of the tokens that still open the door, and when one of them last did.
func liveTokens(tokens []identity.Token) (hints string, used *time.Time) {
	var live []string
	for _, t := range tokens {
		if !t.Live(time.Now()) {
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
	var expires string
	cmd := &cobra.Command{
		Use:   "rotate-token DIRECTORY",
		Short: "Make a new bearer token; the one before it goes on working until the next rotation",
		Example: `  drawbridge directory rotate-token "Acme Okta"
  drawbridge directory rotate-token "Acme Okta" --days 365 --json
  drawbridge directory rotate-token "Acme Okta" --expires 2027-01-31`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if days < 0 || days > 3650 {
				return usage("directory rotate-token", "--days is %d; give 1 to 3650, or 0 for a token that does not expire", days)
			}
			end, err := endOf("directory rotate-token", expires)
			switch {
			case err != nil:
				return err
			case end != nil && days > 0:
				return usage("directory rotate-token", "--days and --expires both say when the token expires; give one of them")
			case days > 0:
				at := time.Now().UTC().AddDate(0, 0, days)
				end = &at
			}
			return p.with(ctx, func(b *bridge) error { return p.rotateToken(ctx, b, args[0], end) })
		}),
	}
	cmd.Flags().IntVar(&days, "days", 0, "days until the new token expires; 0 is never")
	cmd.Flags().StringVar(&expires, "expires", "", expiresUsage)
	return cmd
}

func (p *program) rotateToken(ctx context.Context, b *bridge, word string, expires *time.Time) error {
	d, err := b.findDirectory(ctx, word)
	if err != nil {
		return err
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
