package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// sources returns the commands about where people come from by file or by an HR system.
func (p *program) sources() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "source",
		Short: "Sources of files and HR systems, with what holds for all that they send: list, show, set, delete",
		Long: `A source is where files or an HR system's people come from. What it says, such as the mapping of columns, the welcome, its rules and its guards, holds for each of its
plans, unless whoever makes the plan says otherwise.`,
	}
	cmd.AddCommand(p.sourceList(), p.sourceShow(), p.sourceSet(), p.sourceDelete())
	return p.group(cmd)
}

// sourceView is a source as 'source show' prints it and 'source set --file' reads its settings.
type sourceView struct {
	Name      string                  `json:"name"`
	TenantID  identity.TenantID       `json:"tenant_id,omitempty"`
	Tenant    string                  `json:"tenant,omitempty"`
	Settings  identity.SourceSettings `json:"settings"`
	CreatedAt time.Time               `json:"created_at"`
	UpdatedAt time.Time               `json:"updated_at"`
}

func viewSource(s identity.Source, tenant string) sourceView {
	return sourceView{s.Name, s.TenantID, tenant, s.Settings, s.CreatedAt, s.UpdatedAt}
}

func (p *program) sourceList() *cobra.Command {
	var q identity.Query
	cmd := &cobra.Command{
		Use: "list", Short: "List sources by their names", Example: "  drawbridge source list", Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("source list", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.listSources(ctx, b, q) })
		}),
	}
	cmd.Flags().IntVar(&q.Limit, "limit", 50, "how many to show, at most 1000")
	cmd.Flags().StringVar(&q.After, "after", "", "continue after this name, as the last page said")
	return cmd
}

func (p *program) listSources(ctx context.Context, b *bridge, q identity.Query) error {
	page, err := b.people.Sources(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	names, err := b.tenantNames(ctx)
	if err != nil {
		return err
	}
	list := views(page, func(s identity.Source) sourceView { return viewSource(s, names[s.TenantID]) }, func(s identity.Source) string { return s.Name })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"NAME", "TENANT", "FOLDER", "BY ITSELF", "WHOLE LIST", "CHANGED"}, none: "No sources. The first import of one makes it, or 'drawbridge source set'."}
		for _, v := range list.Items {
			t.add(v.Name, place(v.Tenant), orDash(v.Settings.Folder), yesOrNo(v.Settings.AutoApply), yesOrNo(v.Settings.Missing), when(&v.UpdatedAt))
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func yesOrNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func (p *program) sourceShow() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Show what holds for a source, as JSON that 'source set --file' reads",
		Example: `  drawbridge source show hr --tenant Acme > hr.json
  drawbridge source set hr --tenant Acme --file hr.json`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				s, t, err := b.findSource(ctx, tenant, args[0])
				if err != nil {
					return err
				}
				if !p.json {
					return p.writeJSON(p.stdout, s.Settings)
				}
				return p.writeJSON(p.stdout, viewSource(s, t.Name))
			})
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "whose source it is, by name or id")
	return cmd
}

func (b *bridge) findSource(ctx context.Context, tenant, name string) (identity.Source, identity.Tenant, error) {
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return identity.Source{}, t, err
	}
	s, err := b.people.Source(ctx, identity.Operator(), t.ID, name)
	return s, t, err
}

func (p *program) sourceDelete() *cobra.Command {
	var tenant, reason string
	var yes bool
	cmd := &cobra.Command{
		Use:     "delete NAME",
		Short:   "Forget what holds for a source; its people, and its plans, stay",
		Example: `  drawbridge source delete hr --tenant Acme --yes`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if !yes && !p.json && p.asks() && !p.confirm("Forget what holds for "+clean(args[0])+"?") {
				return identity.Errorf(identity.Precondition, "Nothing was changed. Answer y, or repeat with --yes.")
			}
			return p.with(ctx, func(b *bridge) error {
				s, _, err := b.findSource(ctx, tenant, args[0])
				if err == nil {
					err = b.people.DeleteSource(ctx, identity.Operator(), s.TenantID, s.Name, reason)
				}
				if err != nil {
					return err
				}
				return p.show(map[string]string{"deleted": s.Name}, func(w io.Writer) { fmt.Fprintln(w, "Forgotten.") })
			})
		}),
	}
	f := cmd.Flags()
	f.StringVar(&tenant, "tenant", "", "whose source it is, by name or id")
	f.StringVar(&reason, "reason", "", "why; kept with the event")
	f.BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// sourceFlags are what the flags of source set say.
type sourceFlags struct {
	tenant, reason, file, role, welcome string
	mapping                             []string
	said                                identity.SourceSettings
}

func (p *program) sourceSet() *cobra.Command {
	var o sourceFlags
	var cmd *cobra.Command
	cmd = &cobra.Command{
		Use:   "set NAME",
		Short: "Say what holds for a source: from a file as 'source show' prints it, and by flags, which go first",
		Long:  `Says what holds for all that a source sends. --file replaces all of it; each flag changes one thing and leaves the rest. A guard of 0 is its default, a negative one is off.`,
		Example: `  drawbridge source set hr --tenant Acme --full --guard-most 25 --folder /var/lib/drawbridge/hr --pattern "people-*.csv"
  drawbridge source set hr --tenant Acme --file hr.json --reason "as agreed with HR"`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.setSource(ctx, b, cmd, args[0], o) })
		}),
	}
	o.register(cmd)
	return cmd
}

func (o *sourceFlags) register(cmd *cobra.Command) {
	f, s := cmd.Flags(), &o.said
	f.StringVar(&o.tenant, "tenant", "", "whose source it is, by name or id (default: the whole installation's)")
	f.StringVar(&o.reason, "reason", "", "why; kept with the event")
	f.StringVar(&o.file, "file", "", "the settings as JSON; - reads standard input")
	f.StringVar(&o.role, "role", "", "the role of new people to whom a file gives none")
	f.StringVar(&o.welcome, "welcome", "", "how new people hear of it: invite, password or none")
	f.StringArrayVar(&o.mapping, "map", nil, "what a column is, as HEADING=FIELD; HEADING= passes over it; can be repeated")
	f.StringVar(&s.Folder, "folder", "", "where files of the source are dropped, an absolute path")
	f.StringVar(&s.Pattern, "pattern", "", "which files of the folder, such as people-*.csv")
	f.BoolVar(&s.AutoApply, "auto-apply", false, "carry out plans that no guard holds without being asked")
	f.BoolVar(&s.Missing, "full", false, "each file is the whole list, so that whoever is missing leaves")
	f.BoolVar(&s.Clear, "clear-empty", false, "an empty cell takes the value away")
	f.BoolVar(&s.ReplaceRoles, "replace-roles", false, "replace roles that an administrator gave, too")
	g := &s.Guards
	f.IntVar(&g.Most, "guard-most", 0, "hold a plan that keeps out more people (default 10)")
	f.Float64Var(&g.Percent, "guard-percent", 0, "… or more per cent of the people (default 10)")
	f.Float64Var(&g.Renames, "guard-renames", 0, "hold a plan that renames more per cent of the rows (default 20)")
	f.Float64Var(&g.Fewer, "guard-fewer", 0, "hold a whole list with so many per cent fewer rows than the last (default 20)")
	f.Float64Var(&g.Errors, "guard-errors", 0, "hold a whole list with more per cent of rows that cannot be used (default 5)")
	f.BoolVar(&g.NoGroups, "guard-no-groups", false, "let plans leave groups and roles without anybody")
	f.BoolVar(&g.EndSession, "guard-end-sessions", false, "end the sessions of people whom a held plan would keep out at once")
}

// apply writes the flags that were given over settings.
func (o *sourceFlags) apply(cmd *cobra.Command, s *identity.SourceSettings) {
	for name, put := range map[string]func(){
		"folder":             func() { s.Folder = o.said.Folder },
		"pattern":            func() { s.Pattern = o.said.Pattern },
		"auto-apply":         func() { s.AutoApply = o.said.AutoApply },
		"full":               func() { s.Missing = o.said.Missing },
		"clear-empty":        func() { s.Clear = o.said.Clear },
		"replace-roles":      func() { s.ReplaceRoles = o.said.ReplaceRoles },
		"welcome":            func() { s.Welcome = identity.Welcome(o.welcome) },
		"guard-most":         func() { s.Guards.Most = o.said.Guards.Most },
		"guard-percent":      func() { s.Guards.Percent = o.said.Guards.Percent },
		"guard-renames":      func() { s.Guards.Renames = o.said.Guards.Renames },
		"guard-fewer":        func() { s.Guards.Fewer = o.said.Guards.Fewer },
		"guard-errors":       func() { s.Guards.Errors = o.said.Guards.Errors },
		"guard-no-groups":    func() { s.Guards.NoGroups = o.said.Guards.NoGroups },
		"guard-end-sessions": func() { s.Guards.EndSession = o.said.Guards.EndSession },
	} {
		if cmd.Flags().Changed(name) {
			put()
		}
	}
}

func (p *program) setSource(ctx context.Context, b *bridge, cmd *cobra.Command, name string, o sourceFlags) error {
	s, t, err := b.findSource(ctx, o.tenant, name)
	if err != nil && identity.KindOf(err) != identity.NotFound || t.ID == "" && o.tenant != "" {
		return err
	}
	s.Name, s.TenantID = name, t.ID
	if o.file != "" {
		if s.Settings, err = p.readSettings(o.file); err != nil {
			return err
		}
	}
	o.apply(cmd, &s.Settings)
	if cmd.Flags().Changed("role") {
		role, err := b.findRole(o.role)
		if err != nil && o.role != "" {
			return err
		}
		s.Settings.Role = role.ID
	}
	for _, m := range o.mapping {
		at := strings.LastIndexByte(m, '=')
		if at < 1 {
			return usage("source set", "--map is %q; write HEADING=FIELD", m)
		}
		if s.Settings.Mapping == nil {
			s.Settings.Mapping = identity.Mapping{}
		}
		s.Settings.Mapping[m[:at]] = m[at+1:]
	}
	if s, err = b.people.PutSource(ctx, identity.Operator(), s, o.reason); err != nil {
		return err
	}
	return p.show(viewSource(s, t.Name), func(w io.Writer) {
		fmt.Fprintf(w, "Kept for the source %s of %s. See it with: drawbridge source show\n", clean(s.Name), place(t.Name))
	})
}

// readSettings reads the settings of a source from a file.
func (p *program) readSettings(file string) (identity.SourceSettings, error) {
	var s identity.SourceSettings
	raw, err := p.read("--file", file)
	if err != nil {
		return s, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return s, identity.Errorf(identity.Invalid, "--file: %s holds no settings of a source as 'drawbridge source show' prints them: %v.", source(file), err)
	}
	return s, nil
}
