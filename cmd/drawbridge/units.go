package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// unit returns the commands about business units.
func (p *program) unit() *cobra.Command {
	cmd := &cobra.Command{Use: "unit", Short: "Business units and teams: list, create, rename, move, delete"}
	cmd.AddCommand(p.unitList(), p.unitCreate(), p.unitRename(), p.unitMove(), p.unitDelete())
	return p.group(cmd)
}

type unitView struct {
	ID       identity.UnitID   `json:"id"`
	TenantID identity.TenantID `json:"tenant_id"`
	ParentID identity.UnitID   `json:"parent_id,omitempty"` // none: the root
	Kind     identity.UnitKind `json:"kind"`
	Name     string            `json:"name"`
	Depth    int               `json:"depth"` // 0: the root
	Users    int               `json:"users"`
}

func viewUnit(n provisioning.UnitNode) unitView {
	return unitView{n.ID, n.TenantID, n.ParentID, n.Kind, n.Name, n.Depth, n.Users}
}

// unitFlags say which tenant the units of a command are of.
type unitFlags struct{ tenant string }

func (o *unitFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.tenant, "tenant", "", "whose units, by name or id; not needed where there is one tenant")
}

// units returns the tree of the tenant that the flags name.
func (o *unitFlags) units(ctx context.Context, b *bridge) ([]provisioning.UnitNode, error) {
	t, err := b.findTenant(ctx, o.tenant)
	if err != nil {
		return nil, err
	}
	return b.people.Units(ctx, identity.Operator(), t.ID)
}

// find returns the unit that word names: an id, a name that only one unit has, or a path from below the root such as East/North. An empty word is none.
func (o *unitFlags) find(ctx context.Context, b *bridge, word string) (identity.Unit, error) {
	if word == "" {
		return identity.Unit{}, nil
	}
	all, err := o.units(ctx, b)
	if err != nil {
		return identity.Unit{}, err
	}
	return pickUnit(all, word)
}

func pickUnit(all []provisioning.UnitNode, word string) (identity.Unit, error) {
	var found []identity.Unit
	path := make([]string, 0, 8)
	for _, n := range all {
		path = append(path[:min(n.Depth, len(path))], n.Name)
		whole := strings.Join(path[min(1, len(path)):], "/")
		if string(n.ID) == word || strings.EqualFold(n.Name, word) || strings.EqualFold(whole, word) {
			found = append(found, n.Unit)
		}
	}
	switch len(found) {
	case 0:
		return identity.Unit{}, identity.Errorf(identity.NotFound, "There is no unit %q. See 'drawbridge unit list'.", word).WithField("unit")
	case 1:
		return found[0], nil
	}
	return identity.Unit{}, identity.Errorf(identity.Conflict, "Several units are called %q. Give the path, such as East/North, or the id: see 'drawbridge unit list'.", word).WithField("unit")
}

func (p *program) unitList() *cobra.Command {
	var o unitFlags
	cmd := &cobra.Command{
		Use: "list", Short: "Show the tree of units with how many people each has", Example: "  drawbridge unit list", Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error {
				all, err := o.units(ctx, b)
				if err != nil {
					return err
				}
				list := listView[unitView]{Items: make([]unitView, len(all))}
				t := table{heading: []string{"UNIT", "KIND", "PEOPLE", "ID"}, none: "No units."}
				for i, n := range all {
					list.Items[i] = viewUnit(n)
					t.add(strings.Repeat("  ", n.Depth)+n.Name, string(n.Kind), fmt.Sprint(n.Users), string(n.ID))
				}
				return p.show(list, t.write)
			})
		}),
	}
	o.register(cmd)
	return cmd
}

func (p *program) unitCreate() *cobra.Command {
	var o unitFlags
	var below string
	var team bool
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create a unit, or with --team a team",
		Example: "  drawbridge unit create East\n  drawbridge unit create Night --team --below East", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				parent, err := o.find(ctx, b, below)
				if err != nil {
					return err
				}
				t, err := b.findTenant(ctx, o.tenant)
				if err != nil {
					return err
				}
				n := identity.Unit{TenantID: t.ID, ParentID: parent.ID, Name: args[0]}
				if team {
					n.Kind = identity.KindTeam
				}
				made, err := b.people.CreateUnit(ctx, identity.Operator(), n)
				return p.showUnit("Created", made, err)
			})
		}),
	}
	o.register(cmd)
	cmd.Flags().StringVar(&below, "below", "", "the unit that it belongs to (default: the root)")
	cmd.Flags().BoolVar(&team, "team", false, "a team, below which nothing can be")
	return cmd
}

func (p *program) showUnit(done string, u identity.Unit, err error) error {
	if err != nil {
		return err
	}
	return p.show(viewUnit(provisioning.UnitNode{Unit: u}), func(w io.Writer) {
		fmt.Fprintf(w, "%s the %s %s.\n", done, u.Kind, clean(u.Name))
		fields(w, "  id", string(u.ID))
	})
}

func (p *program) unitRename() *cobra.Command {
	return p.unitChange("rename UNIT NAME", "Give a unit or team another name", "  drawbridge unit rename East \"Far East\"", "Renamed",
		func(ctx context.Context, b *bridge, _ unitFlags, u identity.Unit, name string) (identity.Unit, error) {
			return b.people.RenameUnit(ctx, identity.Operator(), u.ID, name)
		})
}

func (p *program) unitMove() *cobra.Command {
	return p.unitChange("move UNIT NEW-PARENT", "Put a unit with all that is below it, or a team with its people, below another unit", "  drawbridge unit move Night West", "Moved",
		func(ctx context.Context, b *bridge, o unitFlags, u identity.Unit, parent string) (identity.Unit, error) {
			to, err := o.find(ctx, b, parent)
			if err != nil {
				return to, err
			}
			return b.people.MoveUnit(ctx, identity.Operator(), u.ID, to.ID)
		})
}

type changeUnit func(ctx context.Context, b *bridge, o unitFlags, u identity.Unit, word string) (identity.Unit, error)

func (p *program) unitChange(use, short, example, done string, change changeUnit) *cobra.Command {
	var o unitFlags
	cmd := &cobra.Command{
		Use: use, Short: short, Example: example, Args: cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				u, err := o.find(ctx, b, args[0])
				if err != nil {
					return err
				}
				u, err = change(ctx, b, o, u, args[1])
				return p.showUnit(done, u, err)
			})
		}),
	}
	o.register(cmd)
	return cmd
}

func (p *program) unitDelete() *cobra.Command {
	var o unitFlags
	var heir, reason string
	var sure bool
	cmd := &cobra.Command{
		Use: "delete UNIT", Short: "Delete a unit or team; --heir takes over its people and what is below it",
		Example: "  drawbridge unit delete East --heir West --reason closed", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				u, err := o.find(ctx, b, args[0])
				if err != nil {
					return err
				}
				to, err := o.find(ctx, b, heir)
				if err != nil {
					return err
				}
				if !sure && !p.json && p.asks() && !p.confirm(fmt.Sprintf("Delete %s?", clean(u.Name))) {
					return identity.Errorf(identity.Precondition, "Nothing was deleted. Answer y, or repeat with --yes.")
				}
				if err := b.people.DeleteUnit(ctx, identity.Operator(), u.ID, to.ID, reason); err != nil {
					return err
				}
				return p.showUnit("Deleted", u, nil)
			})
		}),
	}
	o.register(cmd)
	f := cmd.Flags()
	f.StringVar(&heir, "heir", "", "the unit (for a team: a team of the same unit) that takes over what it has")
	f.StringVar(&reason, "reason", "", "why; kept with the events")
	f.BoolVar(&sure, "yes", false, "do not ask")
	return cmd
}
