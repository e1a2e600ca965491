package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

func (p *program) userLink() *cobra.Command {
	var connection, reason string
	var l identity.Link
	cmd := &cobra.Command{
		Use:   "link USER --connection CONNECTION --subject SUBJECT",
		Short: "Tie a provider's subject to a person: whoever signs in with it is them",
		Example: `  drawbridge user link ada@example.com --connection "Acme Okta" --subject 00u1abcd
  drawbridge user link ada@example.com --connection Entra --issuer https://login.microsoftonline.com/TENANT/v2.0 --subject AAAA`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.withConnection(ctx, connection, func(b *bridge, c identity.Connection) error { return p.linkUser(ctx, b, args[0], c, l, reason) })
		}),
	}
	cmd.Flags().StringVar(&connection, "connection", "", "the connection, by id or name")
	cmd.Flags().StringVar(&l.Subject, "subject", "", "the NameID or sub, exactly as the provider sends it")
	cmd.Flags().StringVar(&l.Issuer, "issuer", "", "the issuer, for a provider of many organisations (default: the connection's)")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	require(cmd, "connection", "subject")
	return cmd
}

func (p *program) linkUser(ctx context.Context, b *bridge, word string, c identity.Connection, l identity.Link, reason string) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	l.ConnectionID = c.ID
	if err := b.people.LinkUser(ctx, identity.Operator(), u.ID, l, reason); err != nil {
		return err
	}
	return p.showLinks(ctx, b, u.ID, fmt.Sprintf("%s of %s signs in as %s from now on.", clean(l.Subject), clean(c.Name), clean(u.UserName)))
}

func (p *program) userUnlink() *cobra.Command {
	var connection, reason string
	cmd := &cobra.Command{
		Use:     "unlink USER --connection CONNECTION",
		Short:   "Remove a person's link to a provider; the sessions that it began end",
		Example: `  drawbridge user unlink ada@example.com --connection "Acme Okta" --reason "another account there"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.withConnection(ctx, connection, func(b *bridge, c identity.Connection) error { return p.unlinkUser(ctx, b, args[0], c, reason) })
		}),
	}
	cmd.Flags().StringVar(&connection, "connection", "", "the connection, by id or name")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	require(cmd, "connection")
	return cmd
}

func (p *program) unlinkUser(ctx context.Context, b *bridge, word string, c identity.Connection, reason string) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	d, err := b.people.UserDetail(ctx, identity.Operator(), u.ID)
	if err != nil {
		return err
	}
	for _, l := range d.Links {
		if l.ConnectionID != c.ID {
			continue
		}
		if err := b.people.UnlinkUser(ctx, identity.Operator(), u.ID, l, reason); err != nil {
			return err
		}
		return p.showLinks(ctx, b, u.ID, fmt.Sprintf("%s of %s opens %s no more.", clean(l.Subject), clean(c.Name), clean(u.UserName)))
	}
	return identity.Errorf(identity.NotFound, "%s has no link to %s. See 'drawbridge user show %s'.", u.UserName, c.Name, u.ID)
}

func (p *program) showLinks(ctx context.Context, b *bridge, id identity.UserID, words string) error {
	d, err := b.people.UserDetail(ctx, identity.Operator(), id)
	if err != nil {
		return err
	}
	return p.show(viewDetail(d), func(w io.Writer) { fmt.Fprintln(w, words) })
}
