package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// modelling is what a plan of an access model was asked for.
type modelling struct {
	reset    bool
	reassign map[string]string
	reason   string
	people   int
	version  int64
	yes      bool
}

func (o *modelling) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.reset, "reset-roles", false, "take the model's roles also where somebody edited those in force")
	f.StringToStringVar(&o.reassign, "reassign", nil, "ROLE=ROLE: which role the people of one that goes get")
	f.IntVar(&o.people, "people", 50, "how many of those whose permissions change to list; 0 lists all")
}

// change reads the model that the command line names.
func (o *modelling) change(name string) (provisioning.ModelChange, error) {
	m, err := access.Load(name)
	if err != nil {
		return provisioning.ModelChange{}, err
	}
	c := provisioning.ModelChange{Name: name, Source: m.Source(), Reset: o.reset, Reason: o.reason, Reassign: map[identity.RoleID]identity.RoleID{}}
	for from, to := range o.reassign {
		c.Reassign[identity.RoleID(from)] = identity.RoleID(to)
	}
	return c, nil
}

func (p *program) modelPlan() *cobra.Command {
	var o modelling
	cmd := &cobra.Command{
		Use:   "plan NAME-OR-FILE",
		Short: "Show what another access model would change: rules, roles, and whose permissions; change nothing",
		Example: `  drawbridge model plan model.yaml
  drawbridge model plan fluentpro-backup --reassign editor=member --people 0`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				_, _, err := p.planModel(ctx, b, args[0], o)
				return err
			})
		}),
	}
	o.register(cmd)
	return cmd
}

func (p *program) modelApply() *cobra.Command {
	var o modelling
	cmd := &cobra.Command{
		Use:   "apply NAME-OR-FILE",
		Short: "Put an access model in force, after its plan",
		Long: `Puts an access model in force: its roles, rules and types of people, in one transaction. It shows the plan first and asks. What somebody edited stays, unless
--reset-roles is given. People whose role goes need another one (--reassign). Everybody's new rights count at their next request.`,
		Example: `  drawbridge model apply model.yaml
  drawbridge model apply model.yaml --yes --version 7 --reason "CHG-1234"`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.applyModel(ctx, b, args[0], o) })
		}),
	}
	o.register(cmd)
	cmd.Flags().StringVar(&o.reason, "reason", "", "why; kept with the events")
	cmd.Flags().Int64Var(&o.version, "version", 0, "apply only while this version, which a plan showed, is in force")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	return cmd
}

func (p *program) applyModel(ctx context.Context, b *bridge, name string, o modelling) error {
	quiet := *p
	if p.json {
		quiet.stdout = io.Discard
	}
	plan, change, err := quiet.planModel(ctx, b, name, o)
	if err != nil {
		return err
	}
	switch {
	case plan.Nothing():
		return p.show(viewModelPlan(plan), func(io.Writer) {})
	case len(plan.Obstacles) > 0:
		return identity.Errorf(identity.Conflict, "The access model was not applied. %s", strings.Join(plan.Obstacles, " ")).WithCode("model_obstacles")
	case !o.yes && !p.confirm(fmt.Sprintf("Put %s in force? The permissions of %d of %d people change.", clean(plan.After.Name), plan.Changed, plan.People)):
		return identity.Errorf(identity.Precondition, "Nothing was changed. Answer y, or repeat with --yes.")
	}
	if o.version == 0 {
		o.version = plan.Version
	}
	plan, err = b.people.ApplyModel(ctx, identity.Operator(), change, o.version)
	if err != nil {
		return err
	}
	return p.show(viewModelPlan(plan), func(w io.Writer) { fmt.Fprintf(w, "%s is in force.\n", clean(plan.After.Name)) })
}

// planModel makes a plan and shows it, the people as they are found.
func (p *program) planModel(ctx context.Context, b *bridge, name string, o modelling) (provisioning.ModelPlan, provisioning.ModelChange, error) {
	change, err := o.change(name)
	if err != nil {
		return provisioning.ModelPlan{}, change, err
	}
	var people []personChangeView
	listed := 0
	plan, err := b.people.PlanModel(ctx, identity.Operator(), change, func(c provisioning.PersonChange) error {
		if listed++; o.people > 0 && listed > o.people {
			return nil
		}
		v := viewPersonChange(c)
		if p.json {
			people = append(people, v)
			return nil
		}
		if listed == 1 {
			fmt.Fprintln(p.stdout, "People whose permissions change:")
		}
		_, err := fmt.Fprintf(p.stdout, "  %s: %s\n", clean(v.UserName), clean(strings.Join(v.Permissions, ", ")))
		return err
	})
	if err != nil {
		return plan, change, err
	}
	v := viewModelPlan(plan)
	v.People = people
	return plan, change, p.show(v, func(w io.Writer) { v.writePlan(w, o.people) })
}
