package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

var reviewStates = []identity.ReviewState{identity.ReviewOpen, identity.ReviewSettled, identity.ReviewDismissed}

type reviewsBody struct {
	Reviews []identity.Review
	Pager   pager
	State   identity.ReviewState
	States  []identity.ReviewState
}

func (d *Door) reviewRoutes() []route {
	return []route{
		{"GET /console/reviews", usersWrite, d.reviews},
		{"GET /console/reviews/{id}", usersWrite, d.review},
		{"GET /console/reviews/{id}/link/{user}", usersWrite, d.confirmReviewLink},
		{"POST /console/reviews/{id}/link/{user}", usersWrite, d.linkFromReview},
		{"POST /console/reviews/{id}/create", usersWrite, d.createFromReview},
		{"GET /console/reviews/{id}/dismiss", usersWrite, d.confirmDismiss},
		{"POST /console/reviews/{id}/dismiss", usersWrite, d.dismissReview},
	}
}

// reviews is the inbox of sign-ins that were refused and can be settled, newest first.
func (d *Door) reviews(w http.ResponseWriter, r *http.Request, v visit) error {
	q := provisioning.ReviewQuery{State: identity.ReviewOpen, Limit: pageSize}
	for _, state := range reviewStates {
		if r.FormValue("state") == string(state) {
			q.State = state
		}
	}
	q.After, _ = identity.ParseID[string](r.FormValue("after"))
	found, err := d.prov.Reviews(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	body := reviewsBody{
		Reviews: found.Items, State: q.State, States: reviewStates,
		Pager: onward(r, found, func(x identity.Review) string { return string(x.ID) }),
	}
	return d.show(w, r, v, "reviews", screen{Title: "Reviews", Nav: "reviews", Body: body})
}

// reviewTexts say in words why a sign-in waits, and what an administrator can do about it.
var reviewTexts = map[string][2]string{
	"link.requires_admin":      {"The account may manage people", "Such accounts are never linked by an address alone. Ask the person whether it is them, then link the subject."},
	"link.requires_proof":      {"The account has a password of its own", "The person can sign in with it once and confirm the link in My Account. Or ask them whether it is them, and link the subject."},
	"link.conflict":            {"The address was given to somebody else", "The account is linked to another subject of this provider. If it is the same person, replace that link; if not, create a new user and correct the addresses."},
	"external_id.ambiguous":    {"Two people have this external id", "Correct it in the directory, or link the right one."},
	"email.ambiguous":          {"Two people have this address", "Link the right one, or correct the addresses."},
	"email.domain_not_allowed": {"The domain is not the connection's", "If this provider may speak for the domain, add it to the connection. For this person alone, link the subject or create the user."},
	"email.not_verified":       {"The address is not verified", "Let the person verify it at the provider. Or ask them whether it is them, and link the subject."},
	"email.missing":            {"The provider sent no address", "Let it send one. Or link the subject to the right user."},
	"email.invalid":            {"The address cannot be used", "Correct it at the provider. Or link the subject to the right user."},
	"jit.off":                  {"Nobody knows this person", "The connection creates nobody. Create the user here, or link the subject to one."},
	"user_name.taken":          {"The user name is taken", "Somebody whom this connection may not match has it. Link the subject to the right user, or rename the other account."},
	"user.inactive":            {"The account is deactivated", "Activate it where it was deactivated, if the person may come in again."},
	"user.locked":              {"The account is locked", "Unlock it, if the person may come in again."},
	"user.deleted":             {"The account was deleted", "Restore it, or let the directory push the person again."},
	"user.no_role":             {"No role is left", "No rule gives this person a role any more. Place them, or correct their groups at the provider."},
	"email.mixed_scripts":      {"A suspicious address came in", "It mixes scripts that no language writes together. If it was made to be taken for somebody else's, deactivate the user."},
}

// reviewTitle says in words why a sign-in waits.
func reviewTitle(code string) string {
	if text, ok := reviewTexts[code]; ok {
		return text[0]
	}
	return code
}

func reviewAdvice(code string) string { return reviewTexts[code][1] }

type reviewBody struct {
	Review     identity.Review
	Candidates []identity.User
	Found      []identity.User // by the search box
	Search     string
	Form       form
	Tenants    []identity.Tenant
	Roles      roleOptions
}

// CanCreate reports whether the address is good for a new user.
func (b reviewBody) CanCreate() bool {
	_, err := identity.EmailKey(b.Review.Email)
	return err == nil && !b.Review.Flag
}

// personRow is somebody on a review's page.
type personRow struct {
	User   identity.User
	Review identity.ReviewID
	Link   bool // the subject can be linked to them
}

// Row returns a row of the page.
func (b reviewBody) Row(u identity.User, link bool) personRow { return personRow{u, b.Review.ID, link} }

func (d *Door) review(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.reviewPage(w, r, v, blank())
}

func (d *Door) reviewPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	detail, err := d.pathReview(r, v)
	if err != nil {
		return err
	}
	body := reviewBody{Review: detail.Review, Candidates: detail.Candidates, Search: search(r), Form: f}
	if err := d.reviewChoices(r.Context(), v, &body); err != nil {
		return err
	}
	s := screen{Title: "Review", Nav: "reviews", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "review", s)
}

// maxFound is how many people the search on a review's page shows.
const maxFound = 20

// reviewChoices fills in whom the subject could be linked to, and where a new user could be created.
func (d *Door) reviewChoices(ctx context.Context, v visit, body *reviewBody) error {
	if body.Review.State == identity.ReviewSettled {
		return nil
	}
	if body.Search != "" {
		found, err := d.prov.Users(ctx, v.Actor, identity.Query{Search: body.Search, Limit: maxFound})
		if err != nil {
			return err
		}
		body.Found = found.Items
	}
	var err error
	if body.Tenants, err = d.tenantOptions(ctx, v); err != nil {
		return err
	}
	body.Roles, err = d.roleOptions(ctx, v)
	return err
}

func (d *Door) pathReview(r *http.Request, v visit) (provisioning.ReviewDetail, error) {
	id, err := pathID[identity.ReviewID](r, "id")
	if err != nil {
		return provisioning.ReviewDetail{}, err
	}
	return d.prov.Review(r.Context(), v.Actor, id)
}

// linkQuestion asks before a subject is linked: what it will open from then on.
func (d *Door) linkQuestion(r *http.Request, v visit) (confirmBody, error) {
	detail, err := d.pathReview(r, v)
	if err != nil {
		return confirmBody{}, err
	}
	id, err := pathID[identity.UserID](r, "user")
	if err != nil {
		return confirmBody{}, err
	}
	u, err := d.prov.UserDetail(r.Context(), v.Actor, id)
	if err != nil {
		return confirmBody{}, err
	}
	at := "/console/reviews/" + string(detail.Review.ID)
	c := confirmBody{
		Title: "Link the subject to " + u.User.Label() + "?", Who: u.User.Email(), Button: "Link to " + u.User.Label(), Reason: true,
		Action: at + "/link/" + string(id), Back: at,
		Facts: []string{"From now on whoever " + detail.Review.ConnectionName + " calls “" + detail.Review.Subject + "” signs in as " + u.User.Label() + ", whatever the address says."},
	}
	place := "above all tenants"
	if u.Tenant.Name != "" {
		place = "in " + u.Tenant.Name
	}
	if titles := roleTitles(u.User.Roles); titles != "" {
		c.Facts = append(c.Facts, "The account is "+titles+" "+place+".")
	}
	for _, l := range u.Links {
		if l.ConnectionID == detail.Review.ConnectionID && l.Subject != detail.Review.Subject {
			c.Facts = append(c.Facts, "The link to “"+l.Subject+"” of the same provider goes, and the sessions that it began end: that account there opens nothing here any more.")
			c.Action, c.Danger, c.Button = c.Action+"?replace=1", true, "Replace the link"
		}
	}
	return c, nil
}

func (d *Door) confirmReviewLink(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.linkQuestion(r, v)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "reviews", c)
}

func (d *Door) linkFromReview(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.ReviewID](r, "id")
	if err != nil {
		return err
	}
	user, err := pathID[identity.UserID](r, "user")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	err = d.prov.LinkFromReview(r.Context(), v.Actor, id, provisioning.Settlement{User: user, Replace: r.URL.Query().Get("replace") == "1", Note: f.Value("reason")})
	if err == nil {
		http.Redirect(w, r, "/console/reviews?done=review-linked", http.StatusSeeOther)
		return nil
	}
	c, again := d.linkQuestion(r, v)
	if again != nil || !f.refused(err) {
		return errors.Join(err, again)
	}
	c.Form = f
	return d.confirm(w, r, v, "reviews", c)
}

// createFromReview creates the person where the form says.
func (d *Door) createFromReview(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.ReviewID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "tenant", "role", "reason")
	if err != nil {
		return err
	}
	tenant, err := reviewTenant(v, f)
	if err == nil {
		_, err = d.prov.CreateFromReview(r.Context(), v.Actor, id, tenant, identity.RoleID(f.Value("role")), f.Value("reason"))
	}
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/reviews?done=review-created", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		return d.reviewPage(w, r, v, f)
	}
	return err
}

// reviewTenant is the tenant that a form chose, or the visitor's own.
func reviewTenant(v visit, f form) (identity.TenantID, error) {
	if v.Actor.TenantID != "" {
		return v.Actor.TenantID, nil
	}
	if f.Value("tenant") == "" {
		return "", identity.Errorf(identity.Invalid, "Choose a tenant.").WithField("tenant")
	}
	return chosenTenant(f), nil
}

func dismissal(x identity.Review) confirmBody {
	at := "/console/reviews/" + string(x.ID)
	return confirmBody{
		Title: "Dismiss this review?", Who: x.Email, Button: "Dismiss", Danger: true, Reason: true, Action: at + "/dismiss", Back: at,
		Facts: []string{"Nothing is done for the person: they go on being refused.", "Further attempts of the same subject for the same reason stay out of the inbox. They are counted, and their traces are kept."},
	}
}

func (d *Door) confirmDismiss(w http.ResponseWriter, r *http.Request, v visit) error {
	detail, err := d.pathReview(r, v)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "reviews", dismissal(detail.Review))
}

func (d *Door) dismissReview(w http.ResponseWriter, r *http.Request, v visit) error {
	detail, err := d.pathReview(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	err = d.prov.DismissReview(r.Context(), v.Actor, detail.Review.ID, f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/reviews?done=review-dismissed", http.StatusSeeOther)
		return nil
	case f.refused(err):
		body := dismissal(detail.Review)
		body.Form = f
		return d.confirm(w, r, v, "reviews", body)
	}
	return err
}
