package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// deciding is what the flags of access review decide say.
type deciding struct {
	items                    []string
	keep, revoke, deactivate bool
	change, reason           string
}

func (p *program) accessReviewDecide() *cobra.Command {
	var o deciding
	cmd := &cobra.Command{
		Use:   "decide REVIEW --item ITEM --keep|--revoke|--change ROLE|--deactivate",
		Short: "Decide about items of a review; what is decided is done at once",
		Long: `Decides about items and does it at once, each by itself. --revoke takes the role away; where everybody needs one, the least one takes its place. --change gives another
role instead, --deactivate keeps the person out. Everything but --keep needs --reason.`,
		Example: `  drawbridge access review decide 0190a2b4-7c1e-7000-8000-000000000000 --item 0190a2b4-7c1e-7000-8000-000000000001 --keep
  drawbridge access review decide 0190a2b4-7c1e-7000-8000-000000000000 --item ID --item ID --deactivate --reason "left the company"`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			id, err := readAccessReview("access review decide", args[0])
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.decideItems(ctx, b, id, o) })
		}),
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.items, "item", nil, "the id of an item, as access review show says; may be repeated")
	f.BoolVar(&o.keep, "keep", false, "it is still needed")
	f.BoolVar(&o.revoke, "revoke", false, "take it away")
	f.BoolVar(&o.deactivate, "deactivate", false, "keep the person out")
	f.StringVar(&o.change, "change", "", "give this role instead")
	f.StringVar(&o.reason, "reason", "", "why; kept with the decision")
	cmd.MarkFlagsOneRequired("keep", "revoke", "deactivate", "change")
	cmd.MarkFlagsMutuallyExclusive("keep", "revoke", "deactivate", "change")
	require(cmd, "item")
	return cmd
}

type outcomeView struct {
	Item     identity.AssignmentID   `json:"item"`
	Decision identity.AccessDecision `json:"decision"`
	Error    map[string]string       `json:"error,omitempty"`
}

func (p *program) decideItems(ctx context.Context, b *bridge, id identity.AccessReviewID, o deciding) error {
	verdict := provisioning.AccessVerdict{Decision: identity.AccessKeep, Reason: o.reason}
	switch {
	case o.revoke:
		verdict.Decision = identity.AccessRevoke
	case o.deactivate:
		verdict.Decision = identity.AccessDeactivate
	case o.change != "":
		r, err := b.findRole(o.change)
		if err != nil {
			return err
		}
		verdict.Decision, verdict.Role = identity.AccessChange, r.ID
	}
	var outcomes []provisioning.AccessOutcome
	for part := range slices.Chunk(o.items, provisioning.MaxDecisions) {
		verdicts := make([]provisioning.AccessVerdict, len(part))
		for i, item := range part {
			verdicts[i] = verdict
			verdicts[i].Item = identity.AssignmentID(item)
		}
		out, err := b.people.DecideAccessReview(ctx, identity.Operator(), id, verdicts)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, out...)
	}
	return p.showOutcomes(o.items, verdict.Decision, outcomes)
}

// showOutcomes says of each item what became of it; one that failed makes the command fail.
func (p *program) showOutcomes(items []string, decision identity.AccessDecision, outcomes []provisioning.AccessOutcome) error {
	list, failed := listView[outcomeView]{Items: []outcomeView{}}, 0
	t := table{heading: []string{"ITEM", "DECISION", ""}}
	for i, o := range outcomes {
		v, note := outcomeView{Item: identity.AssignmentID(items[i]), Decision: decision}, ""
		if o.Err != nil {
			failed++
			v.Error, note = describe(o.Err), "refused: "+explain(o.Err)
		}
		list.Items = append(list.Items, v)
		t.add(items[i], string(decision), note)
	}
	if err := p.show(list, t.write); err != nil || failed == 0 {
		return err
	}
	return identity.Errorf(identity.Conflict, "%d of %d were refused; the others are done.", failed, len(outcomes))
}

func (p *program) accessReviewClose() *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use:     "close REVIEW",
		Short:   "Close a review; what nobody decided stays as it is",
		Example: `  drawbridge access review close 0190a2b4-7c1e-7000-8000-000000000000 --reason "third quarter"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			id, err := readAccessReview("access review close", args[0])
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				r, err := b.people.CloseAccessReview(ctx, identity.Operator(), id, note)
				if err != nil {
					return err
				}
				return p.show(viewAccessReview(r), func(w io.Writer) {
					fmt.Fprintf(w, "Closed %s: %d of %d were left undecided.\n", clean(r.Name), r.Undecided, r.Items)
				})
			})
		}),
	}
	cmd.Flags().StringVar(&note, "reason", "", "a note; kept with the event")
	return cmd
}

func (p *program) accessReviewExport() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "export REVIEW --output FILE",
		Short:   "Write the evidence of a review as CSV, with its SHA-256",
		Example: "  drawbridge access review export 0190a2b4-7c1e-7000-8000-000000000000 --output review.csv",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			id, err := readAccessReview("access review export", args[0])
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				var v fileView
				err := p.fill(output, func(w io.Writer) (err error) {
					v.SHA256, err = b.people.WriteAccessReview(ctx, identity.Operator(), id, w)
					return err
				})
				return p.wrote(output, v, err)
			})
		}),
	}
	cmd.Flags().StringVar(&output, "output", "", "the file to write; - is standard output")
	require(cmd, "output")
	return cmd
}
