package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// review returns the commands about sign-ins that wait for an administrator.
func (p *program) review() *cobra.Command {
	cmd := &cobra.Command{Use: "review", Short: "Reviews, sign-ins that were refused and can be settled: list, link, create, dismiss"}
	cmd.AddCommand(p.reviewList(), p.reviewLink(), p.reviewCreate(), p.reviewDismiss())
	return p.group(cmd)
}

// reviewView is a review for programs.
type reviewView struct {
	ID           identity.ReviewID     `json:"id"`
	At           time.Time             `json:"at"`
	LastAt       time.Time             `json:"last_at"`
	Attempts     int                   `json:"attempts"`
	ConnectionID identity.ConnectionID `json:"connection_id"`
	Connection   string                `json:"connection"`
	Issuer       string                `json:"issuer"`
	Subject      string                `json:"subject"`
	Email        string                `json:"email,omitempty"`
	Name         string                `json:"name,omitempty"`
	Code         string                `json:"code"`
	Message      string                `json:"message"`
	TraceID      identity.TraceID      `json:"trace_id,omitempty"`
	UserID       identity.UserID       `json:"user_id,omitempty"`
	State        identity.ReviewState  `json:"state"`
	SettledBy    string                `json:"settled_by,omitempty"`
	SettledAt    *time.Time            `json:"settled_at,omitempty"`
	Note         string                `json:"note,omitempty"`
}

func viewReview(r identity.Review) reviewView {
	return reviewView{
		ID: r.ID, At: r.At, LastAt: r.LastAt, Attempts: r.Attempts, ConnectionID: r.ConnectionID, Connection: r.ConnectionName, Issuer: r.Issuer, Subject: r.Subject,
		Email: r.Email, Name: r.Name, Code: r.Code, Message: r.Message, TraceID: r.TraceID, UserID: r.UserID, State: r.State, SettledBy: r.SettledBy, SettledAt: r.SettledAt, Note: r.Note,
	}
}

func (p *program) reviewList() *cobra.Command {
	var q provisioning.ReviewQuery
	var state, connection string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List sign-ins that wait to be settled, newest first",
		Long: `Lists the sign-ins that were refused for a reason that you can settle: one for each person and reason, however often they try.
Reviews are deleted 90 days after the last attempt.`,
		Example: `  drawbridge review list
  drawbridge review list --state dismissed --connection "Acme Okta" --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("review list", q.Limit); err != nil {
				return err
			}
			q.State = identity.ReviewState(state)
			if !slices.Contains([]identity.ReviewState{"", identity.ReviewOpen, identity.ReviewSettled, identity.ReviewDismissed}, q.State) {
				return usage("review list", "--state is %q; use open, settled or dismissed", state)
			}
			return p.with(ctx, func(b *bridge) error { return p.listReviews(ctx, b, q, connection) })
		}),
	}
	cmd.Flags().StringVar(&state, "state", string(identity.ReviewOpen), `open, settled or dismissed; "" for all`)
	cmd.Flags().StringVar(&connection, "connection", "", "only of this connection: its id or name")
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listReviews(ctx context.Context, b *bridge, q provisioning.ReviewQuery, connection string) error {
	var err error
	if q.ConnectionID, err = b.optionalConnection(ctx, connection); err != nil {
		return err
	}
	page, err := b.people.Reviews(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewReview, func(r identity.Review) string { return string(r.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "LAST", "TRIES", "WHO", "THROUGH", "WHY"}, none: "Nobody waits."}
		for _, v := range list.Items {
			t.add(string(v.ID), when(&v.LastAt), strconv.Itoa(v.Attempts), orDash(firstOf(v.Email, v.Subject)), v.Connection, v.Code+": "+v.Message)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func readReview(command, word string) (identity.ReviewID, error) {
	id, ok := identity.ParseID[identity.ReviewID](word)
	if !ok {
		return "", usage(command, "%q is no id of a review; see 'drawbridge review list'", word)
	}
	return id, nil
}

func (p *program) reviewLink() *cobra.Command {
	var s provisioning.Settlement
	cmd := &cobra.Command{
		Use:   "link REVIEW USER",
		Short: "Link the subject of a review to a user: they can sign in from then on",
		Long: `Links the provider's subject to a user, given by id, e-mail address or user name. Make sure that it is the same person: whoever signs in with that subject is
this user from then on, whatever the address says.`,
		Example: `  drawbridge review link 0190a2b4-7c1e-7000-8000-000000000000 ada@example.com --reason "asked her"`,
		Args:    cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			id, err := readReview("review link", args[0])
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.linkReview(ctx, b, id, args[1], s) })
		}),
	}
	cmd.Flags().BoolVar(&s.Replace, "replace", false, "remove the user's link to another subject of the same provider")
	cmd.Flags().StringVar(&s.Note, "reason", "", "why; kept with the event")
	return cmd
}

func (p *program) linkReview(ctx context.Context, b *bridge, id identity.ReviewID, word string, s provisioning.Settlement) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	s.User = u.ID
	if err := b.people.LinkFromReview(ctx, identity.Operator(), id, s); err != nil {
		return err
	}
	return p.showReview(ctx, b, id, func(w io.Writer, r identity.Review) {
		fmt.Fprintf(w, "%s of %s signs in as %s from now on.\n", clean(r.Subject), clean(r.ConnectionName), clean(u.UserName))
	})
}

func (p *program) showReview(ctx context.Context, b *bridge, id identity.ReviewID, words func(io.Writer, identity.Review)) error {
	d, err := b.people.Review(ctx, identity.Operator(), id)
	if err != nil {
		return err
	}
	return p.show(viewReview(d.Review), func(w io.Writer) { words(w, d.Review) })
}

func (p *program) reviewCreate() *cobra.Command {
	var tenant, role, reason string
	cmd := &cobra.Command{
		Use:     "create REVIEW --role ROLE",
		Short:   "Create the person of a review where you say, and link the subject",
		Example: `  drawbridge review create 0190a2b4-7c1e-7000-8000-000000000000 --tenant Acme --role viewer`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			id, err := readReview("review create", args[0])
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.createReviewed(ctx, b, id, tenant, role, reason) })
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant, by name or id (default: the platform, for a platform role)")
	cmd.Flags().StringVar(&role, "role", "", "the role")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	require(cmd, "role")
	return cmd
}

func (p *program) createReviewed(ctx context.Context, b *bridge, id identity.ReviewID, tenant, role, reason string) error {
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return err
	}
	r, err := b.findRole(role)
	if err != nil {
		return err
	}
	u, err := b.people.CreateFromReview(ctx, identity.Operator(), id, t.ID, r.ID, reason)
	if err != nil {
		return err
	}
	return p.showReview(ctx, b, id, func(w io.Writer, _ identity.Review) {
		fmt.Fprintf(w, "Created %s in %s as %s; they can sign in now.\n", clean(u.UserName), place(t.Name), r.Title)
	})
}

func (p *program) reviewDismiss() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "dismiss REVIEW --reason WHY",
		Short:   "Close a review without doing anything; further attempts stay out of the list",
		Example: `  drawbridge review dismiss 0190a2b4-7c1e-7000-8000-000000000000 --reason "left the company"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			id, err := readReview("review dismiss", args[0])
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				if err := b.people.DismissReview(ctx, identity.Operator(), id, reason); err != nil {
					return err
				}
				return p.showReview(ctx, b, id, func(w io.Writer, r identity.Review) {
					fmt.Fprintf(w, "Dismissed: %s goes on being refused.\n", clean(firstOf(r.Email, r.Subject)))
				})
			})
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	require(cmd, "reason")
	return cmd
}
