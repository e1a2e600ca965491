package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// guardView is what holds for a directory's guard, with its defaults.
type guardView struct {
	ID  identity.DirectoryID `json:"id"`
	Off bool                 `json:"off"`
	identity.DirectoryGuard
}

func (p *program) directoryGuard() *cobra.Command {
	var g identity.DirectoryGuard
	var off, defaults bool
	var answer string
	cmd := &cobra.Command{
		Use:   "guard DIRECTORY",
		Short: "Show or say how many people a directory may keep out at once, before the rest waits for an administrator",
		Long: `A directory may keep out one person at any time. When it would keep out more people within some minutes than its guard allows, such as by a group that was unassigned by
mistake, the rest waits: nothing is done, it is answered 429 and asks again (Okta and most others), or 202 and Drawbridge keeps what it asked for (Entra), until
an administrator decides with 'drawbridge directory bursts'. Without flags the guard is shown.`,
		Example: `  drawbridge directory guard "Acme Okta"
  drawbridge directory guard "Acme Okta" --most 50 --percent 10 --minutes 60
  drawbridge directory guard "Acme Okta" --off`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.IntVar(&g.Most, "most", 0, "so many always (default 25)")
	f.Float64Var(&g.Percent, "percent", 0, "or so many per cent of the people whom it lets in, whichever is more (default 20)")
	f.IntVar(&g.Minutes, "minutes", 0, "within how long (default 60)")
	f.StringVar(&answer, "answer", "", "how the rest is answered: 429 or 202 (default: 202 for entra, 429 for others)")
	f.BoolVar(&g.EndSession, "end-sessions", false, "end the sessions of those who wait at once")
	f.BoolVar(&off, "off", false, "let it keep out as many as it says")
	f.BoolVar(&defaults, "default", false, "go back to the defaults")
	cmd.RunE = p.do(func(ctx context.Context, args []string) error {
		if off && defaults {
			return usage("directory guard", "--off and --default say the opposite; give one of them")
		}
		change := func(d *identity.Directory) error {
			switch {
			case defaults:
				d.Guard = identity.DirectoryGuard{}
			case off:
				d.Guard.Most = -1
			}
			for name, put := range map[string]func(){
				"most": func() { d.Guard.Most = g.Most }, "percent": func() { d.Guard.Percent = g.Percent }, "minutes": func() { d.Guard.Minutes = g.Minutes },
				"answer": func() { d.Guard.Answer = identity.BurstAnswer(answer) }, "end-sessions": func() { d.Guard.EndSession = g.EndSession },
			} {
				if f.Changed(name) {
					put()
				}
			}
			return nil
		}
		return p.with(ctx, func(b *bridge) error { return p.guardDirectory(ctx, b, args[0], change) })
	})
	return cmd
}

func (p *program) guardDirectory(ctx context.Context, b *bridge, word string, change func(*identity.Directory) error) error {
	d, err := b.findDirectory(ctx, word)
	if err == nil {
		d, err = b.people.UpdateDirectory(ctx, identity.Operator(), d.ID, change)
	}
	if err != nil {
		return err
	}
	v := guardView{d.ID, d.Guard.Off(), d.Guard.For(d.Dialect)}
	return p.show(v, func(w io.Writer) {
		if v.Off {
			fmt.Fprintf(w, "The guard of %s is off: it may keep out as many people as it says.\n", clean(d.Name))
			return
		}
		fmt.Fprintf(w, "%s may keep out %d people within %d minutes, or %v %% of those whom it lets in, whichever is more. The rest waits and is answered %s.\n",
			clean(d.Name), v.Most, v.Minutes, v.Percent, v.Answer)
	})
}

func (p *program) directoryBursts() *cobra.Command {
	cmd := &cobra.Command{Use: "bursts", Short: "Directories that would keep out many people at once: list, show, approve, reject"}
	cmd.AddCommand(p.burstList(), p.burstShow(), p.burstDecide("approve"), p.burstDecide("reject"))
	return p.group(cmd)
}

// burstView is that a directory would keep out many people at once.
type burstView struct {
	ID           identity.BurstID     `json:"id"`
	DirectoryID  identity.DirectoryID `json:"directory_id"`
	Directory    string               `json:"directory"`
	BeganAt      time.Time            `json:"began_at"`
	People       int                  `json:"people"` // who wait, or waited
	State        identity.BurstState  `json:"state"`
	DecidedBy    string               `json:"decided_by,omitempty"`
	DecidedAt    *time.Time           `json:"decided_at,omitempty"`
	Reason       string               `json:"reason,omitempty"`
	AllowedUntil *time.Time           `json:"allowed_until,omitempty"` // until when the decision holds
}

func viewBurst(b identity.Burst) burstView {
	return burstView{b.ID, b.DirectoryID, b.Directory, b.BeganAt, b.Count, b.State, b.DecidedBy, b.DecidedAt, b.Reason, b.AllowedUntil}
}

type departureView struct {
	UserID identity.UserID `json:"user_id"`
	Who    string          `json:"who"`
	Delete bool            `json:"delete,omitempty"`
	Queued bool            `json:"queued"` // done when it is approved; otherwise the directory asks again
}

func (p *program) burstList() *cobra.Command {
	var q identity.Query
	cmd := &cobra.Command{
		Use: "list", Short: "List them, newest first", Example: "  drawbridge directory bursts list", Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("directory bursts list", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.listBursts(ctx, b, q) })
		}),
	}
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listBursts(ctx context.Context, b *bridge, q identity.Query) error {
	page, err := b.people.Bursts(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewBurst, func(b identity.Burst) string { return string(b.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "BEGAN", "DIRECTORY", "PEOPLE", "STATE", "BY", "REASON"}, none: "No directory wanted to keep out many people at once."}
		for _, v := range page.Items {
			t.add(string(v.ID), when(&v.BeganAt), v.Directory, strconv.Itoa(v.Count), string(v.State), orDash(v.DecidedBy), orDash(v.Reason))
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func (p *program) burstShow() *cobra.Command {
	var q identity.Query
	cmd := &cobra.Command{
		Use: "show BURST", Short: "Show who waits", Example: "  drawbridge directory bursts show " + planExample, Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if err := checkLimit("directory bursts show", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				page, err := b.people.Departures(ctx, identity.Operator(), identity.BurstID(args[0]), q)
				if err != nil {
					return err
				}
				list := views(page, func(d identity.Departure) departureView { return departureView{d.UserID, d.Who, d.Delete, d.Queued} }, func(d identity.Departure) string { return string(d.UserID) })
				return p.show(list, func(w io.Writer) {
					t := table{heading: []string{"USER", "WHO", "DELETE", "KEPT"}, none: "Nobody waits."}
					for _, v := range list.Items {
						t.add(string(v.UserID), v.Who, yesOrNo(v.Delete), yesOrNo(v.Queued))
					}
					t.write(w)
					more(w, list.Next != "", list.Next)
				})
			})
		}),
	}
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) burstDecide(what string) *cobra.Command {
	var reason string
	short := "Let the people who wait go, and for a day whomever else the directory keeps out"
	if what == "reject" {
		short = "Refuse it: nobody who waits is kept out, and for a day more of it is answered 403"
	}
	cmd := &cobra.Command{
		Use: what + " BURST", Short: short, Example: "  drawbridge directory bursts " + what + " " + planExample + ` --reason "as agreed with HR"`, Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				decide := b.people.ApproveBurst
				if what == "reject" {
					decide = b.people.RejectBurst
				}
				v, err := decide(ctx, identity.Operator(), identity.BurstID(args[0]), reason)
				if err != nil {
					return err
				}
				return p.show(viewBurst(v), func(w io.Writer) { fmt.Fprintf(w, "%s: %d people of %s.\n", v.State, v.Count, clean(v.Directory)) })
			})
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event, and told to the directory where it is refused")
	require(cmd, "reason")
	return cmd
}
