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

// drift returns the command that says what is not as a source said it last.
func (p *program) drift() *cobra.Command {
	var directory, tenant string
	var q provisioning.DriftQuery
	cmd := &cobra.Command{
		Use:   "drift (--directory DIRECTORY | --source NAME)",
		Short: "Show what is not as a source said it last: what would change if it were run again",
		Long: `Holds what a directory pushed last, field by field, against what is there now: values that somebody else changed since, people whom it lets in and who
may not come in, and members who are in its groups no more. Of a source of files or an HR system it makes the plan that would come of it if the source said
again what it said last. Each comes with whose change it was. Nothing is changed; --plan keeps the plan of a source, held until somebody approves it.`,
		Example: `  drawbridge drift --directory "Acme Okta"
  drawbridge drift --source hr --tenant Acme --plan
  drawbridge drift --directory "Acme Okta" --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if (directory == "") == (q.Source == "") || q.Keep && q.Source == "" {
				return usage("drift", "name either --directory or --source; --plan goes with --source")
			}
			return p.with(ctx, func(b *bridge) error {
				report, err := b.driftOf(ctx, directory, tenant, q)
				if err != nil {
					return err
				}
				return p.show(viewDrift(report), func(w io.Writer) { writeDrift(w, report) })
			})
		}),
	}
	fs := cmd.Flags()
	fs.StringVar(&directory, "directory", "", "of this directory: its id or name")
	fs.StringVar(&q.Source, "source", "", "of this source of files, or HR system")
	fs.StringVar(&tenant, "tenant", "", "with --source: the tenant whose people it has, by name or id")
	fs.BoolVar(&q.Keep, "plan", false, "with --source: keep the plan that would put it right, for somebody to approve")
	return cmd
}

// driftOf returns the report about a directory or a source.
func (b *bridge) driftOf(ctx context.Context, directory, tenant string, q provisioning.DriftQuery) (provisioning.DriftReport, error) {
	if q.Source == "" {
		d, err := b.findDirectory(ctx, directory)
		if err != nil {
			return provisioning.DriftReport{}, err
		}
		return b.people.DirectoryDrift(ctx, identity.Operator(), d.ID)
	}
	if tenant != "" {
		t, err := b.findTenant(ctx, tenant)
		if err != nil {
			return provisioning.DriftReport{}, err
		}
		q.Tenant = t.ID
	}
	return b.people.SourceDrift(ctx, identity.Operator(), q)
}

// driftView is a report of drift for programs.
type driftView struct {
	Source  string          `json:"source"`
	Checked int             `json:"checked"`
	Items   []driftItemView `json:"items"`
	More    int             `json:"more,omitempty"`
	Plan    identity.PlanID `json:"plan,omitempty"`
}

type driftItemView struct {
	UserID    identity.UserID  `json:"user_id,omitempty"`
	GroupID   identity.GroupID `json:"group_id,omitempty"`
	Who       string           `json:"who"`
	Field     string           `json:"field"`
	Said      string           `json:"said"`
	Now       string           `json:"now"`
	ChangedBy string           `json:"changed_by,omitempty"`
	At        *time.Time       `json:"at,omitempty"`
	Event     identity.EventID `json:"event_id,omitempty"`
}

func viewDrift(r provisioning.DriftReport) driftView {
	v := driftView{Source: r.Source, Checked: r.Checked, Items: []driftItemView{}, More: r.More, Plan: r.Plan.ID}
	for _, i := range r.Items {
		item := driftItemView{UserID: i.UserID, GroupID: i.GroupID, Who: i.Who, Field: i.Field, Said: i.Said, Now: i.Now, ChangedBy: i.ChangedBy, Event: i.Event}
		if !i.At.IsZero() {
			item.At = &i.At
		}
		v.Items = append(v.Items, item)
	}
	return v
}

func writeDrift(w io.Writer, r provisioning.DriftReport) {
	t := table{heading: []string{"WHO", "FIELD", r.Source + " SAID", "NOW", "CHANGED BY", "WHEN"}, none: "Everything is as " + clean(r.Source) + " said it last."}
	for _, i := range r.Items {
		at := "-"
		if !i.At.IsZero() {
			at = when(&i.At)
		}
		t.add(i.Who, i.Field, orDash(i.Said), orDash(i.Now), orDash(i.ChangedBy), at)
	}
	t.write(w)
	if r.More > 0 {
		fmt.Fprintf(w, "%d more are not shown.\n", r.More)
	}
	fmt.Fprintf(w, "%d were looked at.\n", r.Checked)
	if r.Plan.ID != "" {
		fmt.Fprintf(w, "The plan %s would put it right: look at it with 'drawbridge plan show %s', then approve and apply it, or reject it.\n", r.Plan.ID, r.Plan.ID)
	}
}
