package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// accessReview returns the commands about reviews of access.
func (p *program) accessReview() *cobra.Command {
	cmd := &cobra.Command{Use: "review", Short: "Reviews of who holds what: start, list, show, decide, close, export"}
	cmd.AddCommand(p.accessReviewStart(), p.accessReviewList(), p.accessReviewShow(), p.accessReviewDecide(), p.accessReviewClose(), p.accessReviewExport())
	return p.group(cmd)
}

type accessReviewView struct {
	ID        identity.AccessReviewID   `json:"id"`
	Name      string                    `json:"name"`
	Scope     string                    `json:"scope"`
	TenantID  identity.TenantID         `json:"tenant_id,omitempty"`
	Tenant    string                    `json:"tenant,omitempty"`
	CreatedBy string                    `json:"created_by"`
	CreatedAt time.Time                 `json:"created_at"`
	DueAt     time.Time                 `json:"due_at"`
	ClosedAt  *time.Time                `json:"closed_at,omitempty"`
	ClosedBy  string                    `json:"closed_by,omitempty"`
	Items     int                       `json:"items"`
	Undecided int                       `json:"undecided"`
	Page      *listView[reviewItemView] `json:"page,omitempty"`
}

func viewAccessReview(r identity.AccessReview) accessReviewView {
	return accessReviewView{
		ID: r.ID, Name: r.Name, Scope: r.Scope.String(), TenantID: r.TenantID, Tenant: r.TenantName, CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt, DueAt: r.DueAt,
		ClosedAt: r.ClosedAt, ClosedBy: r.ClosedBy, Items: r.Items, Undecided: r.Undecided,
	}
}

type reviewItemView struct {
	Item      identity.AssignmentID   `json:"item"`
	User      userView                `json:"user"`
	Role      identity.RoleID         `json:"role,omitempty"` // none: the admin flag
	Source    identity.SourceKind     `json:"source,omitempty"`
	GrantedBy string                  `json:"granted_by,omitempty"`
	Granted   string                  `json:"granted_reason,omitempty"`
	Since     *time.Time              `json:"since,omitempty"`
	Sensitive []string                `json:"sensitive,omitempty"`
	Held      bool                    `json:"held"`
	Decision  identity.AccessDecision `json:"decision,omitempty"`
	DecidedBy string                  `json:"decided_by,omitempty"`
	DecidedAt *time.Time              `json:"decided_at,omitempty"`
	Reason    string                  `json:"reason,omitempty"`
}

func viewReviewItem(i identity.AccessReviewItem) reviewItemView {
	return reviewItemView{i.ID, viewUser(i.User), i.RoleID, i.Source, i.GrantedBy, i.GrantedReason, i.GrantedAt, i.Sensitive, i.Held, i.Decision, i.DecidedBy, i.DecidedAt, i.Reason}
}

func (p *program) accessReviewStart() *cobra.Command {
	var scope, tenant, name string
	var days int
	cmd := &cobra.Command{
		Use:   "start SCOPE",
		Short: "Begin a review: administrators, role:ROLE, sensitive, everybody or dormant:DAYS",
		Long: `Begins a review of what is held now. SCOPE is administrators, role:ROLE, sensitive, everybody or dormant:DAYS: people who were not seen for so many days, who may not
come in, or whom every directory gave up. The administrators get a mail. Where the access model asks for it, reviews of administrators begin by themselves.`,
		Example: `  drawbridge access review start administrators
  drawbridge access review start dormant:90 --tenant Acme --days 7`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			scope = args[0]
			return p.with(ctx, func(b *bridge) error { return p.startReview(ctx, b, scope, tenant, name, days) })
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant, by name or id")
	cmd.Flags().StringVar(&name, "name", "", "what the review is called")
	cmd.Flags().IntVar(&days, "days", 14, "how long reviewers have")
	return cmd
}

func (p *program) startReview(ctx context.Context, b *bridge, scope, tenant, name string, days int) error {
	parsed, err := identity.ParseAccessReviewScope(scope)
	if err != nil {
		return err
	}
	if parsed.Role != "" {
		r, err := b.findRole(string(parsed.Role))
		if err != nil {
			return err
		}
		parsed.Role = r.ID
	}
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return err
	}
	r, err := b.people.StartAccessReview(ctx, identity.Operator(), provisioning.NewAccessReview{Tenant: t.ID, Name: name, Scope: parsed, Due: time.Now().AddDate(0, 0, days)})
	if err != nil {
		return err
	}
	return p.show(viewAccessReview(r), func(w io.Writer) {
		fmt.Fprintf(w, "The review %s has begun: %d to look at, due on %s.\n", clean(r.Name), r.Items, r.DueAt.UTC().Format(time.DateOnly))
		fields(w, "  id", string(r.ID))
	})
}

func (p *program) accessReviewList() *cobra.Command {
	var q provisioning.AccessReviewQuery
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List reviews, newest first",
		Example: "  drawbridge access review list --open",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("access review list", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.listAccessReviews(ctx, b, q) })
		}),
	}
	cmd.Flags().BoolVar(&q.Open, "open", false, "only those that are not closed")
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listAccessReviews(ctx context.Context, b *bridge, q provisioning.AccessReviewQuery) error {
	page, err := b.people.AccessReviews(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewAccessReview, func(r identity.AccessReview) string { return string(r.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "NAME", "OF", "BEGAN", "DUE", "CLOSED", "UNDECIDED"}, none: "No reviews."}
		for _, v := range list.Items {
			t.add(string(v.ID), v.Name, place(v.Tenant), v.CreatedAt.UTC().Format(time.DateOnly), v.DueAt.UTC().Format(time.DateOnly), when(v.ClosedAt), fmt.Sprintf("%d of %d", v.Undecided, v.Items))
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func readAccessReview(command, word string) (identity.AccessReviewID, error) {
	id, ok := identity.ParseID[identity.AccessReviewID](word)
	if !ok {
		return "", usage(command, "%q is no id of a review; see 'drawbridge access review list'", word)
	}
	return id, nil
}

func (p *program) accessReviewShow() *cobra.Command {
	var q identity.Query
	var undecided bool
	cmd := &cobra.Command{
		Use:     "show REVIEW",
		Short:   "Show what a review looks at and what was decided",
		Example: "  drawbridge access review show 0190a2b4-7c1e-7000-8000-000000000000 --undecided",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			id, err := readAccessReview("access review show", args[0])
			if err != nil {
				return err
			}
			if err := checkLimit("access review show", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.showAccessReview(ctx, b, id, undecided, q) })
		}),
	}
	cmd.Flags().BoolVar(&undecided, "undecided", false, "only what nobody decided yet")
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) showAccessReview(ctx context.Context, b *bridge, id identity.AccessReviewID, undecided bool, q identity.Query) error {
	d, err := b.people.AccessReview(ctx, identity.Operator(), id, undecided, q)
	if err != nil {
		return err
	}
	v, items := viewAccessReview(d.Review), views(d.Items, viewReviewItem, func(i identity.AccessReviewItem) string { return string(i.ID) })
	v.Page = &items
	flag, _ := b.model.AdminFlag()
	return p.show(v, func(w io.Writer) {
		fields(w, "Review", v.Name, "Of", place(v.Tenant), "Due", v.DueAt.UTC().Format(time.DateOnly), "Closed", when(v.ClosedAt), "Undecided", fmt.Sprintf("%d of %d", v.Undecided, v.Items))
		fmt.Fprintln(w)
		t := table{heading: []string{"ITEM", "WHO", "LAST SIGN-IN", "HOLDS", "BECAUSE", "SENSITIVE", "UPSTREAM", "DECISION"}, none: "Nothing."}
		for _, i := range d.Items.Items {
			t.add(string(i.ID), i.User.Label(), when(i.User.LastLoginAt), firstOf(b.titleOf(i.RoleID), flag), orDash(i.GrantedReason), orDash(strings.Join(i.Sensitive, "; ")), upstream(i.Known), decisionText(i))
		}
		t.write(w)
		more(w, items.Next != "", items.Next)
	})
}

// titleOf names a role; "" for none.
func (b *bridge) titleOf(id identity.RoleID) string {
	if r, ok := b.model.Role(id); ok {
		return r.Title
	}
	return string(id)
}

func upstream(known []identity.DirectoryLink) string {
	out := make([]string, len(known))
	for i, l := range known {
		out[i] = l.DirectoryName + " " + map[bool]string{true: "lets in", false: "keeps out"}[l.Active]
	}
	return orDash(strings.Join(out, ", "))
}

func decisionText(i identity.AccessReviewItem) string {
	switch {
	case i.Decision != "":
		return string(i.Decision) + " by " + i.DecidedBy
	case !i.Held:
		return "not held any more"
	}
	return "-"
}
