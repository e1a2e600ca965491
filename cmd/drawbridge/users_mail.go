package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func (p *program) userResetPassword() *cobra.Command {
	return &cobra.Command{
		Use:     "reset-password USER",
		Short:   "Send a person a link to a new password; nothing changes before they use it",
		Example: "  drawbridge user reset-password ada@example.com",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.sendReset(ctx, b, args[0]) })
		}),
	}
}

func (p *program) sendReset(ctx context.Context, b *bridge, word string) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	err = b.authn.MayUseLocal(ctx, u.ID)
	local := err == nil
	if err != nil && identity.KindOf(err) != identity.Forbidden {
		return err
	}
	if err := b.people.SendReset(ctx, identity.Operator(), u.ID, local); err != nil {
		return err
	}
	return p.show(viewUser(u), func(w io.Writer) {
		if !local {
			fmt.Fprintf(w, "A mail goes to %s that says how the organisation signs them in: its people have no passwords here.\n", clean(u.Email()))
			return
		}
		fmt.Fprintf(w, "A mail with a link goes to %s; it works for an hour.\n", clean(u.Email()))
	})
}

func (p *program) userWelcome() *cobra.Command {
	var password bool
	var message string
	cmd := &cobra.Command{
		Use:   "welcome USER",
		Short: "Send a person who never signed in the first mail: a link to join, or with --password a temporary password",
		Example: `  drawbridge user welcome ada@example.com
  drawbridge user welcome ada@example.com --password`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				return p.sendWelcome(ctx, b, args[0], password, provisioning.Welcome{Message: message})
			})
		}),
	}
	cmd.Flags().BoolVar(&password, "password", false, "make a temporary password and send it, in place of a link")
	cmd.Flags().StringVar(&message, "message", "", "some words of your own, for the mail with a link")
	return cmd
}

func (p *program) sendWelcome(ctx context.Context, b *bridge, word string, password bool, welcome provisioning.Welcome) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	if password {
		if welcome.PasswordHash, welcome.Terms, welcome.Password, err = b.authn.TemporaryPassword(ctx, u, 0); err != nil {
			return err
		}
	}
	if err := b.people.SendWelcome(ctx, identity.Operator(), u.ID, welcome); err != nil {
		return err
	}
	return p.show(viewUser(u), func(w io.Writer) {
		fmt.Fprintf(w, "A mail goes to %s; 'drawbridge mails' says what becomes of it.\n", clean(u.Email()))
	})
}

func (p *program) tenantSSO() *cobra.Command {
	var off bool
	cmd := &cobra.Command{
		Use:   "sso TENANT",
		Short: "Let a tenant's own providers sign people in, or with --off not",
		Long:  "Every tenant may have single sign-on unless it was switched off here. Its connections stay as they are; while it is off they refuse everybody.",
		Example: `  drawbridge tenant sso Acme --off
  drawbridge tenant sso Acme`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				t, err := b.findTenant(ctx, args[0])
				if err != nil {
					return err
				}
				if err := b.people.SwitchSSO(ctx, identity.Operator(), t.ID, !off); err != nil {
					return err
				}
				return p.show(viewTenant(t), func(w io.Writer) {
					fmt.Fprintf(w, "Single sign-on of %s is %s.\n", clean(t.Name), map[bool]string{true: "off", false: "on"}[off])
				})
			})
		}),
	}
	cmd.Flags().BoolVar(&off, "off", false, "its providers sign nobody in")
	return cmd
}
