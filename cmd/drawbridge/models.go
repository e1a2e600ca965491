package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// model returns the commands about the access model.
func (p *program) model() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "The access model: show, check, diff, plan, apply",
		Long: `The access model says which roles there are and what each may do. The first start takes the one of DRAWBRIDGE_ACCESS_MODEL; from then on the
database owns it, and "plan" and "apply" change it. NAME-OR-FILE is a preset or a YAML file.`,
	}
	cmd.AddCommand(p.modelShow(), p.modelCheck(), p.modelDiff(), p.modelPlan(), p.modelApply())
	return p.group(cmd)
}

type modelView struct {
	Name      string            `json:"name"`
	Title     string            `json:"title"`
	Version   int64             `json:"version,omitempty"`
	AppliedBy string            `json:"applied_by,omitempty"`
	AppliedAt *time.Time        `json:"applied_at,omitempty"`
	Roles     []modelRoleView   `json:"roles"`
	Matrix    []modelRowView    `json:"matrix"`
	Rules     map[string]string `json:"rules"`
}

type modelRoleView struct {
	ID          identity.RoleID    `json:"id"`
	Title       string             `json:"title"`
	Scope       identity.RoleScope `json:"scope"`
	Interactive bool               `json:"interactive"`
	Assignable  bool               `json:"assignable"`
	Shipped     bool               `json:"shipped"`
}

type modelRowView struct {
	Resource  string            `json:"resource"`
	Title     string            `json:"title"`
	Actions   []string          `json:"actions"`
	Sensitive bool              `json:"sensitive,omitempty"`
	Cells     map[string]string `json:"cells"` // by the role's id; the admin flag by its name
}

func viewModel(m *access.Model) modelView {
	v := modelView{Name: m.Name(), Title: m.Title(), Rules: map[string]string{}}
	for _, d := range m.Definitions() {
		v.Roles = append(v.Roles, modelRoleView{d.ID, d.Title, d.Scope, d.Interactive, d.Assignable, d.Shipped})
	}
	matrix := m.Matrix()
	for _, row := range matrix.Rows {
		r := modelRowView{Resource: row.Resource.ID, Title: row.Resource.Title, Actions: row.Resource.Actions, Sensitive: row.Resource.Sensitive, Cells: map[string]string{}}
		for i, c := range matrix.Columns {
			name := string(c.ID)
			if name == "" {
				name = c.Title
			}
			r.Cells[name] = row.Cells[i]
		}
		v.Matrix = append(v.Matrix, r)
	}
	for _, r := range m.Rules() {
		v.Rules[r.Path] = r.Value
	}
	return v
}

func (p *program) modelShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show [NAME-OR-FILE]",
		Short: "Show what each role may do: of the access model in force, a preset or a file",
		Example: `  drawbridge model show
  drawbridge model show fluentpro-backup`,
		Args: cobra.MaximumNArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if len(args) == 1 {
				m, err := access.Load(args[0])
				if err != nil {
					return err
				}
				return p.showModel(m, viewModel(m))
			}
			return p.with(ctx, func(b *bridge) error {
				now, err := b.people.ModelInForce(ctx, identity.Operator())
				if err != nil {
					return err
				}
				v := viewModel(b.model)
				v.Version, v.AppliedBy, v.AppliedAt = now.Version, now.AppliedBy, &now.AppliedAt
				return p.showModel(b.model, v)
			})
		}),
	}
}

func (p *program) showModel(m *access.Model, v modelView) error {
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "%s (%s)\n", clean(v.Title), v.Name)
		if v.AppliedAt != nil {
			fields(w, "version", fmt.Sprint(v.Version), "in force since", when(v.AppliedAt), "by", v.AppliedBy)
		}
		fmt.Fprintln(w)
		writeMatrix(w, m.Matrix())
		fmt.Fprintln(w)
		t := table{heading: []string{"RULE", "VALUE"}, none: "No rules beside roles."}
		for _, r := range m.Rules() {
			t.add(r.Path, orDash(r.Value))
		}
		t.write(w)
	})
}

// writeMatrix prints a row a resource and a column a role.
func writeMatrix(w io.Writer, m access.Matrix) {
	t := table{heading: []string{""}}
	for _, c := range m.Columns {
		t.heading = append(t.heading, c.Title)
	}
	for _, r := range m.Rows {
		t.add(append([]string{r.Resource.Title}, r.Cells...)...)
	}
	t.write(w)
}

func (p *program) modelCheck() *cobra.Command {
	return &cobra.Command{
		Use:     "check NAME-OR-FILE",
		Short:   "Check an access model: every mistake with its line",
		Example: "  drawbridge model check model.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(_ context.Context, args []string) error {
			m, err := access.Load(args[0])
			if err != nil {
				return p.showMistakes(args[0], err)
			}
			v := map[string]any{"name": m.Name(), "mistakes": []mistakeView{}}
			return p.show(v, func(w io.Writer) {
				fmt.Fprintf(w, "%s is right: %d resources, %d roles.\n", clean(args[0]), len(m.Catalogue()), len(m.Roles()))
			})
		}),
	}
}

type mistakeView struct {
	Line int    `json:"line,omitempty"`
	Text string `json:"text"`
}

// showMistakes prints the mistakes of a file for programs; people read them in the error.
func (p *program) showMistakes(name string, err error) error {
	var list access.Mistakes
	if !p.json || !errors.As(err, &list) {
		return err
	}
	v := make([]mistakeView, len(list))
	for i, m := range list {
		v[i] = mistakeView(m)
	}
	return errors.Join(p.writeJSON(p.stdout, map[string]any{"name": name, "mistakes": v}), err)
}

func (p *program) modelDiff() *cobra.Command {
	return &cobra.Command{
		Use:   "diff NAME-OR-FILE [NAME-OR-FILE]",
		Short: "Show what tells two access models apart; with one, from the one in force to it",
		Example: `  drawbridge model diff model.yaml
  drawbridge model diff etlworks fintechos`,
		Args: cobra.RangeArgs(1, 2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			after, err := access.Load(args[len(args)-1])
			if err != nil {
				return err
			}
			if len(args) == 2 {
				before, err := access.Load(args[0])
				if err != nil {
					return err
				}
				return p.showDiff(before, after)
			}
			return p.with(ctx, func(b *bridge) error { return p.showDiff(b.model, after) })
		}),
	}
}

func (p *program) showDiff(before, after *access.Model) error {
	d := before.Diff(after)
	v := modelPlanView{Before: before.Name(), After: after.Name(), Rules: d.Rules, Catalogue: d.Catalogue}
	for _, r := range d.Roles {
		v.Roles = append(v.Roles, viewRoleOutcome(provisioning.RoleOutcome{RoleDifference: r}))
	}
	return p.show(v, func(w io.Writer) {
		if len(v.Rules)+len(v.Catalogue)+len(v.Roles) == 0 {
			fmt.Fprintln(w, "They say the same.")
			return
		}
		fmt.Fprintf(w, "From %s to %s:\n", clean(v.Before), clean(v.After))
		v.write(w)
	})
}
