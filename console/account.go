package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

// ability is one thing of the console that a visitor may do or not, with the access model's reason.
type ability struct {
	Title   string
	Allowed bool
	Reason  string
}

type accountBody struct {
	User        identity.User
	Tenant      string
	Assignments []assignmentRow
	Abilities   []ability
	Sessions    []identity.Session
	Current     identity.SessionID
	Password    authn.PasswordState
	Factor      authn.SecondFactor
	Links       []identity.Link
	Connectable []identity.Connection
	Pending     int // links that wait to be confirmed in this browser
}

// account is My Account: who am I, what may I do and why, where am I signed in. Everybody who is signed in may open it.
func (d *Door) account(w http.ResponseWriter, r *http.Request, v visit) error {
	sessions, err := d.authn.Sessions(r.Context(), v.Actor, v.User.ID)
	if err != nil {
		return err
	}
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, v.User.ID)
	if err != nil {
		return err
	}
	factor, err := d.authn.SecondFactor(r.Context(), v.Actor, v.User.ID)
	if err != nil {
		return err
	}
	password, err := d.authn.PasswordState(r.Context(), v.Actor, v.User.ID)
	if err != nil {
		return err
	}
	connectable, pending, err := d.ownLinks(r, v)
	if err != nil {
		return err
	}
	body := accountBody{
		Password: password, Factor: factor, Links: detail.Links, Connectable: connectable, Pending: pending,
		User: detail.User, Tenant: detail.Tenant.Name, Assignments: v.assignments(detail), Abilities: v.abilities(), Sessions: sessions, Current: v.Session.ID,
	}
	return d.show(w, r, v, "account", screen{Title: "My account", Nav: "account", Body: body})
}

func (v visit) abilities() []ability {
	var out []ability
	for _, a := range []struct{ title, capability string }{
		{"See users", usersRead},
		{"Create, change and deactivate users", usersWrite},
		{"Tenants, directories, connections and placement", tenantsWrite},
		{"Read the audit trail", auditRead},
	} {
		decision := v.prov.May(v.Actor, a.capability)
		out = append(out, ability{a.title, decision.Allowed, decision.Reason})
	}
	return out
}

func (d *Door) endOwnSession(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.SessionID](r, "session")
	if err != nil {
		return err
	}
	if id == v.Session.ID {
		return d.signout(w, r, v)
	}
	mine, err := d.hasSession(r, v, v.User.ID, id)
	if err != nil || !mine {
		return orNotFound(err)
	}
	if err := d.authn.EndSession(r.Context(), v.Actor, id); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=session-ended", http.StatusSeeOther)
	return nil
}

// hasSession reports whether a session belongs to a user.
func (d *Door) hasSession(r *http.Request, v visit, user identity.UserID, id identity.SessionID) (bool, error) {
	sessions, err := d.authn.Sessions(r.Context(), v.Actor, user)
	for _, s := range sessions {
		if s.ID == id {
			return true, err
		}
	}
	return false, err
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return identity.Errorf(identity.NotFound, "This session has already ended.")
}

func (d *Door) endOtherSessions(w http.ResponseWriter, r *http.Request, v visit) error {
	if _, err := d.authn.EndSessions(r.Context(), v.Actor, v.User.ID, v.Session.ID); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=sessions-ended", http.StatusSeeOther)
	return nil
}
