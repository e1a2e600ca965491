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

// dormantView is an account that nobody seems to use, for programs.
type dormantView struct {
	userView
	Why         []identity.DormantWhy `json:"why"`
	Deactivated *bool                 `json:"deactivated,omitempty"` // with --deactivate
	Refused     string                `json:"refused,omitempty"`
}

// unused is what the flags of user dormant say.
type unused struct {
	provisioning.DormantQuery
	why                   []string
	tenant, after, reason string
	deactivate, yes       bool
}

func (p *program) userDormant() *cobra.Command {
	var o unused
	cmd := &cobra.Command{
		Use:   "dormant",
		Short: "List accounts that nobody seems to use, and with --deactivate deactivate them",
		Long: `Lists accounts that nobody seems to use, with the reason: not seen for some days, never signed in, deactivated upstream, or known to no source any more.
With --deactivate those of the page are deactivated one by one, each with the reason; whoever must stay, such as the last administrator, stays, and it is said. Ctrl-C stops
after the present one. "drawbridge tenant dormant" makes a tenant do it by itself.`,
		Example: `  drawbridge user dormant --days 180 --tenant Acme
  drawbridge user dormant --days 365 --why not_seen --deactivate --reason "yearly review"`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("user dormant", o.Limit); err != nil {
				return err
			}
			if o.deactivate && o.reason == "" {
				return usage("user dormant", "--deactivate needs --reason: it is kept with each event")
			}
			return p.with(ctx, func(b *bridge) error { return p.dormantUsers(ctx, b, o) })
		}),
	}
	f := cmd.Flags()
	f.IntVar(&o.Days, "days", provisioning.DefaultDormantDays, "not seen for so many days")
	f.StringArrayVar(&o.why, "why", nil, "only for this reason: not_seen, never_signed_in, deactivated_upstream or no_source; may be repeated")
	f.StringVar(&o.tenant, "tenant", "", "only this tenant, by name or id")
	f.BoolVar(&o.deactivate, "deactivate", false, "deactivate those that are listed")
	f.StringVar(&o.reason, "reason", "", "why; kept with each event")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	paging(cmd, &o.Limit, &o.after)
	return cmd
}

func (p *program) dormantUsers(ctx context.Context, b *bridge, o unused) error {
	t, err := b.findTenant(ctx, o.tenant)
	if err != nil {
		return err
	}
	q := o.DormantQuery
	q.TenantID, q.After = t.ID, identity.UserID(o.after)
	for _, why := range o.why {
		q.Why = append(q.Why, identity.DormantWhy(why))
	}
	page, err := b.people.Dormant(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, func(d identity.Dormant) dormantView { return dormantView{userView: viewUser(d.User), Why: d.Why} }, func(d identity.Dormant) string { return string(d.User.ID) })
	if o.deactivate && len(list.Items) > 0 {
		if !o.yes && !p.json && p.asks() && !p.confirm(fmt.Sprintf("Deactivate %d?", len(list.Items))) {
			return identity.Errorf(identity.Precondition, "Nobody was deactivated. Answer y, or repeat with --yes.")
		}
		if err := p.deactivateAll(ctx, b, list.Items, o.reason); err != nil {
			return err
		}
	}
	return p.show(list, func(w io.Writer) { listDormant(w, list, o.deactivate) })
}

// deactivateAll deactivates those of a list, says how far it is, and notes what became of each.
func (p *program) deactivateAll(ctx context.Context, b *bridge, list []dormantView, reason string) error {
	const each = 50 // between two words about how far it is
	ids := make([]identity.UserID, len(list))
	for i, v := range list {
		ids[i] = v.ID
	}
	return b.people.DeactivateUsers(ctx, identity.Operator(), ids, reason, func(done int, d provisioning.Deactivated) error {
		ok := d.Err == nil
		list[done-1].Deactivated = &ok
		if d.Err != nil {
			list[done-1].Refused = explain(d.Err)
		} else {
			list[done-1].Status = d.User.Status()
		}
		if done%each == 0 {
			fmt.Fprintf(p.stderr, "%d of %d\n", done, len(list))
		}
		return nil
	})
}

func listDormant(w io.Writer, list listView[dormantView], deactivated bool) {
	t := table{heading: []string{"ID", "NAME", "E-MAIL", "TENANT", "LAST SIGN-IN", "WHY", ""}, none: "Every account is used."}
	for _, v := range list.Items {
		why := make([]string, len(v.Why))
		for i, reason := range v.Why {
			why[i] = strings.ReplaceAll(string(reason), "_", " ")
		}
		result := ""
		if deactivated {
			result = firstOf(v.Refused, "deactivated")
		}
		t.add(string(v.ID), firstOf(v.DisplayName, v.UserName), orDash(v.Email), orDash(v.Tenant), when(v.LastLoginAt), strings.Join(why, ", "), result)
	}
	t.write(w)
	more(w, list.Next != "", list.Next)
}

func (p *program) tenantDormant() *cobra.Command {
	var days int
	var reason string
	cmd := &cobra.Command{
		Use:   "dormant TENANT --days DAYS",
		Short: "Have people deactivated by themselves whom nobody has seen for some days; 0 ends it",
		Example: `  drawbridge tenant dormant Acme --days 180 --reason "policy 7"
  drawbridge tenant dormant Acme --days 0`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				t, err := b.findTenant(ctx, args[0])
				if err != nil {
					return err
				}
				if err := b.people.SetDormantRule(ctx, identity.Operator(), t.ID, days, reason); err != nil {
					return err
				}
				return p.show(viewTenant(t), func(w io.Writer) {
					if days == 0 {
						fmt.Fprintf(w, "Nobody of %s is deactivated by itself any more.\n", clean(t.Name))
						return
					}
					fmt.Fprintf(w, "People of %s whom nobody has seen for %d days are deactivated once a day; the administrators get a mail.\n", clean(t.Name), days)
				})
			})
		}),
	}
	cmd.Flags().IntVar(&days, "days", 0, "after how many days")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	require(cmd, "days")
	return cmd
}
