package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// userRole returns the commands about the roles of one person.
func (p *program) userRole() *cobra.Command {
	cmd := &cobra.Command{Use: "role", Short: "The roles of a person: set, add, remove, history"}
	cmd.AddCommand(p.userRoleSet(), p.userRoleOne("add", "Give a person one more role", (*provisioning.Service).AssignRole),
		p.userRoleOne("remove", "Take a role from a person", (*provisioning.Service).RemoveRole), p.userRoleHistory())
	return p.group(cmd)
}

func (p *program) userRoleSet() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "set USER ROLE...",
		Short: "Make the roles that administrators gave a person exactly these",
		Long: `Makes the roles that administrators gave a person exactly these, in one step. They count from the person's next request on.
What a provider's claims or a directory give stays beside them.`,
		Example: `  drawbridge user role set ada@example.com editor --reason "new job"`,
		Args:    cobra.MinimumNArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				u, err := b.findUser(ctx, args[0])
				if err != nil {
					return err
				}
				var roles []identity.RoleID
				for _, word := range args[1:] {
					r, err := b.findRole(word)
					if err != nil {
						return err
					}
					roles = append(roles, r.ID)
				}
				return p.showRoles(b.people.SetRoles(ctx, identity.Operator(), u.ID, roles, reason))
			})
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the role")
	return cmd
}

// changeRole is AssignRole or RemoveRole.
type changeRole func(s *provisioning.Service, ctx context.Context, by identity.Actor, id identity.UserID, role identity.RoleID, reason string) (identity.User, error)

func (p *program) userRoleOne(verb, short string, change changeRole) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     verb + " USER ROLE",
		Short:   short,
		Example: fmt.Sprintf(`  drawbridge user role %s ada@example.com auditor --reason "ticket 4711"`, verb),
		Args:    cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				u, err := b.findUser(ctx, args[0])
				if err != nil {
					return err
				}
				r, err := b.findRole(args[1])
				if err != nil {
					return err
				}
				return p.showRoles(change(b.people, ctx, identity.Operator(), u.ID, r.ID, reason))
			})
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the role")
	return cmd
}

func (p *program) showRoles(u identity.User, err error) error {
	if err != nil {
		return err
	}
	return p.show(viewUser(u), func(w io.Writer) { fmt.Fprintf(w, "%s has %s.\n", clean(u.Label()), titles(u.Roles)) })
}

type roleStepView struct {
	At     time.Time           `json:"at"`
	Role   string              `json:"role"`
	Given  bool                `json:"given"`
	Source identity.SourceKind `json:"source"`
	By     string              `json:"by"`
	Door   string              `json:"door"`
	Reason string              `json:"reason,omitempty"`
	Event  identity.EventID    `json:"event_id"`
}

func viewRoleStep(s provisioning.RoleStep) roleStepView {
	return roleStepView{s.At, s.Role, s.Given, s.Source, s.By, s.Door, s.Reason, s.Event}
}

func (p *program) userRoleHistory() *cobra.Command {
	var q identity.Query
	cmd := &cobra.Command{
		Use:     "history USER",
		Short:   "Show how the roles of a person changed, newest first",
		Example: "  drawbridge user role history ada@example.com",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if err := checkLimit("user role history", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.roleHistory(ctx, b, args[0], q) })
		}),
	}
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) roleHistory(ctx context.Context, b *bridge, word string, q identity.Query) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	page, err := b.people.RoleHistory(ctx, identity.Operator(), u.ID, q)
	if err != nil {
		return err
	}
	list := views(page, viewRoleStep, func(s provisioning.RoleStep) string { return string(s.Event) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"WHEN", "", "ROLE", "SOURCE", "BY", "REASON"}, none: "No roles yet."}
		for _, s := range list.Items {
			what := "lost"
			if s.Given {
				what = "got"
			}
			t.add(when(&s.At), what, s.Role, string(s.Source), orDash(s.By), s.Reason)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}
