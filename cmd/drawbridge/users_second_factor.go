package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

func (p *program) userResetSecondFactor() *cobra.Command {
	return p.userSwitch("reset-second-factor", "Take away the second factor of a person who lost it; every session ends", "%s signs in with the password alone; every session ended.\n",
		func(ctx context.Context, b *bridge, id identity.UserID, reason string) (identity.User, error) {
			if err := b.authn.ResetSecondFactor(ctx, identity.Operator(), id, reason); err != nil {
				return identity.User{}, err
			}
			return b.people.User(ctx, identity.Operator(), id)
		})
}

func (p *program) userBreakGlass() *cobra.Command {
	var off bool
	var reason string
	cmd := &cobra.Command{
		Use:   "break-glass USER",
		Short: "Make an account one for emergencies, or with --off an ordinary one",
		Long: `An account for emergencies may use its password while its tenant requires an identity provider; each of its sign-ins is an event of its own.
It needs a password and a second factor: its owner turns that on in My account.`,
		Example: `  drawbridge user break-glass you@example.com --reason "envelope in the safe"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.breakGlass(ctx, b, args[0], !off, reason) })
		}),
	}
	cmd.Flags().BoolVar(&off, "off", false, "make it an ordinary account again")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	return cmd
}

func (p *program) breakGlass(ctx context.Context, b *bridge, word string, on bool, reason string) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	if err := b.people.SetBreakGlass(ctx, identity.Operator(), u.ID, on, reason); err != nil {
		return err
	}
	return p.show(viewUser(u), func(w io.Writer) {
		if on {
			fmt.Fprintf(w, "%s is an account for emergencies: it may use its password, with its second factor, whatever its tenant requires.\n", clean(u.Label()))
			return
		}
		fmt.Fprintf(w, "%s is an ordinary account again.\n", clean(u.Label()))
	})
}
