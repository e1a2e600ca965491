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

// erasing is what the flags of user erase and user remove say.
type erasing struct {
	reason      string
	yes, dryRun bool
	forGood     bool
}

func (p *program) userErase() *cobra.Command {
	return p.userGoes(erasing{forGood: true}, &cobra.Command{
		Use:   "erase USER --reason WHY",
		Short: "Delete a person for good: their data goes everywhere, and nothing brings them back",
		Long: `Deletes a person with everything that is kept about them: roles, links, sessions, keys, groups, mails, traces of sign-ins, and what directories sent. In the audit the id
stands for them. It works on people who were deleted before too, given by id. A directory that pushes the same person later makes a new user.
At a terminal it shows first what goes and asks; --yes answers. "user deactivate" can be undone, this cannot.`,
		Example: `  drawbridge user erase ada@example.com --reason "asked for it, ticket 4711"`,
	})
}

func (p *program) userRemove() *cobra.Command {
	return p.userGoes(erasing{}, &cobra.Command{
		Use:     "remove USER --reason WHY",
		Short:   "Delete a person as the access model means it: for good, or out of the tenant",
		Long:    "Deletes a person as the access model means it: for good, or out of the tenant, where a tombstone stays for DRAWBRIDGE_TOMBSTONE_DAYS days.",
		Example: `  drawbridge user remove ada@example.com --reason "project over"`,
	})
}

func (p *program) userGoes(o erasing, cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ExactArgs(1)
	cmd.RunE = p.do(func(ctx context.Context, args []string) error {
		return p.with(ctx, func(b *bridge) error { return p.eraseUser(ctx, b, args[0], o) })
	})
	cmd.Flags().StringVar(&o.reason, "reason", "", "why; kept with the event, so write nothing about the person")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "only show what would go")
	require(cmd, "reason")
	return cmd
}

// erasePlanView is what goes with somebody.
type erasePlanView struct {
	Gone        bool            `json:"gone"`
	ID          identity.UserID `json:"id"`
	User        string          `json:"user,omitempty"`
	Mode        string          `json:"mode,omitempty"`
	Sessions    int             `json:"sessions"`
	Keys        int             `json:"keys"`
	Links       int             `json:"links"`
	Groups      []string        `json:"groups,omitempty"`
	Directories []string        `json:"directories,omitempty"` // that will push the person again
	Holdings    []string        `json:"holdings,omitempty"`
}

func viewErasePlan(plan provisioning.DeletePlan) erasePlanView {
	v := erasePlanView{ID: plan.User.ID, User: plan.User.Label(), Mode: string(plan.Mode), Sessions: plan.Sessions, Keys: len(plan.Keys), Links: len(plan.Links)}
	for _, g := range plan.Groups {
		v.Groups = append(v.Groups, g.Display)
	}
	for _, d := range plan.Directories {
		v.Directories = append(v.Directories, d.DirectoryName)
	}
	for _, h := range plan.Holdings {
		v.Holdings = append(v.Holdings, h.String())
	}
	return v
}

func (p *program) eraseUser(ctx context.Context, b *bridge, word string, o erasing) error {
	v, err := b.erasePlan(ctx, word, o.forGood)
	if err != nil {
		return err
	}
	if o.dryRun {
		return p.show(v, func(w io.Writer) { describeErasure(w, v) })
	}
	if !o.yes && !p.json && p.asks() {
		describeErasure(p.stderr, v)
		if !p.confirm("This cannot be undone. Go on?") {
			return identity.Errorf(identity.Precondition, "Nobody was deleted. Answer y, or repeat with --yes.")
		}
	}
	if o.forGood {
		err = b.people.EraseUser(ctx, identity.Operator(), v.ID, 0, o.reason)
	} else {
		err = b.people.RemoveUser(ctx, identity.Operator(), v.ID, 0, o.reason)
	}
	if err != nil {
		return err
	}
	v.Gone = true
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "%s is gone.\n", clean(firstOf(v.User, string(v.ID))))
		if len(v.Directories) > 0 {
			fmt.Fprintf(w, "Remove the person at %s too, or they will be pushed again.\n", clean(strings.Join(v.Directories, ", ")))
		}
	})
}

// erasePlan says what goes. Somebody who was deleted before is known by the id alone.
func (b *bridge) erasePlan(ctx context.Context, word string, forGood bool) (erasePlanView, error) {
	u, err := b.findUser(ctx, word)
	if id, ok := identity.ParseID[identity.UserID](word); ok && forGood && identity.KindOf(err) == identity.NotFound {
		return erasePlanView{ID: id}, nil
	}
	if err != nil {
		return erasePlanView{}, err
	}
	plan, err := b.people.DeletePlan(ctx, identity.Operator(), u.ID)
	return viewErasePlan(plan), err
}

func describeErasure(w io.Writer, v erasePlanView) {
	fields(w, "Person", firstOf(v.User, "deleted before"), "Id", string(v.ID), "Sessions", fmt.Sprint(v.Sessions), "Keys for programs", fmt.Sprint(v.Keys), "Links to providers", fmt.Sprint(v.Links),
		"Groups", strings.Join(v.Groups, ", "), "Owns or has to do", strings.Join(v.Holdings, ", "), "Will be pushed by", strings.Join(v.Directories, ", "))
}
