package main

import (
	"context"
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
