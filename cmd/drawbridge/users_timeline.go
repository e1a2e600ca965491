package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// entryView is one entry of a timeline for programs. Of the ids only those are there that lead somewhere.
type entryView struct {
	At       time.Time              `json:"at"`
	Kind     provisioning.EntryKind `json:"kind"`
	Sentence string                 `json:"sentence"`
	Actor    string                 `json:"actor,omitempty"`
	Door     string                 `json:"door,omitempty"`
	Failed   bool                   `json:"failed,omitempty"`
	Reason   string                 `json:"reason,omitempty"`
	UserID   identity.UserID        `json:"user_id,omitempty"`
	Changes  []identity.Change      `json:"changes,omitempty"`
	Event    identity.EventID       `json:"event_id,omitempty"`
	Request  identity.RequestID     `json:"request_id,omitempty"`
	Trace    identity.TraceID       `json:"trace_id,omitempty"`
	Mail     identity.MailID        `json:"mail_id,omitempty"`
	Plan     identity.PlanID        `json:"plan_id,omitempty"`
	Line     int                    `json:"line,omitempty"`
}

func viewEntry(e provisioning.TimelineEntry) entryView {
	return entryView{e.At, e.Kind, e.Sentence, e.Actor, e.Door, e.Failed, e.Reason, e.UserID, e.Changes, e.Event, e.Request, e.Trace, e.Mail, e.Plan, e.Line}
}

// userTimeline returns the command that shows what happened to somebody.
func (p *program) userTimeline() *cobra.Command {
	var since, after string
	var limit int
	cmd := &cobra.Command{
		Use:   "timeline WHO",
		Short: "Show what happened to a person, newest first: changes, sign-ins, mails, plans, and what directories sent in vain",
		Long: `Shows what happened to a person, newest first: every change with who made it, sign-ins and why they were refused, mails, what plans say about the person,
and the requests of directories about the person that failed. Those who were joined with the person are read together with them. Each entry leads
on: to its request (drawbridge requests show), its sign-in (drawbridge signins show), or its plan (drawbridge plan show).`,
		Example: `  drawbridge user timeline ada@example.com
  drawbridge user timeline ada@example.com --since 7d --json`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if err := checkLimit("user timeline", limit); err != nil {
				return err
			}
			from, err := readMoment("user timeline", "since", since, time.Now())
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				return p.showTimeline(ctx, b, args[0], provisioning.TimelineQuery{Since: from, Before: after, Limit: limit})
			})
		}),
	}
	cmd.Flags().StringVar(&since, "since", "", "only from then on: how long ago, such as 2h or 7d, or a time such as 2026-01-31")
	paging(cmd, &limit, &after)
	return cmd
}

func (p *program) showTimeline(ctx context.Context, b *bridge, who string, q provisioning.TimelineQuery) error {
	id, ok := identity.ParseID[identity.UserID](who) // also of somebody who was deleted
	if !ok {
		u, err := b.findUser(ctx, who)
		if err != nil {
			return err
		}
		id = u.ID
	}
	page, err := b.people.Timeline(ctx, identity.Operator(), id, q)
	if err != nil {
		return err
	}
	list := views(page, viewEntry, func(e provisioning.TimelineEntry) string { return e.Cursor() })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"WHEN", "KIND", "WHAT HAPPENED", "BY", "DOOR", "LEADS TO"}, none: "Nothing happened."}
		for _, e := range page.Items {
			t.add(when(&e.At), string(e.Kind), e.Sentence, orDash(e.Actor), orDash(e.Door), orDash(leadsTo(e)))
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

// leadsTo says where more about an entry is.
func leadsTo(e provisioning.TimelineEntry) string {
	switch {
	case e.Plan != "":
		return "plan " + string(e.Plan)
	case e.Request != "" && e.Door == "scim":
		return "request " + string(e.Request)
	case e.Trace != "":
		return "sign-in " + string(e.Trace)
	}
	return ""
}
