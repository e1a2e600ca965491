package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// userLeaveRoutes are how somebody goes and comes back.
func (d *Door) userLeaveRoutes() []route {
	return []route{
		{"GET /console/users/{id}/deactivate", usersWrite, d.askDeactivate},
		{"POST /console/users/{id}/deactivate", usersWrite, d.deactivateUser},
		{"GET /console/users/{id}/activate", usersWrite, d.confirmActivate},
		{"POST /console/users/{id}/activate", usersWrite, d.activateUser},
		{"GET /console/users/{id}/delete", anyRight, d.askDelete},
		{"POST /console/users/{id}/delete", anyRight, d.deleteUser},
		{"POST /console/users/{id}/restore", usersWrite, d.restoreUser},
		{"GET /console/users/{id}/erase", usersWrite, d.askErase},
		{"POST /console/users/{id}/erase", usersWrite, d.eraseUser},
		{"GET /console/users/{id}/release", tenantsWrite, d.asks(d.releaseAct())},
		{"POST /console/users/{id}/release", tenantsWrite, d.acts(d.releaseAct())},
	}
}

// leaveBody is the dialog before somebody is deactivated or deleted.
type leaveBody struct {
	provisioning.DeletePlan
	At         string
	Colleagues []identity.User // who may take over, as far as a list goes
	Blocked    bool            // open work keeps the person here until somebody takes it over
	CanKeep    bool            // deactivating is offered instead of deleting
	Form       form
}

// askDeactivate says what will happen, shows what the person still has to do, and asks who takes over.
func (d *Door) askDeactivate(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.leavePage(w, r, v, "user_deactivate", blank())
}

// colleagues is how many people a choice of successors has; anybody else is named by address.
const colleagues = 50

func (d *Door) leavePage(w http.ResponseWriter, r *http.Request, v visit, page string, f form) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	body := leaveBody{At: userPath + string(id), Form: f}
	if body.DeletePlan, err = d.prov.DeletePlan(r.Context(), v.Actor, id); err != nil {
		return err
	}
	body.CanKeep = body.Deactivate && body.User.Enabled && v.Can(usersWrite)
	if rule, ok := v.prov.Model().OpenAssignments(); ok {
		body.Blocked = rule.OnPerson == "block" && len(body.OpenTasks()) > 0
	}
	if len(body.Holdings) > 0 {
		if body.Colleagues, err = d.colleaguesOf(r.Context(), v, body.User); err != nil {
			return err
		}
	}
	title := map[bool]string{true: "Deactivate %s?", false: "Delete %s?"}[page == "user_deactivate"]
	s := screen{Title: fmt.Sprintf(title, body.User.Label()), Nav: "users", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, page, s)
}

// colleaguesOf are people of the same tenant who may come in.
func (d *Door) colleaguesOf(ctx context.Context, v visit, u identity.User) ([]identity.User, error) {
	found, err := d.prov.Users(ctx, v.Actor, identity.Query{Tenant: u.TenantID, Limit: colleagues})
	var out []identity.User
	for _, c := range found.Items {
		if c.Enabled && c.ID != u.ID {
			out = append(out, c)
		}
	}
	return out, err
}

// deactivateUser keeps somebody out. With a successor it is an offboarding: what the person owns or has to do is handed over, and the record stays open until that is done.
func (d *Door) deactivateUser(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason", "successor")
	if err != nil {
		return err
	}
	to := userPath + string(id) + "?done=user-deactivated"
	if f.Value("successor") == "" {
		_, err = d.prov.DeactivateUser(r.Context(), v.Actor, id, f.Value("reason"))
	} else {
		to, err = d.handOver(r.Context(), v, id, f)
	}
	switch {
	case err == nil:
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	case identity.KindOf(err) == identity.NotFound || !f.refused(err):
		return err
	}
	if f.Problem.Code == "open_assignments" {
		f.Problem.Field = "successor"
	}
	return d.leavePage(w, r, v, "user_deactivate", f)
}

// handOver begins the offboarding with a successor, and returns where its record stands.
func (d *Door) handOver(ctx context.Context, v visit, id identity.UserID, f form) (string, error) {
	heir, err := d.personNamed(ctx, v, f.Value("successor"))
	if err != nil {
		return "", err
	}
	o, err := d.prov.Offboard(ctx, v.Actor, id, provisioning.Leaving{Successor: heir, Reason: f.Value("reason")})
	return offboardingsPath + "/" + string(o.ID) + "?done=offboarded", err
}

func (d *Door) confirmActivate(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.userConfirm(w, r, v, activation)
}

func (d *Door) userConfirm(w http.ResponseWriter, r *http.Request, v visit, ask func(provisioning.UserDetail) confirmBody) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "users", ask(detail))
}

func activation(u provisioning.UserDetail) confirmBody {
	c := askAbout(u, "activate")
	c.Title, c.Button = fmt.Sprintf("Reactivate %s?", u.User.Label()), fmt.Sprintf("Reactivate %s", u.User.Label())
	c.Facts = []string{fmt.Sprintf("From now on %s may sign in again.", u.User.Label()), "Tenant, unit, roles, links and history are as they were."}
	for _, link := range u.Directories {
		if !link.Active {
			c.Facts = append(c.Facts, fmt.Sprintf("The directory %s says that this person is not active. Its next change may deactivate them again.", link.DirectoryName))
		}
	}
	return c
}

func (d *Door) activateUser(w http.ResponseWriter, r *http.Request, v visit) error {
	act := func(ctx context.Context, v visit, id identity.UserID, reason string) error {
		_, err := d.prov.ActivateUser(ctx, v.Actor, id, reason)
		return err
	}
	return d.acts(userAct{ask: activation, act: act, done: "user-activated"})(w, r, v)
}

// releaseAct ends the hold that directories of the tenant have on somebody.
func (d *Door) releaseAct() userAct {
	return userAct{
		ask: func(u provisioning.UserDetail) confirmBody {
			c := askAbout(u, "release")
			c.Title, c.Button, c.Danger = fmt.Sprintf("Release %s from the directory?", u.User.Label()), "Release", true
			c.Facts = []string{
				"The directories of the present tenant let go of this person, who may then be edited here and placed elsewhere.",
				"Whoever a directory kept out stays out, by your word from then on.",
				"A directory that pushes the person again while they are still in its tenant takes hold again.",
			}
			return c
		},
		act: func(ctx context.Context, v visit, id identity.UserID, reason string) error {
			_, err := d.prov.ReleaseUser(ctx, v.Actor, id, reason)
			return err
		},
		done: "user-released",
	}
}

// askDelete says what ends with somebody, and offers to deactivate them instead.
func (d *Door) askDelete(w http.ResponseWriter, r *http.Request, v visit) error {
	if string(v.prov.Model().DeleteMode()) == "hidden" {
		return identity.Errorf(identity.NotFound, "There is no page at this address.")
	}
	return d.leavePage(w, r, v, "user_delete", blank())
}

// deleteUser does what the access model means by deleting.
func (d *Door) deleteUser(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	err = d.prov.RemoveUser(r.Context(), v.Actor, id, formVersion(f), f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/users?done=user-deleted", http.StatusSeeOther)
		return nil
	case identity.CodeOf(err) == "deactivate_instead" || identity.KindOf(err) == identity.NotFound || !v.Can(usersRead) || !f.refused(err):
		return err
	}
	return d.leavePage(w, r, v, "user_delete", f)
}

// goneBody is somebody who was deleted.
type goneBody struct {
	provisioning.Gone
	At    string
	Erase bool // the visitor may erase what is left
	Form  form
}

// gone shows somebody who was deleted, to whoever may bring them back; everybody else is told that nobody is there.
func (d *Door) gone(w http.ResponseWriter, r *http.Request, v visit, id identity.UserID, otherwise error) error {
	return d.gonePage(w, r, v, id, blank(), otherwise)
}

func (d *Door) gonePage(w http.ResponseWriter, r *http.Request, v visit, id identity.UserID, f form, otherwise error) error {
	found, err := d.prov.DeletedUser(r.Context(), v.Actor, id)
	if err != nil {
		return errors.Join(otherwise)
	}
	body := goneBody{Gone: found, At: userPath + string(id), Erase: string(v.prov.Model().DeleteMode()) == "permanent", Form: f}
	s := screen{Title: found.User.Label() + " was deleted", Nav: "users", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_gone", s)
}

// restoreUser brings somebody back who was deleted, with the roles from before.
func (d *Door) restoreUser(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	_, err = d.prov.RestoreUser(r.Context(), v.Actor, id)
	f := blank()
	switch {
	case err == nil:
		http.Redirect(w, r, userPath+string(id)+"?done=user-restored", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		return d.gonePage(w, r, v, id, f, err)
	}
	return err
}

func (d *Door) askErase(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.erasePage(w, r, v, blank())
}

func (d *Door) erasePage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	found, err := d.prov.DeletedUser(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	u := found.User
	return d.confirm(w, r, v, "users", confirmBody{
		Title: fmt.Sprintf("Erase what is left of %s?", u.Label()), Who: u.Email(), Button: "Erase for good", Danger: true, Reason: true,
		Action: userPath + string(id) + "/erase", Back: userPath + string(id), Form: f,
		Facts: []string{
			"Name, addresses, attributes, mails and what directories sent about this person are erased. In the audit an id stands for them.",
			"Nothing brings this person back. A directory that pushes them again makes a new user.",
		},
	})
}

// eraseUser erases somebody who was deleted before.
func (d *Door) eraseUser(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	err = d.prov.EraseUser(r.Context(), v.Actor, id, 0, f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/users?done=user-erased", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		return d.erasePage(w, r, v, f)
	}
	return err
}
