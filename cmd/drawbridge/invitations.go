package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// newInvitation is what the flags of invite say.
type newInvitation struct {
	tenant, role, name, userName, message, reason string
}

func (p *program) invite() *cobra.Command {
	var n newInvitation
	cmd := &cobra.Command{
		Use:   "invite ADDRESS --role ROLE",
		Short: "Invite a person by mail; 'invitation' lists, resends and revokes",
		Long: `Creates a person who has not joined yet, and sends a link with which they do. It works once, for as long as the access model says.
The mail leaves when 'drawbridge serve' runs with a mail server (DRAWBRIDGE_SMTP_URL).`,
		Example: `  drawbridge invite ada@example.com --tenant Acme --role member
  drawbridge invite ada@example.com --tenant Acme --role member --message "We start on Monday."`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.sendInvitation(ctx, b, args[0], n) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&n.tenant, "tenant", "", "the tenant, by name or id")
	f.StringVar(&n.role, "role", "", "the role, such as member")
	f.StringVar(&n.name, "name", "", "the name to show until the person gives the own")
	f.StringVar(&n.userName, "user-name", "", "the user name (default: the address)")
	f.StringVar(&n.message, "message", "", "some words of your own, for the mail")
	f.StringVar(&n.reason, "reason", "", "why; kept with the event")
	require(cmd, "role")
	return cmd
}

func (p *program) sendInvitation(ctx context.Context, b *bridge, address string, n newInvitation) error {
	role, err := b.findRole(n.role)
	if err != nil {
		return err
	}
	tenant, err := b.findTenant(ctx, n.tenant)
	if err != nil {
		return err
	}
	i, err := b.people.Invite(ctx, identity.Operator(), provisioning.NewInvitation{
		Email: address, UserName: n.userName, DisplayName: n.name, Tenant: tenant.ID, Role: role.ID, Message: n.message, Reason: n.reason,
	})
	if err != nil {
		return err
	}
	i.TenantName = tenant.Name
	return p.showInvitation(b, i, "Invited")
}

// showInvitation says that the mail is written, and when no mail server would send it.
func (p *program) showInvitation(b *bridge, i identity.Invitation, done string) error {
	return p.show(viewInvitation(i), func(w io.Writer) {
		fmt.Fprintf(w, "%s %s to %s; the link works until %s.\n", done, clean(i.Link.Email), place(i.TenantName), when(&i.Link.ExpiresAt))
		if b.settings.SMTP.Host == "" {
			fmt.Fprintln(w, "There is no mail server yet, so the mail waits: set DRAWBRIDGE_SMTP_URL and DRAWBRIDGE_SMTP_FROM.")
		}
	})
}

// invitation returns the commands about people who were invited.
func (p *program) invitation() *cobra.Command {
	cmd := &cobra.Command{Use: "invitation", Short: "Invitations: list, resend, revoke; 'invite' sends the first one"}
	cmd.AddCommand(p.invitationList(), p.invitationResend(), p.invitationRevoke())
	return p.group(cmd)
}

type invitationView struct {
	UserID    identity.UserID          `json:"user_id"`
	Email     string                   `json:"email"`
	Tenant    string                   `json:"tenant,omitempty"`
	State     identity.InvitationState `json:"state"`
	CreatedAt time.Time                `json:"created_at"`
	CreatedBy string                   `json:"created_by"`
	ExpiresAt time.Time                `json:"expires_at"`
	OpenedAt  *time.Time               `json:"opened_at,omitempty"`
	MailID    identity.MailID          `json:"mail_id,omitempty"`
	Mail      identity.MailState       `json:"mail,omitempty"`
	Failure   string                   `json:"failure,omitempty"`
}

func viewInvitation(i identity.Invitation) invitationView {
	v := invitationView{
		UserID: i.User.ID, Email: i.Link.Email, Tenant: i.TenantName, State: i.State(time.Now()), CreatedAt: i.Link.CreatedAt, CreatedBy: i.Link.CreatedBy,
		ExpiresAt: i.Link.ExpiresAt, OpenedAt: i.Link.OpenedAt, MailID: i.Link.MailID,
	}
	if i.Mail.ID != "" {
		v.Mail, v.Failure = i.Mail.State(), i.Mail.Failure
	}
	return v
}

func (p *program) invitationList() *cobra.Command {
	var tenant, state string
	var q provisioning.InvitationQuery
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List who was invited, how far they have come and what became of the mail",
		Example: `  drawbridge invitation list --state open
  drawbridge invitation list --tenant Acme --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("invitation list", q.Limit); err != nil {
				return err
			}
			switch q.State = identity.InvitationState(state); q.State {
			case "", identity.InvitationOpen, identity.InvitationExpired, identity.InvitationAccepted:
			default:
				return usage("invitation list", "--state is open, expired or accepted")
			}
			return p.with(ctx, func(b *bridge) error { return p.listInvitations(ctx, b, tenant, q) })
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant, by name or id")
	cmd.Flags().StringVar(&state, "state", "", "only open, expired or accepted ones")
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listInvitations(ctx context.Context, b *bridge, tenant string, q provisioning.InvitationQuery) error {
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return err
	}
	q.Tenant = t.ID
	page, err := b.people.Invitations(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewInvitation, func(i identity.Invitation) string { return string(i.Link.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"E-MAIL", "TENANT", "STATE", "ENDS", "INVITED BY", "MAIL", "LAST FAILURE"}, none: "Nobody was invited."}
		for _, v := range list.Items {
			t.add(v.Email, orDash(v.Tenant), string(v.State), when(&v.ExpiresAt), orDash(v.CreatedBy), orDash(string(v.Mail)), v.Failure)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func (p *program) invitationResend() *cobra.Command {
	return &cobra.Command{
		Use:     "resend USER",
		Short:   "Send a new invitation; the link of the old one is dead",
		Example: "  drawbridge invitation resend ada@example.com",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				u, err := b.findUser(ctx, args[0])
				if err != nil {
					return err
				}
				i, err := b.people.ResendInvitation(ctx, identity.Operator(), u.ID)
				if err != nil {
					return err
				}
				i.TenantName = u.TenantName
				return p.showInvitation(b, i, "Invited once more")
			})
		}),
	}
}

func (p *program) invitationRevoke() *cobra.Command {
	var sure bool
	var reason string
	cmd := &cobra.Command{
		Use:     "revoke USER",
		Short:   "Take an invitation back; a person who never joined is removed",
		Example: "  drawbridge invitation revoke ada@example.com --reason \"wrong address\"",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				u, err := b.findUser(ctx, args[0])
				if err != nil {
					return err
				}
				if !sure && !p.confirm(fmt.Sprintf("The link is dead then, and %s is removed. Go on?", clean(u.Label()))) {
					return identity.Errorf(identity.Precondition, "Nothing was changed. Answer y, or repeat with --yes.")
				}
				if err := b.people.RevokeInvitation(ctx, identity.Operator(), u.ID, reason); err != nil {
					return err
				}
				return p.show(viewUser(u), func(w io.Writer) { fmt.Fprintf(w, "The invitation of %s is taken back.\n", clean(u.Label())) })
			})
		}),
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "do not ask")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	return cmd
}
