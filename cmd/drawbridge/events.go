package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// events returns the command that reads what happened.
func (p *program) events() *cobra.Command {
	var user, kind, after string
	var limit int
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what happened, newest first: who did what to whom",
		Example: `  drawbridge events --limit 20
  drawbridge events --user ada@example.com
  drawbridge events --type user.placed --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("events", limit); err != nil {
				return err
			}
			if _, known := identity.EventTypes[identity.EventType(kind)]; kind != "" && !known {
				return usage("events", "--type is %q; it looks like user.created or directory.token_issued", kind)
			}
			return p.with(ctx, func(b *bridge) error {
				return p.listEvents(ctx, b, user, provisioning.EventQuery{Type: identity.EventType(kind), After: identity.EventID(after), Limit: limit})
			})
		}),
	}
	cmd.Flags().StringVar(&user, "user", "", "only about this person: an id, e-mail address or user name")
	cmd.Flags().StringVar(&kind, "type", "", "only of this type, such as user.placed")
	paging(cmd, &limit, &after)
	return cmd
}

func (p *program) listEvents(ctx context.Context, b *bridge, user string, q provisioning.EventQuery) error {
	if id, ok := identity.ParseID[identity.UserID](user); ok {
		q.UserID = id // also of somebody who was deleted
	} else if user != "" {
		u, err := b.findUser(ctx, user)
		if err != nil {
			return err
		}
		q.UserID = u.ID
	}
	page, err := b.people.Events(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewEvent, func(e identity.Event) string { return string(e.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"WHEN", "WHAT", "ABOUT", "BY", "DOOR", "REASON"}, none: "No events."}
		for _, e := range page.Items {
			t.add(when(&e.At), string(e.Type), orDash(e.ObjectLabel), orDash(e.ActorLabel), e.Door, e.Reason)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

// signins returns the command that reads the traces of sign-ins.
func (p *program) signins() *cobra.Command {
	var q provisioning.TraceQuery
	var user string
	cmd := &cobra.Command{
		Use:   "signins",
		Short: "Show attempts to sign in through a connection, newest first, with why they were refused",
		Example: `  drawbridge signins --refused
  drawbridge signins --user ada@example.com --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("signins", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.listSignins(ctx, b, user, q) })
		}),
	}
	cmd.Flags().StringVar(&user, "user", "", "only of this person: an id, e-mail address or user name")
	cmd.Flags().BoolVar(&q.Refused, "refused", false, "only those that were refused")
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listSignins(ctx context.Context, b *bridge, user string, q provisioning.TraceQuery) error {
	if user != "" {
		u, err := b.findUser(ctx, user)
		if err != nil {
			return err
		}
		q.UserID = u.ID
	}
	page, err := b.people.Traces(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewTrace, func(t identity.Trace) string { return string(t.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"REFERENCE", "WHEN", "WHO", "RESULT", "WHY"}, none: "No attempts to sign in."}
		for _, v := range page.Items {
			result := "let in"
			if !v.OK {
				result = "refused"
			}
			t.add(string(v.ID), when(&v.At), orDash(firstOf(v.Email, v.Subject)), result, why(v))
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

// why explains a refusal in one cell.
func why(t identity.Trace) string {
	if t.OK {
		return ""
	}
	return fmt.Sprintf("%s: %s", t.Code, t.Message)
}

// firstOf returns the first word that is not empty.
func firstOf[T ~string](words ...T) T {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
