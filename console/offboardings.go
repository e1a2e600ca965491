package console

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

const offboardingsPath = "/console/offboardings"

func (d *Door) offboardingRoutes() []route {
	return []route{
		{"GET /console/users/{id}/offboard", usersWrite, d.offboardForm},
		{"POST /console/users/{id}/offboard", usersWrite, d.offboard},
		{"GET /console/offboardings", usersRead, d.offboardings},
		{"GET /console/offboardings/{id}", usersRead, d.offboarding},
		{"GET /console/offboardings/{id}/evidence/{format}", usersRead, d.evidence},
		{"GET /console/offboardings/{id}/close", usersWrite, d.asksOffboarding(askClose)},
		{"POST /console/offboardings/{id}/close", usersWrite, d.actsOffboarding(askClose, d.closeOffboarding)},
		{"GET /console/offboardings/{id}/cancel", usersWrite, d.asksOffboarding(askStay)},
		{"POST /console/offboardings/{id}/cancel", usersWrite, d.actsOffboarding(askStay, d.cancelOffboarding)},
	}
}

type offboardBody struct {
	Form     form
	User     provisioning.UserDetail
	Holdings []identity.Holding
	More     bool
	Open     []identity.Offboarding // that a directory began already
}

// offboardForm asks how somebody leaves, and says what ends at once and what somebody else has to take over.
func (d *Door) offboardForm(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	return d.offboardPage(w, r, v, id, blank())
}

func (d *Door) offboardPage(w http.ResponseWriter, r *http.Request, v visit, id identity.UserID, f form) error {
	b := offboardBody{Form: f}
	var err error
	if b.User, err = d.prov.UserDetail(r.Context(), v.Actor, id); err != nil {
		return err
	}
	held, err := d.prov.Holdings(r.Context(), v.Actor, provisioning.HoldingQuery{UserID: id, Limit: pageSize})
	if err != nil {
		return err
	}
	b.Holdings, b.More = held.Items, held.More
	open, err := d.prov.Offboardings(r.Context(), v.Actor, provisioning.OffboardingQuery{UserID: id, State: identity.OffboardOpen, Limit: 1})
	if err != nil {
		return err
	}
	b.Open = open.Items
	s := screen{Title: "Offboard " + b.User.User.Label(), Nav: "users", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "offboard", s)
}

func (d *Door) offboard(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "successor", "reason")
	if err != nil {
		return err
	}
	leaving := provisioning.Leaving{Reason: f.Value("reason")}
	if leaving.Successor, err = d.personNamed(r.Context(), v, f.Value("successor")); err == nil {
		var o identity.Offboarding
		if o, err = d.prov.Offboard(r.Context(), v.Actor, id, leaving); err == nil {
			http.Redirect(w, r, offboardingsPath+"/"+string(o.ID)+"?done=offboarded", http.StatusSeeOther)
			return nil
		}
	}
	if !f.refused(err) {
		return err
	}
	return d.offboardPage(w, r, v, id, f)
}

// personNamed finds the one person with an e-mail address or a user name; nothing typed is nobody.
func (d *Door) personNamed(ctx context.Context, v visit, text string) (identity.UserID, error) {
	if text == "" {
		return "", nil
	}
	found, err := d.prov.Users(ctx, v.Actor, identity.Query{Search: clip(text, maxSearch), Limit: pageSize})
	if err != nil {
		return "", err
	}
	same := slices.DeleteFunc(found.Items, func(u identity.User) bool {
		return !strings.EqualFold(u.Email(), text) && !strings.EqualFold(u.UserName, text)
	})
	switch len(same) {
	case 0:
		return "", identity.Errorf(identity.Invalid, "Nobody has the address or user name %q. Write it whole.", clip(text, 80)).WithField("successor")
	case 1:
		return same[0].ID, nil
	}
	return "", identity.Errorf(identity.Invalid, "%d people have the address %q. Write the user name.", len(same), clip(text, 80)).WithField("successor")
}

type offboardingRow struct {
	identity.Offboarding
	Who string
}

type offboardingsBody struct {
	Rows   []offboardingRow
	Pager  pager
	State  identity.OffboardingState
	States []identity.OffboardingState
}

var offboardingStates = []identity.OffboardingState{identity.OffboardOpen, identity.OffboardClosed, identity.OffboardCancelled}

// offboardings lists who leaves, newest first: the open ones unless others are asked for.
func (d *Door) offboardings(w http.ResponseWriter, r *http.Request, v visit) error {
	q := provisioning.OffboardingQuery{State: identity.OffboardOpen, Limit: pageSize}
	switch state := identity.OffboardingState(r.FormValue("state")); {
	case slices.Contains(offboardingStates, state):
		q.State = state
	case state == "any":
		q.State = ""
	}
	q.After, _ = identity.ParseID[identity.OffboardingID](r.FormValue("after"))
	found, err := d.prov.Offboardings(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	b := offboardingsBody{State: q.State, States: offboardingStates, Pager: onward(r, found, func(o identity.Offboarding) string { return string(o.ID) })}
	for _, o := range found.Items {
		u, err := d.prov.User(r.Context(), v.Actor, o.UserID)
		if err != nil && identity.KindOf(err) != identity.NotFound {
			return err
		}
		who := u.Label()
		if who == "" {
			who = "Somebody who was deleted"
		}
		b.Rows = append(b.Rows, offboardingRow{o, who})
	}
	return d.show(w, r, v, "offboardings", screen{Title: "Leavers", Nav: "offboardings", Body: b})
}

func (d *Door) pathOffboarding(r *http.Request, v visit) (provisioning.OffboardingView, error) {
	id, err := pathID[identity.OffboardingID](r, "id")
	if err != nil {
		return provisioning.OffboardingView{}, err
	}
	return d.prov.Offboarding(r.Context(), v.Actor, id)
}

// offboarding is one that leaves: what ended, what went over to whom, and what is left.
func (d *Door) offboarding(w http.ResponseWriter, r *http.Request, v visit) error {
	o, err := d.pathOffboarding(r, v)
	if err != nil {
		return err
	}
	return d.show(w, r, v, "offboarding", screen{Title: "Offboarding of " + o.User.Label(), Nav: "offboardings", Body: o})
}

// evidence is what was done as a signed file.
func (d *Door) evidence(w http.ResponseWriter, r *http.Request, v visit) error {
	format, err := fileFormat(r.PathValue("format"))
	if err != nil {
		return err
	}
	o, err := d.pathOffboarding(r, v)
	if err != nil {
		return err
	}
	return d.download(w, "offboarding", format, func(out io.Writer) error {
		_, err := d.prov.EvidenceReport(r.Context(), v.Actor, o.ID, format, out)
		return err
	})
}

func askClose(o provisioning.OffboardingView) confirmBody {
	at := offboardingsPath + "/" + string(o.ID)
	c := confirmBody{
		Title: "Close the offboarding of " + o.User.Label() + "?", Who: o.User.Email(), Button: "Close it", Reason: true, Action: at + "/close", Back: at,
		Facts: []string{"Nothing is left to hand over.", "The record and its evidence stay."},
	}
	if o.Left > 0 {
		c.Danger, c.Button = true, "Close it all the same"
		c.Facts = []string{
			count(o.Left, "thing is left that nobody has taken over.", "things are left that nobody has taken over.") + " They are named in the evidence, with your reason.",
			"What was asked of the applications stays asked.",
		}
	}
	return c
}

func askStay(o provisioning.OffboardingView) confirmBody {
	at := offboardingsPath + "/" + string(o.ID)
	return confirmBody{
		Title: o.User.Label() + " stays?", Who: o.User.Email(), Button: "Let them in again", Reason: true, Action: at + "/cancel", Back: at,
		Facts: []string{"They may sign in again, with the tenant and roles from before.", "What has not gone over yet stays with them. What went over stays where it is."},
	}
}

func (d *Door) asksOffboarding(ask func(provisioning.OffboardingView) confirmBody) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		o, err := d.pathOffboarding(r, v)
		if err != nil {
			return err
		}
		return d.confirm(w, r, v, "offboardings", ask(o))
	}
}

// actsOffboarding does what was asked; what is refused is said beside the same question.
func (d *Door) actsOffboarding(ask func(provisioning.OffboardingView) confirmBody, act func(context.Context, visit, provisioning.OffboardingView, string) error) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		f, err := readForm(w, r, "reason")
		if err != nil {
			return err
		}
		o, err := d.pathOffboarding(r, v)
		if err != nil {
			return err
		}
		err = act(r.Context(), v, o, f.Value("reason"))
		if err == nil {
			http.Redirect(w, r, offboardingsPath+"/"+string(o.ID), http.StatusSeeOther)
			return nil
		}
		if !f.refused(err) {
			return err
		}
		body := ask(o)
		body.Form = f
		return d.confirm(w, r, v, "offboardings", body)
	}
}

func (d *Door) closeOffboarding(ctx context.Context, v visit, o provisioning.OffboardingView, reason string) error {
	_, err := d.prov.CloseOffboarding(ctx, v.Actor, o.ID, provisioning.Closing{Reason: reason, Force: o.Left > 0})
	return err
}

func (d *Door) cancelOffboarding(ctx context.Context, v visit, o provisioning.OffboardingView, reason string) error {
	_, err := d.prov.RestoreOffboarded(ctx, v.Actor, o.ID, reason)
	return err
}
