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

// duplicateView is some users who may be one person, for programs.
type duplicateView struct {
	Kind   identity.DuplicateKind `json:"kind"`
	Key    string                 `json:"key"`
	Users  []userView             `json:"users"`
	Cursor string                 `json:"cursor"`
}

func viewDuplicate(d identity.Duplicate) duplicateView {
	v := duplicateView{Kind: d.Kind, Key: d.Key, Users: []userView{}, Cursor: d.Cursor}
	for _, u := range d.Users {
		v.Users = append(v.Users, viewUser(u))
	}
	return v
}

func (p *program) userDuplicates() *cobra.Command {
	var kinds []string
	var q provisioning.DuplicateQuery
	cmd := &cobra.Command{
		Use:   "duplicates",
		Short: "List accounts that may be of one person, the surest first",
		Long: `Lists users of one tenant who have something in common: an identity at a provider, an e-mail address, an id at directories, an employee number, or (weak) a name and a domain.
"drawbridge user merge" joins two of them.`,
		Example: `  drawbridge user duplicates
  drawbridge user duplicates --kind email --kind employee_number --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("user duplicates", q.Limit); err != nil {
				return err
			}
			for _, k := range kinds {
				q.Kinds = append(q.Kinds, identity.DuplicateKind(k))
			}
			return p.with(ctx, func(b *bridge) error { return p.listDuplicates(ctx, b, q) })
		}),
	}
	cmd.Flags().StringArrayVar(&kinds, "kind", nil, "only this kind: identity, email, external_id, employee_number or name; may be repeated")
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listDuplicates(ctx context.Context, b *bridge, q provisioning.DuplicateQuery) error {
	page, err := b.people.Duplicates(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewDuplicate, func(d identity.Duplicate) string { return d.Cursor })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"IN COMMON", "ID", "NAME", "E-MAIL", "STATUS"}, none: "Nobody has two accounts, as far as can be seen."}
		for _, d := range page.Items {
			for _, u := range d.Users {
				t.add(string(d.Kind)+" "+d.Key, string(u.ID), u.Label(), orDash(u.Email()), string(u.Status()))
			}
		}
		t.write(w)
		more(w, list.Next != "", `"`+list.Next+`"`)
	})
}

// joining is what the flags of user merge say.
type joining struct {
	reason      string
	dryRun, yes bool
}

func (p *program) userMerge() *cobra.Command {
	var o joining
	cmd := &cobra.Command{
		Use:   "merge KEEP DROP --reason WHY",
		Short: "Join two accounts of one person: the first stays and gets what the second has",
		Long: `Joins two users who are one person, in one transaction: links, directories, groups, roles, records, addresses and what the person owns go to the first, and the second is gone.
At a terminal it shows the plan first and asks; --yes answers. --dry-run stops after the plan. It cannot be undone.`,
		Example: `  drawbridge user merge ada@acme.test ada.lovelace@acme.test --reason "the same Ada" --dry-run`,
		Args:    cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.mergeUsers(ctx, b, args[0], args[1], o) })
		}),
	}
	cmd.Flags().StringVar(&o.reason, "reason", "", "why; kept with the events")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "only show what would happen")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	require(cmd, "reason")
	return cmd
}

func (p *program) mergeUsers(ctx context.Context, b *bridge, keep, drop string, o joining) error {
	stays, err := b.findUser(ctx, keep)
	if err != nil {
		return err
	}
	goes, err := b.findUser(ctx, drop)
	if err != nil {
		return err
	}
	m := provisioning.Merge{Keep: provisioning.PlacedUser{ID: stays.ID, Version: stays.Version}, Drop: provisioning.PlacedUser{ID: goes.ID, Version: goes.Version}, Reason: o.reason}
	plan, err := b.people.PlanMerge(ctx, identity.Operator(), m)
	if err != nil {
		return err
	}
	if plan.Refused == "" && o.dryRun {
		return p.showMerge(plan, false)
	}
	if plan.Refused == "" && !o.yes && !p.json && p.asks() {
		describeMerge(p.stderr, plan)
		if !p.confirm("Join them?") {
			return identity.Errorf(identity.Precondition, "Nobody was joined. Answer y, or repeat with --yes.")
		}
	}
	done, err := b.people.MergeUsers(ctx, identity.Operator(), m)
	if err != nil {
		return err
	}
	return p.showMerge(done, true)
}

// mergeView is what is joined, for programs.
type mergeView struct {
	Joined      bool            `json:"joined"`
	Keep        identity.UserID `json:"keep"`
	Drop        identity.UserID `json:"drop"`
	Links       int             `json:"links"`
	Directories int             `json:"directories"`
	Groups      int             `json:"groups"`
	Roles       int             `json:"roles"`
	LostRoles   int             `json:"lost_roles"`
	Records     int             `json:"records"`
	LostRecords int             `json:"lost_records"`
	Holdings    int             `json:"holdings"`
	Emails      []string        `json:"emails,omitempty"`
	Active      bool            `json:"active"`
	Notes       []string        `json:"notes,omitempty"`
}

func (p *program) showMerge(plan provisioning.MergePlan, done bool) error {
	v := mergeView{
		Joined: done, Keep: plan.Keep.ID, Drop: plan.Drop.ID, Links: len(plan.Links), Directories: len(plan.Directories), Groups: len(plan.Groups), Roles: len(plan.Roles),
		LostRoles: len(plan.LostRoles), Records: len(plan.Records), LostRecords: len(plan.LostRecords), Holdings: len(plan.Holdings), Emails: plan.Emails, Active: plan.Enabled, Notes: plan.Notes,
	}
	return p.show(v, func(w io.Writer) {
		describeMerge(w, plan)
		if done {
			fmt.Fprintf(w, "%s is one account now.\n", clean(plan.Keep.Label()))
		}
	})
}

func describeMerge(w io.Writer, plan provisioning.MergePlan) {
	count := func(n int) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprint(n)
	}
	fields(w, "Stays", plan.Keep.Label()+" "+string(plan.Keep.ID), "Goes", plan.Drop.Label()+" "+string(plan.Drop.ID),
		"Links that go over", count(len(plan.Links)), "Directories", count(len(plan.Directories)), "Groups", count(len(plan.Groups)), "Roles", count(len(plan.Roles)), "Roles that end", count(len(plan.LostRoles)),
		"Records", count(len(plan.Records)), "Records that are free", count(len(plan.LostRecords)), "Owned or to be done", count(len(plan.Holdings)), "Addresses", strings.Join(plan.Emails, ", "),
		"Note", strings.Join(plan.Notes, " "))
}
