package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

// apiKey returns the commands about keys with which programs call as a person.
func (p *program) apiKey() *cobra.Command {
	cmd := &cobra.Command{Use: "api-key", Short: "API keys, with which programs call as a person: list, create, regenerate, reveal, revoke, policy"}
	cmd.AddCommand(p.apiKeyList(), p.apiKeyCreate(), p.apiKeyRegenerate(), p.apiKeyReveal(), p.apiKeyRevoke(), p.apiKeyPolicy())
	return p.group(cmd)
}

// apiKeyView is a key for programs; the key itself only where it was asked for.
type apiKeyView struct {
	ID         identity.APIKeyID `json:"id"`
	UserID     identity.UserID   `json:"user_id"`
	Name       string            `json:"name"`
	Hint       string            `json:"hint"`
	CreatedBy  string            `json:"created_by"`
	CreatedAt  time.Time         `json:"created_at"`
	LastUsedAt *time.Time        `json:"last_used_at,omitempty"`
	RevokedAt  *time.Time        `json:"revoked_at,omitempty"`
	Key        string            `json:"key,omitempty"`
}

func viewAPIKey(k identity.APIKey, secret string) apiKeyView {
	return apiKeyView{
		ID: k.ID, UserID: k.UserID, Name: k.Name, Hint: k.Hint, CreatedBy: k.CreatedBy, CreatedAt: k.CreatedAt, LastUsedAt: k.LastUsedAt, RevokedAt: k.RevokedAt, Key: secret,
	}
}

func (p *program) apiKeyList() *cobra.Command {
	return &cobra.Command{
		Use: "list USER", Short: "List a person's API keys, newest first, revoked ones too", Example: "  drawbridge api-key list ada@example.com", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				u, err := b.findUser(ctx, args[0])
				if err != nil {
					return err
				}
				keys, err := b.authn.APIKeys(ctx, identity.Operator(), u.ID)
				if err != nil {
					return err
				}
				return p.showAPIKeys(keys)
			})
		}),
	}
}

func (p *program) showAPIKeys(keys []identity.APIKey) error {
	views := []apiKeyView{}
	t := table{heading: []string{"ID", "NAME", "ENDS IN", "MADE", "LAST USED", "STATE"}, none: "There is no API key."}
	for _, k := range keys {
		state := "works"
		if k.RevokedAt != nil {
			state = "revoked " + when(k.RevokedAt)
		}
		t.add(string(k.ID), k.Name, k.Hint, when(&k.CreatedAt), when(k.LastUsedAt), state)
		views = append(views, viewAPIKey(k, ""))
	}
	return p.show(views, t.write)
}

func (p *program) apiKeyCreate() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "create USER", Short: "Make an API key for a person", Example: `  drawbridge api-key create ada@example.com --name "nightly report"`, Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				u, err := b.findUser(ctx, args[0])
				if err != nil {
					return err
				}
				k, secret, err := b.authn.CreateAPIKey(ctx, identity.Operator(), u.ID, name, "")
				return p.showNewKey(ctx, b, k, secret, err)
			})
		}),
	}
	cmd.Flags().StringVar(&name, "name", "", "what the key is for")
	require(cmd, "name")
	return cmd
}

// showNewKey prints a key that was just made.
func (p *program) showNewKey(ctx context.Context, b *bridge, k identity.APIKey, secret string, err error) error {
	if err != nil {
		return err
	}
	return p.show(viewAPIKey(k, secret), func(w io.Writer) {
		fields(w, "id", string(k.ID), "key", secret)
		if k.Revealable {
			fmt.Fprintf(w, "It works until it is revoked. 'drawbridge api-key reveal %s' shows it again.\n", k.ID)
			return
		}
		fmt.Fprintln(w, "It works until it is revoked, and is not shown again.")
	})
}

func (p *program) apiKeyRegenerate() *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use: "regenerate KEY-ID", Short: "Replace an API key by a new one; the old one stops at once", Example: "  drawbridge api-key regenerate 01976d5b-0000-7000-8000-000000000000", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				k, err := b.authn.APIKey(ctx, identity.Operator(), identity.APIKeyID(args[0]))
				if err != nil {
					return err
				}
				if !sure && !p.confirm(fmt.Sprintf("The key %q stops at once, and every program that uses it needs the new one. Go on?", clean(k.Name))) {
					return identity.Errorf(identity.Precondition, "Nothing was changed. Answer y, or repeat with --yes.")
				}
				fresh, secret, err := b.authn.CreateAPIKey(ctx, identity.Operator(), k.UserID, k.Name, k.ID)
				return p.showNewKey(ctx, b, fresh, secret, err)
			})
		}),
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "do not ask")
	return cmd
}

func (p *program) apiKeyReveal() *cobra.Command {
	return &cobra.Command{
		Use: "reveal KEY-ID", Short: "Show an API key again; that it was shown is written down", Example: "  drawbridge api-key reveal 01976d5b-0000-7000-8000-000000000000", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				secret, err := b.authn.RevealAPIKey(ctx, identity.Operator(), identity.APIKeyID(args[0]))
				if err != nil {
					return err
				}
				return p.show(map[string]string{"key": secret}, func(w io.Writer) { fmt.Fprintln(w, secret) })
			})
		}),
	}
}

func (p *program) apiKeyRevoke() *cobra.Command {
	var sure bool
	var reason string
	cmd := &cobra.Command{
		Use: "revoke KEY-ID", Short: "Revoke an API key; it stops at once and for good", Example: `  drawbridge api-key revoke 01976d5b-0000-7000-8000-000000000000 --reason "lost laptop"`, Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if !sure && !p.confirm("Programs that use this key stop working. Revoke it?") {
				return identity.Errorf(identity.Precondition, "Nothing was changed. Answer y, or repeat with --yes.")
			}
			return p.with(ctx, func(b *bridge) error {
				if err := b.authn.RevokeAPIKey(ctx, identity.Operator(), identity.APIKeyID(args[0]), reason); err != nil {
					return err
				}
				return p.show(map[string]bool{"revoked": true}, func(w io.Writer) { fmt.Fprintln(w, "The key is revoked.") })
			})
		}),
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "do not ask")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	return cmd
}

func (p *program) apiKeyPolicy() *cobra.Command {
	var roles []string
	var c authn.KeyChoice
	var reason string
	cmd := &cobra.Command{
		Use: "policy", Short: "Show whose API keys work, or choose the roles",
		Long: `Shows whose API keys work. With --roles, --every or --model it is chosen anew, from the next call on: the keys of other roles are kept, and work
again when their role is chosen again.`,
		Example: "  drawbridge api-key policy --roles api_user", Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			for _, r := range roles {
				c.Roles = append(c.Roles, identity.RoleID(r))
			}
			return p.with(ctx, func(b *bridge) error { return p.keyPolicy(ctx, b, c, reason) })
		}),
	}
	cmd.Flags().StringSliceVar(&roles, "roles", nil, "only these roles, by their ids")
	cmd.Flags().BoolVar(&c.Every, "every", false, "every role")
	cmd.Flags().BoolVar(&c.Model, "model", false, "as the access model says")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	cmd.MarkFlagsMutuallyExclusive("roles", "every", "model")
	return cmd
}

func (p *program) keyPolicy(ctx context.Context, b *bridge, c authn.KeyChoice, reason string) error {
	policy, err := b.authn.KeyPolicy(ctx, identity.Operator())
	if err == nil && (c.Every || c.Model || len(c.Roles) > 0) {
		policy, err = b.authn.ChooseKeyRoles(ctx, identity.Operator(), c, reason)
	}
	if err != nil {
		return err
	}
	return p.show(policy, func(w io.Writer) {
		switch {
		case !policy.Enabled:
			fmt.Fprintln(w, "The access model has no API keys.")
		case policy.Roles == nil:
			fmt.Fprintln(w, "The API keys of every role work.")
		default:
			fmt.Fprintf(w, "The API keys of these roles work: %v\n", policy.Roles)
		}
	})
}
