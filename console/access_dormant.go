package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

type dormantBody struct {
	Rows    []identity.Dormant
	Pager   pager
	Form    form // the filters, with what is wrong about them
	Whys    []identity.DormantWhy
	Tenants []identity.Tenant
	Places  bool
	Write   bool // the visitor may deactivate people
	Self    identity.UserID
}

// dormant lists the accounts that nobody seems to use.
func (d *Door) dormant(w http.ResponseWriter, r *http.Request, v visit) error {
	f := blank("days", clip(oneLine(r.FormValue("days")), 10))
	f.fields = []string{"days", "why"}
	f.Values["why"] = r.URL.Query()["why"]
	f.Values.Set("tenant", clip(oneLine(r.FormValue("tenant")), 100))
	return d.dormantPage(w, r, v, f)
}

func (d *Door) dormantPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	b := dormantBody{Form: f, Whys: identity.DormantWhys, Places: !d.prov.Model().Single(), Write: v.Can(usersWrite) && d.prov.Model().Deactivates(), Self: v.User.ID}
	q := provisioning.DormantQuery{After: identity.UserID(afterID(r)), Limit: pageSize}
	q.TenantID, _ = identity.ParseID[identity.TenantID](f.Value("tenant"))
	for _, why := range f.Values["why"] {
		if slices.Contains(identity.DormantWhys, identity.DormantWhy(why)) {
			q.Why = append(q.Why, identity.DormantWhy(why))
		}
	}
	var err error
	if f.Value("days") == "" {
		b.Form.Values.Set("days", strconv.Itoa(provisioning.DefaultDormantDays))
	} else if q.Days, err = strconv.Atoi(f.Value("days")); err != nil || q.Days == 0 {
		q.Days = -1 // refused with the numbers that it may be
	}
	found, err := d.prov.Dormant(r.Context(), v.Actor, q)
	if err != nil && !b.Form.refused(err) {
		return err
	}
	b.Rows, b.Pager = found.Items, onward(r, found, func(x identity.Dormant) string { return string(x.User.ID) })
	b.Pager.Lines = true
	if b.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
		return err
	}
	return d.show(w, r, v, "access_dormant", screen{Title: "Unused accounts", Nav: "access", Status: b.Form.status(), Body: b})
}

// mostDormant is how many people are deactivated with one form.
const mostDormant = 200

type dormantActBody struct {
	Form   form
	People []identity.User
	Done   int                        // how many were deactivated
	Stayed []provisioning.Deactivated // and who was not
}

// previewDormant names whom a form would deactivate, and asks.
func (d *Door) previewDormant(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "users", "reason")
	if err != nil {
		return err
	}
	return d.dormantAct(w, r, v, f)
}

func (d *Door) dormantAct(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	people, err := d.chosenPeople(r.Context(), v, f)
	if err != nil {
		return err
	}
	if len(people) == 0 {
		f.Problem = identity.Errorf(identity.Invalid, "Tick at least one person.")
		return d.dormantPage(w, r, v, f)
	}
	return d.show(w, r, v, "access_dormant_act", screen{Title: "Deactivate people", Nav: "access", Status: f.status(), Body: dormantActBody{Form: f, People: people}})
}

// chosenPeople are the people whom a form names and whom the visitor may see, each once.
func (d *Door) chosenPeople(ctx context.Context, v visit, f form) ([]identity.User, error) {
	var out []identity.User
	for _, text := range slices.Compact(slices.Sorted(slices.Values(f.Values["user"]))) {
		id, ok := identity.ParseID[identity.UserID](text)
		if !ok || len(out) == mostDormant {
			continue
		}
		u, err := d.prov.User(ctx, v.Actor, id)
		if identity.KindOf(err) == identity.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

// deactivateDormant deactivates people one by one: whoever has to stay stays, and the page says why.
func (d *Door) deactivateDormant(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "users", "reason")
	if err != nil {
		return err
	}
	people, err := d.chosenPeople(r.Context(), v, f)
	if err != nil {
		return err
	}
	ids := make([]identity.UserID, len(people))
	for i, u := range people {
		ids[i] = u.ID
	}
	b := dormantActBody{Form: f, People: people}
	err = d.prov.DeactivateUsers(r.Context(), v.Actor, ids, f.Value("reason"), func(_ int, one provisioning.Deactivated) error {
		if one.Err == nil {
			b.Done++
			return nil
		}
		one.User = people[slices.Index(ids, one.ID)]
		b.Stayed = append(b.Stayed, one)
		return nil
	})
	switch {
	case err != nil && f.refused(err):
		return d.dormantAct(w, r, v, f)
	case err != nil:
		return err
	case len(b.Stayed) == 0 && b.Done > 0:
		http.Redirect(w, r, "/console/access/dormant?done=dormant-deactivated", http.StatusSeeOther)
		return nil
	}
	return d.show(w, r, v, "access_dormant_act", screen{Title: "Deactivate people", Nav: "access", Body: b})
}
