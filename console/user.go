package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// timelineSize is how many events a user's page shows; the rest is one click away in the audit.
const timelineSize = 30

type assignmentRow struct {
	identity.Assignment
	Title string
	From  string // who or what gave it, in words
}

type userBody struct {
	provisioning.UserDetail
	Assignments []assignmentRow
	Timeline    []entryRow
	Older       string // where the timeline goes on; empty: that is all
	Newest      bool   // the timeline begins with now
	Tenants     []identity.Tenant
	Roles       roleOptions
	Self        bool
	Write       bool // the visitor may change people
	Factor      factorRow
	Invite      bool   // the visitor may invite people
	Resend      string // what sending an invitation again is called
}

// user is one person: details, what they may do and why, who knows them, where they are signed in and what happened.
func (d *Door) user(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	if detail.Sessions, err = d.authn.Sessions(r.Context(), v.Actor, id); err != nil { // those that were not used for too long are over
		return err
	}
	body := userBody{UserDetail: detail, Assignments: v.assignments(detail), Self: id == v.User.ID, Write: v.Can(usersWrite), Invite: v.Can(usersWrite) || v.Can(usersInvite), Resend: v.prov.Model().Onboarding().ResendLabel}
	if body.Factor, err = d.factorOf(r, v, id); err != nil {
		return err
	}
	if err := d.userExtras(r.Context(), v, &body, clip(r.FormValue("before"), 100)); err != nil {
		return err
	}
	return d.show(w, r, v, "user", screen{Title: detail.User.Label(), Nav: "users", Body: body})
}

// userExtras fills what only some visitors see: the timeline and the choices for placing.
func (d *Door) userExtras(ctx context.Context, v visit, body *userBody, before string) error {
	entries, cursor, err := d.timelineOf(ctx, v, body.User.ID, before)
	if err != nil {
		return err
	}
	body.Timeline, body.Older, body.Newest = entries, olderEntries(body.User.ID, cursor), before == ""
	if !v.Can(tenantsWrite) {
		return nil
	}
	if body.Tenants, err = d.tenantOptions(ctx, v); err != nil {
		return err
	}
	body.Roles, err = d.roleOptions(ctx, v)
	return err
}

// assignments joins the roles of a user with their titles and the names of what gave them.
func (v visit) assignments(detail provisioning.UserDetail) []assignmentRow {
	out := make([]assignmentRow, 0, len(detail.Assignments))
	for _, a := range detail.Assignments {
		row := assignmentRow{Assignment: a, Title: string(a.RoleID), From: a.GrantedBy}
		if role, ok := v.prov.Model().Role(a.RoleID); ok {
			row.Title = role.Title
		}
		for _, link := range detail.Directories {
			if string(link.DirectoryID) == a.SourceID {
				row.From = link.DirectoryName
			}
		}
		for _, link := range detail.Links {
			if string(link.ConnectionID) == a.SourceID {
				row.From = link.ConnectionName
			}
		}
		out = append(out, row)
	}
	return out
}

// sourceText says where a role came from.
func sourceText(kind identity.SourceKind) string {
	switch kind {
	case identity.SourceDefault:
		return "Given on arrival"
	case identity.SourceManual:
		return "Given by hand"
	case identity.SourceDirectory:
		return "By a directory"
	case identity.SourceClaim:
		return "By a sign-in"
	case identity.SourceImport:
		return "By an import"
	}
	return string(kind)
}

func (d *Door) confirmDeactivate(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.userConfirm(w, r, v, deactivation)
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

func deactivation(u provisioning.UserDetail) confirmBody {
	c := confirmBody{
		Title: "Deactivate " + u.User.Label() + "?", Who: u.User.Email(), Button: "Deactivate " + u.User.Label(), Danger: true, Reason: true,
		Action: "/console/users/" + string(u.User.ID) + "/deactivate", Back: "/console/users/" + string(u.User.ID),
		Facts: []string{"From now on " + u.User.Label() + " cannot sign in, by password or through any provider."},
	}
	if n := len(u.Sessions); n > 0 {
		c.Facts = append(c.Facts, count(n, "open session ends", "open sessions end")+" at once.")
	}
	if len(u.Directories) > 0 {
		c.Facts = append(c.Facts, "No directory can undo it: only an administrator can activate this person again.")
	}
	c.Facts = append(c.Facts, "Tenant, roles, links and history stay. You can activate this person again at any time.")
	return c
}

func activation(u provisioning.UserDetail) confirmBody {
	c := confirmBody{
		Title: "Activate " + u.User.Label() + "?", Who: u.User.Email(), Button: "Activate " + u.User.Label(), Reason: true,
		Action: "/console/users/" + string(u.User.ID) + "/activate", Back: "/console/users/" + string(u.User.ID),
		Facts: []string{"From now on " + u.User.Label() + " may sign in again, with the tenant and roles from before."},
	}
	for _, link := range u.Directories {
		if !link.Active {
			c.Facts = append(c.Facts, "The directory "+link.DirectoryName+" says that this person is not active. Its next change may deactivate them again.")
		}
	}
	return c
}

func (d *Door) deactivateUser(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.changeActive(w, r, v, d.prov.DeactivateUser, deactivation, "user-deactivated")
}

func (d *Door) activateUser(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.changeActive(w, r, v, d.prov.ActivateUser, activation, "user-activated")
}

// activator is DeactivateUser or ActivateUser.
type activator func(ctx context.Context, by identity.Actor, id identity.UserID, reason string) (identity.User, error)

func (d *Door) changeActive(w http.ResponseWriter, r *http.Request, v visit, change activator, ask func(provisioning.UserDetail) confirmBody, done string) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	_, err = change(r.Context(), v.Actor, id, f.Value("reason"))
	if err == nil {
		http.Redirect(w, r, "/console/users/"+string(id)+"?done="+done, http.StatusSeeOther)
		return nil
	}
	detail, again := d.prov.UserDetail(r.Context(), v.Actor, id)
	if again != nil || !f.refused(err) {
		return errors.Join(err, again)
	}
	body := ask(detail)
	body.Form = f
	return d.confirm(w, r, v, "users", body)
}

func (d *Door) endUserSession(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	session, err := pathID[identity.SessionID](r, "session")
	if err != nil {
		return err
	}
	theirs, err := d.hasSession(r, v, id, session)
	if err != nil || !theirs {
		return orNotFound(err)
	}
	if err := d.authn.EndSession(r.Context(), v.Actor, session); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/users/"+string(id)+"?done=session-ended", http.StatusSeeOther)
	return nil
}
