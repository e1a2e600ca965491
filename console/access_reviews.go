package console

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

type accessReviewsBody struct {
	Reviews []identity.AccessReview
	Pager   pager
	All     bool // closed ones too
	Write   bool
	Places  bool
}

// accessReviews lists the reviews of access, newest first: the open ones unless all are asked for.
func (d *Door) accessReviews(w http.ResponseWriter, r *http.Request, v visit) error {
	q := provisioning.AccessReviewQuery{Open: r.FormValue("state") != "all", After: afterID(r), Limit: pageSize}
	found, err := d.prov.AccessReviews(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	b := accessReviewsBody{
		Reviews: found.Items, All: !q.Open, Write: v.Can(usersWrite), Places: !d.prov.Model().Single(),
		Pager: onward(r, found, func(x identity.AccessReview) string { return string(x.ID) }),
	}
	return d.show(w, r, v, "access_reviews", screen{Title: "Access reviews", Nav: "access-reviews", Body: b})
}

type newAccessReviewBody struct {
	Form    form
	Roles   []identity.Role
	Tenants []identity.Tenant
}

func (d *Door) newAccessReview(w http.ResponseWriter, r *http.Request, v visit) error {
	f := blank("scope", "administrators", "days", strconv.Itoa(provisioning.DefaultDormantDays), "due", time.Now().AddDate(0, 0, 14).UTC().Format(time.DateOnly))
	if role, ok := d.prov.Model().Role(identity.RoleID(r.FormValue("role"))); ok {
		f.Values.Set("scope", string(identity.ReviewRole))
		f.Values.Set("role", string(role.ID))
	}
	if r.FormValue("scope") == string(identity.ReviewSensitive) {
		f.Values.Set("scope", string(identity.ReviewSensitive))
	}
	return d.accessReviewForm(w, r, v, f)
}

func (d *Door) accessReviewForm(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	tenants, err := d.tenantOptions(r.Context(), v)
	if err != nil {
		return err
	}
	if d.prov.Model().Single() {
		tenants = nil
	}
	b := newAccessReviewBody{Form: f, Roles: d.prov.Model().Roles(), Tenants: tenants}
	return d.show(w, r, v, "access_review_new", screen{Title: "New access review", Nav: "access-reviews", Status: f.status(), Body: b})
}

func (d *Door) startAccessReview(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "name", "scope", "due", "tenant")
	if err != nil {
		return err
	}
	n, err := readAccessReview(f)
	if err == nil {
		var x identity.AccessReview
		if x, err = d.prov.StartAccessReview(r.Context(), v.Actor, n); err == nil {
			http.Redirect(w, r, accessReviewURL(x.ID)+"?done=access-started", http.StatusSeeOther)
			return nil
		}
	}
	if f.refused(err) {
		return d.accessReviewForm(w, r, v, f)
	}
	return err
}

// readAccessReview reads the form of a new review. It is due at the end of the day, in UTC.
func readAccessReview(f form) (provisioning.NewAccessReview, error) {
	n := provisioning.NewAccessReview{Name: f.Value("name"), Tenant: identity.TenantID(f.Value("tenant"))}
	text := f.Value("scope")
	switch identity.AccessReviewKind(text) {
	case identity.ReviewRole:
		text += ":" + f.Value("role")
		if f.Value("role") == "" {
			return n, identity.Errorf(identity.Invalid, "Choose the role whose people are looked at.").WithField("scope")
		}
	case identity.ReviewDormant:
		text += ":" + f.Value("days")
	}
	var err error
	if n.Scope, err = identity.ParseAccessReviewScope(text); err != nil {
		return n, err
	}
	if f.Value("due") != "" {
		day, err := time.Parse(time.DateOnly, f.Value("due"))
		if err != nil {
			return n, identity.Errorf(identity.Invalid, "Write the day as 2026-12-31.").WithField("due").WithCause(err)
		}
		n.Due = day.AddDate(0, 0, 1).Add(-time.Minute)
	}
	return n, nil
}

func accessReviewURL(id identity.AccessReviewID) string {
	return "/console/access-reviews/" + string(id)
}

type accessReviewBody struct {
	Review identity.AccessReview
	Items  []accessReviewItem
	Pager  pager
	All    bool // those that are decided too
	Write  bool
	Places bool
	Roles  []identity.Role
	Role   string // the title of the one that is looked at
	Form   form
	Failed []provisioning.AccessOutcome
	Done   int
}

// Decided is how much was decided.
func (b accessReviewBody) Decided() int { return b.Review.Items - b.Review.Undecided }

type accessReviewItem struct {
	identity.AccessReviewItem
	Title string // of the role, or the admin flag's
	Own   bool   // it is about the visitor, so somebody else decides
	Out   bool   // a directory keeps the person out
}

func (d *Door) accessReview(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.accessReviewPage(w, r, v, accessReviewBody{Form: blank()})
}

// accessReviewPage shows a review with what is still to be decided, or all of it.
func (d *Door) accessReviewPage(w http.ResponseWriter, r *http.Request, v visit, b accessReviewBody) error {
	id, err := pathID[identity.AccessReviewID](r, "id")
	if err != nil {
		return err
	}
	b.All = r.FormValue("show") == "all"
	detail, err := d.prov.AccessReview(r.Context(), v.Actor, id, !b.All, identity.Query{After: afterID(r), Limit: pageSize})
	if err != nil {
		return err
	}
	b.Review, b.Write, b.Places = detail.Review, v.Can(usersWrite) && detail.Review.ClosedAt == nil, !d.prov.Model().Single()
	if role, ok := d.prov.Model().Role(detail.Review.Scope.Role); ok {
		b.Role = role.Title
	}
	for _, item := range detail.Items.Items {
		b.Items = append(b.Items, d.accessReviewItem(v, item))
	}
	b.Pager = onward(r, detail.Items, func(x identity.AccessReviewItem) string { return string(x.ID) })
	b.Pager.Lines = true
	roles, err := d.roleOptions(r.Context(), v)
	if b.Write && err != nil {
		return err
	}
	b.Roles = append(roles.Tenant, roles.Platform...)
	return d.show(w, r, v, "access_review", screen{Title: detail.Review.Name, Nav: "access-reviews", Status: b.Form.status(), Body: b})
}

func (d *Door) accessReviewItem(v visit, item identity.AccessReviewItem) accessReviewItem {
	out := accessReviewItem{AccessReviewItem: item, Own: item.UserID == v.User.ID, Title: string(item.RoleID)}
	if role, ok := d.prov.Model().Role(item.RoleID); ok {
		out.Title = role.Title
	}
	if item.RoleID == "" {
		out.Title, _ = d.prov.Model().AdminFlag()
	}
	for _, link := range item.Known {
		out.Out = out.Out || !link.Active
	}
	return out
}

// decideAccess carries out one decision about everything that is ticked. What cannot be done is said beside what was.
func (d *Door) decideAccess(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "items", "decision", "reason", "role")
	if err != nil {
		return err
	}
	id, err := pathID[identity.AccessReviewID](r, "id")
	if err != nil {
		return err
	}
	var verdicts []provisioning.AccessVerdict
	for _, item := range f.Values["item"] {
		verdicts = append(verdicts, provisioning.AccessVerdict{
			Item: identity.AssignmentID(item), Decision: identity.AccessDecision(f.Value("decision")), Role: identity.RoleID(f.Value("role")), Reason: f.Value("reason"),
		})
	}
	if err := checkDecision(f, len(verdicts)); err != nil && f.refused(err) {
		return d.accessReviewPage(w, r, v, accessReviewBody{Form: f})
	}
	out, err := d.prov.DecideAccessReview(r.Context(), v.Actor, id, verdicts)
	if err != nil && !f.refused(err) {
		return err
	}
	b := accessReviewBody{Form: f}
	for _, one := range out {
		if one.Err == nil {
			b.Done++
			continue
		}
		if identity.KindOf(one.Err) == identity.Internal {
			return one.Err
		}
		b.Failed = append(b.Failed, one)
	}
	if err == nil && len(b.Failed) == 0 {
		http.Redirect(w, r, accessReviewURL(id)+"?done=access-decided", http.StatusSeeOther)
		return nil
	}
	return d.accessReviewPage(w, r, v, b)
}

// checkDecision refuses a form that would be refused for every line alike, so that it is said once and at its field.
func checkDecision(f form, ticked int) error {
	decision := identity.AccessDecision(f.Value("decision"))
	switch {
	case ticked == 0:
		return identity.Errorf(identity.Invalid, "Tick at least one line.")
	case decision == "":
		return identity.Errorf(identity.Invalid, "Choose what is to be done.").WithField("decision")
	case decision == identity.AccessChange && f.Value("role") == "":
		return identity.Errorf(identity.Invalid, "Choose the role that takes its place.").WithField("role")
	case decision != identity.AccessKeep && f.Value("reason") == "":
		return identity.Errorf(identity.Invalid, "Say why: it is kept with the decision.").WithField("reason")
	}
	return nil
}

func (d *Door) confirmCloseAccess(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.closeAccessPage(w, r, v, blank())
}

func (d *Door) closeAccessPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	id, err := pathID[identity.AccessReviewID](r, "id")
	if err != nil {
		return err
	}
	detail, err := d.prov.AccessReview(r.Context(), v.Actor, id, true, identity.Query{})
	if err != nil {
		return err
	}
	x := detail.Review
	c := confirmBody{
		Title: "Close " + x.Name + "?", Button: "Close the review", Reason: true, Action: accessReviewURL(x.ID) + "/close", Back: accessReviewURL(x.ID), Form: f,
		Facts: []string{"Everything was decided."},
	}
	if x.Undecided > 0 {
		c.Facts = []string{count(x.Undecided, "line is not decided", "lines are not decided") + ". They stay as they are, and the evidence lists them."}
	}
	c.Facts = append(c.Facts, "Nothing more can be decided in it. The evidence can be taken out at any time.")
	return d.confirm(w, r, v, "access-reviews", c)
}

func (d *Door) closeAccess(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	id, err := pathID[identity.AccessReviewID](r, "id")
	if err != nil {
		return err
	}
	_, err = d.prov.CloseAccessReview(r.Context(), v.Actor, id, f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, accessReviewURL(id)+"?done=access-closed", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		return d.closeAccessPage(w, r, v, f)
	}
	return err
}

// accessEvidence answers with everything that was held, decided or left undecided. It is a post, since each copy is an event.
func (d *Door) accessEvidence(w http.ResponseWriter, r *http.Request, v visit) error {
	if _, err := readForm(w, r); err != nil {
		return err
	}
	id, err := pathID[identity.AccessReviewID](r, "id")
	if err != nil {
		return err
	}
	return d.download(w, "access-review", "csv", func(out io.Writer) error {
		_, err := d.prov.WriteAccessReview(r.Context(), v.Actor, id, out)
		return err
	})
}
