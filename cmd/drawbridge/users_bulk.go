package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// bulk is what the flags of user bulk say.
type bulk struct {
	ids, search, status, tenant string // to whom
	everybody                   bool
	role, to, unit, reason      string
	dryRun, yes                 bool
	approve                     string
	limit                       int
}

func (p *program) userBulk() *cobra.Command {
	var o bulk
	acts := make([]string, 0, len(provisioning.BulkKinds()))
	for _, k := range provisioning.BulkKinds() {
		acts = append(acts, string(k))
	}
	cmd := &cobra.Command{
		Use:   "bulk ACT --reason WHY",
		Short: "Do something to many people: show what would change, then do exactly that",
		Long: `Does to many people what an administrator does by hand to one: ` + strings.Join(acts, ", ") + `.
It makes a plan, as import does: with --dry-run that is all, with --yes exactly the plan is carried out, unless a guard holds it; without both you are asked at a
terminal, and elsewhere it is a dry run. Whoever a rule keeps stays as they are, and the plan says why. "drawbridge plan undo" takes it back.

To whom: the ids in the file of --ids (one a line; - is standard input), or those whom --search, --status and --tenant find, or --all.`,
		Example: `  drawbridge user bulk deactivate --search contractor --tenant Acme --reason "project over" --dry-run
  drawbridge user bulk move --ids people.txt --to Acme --role viewer --reason "new customer" --yes
  drawbridge user bulk set-unit --ids - --unit "North / Depot" --reason "moved" < people.txt`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: acts,
		RunE: p.do(func(ctx context.Context, args []string) error {
			switch {
			case o.dryRun && (o.yes || o.approve != ""):
				return usage("user bulk", "--dry-run changes nothing; give it without --yes and --approve")
			case (o.ids != "") == (o.search+o.status+o.tenant != "" || o.everybody):
				return usage("user bulk", "say to whom: --ids, or --search, --status and --tenant, or --all")
			case o.status != "" && !knownStatus(identity.Status(o.status)):
				return usage("user bulk", "--status is %q; use Active, Inactive, Locked or Pending", o.status)
			}
			if err := checkLimit("user bulk", o.limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.bulkUsers(ctx, b, provisioning.BulkKind(args[0]), o) })
		}),
	}
	o.register(cmd)
	require(cmd, "reason")
	return cmd
}

func (o *bulk) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.ids, "ids", "", "a file with the ids of people, one a line; - is standard input")
	f.StringVar(&o.search, "search", "", "people with these words in names, user names or addresses")
	f.StringVar(&o.status, "status", "", "people who are Active, Inactive, Locked or Pending")
	f.StringVar(&o.tenant, "tenant", "", "people of this tenant, by name or id")
	f.BoolVar(&o.everybody, "all", false, "everybody")
	f.StringVar(&o.role, "role", "", "which role, of assign-role, remove-role, set-role and move")
	f.StringVar(&o.to, "to", "", "the tenant to which people move")
	f.StringVar(&o.unit, "unit", "", "the business unit of set-unit, by its name, path or id")
	f.StringVar(&o.reason, "reason", "", "why; kept with each event")
	f.BoolVar(&o.dryRun, "dry-run", false, "only make the plan and show it; nothing is changed")
	f.BoolVar(&o.yes, "yes", false, "carry the plan out without asking, unless a guard holds it")
	f.StringVar(&o.approve, "approve", "", "why the plan is right although a guard holds it; it is carried out then")
	f.IntVar(&o.limit, "limit", 20, "how many steps of each kind to show, at most 1000")
}

// bulkUsers makes a plan of a bulk act, shows it, and carries it out where that is wanted.
func (p *program) bulkUsers(ctx context.Context, b *bridge, kind provisioning.BulkKind, o bulk) error {
	act, err := p.bulkAct(ctx, b, kind, o)
	if err != nil {
		return err
	}
	line := p.progress()
	act.Progress = func(people int) { line.say("%d people looked at", people) }
	plan, err := b.people.PlanBulk(ctx, identity.Operator(), act)
	line.end()
	if err != nil {
		return err
	}
	return p.carryOutPlan(ctx, b, plan, importing{dryRun: o.dryRun, yes: o.yes, approve: o.approve, limit: o.limit}, o.ids == "-")
}

// bulkAct resolves the words of the command line.
func (p *program) bulkAct(ctx context.Context, b *bridge, kind provisioning.BulkKind, o bulk) (provisioning.BulkAct, error) {
	act := provisioning.BulkAct{Act: kind, Unit: o.unit, Reason: o.reason}
	to, err := b.findTenant(ctx, o.to)
	if err != nil {
		return act, err
	}
	act.Tenant = to.ID
	if o.role != "" {
		role, err := b.findRole(o.role)
		if err != nil {
			return act, err
		}
		act.Role = role.ID
	}
	if o.ids != "" {
		act.Users, err = p.readIDs(o.ids)
		return act, err
	}
	from, err := b.findTenant(ctx, o.tenant)
	act.Filter = &identity.Query{Search: o.search, Status: identity.Status(o.status), Tenant: from.ID}
	return act, err
}

// mostIDs is how many people a file may name.
const mostIDs = 1_000_000

// readIDs reads the ids of people from a file, one a line; - is standard input.
func (p *program) readIDs(name string) ([]identity.UserID, error) {
	if name == "-" {
		return readIDs(p.stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "--ids: %v.", err)
	}
	ids, err := readIDs(file)
	return ids, errors.Join(err, file.Close())
}

func readIDs(in io.Reader) ([]identity.UserID, error) {
	var out []identity.UserID
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		word := strings.TrimSpace(lines.Text())
		if word == "" {
			continue
		}
		id, ok := identity.ParseID[identity.UserID](word)
		if !ok {
			return nil, identity.Errorf(identity.Invalid, "Line %d of the ids is no id: %s.", n, clean(word))
		}
		if out = append(out, id); len(out) > mostIDs {
			return nil, identity.Errorf(identity.TooLarge, "At most %d people can be named at once.", mostIDs)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, identity.Errorf(identity.Invalid, "The ids cannot be read: %v.", err)
	}
	if len(out) == 0 {
		return nil, identity.Errorf(identity.Invalid, "No ids were given. Write them one a line.")
	}
	return out, nil
}
