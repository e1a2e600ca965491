package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// userEdit is what the flags of user edit say.
type userEdit struct {
	userName, name, email string

	said func(flag string) bool
}

func (p *program) userEdit() *cobra.Command {
	var n userEdit
	cmd := &cobra.Command{
		Use:   "edit USER",
		Short: "Change a person's name, address or user name",
		Long: `Changes what the flags say. What a directory manages is changed there, an owner's data by the owner, and a user name only where the access model
lets administrators give another.`,
		Example: `  drawbridge user edit ada@example.com --name "Ada King" --email ada.king@example.com`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if !n.said("user-name") && !n.said("name") && !n.said("email") {
				return usage("user edit", "nothing would change; give --name, --email or --user-name")
			}
			return p.with(ctx, func(b *bridge) error { return p.editUser(ctx, b, args[0], n) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&n.name, "name", "", "the name to show")
	f.StringVar(&n.email, "email", "", "the e-mail address, in place of the one to which mail goes")
	f.StringVar(&n.userName, "user-name", "", "the user name")
	n.said = func(flag string) bool { return f.Changed(flag) }
	return cmd
}

func (p *program) editUser(ctx context.Context, b *bridge, word string, n userEdit) error {
	before, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	after, err := b.people.UpdateUser(ctx, identity.Operator(), before.ID, before.Version, func(u *identity.User) error {
		if n.said("name") {
			u.DisplayName = n.name
		}
		if n.said("user-name") {
			u.UserName = n.userName
		}
		if n.said("email") {
			u.Emails = withAddress(u.Emails, n.email)
		}
		return nil
	})
	if err != nil {
		return err
	}
	after.Roles, after.TenantName = before.Roles, before.TenantName
	return p.show(viewUser(after), func(w io.Writer) {
		fmt.Fprintf(w, "%s is changed.\n", clean(after.Label()))
		fields(w, "  user name", after.UserName, "  e-mail", orDash(after.Email()))
	})
}

// withAddress puts another address in place of the primary one.
func withAddress(emails []identity.Email, address string) []identity.Email {
	out := slices.Clone(emails)
	was := identity.PrimaryEmail(emails)
	for i := range out {
		if out[i].Value == was {
			out[i].Value = address
			return out
		}
	}
	return append(out, identity.Email{Value: address, Type: "work", Primary: true})
}
