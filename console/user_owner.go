package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// userRareRoutes are what is seldom done with an account: a tenant gets another owner, two accounts become one, somebody gets a first or a last day.
func (d *Door) userRareRoutes() []route {
	return []route{
		{"GET /console/users/{id}/own", tenantsWrite, d.ownForm},
		{"POST /console/users/{id}/own", tenantsWrite, d.makeOwner},
		{"GET /console/users/{id}/merge", usersWrite, d.mergeForm},
		{"POST /console/users/{id}/merge", usersWrite, d.merge},
		{"GET /console/users/{id}/dates", usersWrite, d.datesForm},
		{"POST /console/users/{id}/dates", usersWrite, d.setDates},
	}
}

type ownBody struct {
	User  identity.User
	At    string
	Was   identity.User   // who owns the tenant until now; empty: nobody
	Roles []identity.Role // what the old owner may become
	Form  form
}

// ownForm asks whether somebody gets the tenant, and what becomes of whoever owned it.
func (d *Door) ownForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.ownPage(w, r, v, blank())
}

func (d *Door) ownPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	if _, ok := v.prov.Model().Owner(); !ok || u.TenantID == "" {
		return identity.Errorf(identity.NotFound, "There is no page at this address.")
	}
	body := ownBody{User: u, At: userPath + string(u.ID), Form: f}
	if body.Was, err = d.prov.Owner(r.Context(), v.Actor, u.TenantID); err != nil {
		return err
	}
	if body.Roles, err = d.prov.AssignableRoles(r.Context(), v.Actor, u.TenantID); err != nil {
		return err
	}
	s := screen{Title: "Make " + u.Label() + " the owner?", Nav: "users", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_owner", s)
}

func (d *Door) makeOwner(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "oldownerrole", "reason")
	if err != nil {
		return err
	}
	_, err = d.prov.TransferOwnership(r.Context(), v.Actor, provisioning.Ownership{Tenant: u.TenantID, User: u.ID, OldRole: identity.RoleID(f.Value("oldownerrole")), Reason: f.Value("reason")})
	switch {
	case err == nil:
		http.Redirect(w, r, userPath+string(u.ID)+"?done=owner-changed", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		if f.Problem.Field == "old owner role" || f.Problem.Field == "role" {
			f.Problem.Field = "oldownerrole"
		}
		return d.ownPage(w, r, v, f)
	}
	return err
}

type mergeBody struct {
	User identity.User
	At   string
	Plan *provisioning.MergePlan
	Form form
}

// mergeForm asks which other account is the same person, and then says what would go over.
func (d *Door) mergeForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.mergePage(w, r, v, blank("successor", r.FormValue("other")), r.FormValue("other") != "")
}

func (d *Door) mergePage(w http.ResponseWriter, r *http.Request, v visit, f form, plan bool) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f.fields = []string{"successor", "reason"}
	body := mergeBody{User: u, At: userPath + string(u.ID), Form: f}
	if plan && f.Problem == nil {
		var other identity.UserID
		other, err = d.personNamed(r.Context(), v, f.Value("successor"))
		if err == nil {
			var p provisioning.MergePlan
			if p, err = d.prov.PlanMerge(r.Context(), v.Actor, provisioning.Merge{Keep: provisioning.PlacedUser{ID: u.ID}, Drop: provisioning.PlacedUser{ID: other}}); err == nil {
				body.Plan = &p
			}
		}
		if err != nil && !f.refused(err) {
			return err
		}
		body.Form = f
	}
	s := screen{Title: "Join another account with " + u.Label(), Nav: "users", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_merge", s)
}

// merge joins two accounts as they were when the page said what would happen.
func (d *Door) merge(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "successor", "reason")
	if err != nil {
		return err
	}
	keep, _ := strconv.ParseInt(f.Value("keep_version"), 10, 64)
	drop, _ := strconv.ParseInt(f.Value("drop_version"), 10, 64)
	_, err = d.prov.MergeUsers(r.Context(), v.Actor, provisioning.Merge{
		Keep: provisioning.PlacedUser{ID: u.ID, Version: keep}, Drop: provisioning.PlacedUser{ID: identity.UserID(f.Value("drop")), Version: drop}, Reason: f.Value("reason"),
	})
	switch {
	case err == nil:
		http.Redirect(w, r, userPath+string(u.ID)+"?done=users-joined", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		return d.mergePage(w, r, v, f, false)
	}
	return err
}

type datesBody struct {
	User  identity.User
	At    string
	Terms identity.Terms
	Form  form
}

// datesForm shows from when until when somebody belongs here.
func (d *Door) datesForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.datesPage(w, r, v, blank())
}

func (d *Door) datesPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, u.ID)
	if err != nil {
		return err
	}
	if f.Problem == nil {
		f.Values.Set("starts", dayOf(detail.Terms.StartsAt))
		f.Values.Set("ends", lastDay(detail.Terms.EndsAt))
	}
	s := screen{Title: "First and last day of " + u.Label(), Nav: "users", Body: datesBody{User: u, At: userPath + string(u.ID), Terms: detail.Terms, Form: f}}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_dates", s)
}

// lastDay is the last day of somebody who is gone from a moment on.
func lastDay(ends *time.Time) string {
	if ends == nil {
		return ""
	}
	last := ends.UTC().Add(-time.Nanosecond)
	return dayOf(&last)
}

// setDates takes the days as whole ones: somebody may come in from the beginning of the first until the end of the last, UTC.
func (d *Door) setDates(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "starts", "ends", "reason")
	if err != nil {
		return err
	}
	starts, err := dayOfForm(f, "starts")
	if err == nil {
		var ends *time.Time
		if ends, err = dayOfForm(f, "ends"); err == nil {
			if ends != nil {
				after := ends.AddDate(0, 0, 1)
				ends = &after
			}
			_, err = d.prov.SetTerms(r.Context(), v.Actor, u.ID, starts, ends, f.Value("reason"))
		}
	}
	switch {
	case err == nil:
		http.Redirect(w, r, userPath+string(u.ID)+"?done=dates-set", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.datesPage(w, r, v, f)
	}
	return err
}

// dayOfForm reads a day of a form; none is nil.
func dayOfForm(f form, field string) (*time.Time, error) {
	if f.Value(field) == "" {
		return nil, nil
	}
	at, err := day(f.Value(field))
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "Write the day as 2026-01-31.").WithField(field)
	}
	return &at, nil
}

// formVersion is the version that a form was made from; 0 for one that does not say.
func formVersion(f form) int64 {
	n, _ := strconv.ParseInt(f.Value("version"), 10, 64)
	return max(n, 0)
}
