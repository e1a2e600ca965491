package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// picture is what the flags of user avatar say.
type picture struct {
	set, save string
	remove    bool
}

// avatarView is a picture for programs.
type avatarView struct {
	UserID identity.UserID `json:"user_id"`
	Hash   string          `json:"hash,omitempty"` // none: there is no picture
	Type   string          `json:"type,omitempty"`
	Bytes  int             `json:"bytes,omitempty"`
}

func (p *program) userAvatar() *cobra.Command {
	var o picture
	cmd := &cobra.Command{
		Use:   "avatar USER",
		Short: "Show, set, save or remove the picture of a person",
		Long:  "Shows the picture of a person, or sets it from a PNG, JPEG or WebP file of at most 5 MiB and 4096 by 4096 pixels. It is cut to a square of 256 pixels; what else is in the file is not kept.",
		Example: `  drawbridge user avatar ada@example.com --set ada.jpg
  drawbridge user avatar ada@example.com --save ./ada.png`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.avatar(ctx, b, args[0], o) })
		}),
	}
	cmd.Flags().StringVar(&o.set, "set", "", "a file with the picture; - reads standard input")
	cmd.Flags().StringVar(&o.save, "save", "", "write the picture to this file")
	cmd.Flags().BoolVar(&o.remove, "remove", false, "remove the picture")
	cmd.MarkFlagsMutuallyExclusive("set", "save", "remove")
	return cmd
}

func (p *program) avatar(ctx context.Context, b *bridge, word string, o picture) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	if o.set != "" {
		content, err := p.readAtMost("--set", o.set, identity.MaxAvatar)
		if err != nil {
			return err
		}
		if _, err := b.people.SetAvatar(ctx, identity.Operator(), u.ID, content); err != nil {
			return err
		}
	}
	if o.remove {
		if err := b.people.DeleteAvatar(ctx, identity.Operator(), u.ID); err != nil {
			return err
		}
	}
	a, err := b.people.Avatar(ctx, identity.Operator(), u.ID)
	if err != nil && (identity.KindOf(err) != identity.NotFound || o.save != "") {
		return err
	}
	if o.save != "" {
		if err := os.WriteFile(o.save, a.Content, 0o600); err != nil {
			return identity.Errorf(identity.Invalid, "--save: %v.", err)
		}
	}
	v := avatarView{UserID: u.ID, Hash: a.Hash, Bytes: len(a.Content)}
	if a.Hash != "" {
		v.Type = a.ContentType()
	}
	return p.show(v, func(w io.Writer) {
		if v.Hash == "" {
			fmt.Fprintf(w, "%s has no picture.\n", clean(u.Label()))
			return
		}
		fmt.Fprintf(w, "%s has a picture: %s, %d bytes.\n", clean(u.Label()), v.Type, v.Bytes)
	})
}
