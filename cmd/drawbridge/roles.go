package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// role returns the commands about roles.
func (p *program) role() *cobra.Command {
	cmd := &cobra.Command{Use: "role", Short: "Roles, or profiles: list, show, create, clone, edit, delete, review"}
	cmd.AddCommand(p.roleList(), p.roleShow(), p.roleCreate(), p.roleClone(), p.roleEdit(), p.roleDelete(), p.roleReview())
	return p.group(cmd)
}

// roleView is a role for programs.
type roleView struct {
	ID          identity.RoleID     `json:"id"`
	Title       string              `json:"title"`
	Scope       identity.RoleScope  `json:"scope"`
	People      int                 `json:"people"`
	Grants      map[string][]string `json:"grants"`
	Levels      map[string]string   `json:"levels,omitempty"`
	Description string              `json:"description,omitempty"`
	IntendedFor string              `json:"intended_for,omitempty"`
	Provides    string              `json:"provides,omitempty"`
	ReviewedAt  *time.Time          `json:"reviewed_at,omitempty"`
	ReviewedBy  string              `json:"reviewed_by,omitempty"`
	Shipped     bool                `json:"shipped"`
	Assignable  bool                `json:"assignable"`
	Interactive bool                `json:"interactive"`
	Version     int64               `json:"version"`
	Editable    *bool               `json:"editable,omitempty"`
	Holders     *listView[userView] `json:"holders,omitempty"`
	Affected    *int                `json:"affected,omitempty"` // by the change that was just made
	Reassigned  identity.RoleID     `json:"reassigned_to,omitempty"`
}

func viewRole(d identity.RoleDefinition) roleView {
	return roleView{
		ID: d.ID, Title: d.Title, Scope: d.Scope, People: d.Users, Grants: d.Grants, Levels: d.Levels, Description: d.Description, IntendedFor: d.IntendedFor, Provides: d.Provides,
		ReviewedAt: d.ReviewedAt, ReviewedBy: d.ReviewedBy, Shipped: d.Shipped, Assignable: d.Assignable, Interactive: d.Interactive, Version: d.Version,
	}
}

func (p *program) roleList() *cobra.Command {
	var q identity.Query
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the roles with how many people hold each",
		Example: "  drawbridge role list\n  drawbridge role list --search night --json",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("role list", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.listRoles(ctx, b, q) })
		}),
	}
	cmd.Flags().StringVar(&q.Search, "search", "", "words in the name or the description")
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listRoles(ctx context.Context, b *bridge, q identity.Query) error {
	page, err := b.people.RoleDefinitions(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewRole, func(d identity.RoleDefinition) string { return string(d.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "NAME", "FOR", "PEOPLE", "LAST REVIEWED", "DESCRIPTION"}, none: "No roles."}
		for _, v := range list.Items {
			t.add(string(v.ID), v.Title, string(v.Scope), strconv.Itoa(v.People), when(v.ReviewedAt), v.Description)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func (p *program) roleShow() *cobra.Command {
	var q identity.Query
	cmd := &cobra.Command{
		Use:     "show ROLE",
		Short:   "Show what a role grants and who holds it",
		Example: "  drawbridge role show viewer",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if err := checkLimit("role show", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.showRole(ctx, b, args[0], q) })
		}),
	}
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) showRole(ctx context.Context, b *bridge, word string, q identity.Query) error {
	r, err := b.findRole(word)
	if err != nil {
		return err
	}
	d, err := b.people.Role(ctx, identity.Operator(), r.ID, q)
	if err != nil {
		return err
	}
	v := viewRole(d.Role)
	holders := views(d.Holders, viewUser, func(u identity.User) string { return string(u.ID) })
	v.Editable, v.Holders = &d.Editable, &holders
	return p.show(v, func(w io.Writer) {
		describeRole(w, d)
		t := table{heading: []string{"ID", "NAME", "E-MAIL", "TENANT", "STATUS"}, none: "Nobody holds it."}
		for _, u := range d.Holders.Items {
			t.add(string(u.ID), u.Label(), orDash(u.Email()), orDash(u.TenantName), string(u.Status()))
		}
		fmt.Fprintln(w)
		t.write(w)
		more(w, holders.Next != "", holders.Next)
	})
}

func describeRole(w io.Writer, d provisioning.RoleDetail) {
	r := d.Role
	reviewed := when(r.ReviewedAt)
	if r.ReviewedBy != "" {
		reviewed += " by " + r.ReviewedBy
	}
	fields(w, "Name", r.Title, "Id", string(r.ID), "For", "people of the "+string(r.Scope), "Description", r.Description, "Intended for", r.IntendedFor, "Provides", r.Provides,
		"Reviewed", reviewed, "People", strconv.Itoa(r.Users), "Version", strconv.FormatInt(r.Version, 10), "Fixed", d.Why)
	t := table{heading: []string{"RESOURCE", "", "LEVEL", "ACTIONS", "DATA LEVEL", ""}, none: "It grants nothing."}
	for _, g := range d.Grants {
		note := ""
		if g.Sensitive {
			note = "sensitive"
		}
		t.add(g.ID, g.Title, orDash(g.Level), orDash(strings.Join(g.Granted, ", ")), orDash(g.DataLevel), note)
	}
	fmt.Fprintln(w)
	t.write(w)
}

func (p *program) roleReview() *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use:     "review ROLE",
		Short:   "Note that you looked at a role today and found it right",
		Example: `  drawbridge role review viewer --reason "checked with the team lead"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				r, err := b.findRole(args[0])
				if err != nil {
					return err
				}
				d, err := b.people.MarkRoleReviewed(ctx, identity.Operator(), r.ID, note)
				if err != nil {
					return err
				}
				return p.show(viewRole(d), func(w io.Writer) { fmt.Fprintf(w, "%s was reviewed today.\n", clean(d.Title)) })
			})
		}),
	}
	cmd.Flags().StringVar(&note, "reason", "", "what you looked at; kept with the event")
	return cmd
}

func (p *program) roleDelete() *cobra.Command {
	var to, reason string
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete ROLE [--reassign-to ROLE]",
		Short: "Delete a role; whoever holds it gets another one in the same moment",
		Long: `Deletes a role. While people hold it, name the role that all of them get instead. At a terminal it asks first; --yes answers.
A role that the access model, a user type or a connection names stays.`,
		Example: `  drawbridge role delete night_shift --reassign-to viewer --reason "one shift only"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.deleteRole(ctx, b, args[0], to, reason, yes) })
		}),
	}
	cmd.Flags().StringVar(&to, "reassign-to", "", "the role that people get instead")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the events")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (p *program) deleteRole(ctx context.Context, b *bridge, word, to, reason string, yes bool) error {
	r, err := b.findRole(word)
	if err != nil {
		return err
	}
	var next identity.Role
	if to != "" {
		if next, err = b.findRole(to); err != nil {
			return err
		}
	}
	d, err := b.people.Role(ctx, identity.Operator(), r.ID, identity.Query{})
	if err != nil {
		return err
	}
	if !yes && !p.json && p.asks() && !p.confirm(fmt.Sprintf("Delete %s (%s)?", clean(r.Title), heldBy(d.Role.Users))) {
		return identity.Errorf(identity.Precondition, "Nothing was deleted. Answer y, or repeat with --yes.")
	}
	n, err := b.people.DeleteRole(ctx, identity.Operator(), r.ID, next.ID, reason)
	if err != nil {
		return err
	}
	v := viewRole(d.Role)
	v.Affected, v.Reassigned = &n, next.ID
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "Deleted %s.\n", clean(r.Title))
		if n > 0 {
			fmt.Fprintf(w, "It was %s, and %s is what they have now.\n", heldBy(n), clean(next.Title))
		}
	})
}

// heldBy says how many people hold a role.
func heldBy(n int) string {
	if n == 1 {
		return "held by one person"
	}
	return fmt.Sprintf("held by %d people", n)
}

// actionsOf reads what --grant says of a resource: actions, or the model's word for a set of them.
func (b *bridge) actionsOf(resource, text string) []string {
	for _, l := range b.model.Levels(resource) {
		if strings.EqualFold(l.Name, text) {
			return l.Actions
		}
	}
	i := slices.IndexFunc(b.model.Catalogue(), func(r access.Resource) bool { return r.ID == resource })
	switch {
	case i >= 0 && text == "all":
		return b.model.Catalogue()[i].Actions
	case text == "none" || text == "":
		return nil
	}
	var out []string
	for action := range strings.SplitSeq(text, ",") {
		out = append(out, strings.TrimSpace(action))
	}
	return out
}
