package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// importing is what the flags of import say.
type importing struct {
	tenant, source, role, welcome string
	maps                          []string
	form                          identity.FileForm
	clear, replace, full          bool
	dryRun, yes                   bool
	approve                       string
	limit                         int
}

// importPeople returns the command that reads people from a file, with what belongs to it.
func (p *program) importPeople() *cobra.Command {
	var o importing
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Read people from a CSV or XLSX file: show what would change, then do exactly that",
		Long: `Reads people from a CSV or XLSX file (- is standard input) and makes a plan: what would change, row by row, with the reason of each refusal.
With --dry-run that is all. With --yes exactly the plan is carried out, unless a guard holds it. Without both you are asked at a terminal, and elsewhere it is
a dry run. Somebody who was changed meanwhile is left alone.

People are found by id, externalId, employeeNumber, userName and e-mail address, in this order. An empty cell says nothing. --source names where the file
comes from: its roles, its ids, its columns and its transforms are its own, and --full goes by it: whoever the source brought and the file lacks leaves.

--map is HEADING=FIELD, or a file with such lines, or a JSON file:
  {"mapping": {"Worker ID": "employeeNumber", "Hired": "startDate"}, "transforms": [{"field": "startDate", "kind": "date", "args": ["DD.MM.YYYY"]}]}
Transforms: trim, upper, lower, title, constant, default, join, date, map, replace. What a file was read by is remembered for its source.

With --json it prints {"plan", "state", "create", "update", "deactivate", "restore", "skip", "conflict", "errors": [{"line", "field", "message"}]} and more.
The exit status is 0 also when some rows cannot be used, which "errors" lists, 3 when --yes was given and a guard holds the plan, 2 for a mistake in the
command, and 1 when the file cannot be read or the plan cannot be carried out.`,
		Example: `  drawbridge import people.csv --tenant Acme
  drawbridge import workday.xlsx --tenant Acme --source workday --full --map workday.json --dry-run --json
  drawbridge import people.csv --source hr --map "Worker ID=employeeNumber" --yes
  drawbridge import template --format xlsx --out template.xlsx`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if o.dryRun && (o.yes || o.approve != "") {
				return usage("import", "--dry-run changes nothing; give it without --yes and --approve")
			}
			if err := checkLimit("import", o.limit); err != nil {
				return err
			}
			p.sweepSeldom(planGoal)
			return p.with(ctx, func(b *bridge) error { return p.importFile(ctx, b, args[0], o) })
		}),
	}
	o.flags(cmd)
	cmd.AddCommand(p.importTemplate())
	return cmd
}

func (o *importing) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.tenant, "tenant", "", "whose people the file has, by name or id; a column tenant may say it for each row instead")
	f.StringVar(&o.source, "source", "", `where the file comes from, such as workday (default "file")`)
	f.BoolVar(&o.full, "full", false, "the file is the whole list: people of the source who are not in it leave")
	f.StringArrayVar(&o.maps, "map", nil, "what columns are: HEADING=FIELD (HEADING= passes over it), or a file of such lines or of JSON; can be repeated")
	f.StringVar(&o.form.Separator, "separator", "", "what stands between the cells of a CSV file, one character or tab (default: guessed)")
	f.StringVar(&o.form.Encoding, "encoding", "", "how the letters of a CSV file are written, such as utf-8, utf-16le or windows-1252 (default: told by its bytes)")
	f.StringVar(&o.form.Sheet, "sheet", "", "which sheet of a workbook, by its name (default: the first that is not hidden)")
	f.StringVar(&o.role, "role", "", "the role of new people to whom the file gives none (default: of their type, else the least)")
	f.StringVar(&o.welcome, "welcome", "", "how new people without a password hear of it: invite (a link), password (a temporary one by mail) or none (default: as the source says, else invite)")
	f.BoolVar(&o.clear, "clear-empty", false, "an empty cell takes the value away")
	f.BoolVar(&o.replace, "replace-roles", false, "replace roles that an administrator gave, too")
	f.BoolVar(&o.dryRun, "dry-run", false, "only make the plan and show it; nothing is changed")
	f.BoolVar(&o.yes, "yes", false, "carry the plan out without asking, unless a guard holds it")
	f.StringVar(&o.approve, "approve", "", "why the plan is right although a guard holds it; it is carried out then")
	f.IntVar(&o.limit, "limit", 20, "how many steps of each kind to show, at most 1000")
}

// importFile makes a plan of a file, shows it, and carries it out where that is wanted.
func (p *program) importFile(ctx context.Context, b *bridge, path string, o importing) error {
	options, err := p.importOptions(ctx, b, o)
	if err != nil {
		return err
	}
	plan, err := p.planFile(ctx, b, path, options)
	if err != nil {
		return err
	}
	return p.carryOutPlan(ctx, b, plan, o, path == "-")
}

// carryOutPlan shows a plan that was just made, and carries it out where that is wanted. Where standard input was read nobody can be asked.
func (p *program) carryOutPlan(ctx context.Context, b *bridge, plan identity.Plan, o importing, piped bool) error {
	wanted := o.yes || o.approve != ""
	if o.dryRun || !wanted && (p.json || piped || !p.asks()) {
		return p.showPlan(ctx, b, plan, o.limit, true)
	}
	var err error
	if !p.json {
		if err := p.showPlan(ctx, b, plan, o.limit, false); err != nil {
			return err
		}
	}
	if plan.State == identity.PlanHeld && o.approve == "" {
		if p.json {
			err = p.showPlan(ctx, b, plan, o.limit, true)
		}
		return errors.Join(err, heldPlan(plan))
	}
	if !wanted && !p.confirm("Carry it out?") {
		return identity.Errorf(identity.Precondition, "Nothing was changed. Answer y, or repeat with --yes; or later: drawbridge plan apply %s", plan.ID)
	}
	return p.applyPlan(ctx, b, plan.ID, o.approve)
}

// planFile makes a plan of a file, or of standard input.
func (p *program) planFile(ctx context.Context, b *bridge, path string, options provisioning.ImportOptions) (identity.Plan, error) {
	file, err := p.openUpload(path)
	if err != nil {
		return identity.Plan{}, err
	}
	line := p.progress()
	options.Progress = func(rows int) { line.say("%d rows read", rows) }
	plan, err := b.people.PlanImport(ctx, identity.Operator(), file.Upload, options)
	line.end()
	return plan, errors.Join(err, file.close())
}

// uploaded is a file that is open.
type uploaded struct {
	provisioning.Upload
	close func() error
}

// openUpload opens a file to be imported. What is no file, as standard input and pipes are, is copied to a temporary one first: it is read more than once.
func (p *program) openUpload(path string) (uploaded, error) {
	if path == "-" {
		return spool(p.stdin, "standard input")
	}
	file, err := os.Open(path)
	if err != nil {
		return uploaded{}, identity.Errorf(identity.Invalid, "%v.", err)
	}
	name := filepath.Base(path)
	info, err := file.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = identity.Errorf(identity.Invalid, "%s is a folder. Name a file, or take the folder with: drawbridge sync --folder", path)
	case !info.Mode().IsRegular():
		out, err := spool(file, name)
		return out, errors.Join(err, file.Close())
	default:
		return uploaded{provisioning.Upload{Name: name, Content: file, Size: info.Size()}, file.Close}, nil
	}
	return uploaded{}, errors.Join(err, file.Close())
}

// spool copies to a temporary file, as much as an import reads at most.
func spool(in io.Reader, name string) (uploaded, error) {
	most := sheets.DefaultLimits().Bytes
	file, err := os.CreateTemp("", "drawbridge-import-*")
	if err != nil {
		return uploaded{}, identity.Errorf(identity.Invalid, "There is no folder for a temporary file: %v. Set TMPDIR, or name a file.", err)
	}
	remove := func() error { return errors.Join(file.Close(), os.Remove(file.Name())) }
	size, err := io.Copy(file, io.LimitReader(in, most+1))
	if err == nil && size > most {
		err = identity.Errorf(identity.TooLarge, "%s has more than %d bytes, which is the most that is read. Split it.", name, most).WithField("file")
	}
	if err != nil {
		return uploaded{}, errors.Join(err, remove())
	}
	return uploaded{provisioning.Upload{Name: name, Content: file, Size: size}, remove}, nil
}

func (p *program) importOptions(ctx context.Context, b *bridge, o importing) (provisioning.ImportOptions, error) {
	out := provisioning.ImportOptions{Source: o.source, ElseWelcome: identity.WelcomeInvite, Hash: b.authn.NewPassword, CheckHash: authn.ImportPasswordHash}
	out.PlanOptions = identity.PlanOptions{Clear: o.clear, ReplaceRoles: o.replace, Missing: o.full, Welcome: identity.Welcome(o.welcome), Mapping: identity.Mapping{}, Form: o.form}
	for _, m := range o.maps {
		if err := p.readMap(m, &out.PlanOptions); err != nil {
			return out, err
		}
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

// heldPlan says that nothing was done, and what to do.
func heldPlan(plan identity.Plan) error {
	return identity.Errorf(identity.Precondition, "The plan is held, and nothing was changed. %s If it is right all the same, say why: drawbridge plan approve %s --reason \"…\"", clean(strings.Join(plan.Summary.Holds, " ")), plan.ID).WithCode(planHeld)
}
