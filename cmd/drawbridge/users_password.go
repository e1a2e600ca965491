package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// userPasswords are the commands about passwords and locks.
func (p *program) userPasswords() []*cobra.Command {
	return []*cobra.Command{p.userPassword(), p.userRequireChange(), p.userUnlock(), p.userSharedLogins()}
}

// givenPassword is what the flags of a command say of a password.
type givenPassword struct {
	file      string
	temporary bool
	require   optional[bool]
	lasts     time.Duration
}

func (g *givenPassword) flags(cmd *cobra.Command, temporary string) {
	f := cmd.Flags()
	f.StringVar(&g.file, "password-file", "", "a file whose first line is the password; - reads standard input")
	f.BoolVar(&g.temporary, temporary, false, "it ends unless it is changed; without --password-file one is made and shown once")
	f.Var(&g.require, "require-change", "whether it has to be changed at the next sign-in (default: as the access model says)")
	f.Lookup("require-change").NoOptDefVal = "true"
	f.DurationVar(&g.lasts, "for", 0, "how long a temporary one opens the account (default 72h)")
}

// read makes of the flags what authn takes.
func (g *givenPassword) read(p *program) (authn.GivenPassword, error) {
	out := authn.GivenPassword{Temporary: g.temporary, For: g.lasts, MustChange: g.require.value}
	if g.file == "" {
		return out, nil
	}
	var err error
	out.Password, err = p.secret("--password-file", g.file)
	return out, err
}

type passwordView struct {
	userView
	Password string `json:"password,omitempty"` // a temporary one, shown this once
}

func (p *program) userPassword() *cobra.Command {
	var g givenPassword
	var keepLock bool
	var reason string
	cmd := &cobra.Command{
		Use:     "password USER",
		Aliases: []string{"set-password"},
		Short:   "Give a person a password, or without --password-file a temporary one, shown once; every session ends and a lock goes",
		Example: `  drawbridge user password ada@example.com --reason "a new phone"
  drawbridge user password you@example.com --password-file -`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				given, err := g.read(p)
				if err != nil {
					return err
				}
				given.Unlock, given.Reason = !keepLock, reason
				return p.setPassword(ctx, b, args[0], given)
			})
		}),
	}
	g.flags(cmd, "temporary")
	cmd.Flags().BoolVar(&keepLock, "keep-lock", false, "leave the account locked when it is")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	return cmd
}

func (p *program) setPassword(ctx context.Context, b *bridge, word string, given authn.GivenPassword) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	made, err := b.authn.ResetPassword(ctx, identity.Operator(), u.ID, given)
	if err != nil {
		return err
	}
	return p.show(passwordView{viewUser(u), made}, func(w io.Writer) {
		fmt.Fprintf(w, "%s has a new password; every session ended.\n", clean(u.Label()))
		showMade(w, made)
	})
}

// showMade shows a password that was made up, for the only time.
func showMade(w io.Writer, made string) {
	if made != "" {
		fmt.Fprintf(w, "\n  %s\n\nIt is shown this once, and has to be changed at the first sign-in.\n", made)
	}
}

func (p *program) userRequireChange() *cobra.Command {
	var off bool
	cmd := p.userSwitch("require-change", "Let a person change the password at the next sign-in, or with --off not", "%s: done; sessions that run go on.\n",
		func(ctx context.Context, b *bridge, id identity.UserID, reason string) (identity.User, error) {
			if err := b.authn.RequirePasswordChange(ctx, identity.Operator(), id, !off, reason); err != nil {
				return identity.User{}, err
			}
			return b.people.User(ctx, identity.Operator(), id)
		})
	cmd.Flags().BoolVar(&off, "off", false, "the password need not be changed any more")
	return cmd
}

func (p *program) userUnlock() *cobra.Command {
	return p.userSwitch("unlock", "Unlock a person after too many wrong passwords", "%s is not locked; the count of wrong passwords began anew.\n",
		func(ctx context.Context, b *bridge, id identity.UserID, reason string) (identity.User, error) {
			if err := b.authn.Unlock(ctx, identity.Operator(), id, reason); err != nil {
				return identity.User{}, err
			}
			return b.people.User(ctx, identity.Operator(), id)
		})
}

type sharedLoginView struct {
	userView
	Sessions   int       `json:"sessions"`
	Addresses  int       `json:"addresses"`
	Browsers   int       `json:"browsers"`
	LastSeenAt time.Time `json:"last_seen_at"`
}

func (p *program) userSharedLogins() *cobra.Command {
	var tenant string
	var least int
	cmd := &cobra.Command{
		Use:   "shared-logins",
		Short: "List people with several sessions at once, which may mean that several people use one account",
		Example: `  drawbridge user shared-logins --least 3
  drawbridge user shared-logins --tenant Acme --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error { return p.sharedLogins(ctx, b, tenant, least) })
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant, by name or id")
	cmd.Flags().IntVar(&least, "least", 2, "how many sessions a person has at least")
	return cmd
}

func (p *program) sharedLogins(ctx context.Context, b *bridge, tenant string, least int) error {
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return err
	}
	found, err := b.authn.SharedLogins(ctx, identity.Operator(), t.ID, least)
	if err != nil {
		return err
	}
	list := listView[sharedLoginView]{Items: []sharedLoginView{}}
	for _, s := range found {
		list.Items = append(list.Items, sharedLoginView{viewUser(s.User), s.Sessions, s.Addresses, s.Browsers, s.LastSeenAt})
	}
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "NAME", "E-MAIL", "SESSIONS", "ADDRESSES", "BROWSERS", "LAST SEEN"}, none: "Nobody has that many sessions."}
		for _, v := range list.Items {
			t.add(string(v.ID), v.DisplayName, orDash(v.Email), fmt.Sprint(v.Sessions), fmt.Sprint(v.Addresses), fmt.Sprint(v.Browsers), when(&v.LastSeenAt))
		}
		t.write(w)
	})
}

// firstPassword fills in the password of a new person: typed, made up, or by a hash from elsewhere. Without any of these flags the person has none.
func (p *program) firstPassword(ctx context.Context, b *bridge, n newUser, user *provisioning.NewUser) (made string, err error) {
	if n.hashFile != "" {
		if user.PasswordHash, err = p.secret("--password-hash-file", n.hashFile); err != nil {
			return "", err
		}
		user.PasswordTerms, err = authn.ImportPasswordHash(user.PasswordHash)
		return "", err
	}
	if n.password.file == "" && !n.password.temporary {
		return "", nil
	}
	given, err := n.password.read(p)
	if err != nil {
		return "", err
	}
	first, err := b.authn.FirstPassword(ctx, identity.Operator(), user.User, given)
	user.PasswordHash, user.PasswordTerms = first.Hash, first.Terms
	return first.Made, err
}
