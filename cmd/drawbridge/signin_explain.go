package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// signin returns the group of commands about one sign-in.
func (p *program) signin() *cobra.Command {
	cmd := p.group(&cobra.Command{Use: "signin", Short: "One sign-in: explain a response of a provider"})
	cmd.AddCommand(p.explainSignin())
	return cmd
}

// explainSignin returns the command that makes the checks of a sign-in with a message in a file.
func (p *program) explainSignin() *cobra.Command {
	var connection, at string
	cmd := &cobra.Command{
		Use:   "explain FILE",
		Short: "Explain a SAML response or an ID token: every check of a sign-in, and what to do",
		Long: `Makes every check of a sign-in with a message in a file, or on standard input when FILE is -: a SAMLResponse in base64, as XML or in the form that
the browser posted, or an ID token. Nobody is signed in, nothing is stored, and the message can still be used once. Times are judged as of when
the message was issued; the list also says what is over by now. It ends with status 1 when the message would be refused.`,
		Example: `  drawbridge signin explain response.txt
  drawbridge signin explain response.xml --connection "Acme Okta" --at now
  pbpaste | drawbridge signin explain - --json`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			raw, err := p.read("FILE", args[0])
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.explainMessage(ctx, b, string(raw), connection, at) })
		}),
	}
	cmd.Flags().StringVar(&connection, "connection", "", "the connection that it is for: its id or name; otherwise the one of its issuer and audience")
	cmd.Flags().StringVar(&at, "at", "issued", "judge it at this time: issued, now, or a time such as 2026-01-31T08:00:00Z")
	return cmd
}

func (p *program) explainMessage(ctx context.Context, b *bridge, input, connection, at string) error {
	id, err := b.optionalConnection(ctx, connection)
	if err != nil {
		return err
	}
	t, err := b.ssoDoor(slog.New(slog.DiscardHandler)).Explain(ctx, identity.Operator(), identity.Pasted{Input: input, ConnectionID: id, At: at})
	if err != nil {
		return err
	}
	result := "right: every check passes"
	if !t.OK {
		result = "would be refused"
	}
	if err := p.show(viewTrace(t), func(w io.Writer) { writeTrace(w, t, result) }); err != nil || t.OK {
		return err
	}
	return identity.Errorf(identity.Forbidden, "The message would be refused: %s.", t.Code).WithCode(t.Code)
}
