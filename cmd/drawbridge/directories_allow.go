package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// directoryAllow returns the command that says from where a directory may be used.
func (p *program) directoryAllow() *cobra.Command {
	var networks []string
	var anywhere bool
	cmd := &cobra.Command{
		Use:   "allow DIRECTORY",
		Short: "Say from which networks a directory's tokens and clients may be used",
		Long: `Replaces the list of networks from which a directory's tokens and clients may be used. Requests from elsewhere are answered with 403 and kept in
the request journal. The address that counts is the client's, as the trusted proxies tell it.`,
		Example: `  drawbridge directory allow "Acme Okta" --cidr 203.0.113.0/24 --cidr 2001:db8::/32
  drawbridge directory allow "Acme Okta" --anywhere`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if anywhere == (len(networks) > 0) {
				return usage("directory allow", "give --cidr, once for each network, or --anywhere")
			}
			return p.with(ctx, func(b *bridge) error { return p.allowNetworks(ctx, b, args[0], networks) })
		}),
	}
	cmd.Flags().StringSliceVar(&networks, "cidr", nil, "a network, such as 203.0.113.0/24, or one address; repeatable")
	cmd.Flags().BoolVar(&anywhere, "anywhere", false, "let it be used from every address")
	return cmd
}

func (p *program) allowNetworks(ctx context.Context, b *bridge, word string, networks []string) error {
	parsed, err := identity.ParseNetworks(networks)
	if err != nil {
		return err
	}
	d, err := b.findDirectory(ctx, word)
	if err != nil {
		return err
	}
	d, err = b.people.UpdateDirectory(ctx, identity.Operator(), d.ID, func(d *identity.Directory) error {
		d.Networks = parsed
		return nil
	})
	if err != nil {
		return err
	}
	v := struct {
		ID       identity.DirectoryID `json:"id"`
		Networks []string             `json:"networks"`
	}{d.ID, identity.NetworkTexts(d.Networks)}
	return p.show(v, func(w io.Writer) {
		if len(v.Networks) == 0 {
			fmt.Fprintf(w, "%s may be used from anywhere.\n", clean(d.Name))
			return
		}
		fmt.Fprintf(w, "%s may be used from %s only.\n", clean(d.Name), strings.Join(v.Networks, ", "))
	})
}
