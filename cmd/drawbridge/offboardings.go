package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// offboarding returns the commands about people who leave.
func (p *program) offboarding() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "offboarding",
		Short: "People who leave, until nothing is left of them: list, show, close, cancel, report",
		Long: `Whoever leaves is let in no more at once ("drawbridge user offboard"). The offboarding stays open until the applications acknowledged that somebody else has what the person
owned or had to do. It is opened by itself for people whom a directory or a file let go and who still have something.`,
	}
	cmd.AddCommand(p.offboardingList(), p.offboardingShow(), p.offboardingClose(), p.offboardingCancel(), p.offboardingReport())
	return p.group(cmd)
}

// offboardingView is an offboarding for programs.
type offboardingView struct {
	ID          identity.OffboardingID    `json:"id"`
	UserID      identity.UserID           `json:"user_id"`
	State       identity.OffboardingState `json:"state"`
	Reason      string                    `json:"reason"`
	SuccessorID identity.UserID           `json:"successor_id,omitempty"`
	Automatic   bool                      `json:"automatic"`
	BegunBy     string                    `json:"begun_by"`
	BegunAt     time.Time                 `json:"begun_at"`
	AccessEnded time.Time                 `json:"access_ended_at"`
	ClosedBy    string                    `json:"closed_by,omitempty"`
	ClosedAt    *time.Time                `json:"closed_at,omitempty"`
	Word        string                    `json:"closing_reason,omitempty"`
	WasLeft     []string                  `json:"was_left,omitempty"`
}

func viewOffboarding(o identity.Offboarding) offboardingView {
	return offboardingView{
		ID: o.ID, UserID: o.UserID, State: o.State, Reason: o.Reason, SuccessorID: o.Successor, Automatic: o.Facts.Automatic, BegunBy: o.BegunBy, BegunAt: o.BegunAt,
		AccessEnded: o.Facts.EndedAt, ClosedBy: o.ClosedBy, ClosedAt: o.ClosedAt, Word: o.Facts.Word, WasLeft: o.Facts.Left,
	}
}

// leaverView is all about an offboarding for programs.
type leaverView struct {
	offboardingView
	User          string        `json:"user"`
	Successor     string        `json:"successor,omitempty"`
	Out           bool          `json:"out"` // the person cannot come in
	SessionsEnded int           `json:"sessions_ended"`
	Sessions      int           `json:"sessions"`
	KeysBefore    int           `json:"api_keys_before"`
	Keys          int           `json:"api_keys"`
	Roles         []string      `json:"roles"`
	Groups        []string      `json:"groups"`
	Things        []leaverThing `json:"things"`
	Left          int           `json:"left"`
}

type leaverThing struct {
	Key      string                  `json:"key"`
	Name     string                  `json:"name,omitempty"`
	State    provisioning.ThingState `json:"state"`
	Holder   identity.UserID         `json:"holder,omitempty"`
	Transfer identity.TransferID     `json:"transfer,omitempty"`
}

func viewLeaver(v provisioning.OffboardingView) leaverView {
	out := leaverView{
		offboardingView: viewOffboarding(v.Offboarding), User: v.User.Label(), Out: v.Ended(), SessionsEnded: v.Facts.Sessions, Sessions: v.Sessions, KeysBefore: v.Facts.Keys, Keys: v.Keys,
		Roles: []string{}, Groups: []string{}, Things: []leaverThing{}, Left: v.Left,
	}
	if v.Successor.ID != "" {
		out.Successor = v.Successor.Label()
	}
	for _, r := range v.User.Roles {
		out.Roles = append(out.Roles, r.Title)
	}
	for _, g := range v.Groups {
		out.Groups = append(out.Groups, g.Display)
	}
	for _, t := range v.Things {
		thing := leaverThing{Key: t.String(), Name: t.Display, State: t.State, Holder: t.Holder}
		if t.Transfer != nil {
			thing.Transfer = t.Transfer.ID
		}
		out.Things = append(out.Things, thing)
	}
	return out
}

func (p *program) userOffboard() *cobra.Command {
	var successor, reason string
	var yes bool
	cmd := &cobra.Command{
		Use:   "offboard USER --successor USER --reason WHY",
		Short: "End somebody's access at once, and hand over what the person owns or has to do",
		Long: `Ends somebody's access at once, as "user deactivate" does and with its rules, asks that the successor takes over all that the person owns or has to do, and opens an
offboarding. "drawbridge offboarding close" ends it when the applications acknowledged everything. Where a directory let the person go already, the user is given by id.`,
		Example: `  drawbridge user offboard ada@example.com --successor bob@example.com --reason "leaves on Friday"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				id, err := b.someone(ctx, args[0])
				if err != nil {
					return err
				}
				l := provisioning.Leaving{Reason: reason}
				if l.Successor, err = b.someone(ctx, successor); err != nil {
					return err
				}
				if !yes && !p.json && p.asks() && !p.confirm(fmt.Sprintf("End the access of %s?", clean(args[0]))) {
					return identity.Errorf(identity.Precondition, "Nothing was changed. Answer y, or repeat with --yes.")
				}
				o, err := b.people.Offboard(ctx, identity.Operator(), id, l)
				if err != nil {
					return err
				}
				return p.showOffboarding(ctx, b, o.ID)
			})
		}),
	}
	cmd.Flags().StringVar(&successor, "successor", "", "who takes over: id, e-mail address or user name")
	cmd.Flags().StringVar(&reason, "reason", "", "why; the applications and the successor read it")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	require(cmd, "reason")
	return cmd
}

func (p *program) offboardingList() *cobra.Command {
	var q provisioning.OffboardingQuery
	var state, user, tenant, after string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List offboardings, newest first",
		Example: "  drawbridge offboarding list --state open",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("offboarding list", q.Limit); err != nil {
				return err
			}
			q.State, q.After = identity.OffboardingState(state), identity.OffboardingID(after)
			return p.with(ctx, func(b *bridge) error {
				t, err := b.findTenant(ctx, tenant)
				if err != nil {
					return err
				}
				q.TenantID = t.ID
				if q.UserID, err = b.someone(ctx, user); err != nil {
					return err
				}
				page, err := b.people.Offboardings(ctx, identity.Operator(), q)
				if err != nil {
					return err
				}
				list := views(page, viewOffboarding, func(o identity.Offboarding) string { return string(o.ID) })
				return p.show(list, func(w io.Writer) {
					t := table{heading: []string{"ID", "WHO", "STATE", "BEGUN", "BY", "REASON"}, none: "No offboardings."}
					for _, v := range list.Items {
						t.add(string(v.ID), string(v.UserID), string(v.State), when(&v.BegunAt), v.BegunBy, v.Reason)
					}
					t.write(w)
					more(w, list.Next != "", list.Next)
				})
			})
		}),
	}
	cmd.Flags().StringVar(&state, "state", "", "only open, closed or cancelled ones")
	cmd.Flags().StringVar(&user, "user", "", "only of this person: id, e-mail address or user name")
	cmd.Flags().StringVar(&tenant, "tenant", "", "only of this tenant, by name or id")
	paging(cmd, &q.Limit, &after)
	return cmd
}

func (p *program) offboardingShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show what ended, what went over, and what is left",
		Example: "  drawbridge offboarding show 0190a2b4-7c1e-7000-8000-000000000000",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.showOffboarding(ctx, b, identity.OffboardingID(args[0])) })
		}),
	}
}

func (p *program) showOffboarding(ctx context.Context, b *bridge, id identity.OffboardingID) error {
	found, err := b.people.Offboarding(ctx, identity.Operator(), id)
	if err != nil {
		return err
	}
	v := viewLeaver(found)
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "%s: offboarding %s, %s.\n", clean(v.User), v.ID, v.State)
		out := "can come in"
		if v.Out {
			out = "ended " + when(&v.AccessEnded)
		}
		fields(w, "  access", out, "  sessions", fmt.Sprintf("%d ended, %d now", v.SessionsEnded, v.Sessions), "  API keys", fmt.Sprintf("%d before, %d now", v.KeysBefore, v.Keys),
			"  successor", orDash(v.Successor), "  reason", v.Reason, "  begun by", v.BegunBy, "  roles", orDash(strings.Join(v.Roles, ", ")), "  groups", orDash(strings.Join(v.Groups, ", ")))
		t := table{heading: []string{"WHAT", "NAME", "STATE", "WHO HAS IT", "TRANSFER"}, none: "Nothing was owned or to be done."}
		for _, thing := range v.Things {
			t.add(thing.Key, orDash(thing.Name), string(thing.State), orDash(string(thing.Holder)), orDash(string(thing.Transfer)))
		}
		t.write(w)
		switch {
		case v.ClosedAt != nil:
			fmt.Fprintf(w, "It was %s %s by %s. %s\n", v.State, when(v.ClosedAt), clean(v.ClosedBy), clean(v.Word))
		case v.Left > 0:
			fmt.Fprintf(w, "%d of these wait. When their applications acknowledged them: drawbridge offboarding close %s\n", v.Left, v.ID)
		default:
			fmt.Fprintf(w, "Nothing is left. To close it: drawbridge offboarding close %s\n", v.ID)
		}
	})
}

func (p *program) offboardingClose() *cobra.Command {
	var c provisioning.Closing
	cmd := &cobra.Command{
		Use:   "close ID",
		Short: "Close an offboarding of which nothing is left, or with --force one that keeps something",
		Example: `  drawbridge offboarding close 0190a2b4-7c1e-7000-8000-000000000000
  drawbridge offboarding close 0190a2b4-7c1e-7000-8000-000000000000 --force --reason "the application is gone"`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				o, err := b.people.CloseOffboarding(ctx, identity.Operator(), identity.OffboardingID(args[0]), c)
				if err != nil {
					return err
				}
				return p.show(viewOffboarding(o), func(w io.Writer) { fmt.Fprintf(w, "Closed. The evidence: drawbridge offboarding report %s\n", o.ID) })
			})
		}),
	}
	cmd.Flags().BoolVar(&c.Force, "force", false, "although something is left; what that is becomes part of the evidence")
	cmd.Flags().StringVar(&c.Reason, "reason", "", "why; needed with --force")
	return cmd
}

func (p *program) offboardingCancel() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "cancel ID --reason WHY",
		Short:   "Let somebody in again who was to leave; what did not go over yet stays with them",
		Example: `  drawbridge offboarding cancel 0190a2b4-7c1e-7000-8000-000000000000 --reason "stays after all"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				o, err := b.people.RestoreOffboarded(ctx, identity.Operator(), identity.OffboardingID(args[0]), reason)
				if err != nil {
					return err
				}
				return p.show(viewOffboarding(o), func(w io.Writer) { fmt.Fprintln(w, "Cancelled: the person can come in again.") })
			})
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the events")
	require(cmd, "reason")
	return cmd
}

func (p *program) offboardingReport() *cobra.Command {
	var o outFile
	cmd := &cobra.Command{
		Use:   "report ID",
		Short: "Write the evidence: who did what when, and what is left; signed as exports are",
		Example: `  drawbridge offboarding report 0190a2b4-7c1e-7000-8000-000000000000 --out ada.xlsx
  drawbridge export check ada.xlsx`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.export(ctx, "offboarding report", o, func(b *bridge, f sheets.Format, out io.Writer) (provisioning.Export, error) {
				return b.people.EvidenceReport(ctx, identity.Operator(), identity.OffboardingID(args[0]), f, out)
			})
		}),
	}
	o.flags(cmd)
	return cmd
}
