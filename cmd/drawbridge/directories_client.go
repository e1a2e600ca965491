package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/scim"
)

// clientView is an OAuth client as --json shows it.
type clientView struct {
	ID         identity.ClientID     `json:"id"`
	Method     identity.ClientMethod `json:"method"`
	Hint       string                `json:"hint,omitempty"` // the last four characters of the secret
	Keys       json.RawMessage       `json:"jwks,omitempty"`
	CreatedAt  time.Time             `json:"created_at"`
	LastUsedAt *time.Time            `json:"last_used_at,omitempty"`
	RevokedAt  *time.Time            `json:"revoked_at,omitempty"`
}

func viewClient(c identity.Client) clientView {
	return clientView{c.ID, c.Method, c.Hint, c.Keys, c.CreatedAt, c.LastUsedAt, c.RevokedAt}
}

// directoryClient returns the commands about the OAuth clients of directories.
func (p *program) directoryClient() *cobra.Command {
	cmd := &cobra.Command{Use: "client", Short: "OAuth clients of a directory, which get short-lived access tokens: create, list, revoke"}
	cmd.AddCommand(p.clientCreate(), p.clientList(), p.clientRevoke())
	return p.group(cmd)
}

func (p *program) clientCreate() *cobra.Command {
	var jwks string
	cmd := &cobra.Command{
		Use:   "create DIRECTORY",
		Short: "Make an OAuth client for a directory and print its id and secret, once",
		Long: `Makes an OAuth client (grant client_credentials, scope scim) for a directory. It says who it is with a secret, which is shown only now, or, with --jwks,
with a JWT that it signs (private_key_jwt): then the file holds its public keys as a JWK set, and nothing secret is kept here.`,
		Example: `  drawbridge directory client create "Acme Okta"
  drawbridge directory client create "Acme Entra" --jwks keys.json --json`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			var keys json.RawMessage
			if jwks != "" {
				raw, err := p.read("--jwks", jwks)
				if err != nil {
					return err
				}
				if keys = raw; len(keys) == 0 {
					return identity.Errorf(identity.Invalid, "--jwks: %s is empty.", source(jwks))
				}
			}
			return p.with(ctx, func(b *bridge) error { return p.createClient(ctx, b, args[0], keys) })
		}),
	}
	cmd.Flags().StringVar(&jwks, "jwks", "", "a file with the client's public keys as a JWK set; - reads standard input (default: the client gets a secret)")
	return cmd
}

func (p *program) createClient(ctx context.Context, b *bridge, word string, keys json.RawMessage) error {
	d, err := b.findDirectory(ctx, word)
	if err != nil {
		return err
	}
	c, secret, err := b.people.CreateClient(ctx, identity.Operator(), d.ID, keys)
	if err != nil {
		return err
	}
	v := struct {
		ClientID      identity.ClientID     `json:"client_id"`
		ClientSecret  string                `json:"client_secret,omitempty"` // only now
		Method        identity.ClientMethod `json:"method"`
		TokenEndpoint string                `json:"token_endpoint"`
		Scope         string                `json:"scope"`
		BaseURL       string                `json:"base_url"`
	}{c.ID, secret, c.Method, b.settings.URL + scim.TokenPath, identity.ScopeSCIM, b.settings.URL + scim.Path}
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "Made an OAuth client for %s.\n", clean(d.Name))
		fields(w, "  client id", string(v.ClientID), "  client secret", v.ClientSecret, "  token endpoint", v.TokenEndpoint, "  scope", v.Scope, "  base URL", v.BaseURL)
		if secret != "" {
			fmt.Fprintln(w, "The secret is shown only now; only its hash is kept.")
		}
	})
}

func (p *program) clientList() *cobra.Command {
	return &cobra.Command{
		Use:     "list DIRECTORY",
		Short:   "List the OAuth clients of a directory, revoked ones too",
		Example: `  drawbridge directory client list "Acme Okta" --json`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.listClients(ctx, b, args[0]) })
		}),
	}
}

func (p *program) listClients(ctx context.Context, b *bridge, word string) error {
	d, err := b.findDirectory(ctx, word)
	if err != nil {
		return err
	}
	list := views(identity.Page[identity.Client]{Items: d.Clients}, viewClient, nil)
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"CLIENT ID", "METHOD", "SECRET", "MADE", "LAST USED", "REVOKED"}, none: "No clients. Make one with 'drawbridge directory client create'."}
		for _, c := range list.Items {
			hint, revoked := "-", "-"
			if c.Hint != "" {
				hint = "…" + c.Hint
			}
			if c.RevokedAt != nil {
				revoked = when(c.RevokedAt)
			}
			t.add(string(c.ID), string(c.Method), hint, when(&c.CreatedAt), when(c.LastUsedAt), revoked)
		}
		t.write(w)
	})
}

func (p *program) clientRevoke() *cobra.Command {
	var client string
	cmd := &cobra.Command{
		Use:     "revoke DIRECTORY --client CLIENT-ID",
		Short:   "End an OAuth client and all its access tokens",
		Example: `  drawbridge directory client revoke "Acme Okta" --client 0197a000-0000-7000-8000-000000000001`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.revokeClient(ctx, b, args[0], client) })
		}),
	}
	cmd.Flags().StringVar(&client, "client", "", "the id of the client, as 'drawbridge directory client list' shows it")
	require(cmd, "client")
	return cmd
}

func (p *program) revokeClient(ctx context.Context, b *bridge, word, client string) error {
	d, err := b.findDirectory(ctx, word)
	if err != nil {
		return err
	}
	id := identity.ClientID(strings.ToLower(strings.TrimSpace(client)))
	if err := b.people.RevokeClient(ctx, identity.Operator(), d.ID, id); err != nil {
		return err
	}
	v := struct {
		ID identity.ClientID `json:"revoked"`
	}{id}
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "Revoked the client %s of %s with its access tokens.\n", id, clean(d.Name))
	})
}
