package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// importing is what the flags of import say.
type importing struct {
	tenant, source, role, welcome, reason string
	mapping                               []string
	clear, replace, missing               bool
	dryRun, apply, yes                    bool
	limit                                 int
}

// importPeople returns the command that reads people from a file, with what belongs to it.
func (p *program) importPeople() *cobra.Command {
	var o importing
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Read people from a CSV or XLSX file: show what would change, then do exactly that; template",
		Long: `Reads people from a CSV or XLSX file and shows what would change, row by row, with the reason of each refusal. Nothing is written but the plan, until
--apply, or 'drawbridge plan apply PLAN' later: then exactly the plan is carried out. Somebody who was changed meanwhile is left alone.

People are found by id, externalId, employeeNumber, userName and e-mail address, in this order. An empty cell says nothing. --source names where the file
comes from: its roles, its ids and its mapping of columns are its own, and --deactivate-missing goes by it.`,
		Example: `  drawbridge import people.csv --tenant Acme
  drawbridge import workday.xlsx --tenant Acme --source workday --map "Worker ID=employeeNumber" --deactivate-missing --apply
  drawbridge import template --format xlsx --out template.xlsx`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if o.apply && o.dryRun {
				return usage("import", "--apply and --dry-run say the opposite; give one of them")
			}
			return p.with(ctx, func(b *bridge) error { return p.importFile(ctx, b, args[0], o) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.tenant, "tenant", "", "whose people the file has, by name or id; a column tenant may say it for each row instead")
	f.StringVar(&o.source, "source", "", `where the file comes from, such as workday (default "file")`)
	f.StringArrayVar(&o.mapping, "map", nil, "what a column is, as HEADING=FIELD; HEADING= passes over it; can be repeated")
	f.StringVar(&o.role, "role", "", "the role of new people to whom the file gives none (default: of their type, else the least)")
	f.StringVar(&o.welcome, "welcome", string(identity.WelcomeInvite), "how new people without a password hear of it: invite (a link), password (a temporary one by mail) or none")
	f.BoolVar(&o.clear, "clear-empty", false, "an empty cell takes the value away")
	f.BoolVar(&o.replace, "replace-roles", false, "replace roles that an administrator gave, too")
	f.BoolVar(&o.missing, "deactivate-missing", false, "deactivate people of the source whom the file no longer has")
	f.BoolVar(&o.dryRun, "dry-run", false, "only show the plan (the default)")
	f.BoolVar(&o.apply, "apply", false, "carry the plan out at once")
	f.StringVar(&o.reason, "reason", "", "why a plan that is held is right all the same")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.IntVar(&o.limit, "limit", 20, "how many steps of each kind to show, at most 1000")
	cmd.AddCommand(p.importTemplate())
	return cmd
}

// importFile makes a plan of a file, shows it, and carries it out where that was asked for.
func (p *program) importFile(ctx context.Context, b *bridge, path string, o importing) error {
	if err := checkLimit("import", o.limit); err != nil {
		return err
	}
	options, err := p.importOptions(ctx, b, o)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return identity.Errorf(identity.Invalid, "%v.", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	line := p.progress()
	options.Progress = func(rows int) { line.say("%d rows read", rows) }
	plan, err := b.people.PlanImport(ctx, identity.Operator(), provisioning.Upload{Name: filepath.Base(path), Content: file, Size: info.Size()}, options)
	line.end()
	if err != nil {
		return err
	}
	if !o.apply {
		return p.showPlan(ctx, b, plan, o.limit, true)
	}
	if !p.json {
		if err := p.showPlan(ctx, b, plan, o.limit, false); err != nil {
			return err
		}
	}
	if !o.yes && !p.json && p.asks() && !p.confirm("Carry it out?") {
		return identity.Errorf(identity.Precondition, "Nothing was changed. Answer y, or repeat with --yes; or later: drawbridge plan apply %s", plan.ID)
	}
	return p.applyPlan(ctx, b, plan.ID, o.reason)
}

func (p *program) importOptions(ctx context.Context, b *bridge, o importing) (provisioning.ImportOptions, error) {
	out := provisioning.ImportOptions{Source: o.source, Hash: b.authn.NewPassword, CheckHash: authn.ImportPasswordHash}
	out.PlanOptions = identity.PlanOptions{Clear: o.clear, ReplaceRoles: o.replace, Missing: o.missing, Welcome: identity.Welcome(o.welcome), Mapping: identity.Mapping{}}
	for _, m := range o.mapping {
		at := strings.LastIndexByte(m, '=')
		if at < 1 {
			return out, usage("import", "--map is %q; write HEADING=FIELD", m)
		}
		out.Mapping[m[:at]] = m[at+1:]
	}
	tenant, err := b.findTenant(ctx, o.tenant)
	if err != nil {
		return out, err
	}
	out.Tenant = tenant.ID
	if o.role != "" {
		role, err := b.findRole(o.role)
		if err != nil {
			return out, err
		}
		out.Role = role.ID
	}
	return out, nil
}
