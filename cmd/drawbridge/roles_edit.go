package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// roleFlags are what the flags of role create and role edit say.
type roleFlags struct {
	title, description, intendedFor, provides, scope, reason string
	grants, levels, confirm                                  []string
	version                                                  int64
	yes                                                      bool
}

func (f *roleFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.description, "description", "", "what the role is for")
	flags.StringVar(&f.intendedFor, "intended-for", "", "who should have it")
	flags.StringVar(&f.provides, "provides", "", "what it gives them")
	flags.StringArrayVar(&f.grants, "grant", nil, "RESOURCE=ACTION,ACTION, or a word of the access model such as all, none or read-only; may be repeated")
	flags.StringArrayVar(&f.levels, "level", nil, "RESOURCE=LEVEL, where roles carry levels of data access; may be repeated")
	flags.StringSliceVar(&f.confirm, "confirm", nil, "the sensitive resources of which more is granted, by name: an extra word for what is dangerous")
	flags.StringVar(&f.reason, "reason", "", "why; kept with the event")
}

// flagPairs reads NAME=VALUE flags.
func flagPairs(command, flag string, list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, text := range list {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, usage(command, "--%s is %q; write it as RESOURCE=...", flag, text)
		}
		out[name] = value
	}
	return out, nil
}

// apply writes the flags that were given into a draft.
func (f *roleFlags) apply(b *bridge, cmd *cobra.Command, d *provisioning.RoleDraft) error {
	for name, field := range map[string]struct{ from, to *string }{
		"title": {&f.title, &d.Title}, "description": {&f.description, &d.Description}, "intended-for": {&f.intendedFor, &d.IntendedFor}, "provides": {&f.provides, &d.Provides},
	} {
		if flag := cmd.Flags().Lookup(name); flag != nil && flag.Changed {
			*field.to = *field.from
		}
	}
	grants, err := flagPairs("role "+cmd.Name(), "grant", f.grants)
	if err != nil {
		return err
	}
	levels, err := flagPairs("role "+cmd.Name(), "level", f.levels)
	if err != nil {
		return err
	}
	for id, text := range grants {
		d.Grants[id] = b.actionsOf(id, text)
	}
	for id, level := range levels {
		d.Levels[id] = level
		if level == "" {
			delete(d.Levels, id)
		}
	}
	d.ConfirmSensitive, d.Reason = f.confirm, f.reason
	return nil
}

func (p *program) roleCreate() *cobra.Command {
	var f roleFlags
	cmd := &cobra.Command{
		Use:   "create NAME --grant RESOURCE=ACTIONS...",
		Short: "Make a role",
		Long: `Makes a role that grants what the flags say. What the access model calls sensitive needs one more word: --confirm with its name.
"drawbridge role show" of any role lists the resources.`,
		Example: `  drawbridge role create "Night shift" --grant visible=all --grant connector=read-only --intended-for "people at night"
  drawbridge role create Keeper --grant visible=all --grant connection_config=all --confirm connection_config`,
		Args: cobra.ExactArgs(1),
	}
	cmd.RunE = p.do(func(ctx context.Context, args []string) error {
		return p.with(ctx, func(b *bridge) error {
			d := provisioning.RoleDraft{Title: args[0], Scope: identity.RoleScope(f.scope), Grants: map[string][]string{}, Levels: map[string]string{}}
			if err := f.apply(b, cmd, &d); err != nil {
				return err
			}
			return p.madeRole(b.people.CreateRole(ctx, identity.Operator(), d))
		})
	})
	f.register(cmd)
	cmd.Flags().StringVar(&f.scope, "scope", string(identity.ScopeTenant), "tenant, or platform for people above all tenants")
	return cmd
}

func (p *program) madeRole(d identity.RoleDefinition, err error) error {
	if err != nil {
		return err
	}
	return p.show(viewRole(d), func(w io.Writer) {
		fmt.Fprintf(w, "Made %s with the id %s.\n", clean(d.Title), d.ID)
	})
}

func (p *program) roleClone() *cobra.Command {
	var c provisioning.RoleCopy
	cmd := &cobra.Command{
		Use:   "clone ROLE NAME",
		Short: "Make a role with the rights of another, with or without what is sensitive",
		Example: `  drawbridge role clone integration_manager "Without credentials" --without-sensitive
  drawbridge role clone integration_manager "Second team" --confirm connection_config`,
		Args: cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				r, err := b.findRole(args[0])
				if err != nil {
					return err
				}
				c.Title = args[1]
				return p.madeRole(b.people.CloneRole(ctx, identity.Operator(), r.ID, c))
			})
		}),
	}
	cmd.Flags().BoolVar(&c.WithoutSensitive, "without-sensitive", false, "leave out what the access model calls sensitive")
	cmd.Flags().StringSliceVar(&c.ConfirmSensitive, "confirm", nil, "the sensitive resources that the copy grants too, by name")
	cmd.Flags().StringVar(&c.Reason, "reason", "", "why; kept with the event")
	return cmd
}

func (p *program) roleEdit() *cobra.Command {
	var f roleFlags
	cmd := &cobra.Command{
		Use:   "edit ROLE",
		Short: "Change what a role grants or says about itself; it counts from everybody's next request on",
		Long: `Changes a role. Only the resources that --grant names change; "none" takes one away. All of it is saved at once, and the event has every difference.
At a terminal it says how many people hold the role and asks first; --yes answers.`,
		Example: `  drawbridge role edit viewer --grant inbound=none --grant connector=view,edit --reason "ticket 4711"
  drawbridge role edit night_shift --title "Late shift" --version 3`,
		Args: cobra.ExactArgs(1),
	}
	cmd.RunE = p.do(func(ctx context.Context, args []string) error {
		return p.with(ctx, func(b *bridge) error { return p.editRole(ctx, b, cmd, args[0], f) })
	})
	f.register(cmd)
	cmd.Flags().StringVar(&f.title, "title", "", "another name")
	cmd.Flags().Int64Var(&f.version, "version", 0, "refuse when the role is no longer this version")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	return cmd
}

func (p *program) editRole(ctx context.Context, b *bridge, cmd *cobra.Command, word string, f roleFlags) error {
	r, err := b.findRole(word)
	if err != nil {
		return err
	}
	now, err := b.people.Role(ctx, identity.Operator(), r.ID, identity.Query{})
	if err != nil {
		return err
	}
	role := now.Role
	d := provisioning.RoleDraft{
		Title: role.Title, Description: role.Description, IntendedFor: role.IntendedFor, Provides: role.Provides, Grants: maps.Clone(role.Grants), Levels: maps.Clone(role.Levels),
	}
	if d.Levels == nil {
		d.Levels = map[string]string{}
	}
	if err := f.apply(b, cmd, &d); err != nil {
		return err
	}
	if f.version == 0 {
		f.version = role.Version // what was just read: a change by somebody else is refused, not overwritten
	}
	if !f.yes && !p.json && role.Users > 0 && p.asks() && !p.confirm(fmt.Sprintf("%s is %s; change it?", clean(role.Title), heldBy(role.Users))) {
		return identity.Errorf(identity.Precondition, "Nothing was changed. Answer y, or repeat with --yes.")
	}
	changed, err := b.people.UpdateRole(ctx, identity.Operator(), r.ID, f.version, d)
	if err != nil {
		return err
	}
	v := viewRole(changed.Role)
	v.Affected = &changed.Affected
	return p.show(v, func(w io.Writer) {
		if changed.Role.Version == role.Version {
			fmt.Fprintf(w, "%s was like that already.\n", clean(changed.Role.Title))
			return
		}
		fmt.Fprintf(w, "Changed %s, %s; it counts from the next request on.\n", clean(changed.Role.Title), heldBy(changed.Affected))
	})
}
