package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// user returns the commands about people.
func (p *program) user() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "People: create, list, show, timeline, edit, position, place, deactivate, activate, release, link, unlink, password, reset-password, welcome, require-change, unlock, shared-logins, reset-second-factor, break-glass, remove, erase, duplicates, merge, dormant, avatar, role"}
	cmd.AddCommand(
		p.userCreate(),
		p.userList(),
		p.userShow(),
		p.userTimeline(),
		p.userEdit(),
		p.userPosition(),
		p.userPlace(),
		p.userDeactivate(),
		p.userActivate(),
		p.userRelease(),
		p.userLink(),
		p.userUnlink(),
		p.userResetSecondFactor(),
		p.userResetPassword(),
		p.userWelcome(),
		p.userBreakGlass(),
		p.userRemove(),
		p.userErase(),
		p.userDuplicates(),
		p.userMerge(),
		p.userDormant(),
		p.userOffboard(),
		p.userBulk(),
		p.userAvatar(),
		p.userRole(),
	)
	cmd.AddCommand(p.userPasswords()...)
	return p.group(cmd)
}

// newUser is what the flags of user create say.
type newUser struct {
	email, userName, name, tenant, role, hashFile, reason string

	stands   positionFlags
	password givenPassword
}

func (p *program) userCreate() *cobra.Command {
	var n newUser
	cmd := &cobra.Command{
		Use:   "create --email ADDRESS --role ROLE",
		Short: "Create a person",
		Long: `Creates a person. A platform role such as superadmin belongs to no tenant; every other role needs --tenant, unless
the access model is for one organisation: its people belong to the one tenant.
Without a password the person can only come in through a connection (SAML or OIDC).`,
		Example: `  drawbridge user create --email you@example.com --role superadmin --password-file -
  drawbridge user create --email ada@example.com --name "Ada Lovelace" --tenant Acme --role viewer`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error { return p.createUser(ctx, b, n) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&n.email, "email", "", "the e-mail address")
	f.StringVar(&n.userName, "user-name", "", "the user name (default: the e-mail address)")
	f.StringVar(&n.name, "name", "", "the name to show")
	f.StringVar(&n.tenant, "tenant", "", "the home tenant, by name or id")
	f.StringVar(&n.role, "role", "", "the role, such as superadmin or viewer")
	n.password.flags(cmd, "temporary-password")
	f.StringVar(&n.hashFile, "password-hash-file", "", "a file whose first line is a password hash that was made elsewhere (argon2, bcrypt, PBKDF2, scrypt); - reads standard input")
	f.StringVar(&n.reason, "reason", "", "why; kept with the event")
	n.stands.register(cmd)
	require(cmd, "role")
	cmd.MarkFlagsOneRequired("email", "user-name")
	cmd.MarkFlagsMutuallyExclusive("password-hash-file", "password-file")
	cmd.MarkFlagsMutuallyExclusive("password-hash-file", "temporary-password")
	return cmd
}

func (p *program) createUser(ctx context.Context, b *bridge, n newUser) error {
	role, err := b.findRole(n.role)
	if err != nil {
		return err
	}
	tenant, err := b.findTenant(ctx, n.tenant)
	if err != nil {
		return err
	}
	change, err := n.stands.change(ctx, b, tenant.ID)
	if err != nil {
		return err
	}
	var stands identity.Position
	if err := change(&stands); err != nil {
		return err
	}
	if n.name == "" && b.model.Onboarding().Default != access.OnboardInvite { // who is invited says it
		n.name = firstOf(n.userName, n.email)
	}
	user := provisioning.NewUser{
		User: identity.User{
			TenantID: tenant.ID, UserName: n.userName, DisplayName: n.name, Enabled: true, Emails: addresses(n.email),
		},
		Role: role.ID, Reason: n.reason, Position: stands,
	}
	made, err := p.firstPassword(ctx, b, n, &user)
	if err != nil {
		return err
	}
	u, err := b.people.CreateUser(ctx, identity.Operator(), user)
	if err != nil {
		return err
	}
	if tenant.ID == "" && u.TenantID != "" {
		if tenant, err = b.findTenant(ctx, string(u.TenantID)); err != nil {
			return err
		}
	}
	u.TenantName, u.Roles = tenant.Name, []identity.Role{role}
	return p.show(passwordView{viewUser(u), made}, func(w io.Writer) {
		fmt.Fprintf(w, "Created %s as %s in %s.\n", clean(u.Label()), role.Title, place(tenant.Name))
		fields(w, "  id", string(u.ID), "  page", b.settings.URL+"/console/users/"+string(u.ID))
		showMade(w, made)
	})
}

// addresses is the list of the one address that a command names, if it does.
func addresses(email string) []identity.Email {
	if email == "" {
		return nil
	}
	return []identity.Email{{Value: email, Type: "work", Primary: true}}
}

// place names a home for people's eyes.
func place(tenant string) string {
	if tenant == "" {
		return "the whole installation"
	}
	return clean(tenant)
}

// statusOf reads a status in any case; none is every status.
func statusOf(word string) (identity.Status, bool) {
	for _, s := range []identity.Status{"", identity.StatusActive, identity.StatusPending, identity.StatusInactive, identity.StatusLocked} {
		if strings.EqualFold(word, string(s)) {
			return s, true
		}
	}
	return "", false
}

func (p *program) userList() *cobra.Command {
	var tenant, status string
	var q identity.Query
	var where positionFilter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List people, in the order in which they were created",
		Example: `  drawbridge user list --tenant "SSO Landing"
  drawbridge user list --status locked
  drawbridge user list --search ada --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("user list", q.Limit); err != nil {
				return err
			}
			var known bool
			if q.Status, known = statusOf(status); !known {
				return usage("user list", "--status is %q; give active, pending, inactive or locked", status)
			}
			return p.with(ctx, func(b *bridge) error {
				if err := where.narrow(ctx, b, tenant, &q); err != nil {
					return err
				}
				return p.listUsers(ctx, b, tenant, q)
			})
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant, by name or id")
	cmd.Flags().StringVar(&status, "status", "", "only active, pending, inactive or locked people")
	cmd.Flags().StringVar(&q.Search, "search", "", "words in names, user names or addresses")
	where.register(cmd)
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listUsers(ctx context.Context, b *bridge, tenant string, q identity.Query) error {
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return err
	}
	q.Tenant = t.ID
	page, err := b.people.Users(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewUser, func(u identity.User) string { return string(u.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "NAME", "E-MAIL", "TENANT", "ROLES", "STATUS", "LAST SIGN-IN"}, none: "Nobody."}
		for _, u := range page.Items {
			t.add(string(u.ID), u.Label(), orDash(u.Email()), orDash(u.TenantName), titles(u.Roles), string(u.Status()), when(u.LastLoginAt))
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func titles(roles []identity.Role) string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = r.Title
	}
	return orDash(strings.Join(out, ", "))
}

func (p *program) userShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show USER",
		Short:   "Show one person: roles, links, directories, groups, sessions",
		Example: "  drawbridge user show ada@example.com",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.showUser(ctx, b, args[0]) })
		}),
	}
}

func (p *program) showUser(ctx context.Context, b *bridge, word string) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	d, err := b.people.UserDetail(ctx, identity.Operator(), u.ID)
	if err != nil {
		return err
	}
	v := viewDetail(d)
	return p.show(v, func(w io.Writer) { describeUser(w, d, v) })
}

// statusText is the status with what a lock is about.
func statusText(v userView) string {
	switch {
	case v.LockedUntil != nil:
		return string(v.Status) + " until " + when(v.LockedUntil)
	case v.LockedAt != nil:
		return string(v.Status) + " since " + when(v.LockedAt) + ", until somebody unlocks it"
	}
	return string(v.Status)
}

func describeUser(w io.Writer, d provisioning.UserDetail, v userDetailView) {
	pairs := []string{
		"Name", d.User.Label(), "Id", string(v.ID), "User name", v.UserName, "E-mail", strings.Join(v.Emails, ", "),
		"Tenant", place(v.Tenant), "Status", statusText(v.userView), "Created", when(&v.CreatedAt), "Last sign-in", when(v.LastLoginAt),
		"Signed in by", signedInBy(d.LastSignIn), "Came by", string(d.Origin), "Groups", strings.Join(v.Groups, ", "),
	}
	pairs = append(pairs, "Starts", termText(d.Terms, d.Terms.StartsAt), "Ends", termText(d.Terms, d.Terms.EndsAt))
	pairs = append(pairs, standingPairs(d.Standing)...)
	for _, r := range v.Records {
		pairs = append(pairs, "Record", strings.TrimSpace(r.Type+" "+r.ForeignID+" "+r.Display))
	}
	for _, a := range v.Assignments {
		pairs = append(pairs, "Role", fmt.Sprintf("%s (%s, %s) %s", a.Role, a.Source, when(&a.At), a.Reason))
	}
	for _, k := range v.Directories {
		state := "lets in"
		if !k.Active {
			state = "keeps out"
		}
		pairs = append(pairs, "Directory", fmt.Sprintf("%s %s, external id %s", k.Name, state, orDash(k.ExternalID)))
	}
	for _, l := range v.Links {
		pairs = append(pairs, "Signs in by", fmt.Sprintf("%s as %s, last %s", l.Connection, l.Subject, when(l.LastUsedAt)))
	}
	for _, s := range v.Sessions {
		pairs = append(pairs, "Session", fmt.Sprintf("%s from %s, last seen %s", s.ID, orDash(s.IP), when(&s.LastSeenAt)))
	}
	fields(w, pairs...)
}

func (p *program) userDeactivate() *cobra.Command {
	return p.userSwitch("deactivate", "Keep a person out and end all sessions; no directory can undo it", "%s is kept out; every session ended.\n",
		func(ctx context.Context, b *bridge, id identity.UserID, reason string) (identity.User, error) {
			return b.people.DeactivateUser(ctx, identity.Operator(), id, reason)
		})
}

func (p *program) userActivate() *cobra.Command {
	return p.userSwitch("activate", "Let a deactivated person in again", "%s may come in again.\n",
		func(ctx context.Context, b *bridge, id identity.UserID, reason string) (identity.User, error) {
			return b.people.ActivateUser(ctx, identity.Operator(), id, reason)
		})
}

func (p *program) userRelease() *cobra.Command {
	return p.userSwitch("release", "Free a person from the directories of their tenant, so that they can be placed in another", "%s is no longer held by a directory of the tenant.\n",
		func(ctx context.Context, b *bridge, id identity.UserID, reason string) (identity.User, error) {
			return b.people.ReleaseUser(ctx, identity.Operator(), id, reason)
		})
}

// switchUser does something to one person that needs no other word than why.
type switchUser func(ctx context.Context, b *bridge, id identity.UserID, reason string) (identity.User, error)

// userSwitch returns a command that does it to the person it is given; done is a format that takes the name.
func (p *program) userSwitch(verb, short, done string, change switchUser) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     verb + " USER",
		Short:   short,
		Example: fmt.Sprintf("  drawbridge user %s ada@example.com --reason \"ticket 4711\"", verb),
		Args:    cobra.ExactArgs(1),
	}
	cmd.RunE = p.do(func(ctx context.Context, args []string) error {
		return p.with(ctx, func(b *bridge) error {
			u, err := b.findUser(ctx, args[0])
			if err != nil {
				return err
			}
			changed, err := change(ctx, b, u.ID, reason)
			if err != nil {
				return err
			}
			changed.Roles, changed.TenantName = u.Roles, u.TenantName
			return p.show(viewUser(changed), func(w io.Writer) {
				fmt.Fprintf(w, done, clean(changed.Label()))
			})
		})
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	return cmd
}
