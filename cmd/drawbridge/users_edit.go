package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// userEdit is what the flags of user edit say.
type userEdit struct {
	userName, name, email string
	starts, ends, reason  string

	said func(flag string) bool
}

func (p *program) userEdit() *cobra.Command {
	var n userEdit
	cmd := &cobra.Command{
		Use:   "edit USER",
		Short: "Change a person's name, address or user name",
		Long: `Changes what the flags say. What a directory manages is changed there, an owner's data by the owner, and a user name only where the access model
lets administrators give another. Who starts later may not come in until then, and whose end is over no longer. A start is the day at whose
beginning the person may come in, an end the last day, both in UTC, or a moment as 2026-03-01T08:00:00Z; an empty one takes the date away.`,
		Example: `  drawbridge user edit ada@example.com --name "Ada King" --email ada.king@example.com
  drawbridge user edit bob@example.com --ends 2026-12-31 --reason "the contract ends"
  drawbridge user edit bob@example.com --ends ""`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if !n.says("user-name", "name", "email", "starts", "ends") {
				return usage("user edit", "nothing would change; give --name, --email, --user-name, --starts or --ends")
			}
			return p.with(ctx, func(b *bridge) error { return p.editUser(ctx, b, args[0], n) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&n.name, "name", "", "the name to show")
	f.StringVar(&n.email, "email", "", "the e-mail address, in place of the one to which mail goes")
	f.StringVar(&n.userName, "user-name", "", "the user name")
	f.StringVar(&n.starts, "starts", "", "the first day, as 2006-01-02, or a moment")
	f.StringVar(&n.ends, "ends", "", "the last day, as 2006-01-02, or the moment from which the person is gone")
	f.StringVar(&n.reason, "reason", "", "why the dates change")
	n.said = func(flag string) bool { return f.Changed(flag) }
	return cmd
}

// says reports whether one of some flags was given.
func (n userEdit) says(flags ...string) bool { return slices.ContainsFunc(flags, n.said) }

func (p *program) editUser(ctx context.Context, b *bridge, word string, n userEdit) error {
	before, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	if n.says("starts", "ends") {
		if before, err = b.editTerms(ctx, before, n); err != nil {
			return err
		}
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

// editTerms changes from when until when somebody belongs here, as far as the flags say so.
func (b *bridge) editTerms(ctx context.Context, u identity.User, n userEdit) (identity.User, error) {
	d, err := b.people.UserDetail(ctx, identity.Operator(), u.ID)
	if err != nil {
		return u, err
	}
	starts, ends := d.Terms.StartsAt, d.Terms.EndsAt
	if n.said("starts") {
		if starts, err = provisioning.ReadStart(n.starts); err != nil {
			return u, err
		}
	}
	if n.said("ends") {
		if ends, err = provisioning.ReadEnd(n.ends); err != nil {
			return u, err
		}
	}
	after, err := b.people.SetTerms(ctx, identity.Operator(), u.ID, starts, ends, n.reason)
	after.Roles, after.TenantName = u.Roles, u.TenantName
	return after, err
}

// termText writes a start or an end with whose word it is.
func termText(t identity.Terms, at *time.Time) string {
	switch {
	case at == nil:
		return ""
	case t.Source != "":
		return when(at) + ", as the source " + t.Source + " says"
	}
	return when(at)
}
