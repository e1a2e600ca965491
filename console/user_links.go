package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

type userLinkBody struct {
	User        identity.User
	Connections []identity.Connection
	Form        form
}

// newUserLink asks which subject of which provider is this user.
func (d *Door) newUserLink(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.userLinkPage(w, r, v, blank("connection", r.FormValue("connection")))
}

func (d *Door) userLinkPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	connections, _, err := d.connectionNames(r.Context(), v)
	if err != nil {
		return err
	}
	body := userLinkBody{User: u, Connections: connections, Form: f}
	s := screen{Title: "Link " + u.Label(), Nav: "users", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_link", s)
}

// linkUser ties a subject to a user by an administrator's word.
func (d *Door) linkUser(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "connection", "subject", "issuer", "reason")
	if err != nil {
		return err
	}
	l := identity.Link{ConnectionID: identity.ConnectionID(f.Value("connection")), Issuer: f.Value("issuer"), Subject: f.Value("subject")}
	err = d.prov.LinkUser(r.Context(), v.Actor, id, l, f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/users/"+string(id)+"?done=user-linked", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		return d.userLinkPage(w, r, v, f)
	}
	return err
}

func (d *Door) unlinkQuestion(r *http.Request, v visit) (identity.Link, confirmBody, error) {
	u, err := d.pathUser(r, v)
	if err != nil {
		return identity.Link{}, confirmBody{}, err
	}
	l, err := d.linkOf(r, v, u.ID)
	at := "/console/users/" + string(u.ID)
	return l, confirmBody{
		Title: "Remove the link to " + l.ConnectionName + "?", Who: u.Label() + " · " + u.Email(), Button: "Remove the link", Danger: true, Reason: true,
		Action: at + "/links/" + string(l.ConnectionID) + "/remove", Back: at,
		Facts: []string{
			"Whoever signs in there as “" + l.Subject + "” does not open this account any more. Sessions that began with it end.",
			"Roles that the rules of " + l.ConnectionName + " gave are taken away.",
			"When the address is matched again at the next sign-in, a new link is made: deactivate the user to keep them out.",
		},
	}, err
}

func (d *Door) confirmUnlink(w http.ResponseWriter, r *http.Request, v visit) error {
	_, c, err := d.unlinkQuestion(r, v)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "users", c)
}

func (d *Door) unlinkUser(w http.ResponseWriter, r *http.Request, v visit) error {
	l, c, err := d.unlinkQuestion(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	err = d.prov.UnlinkUser(r.Context(), v.Actor, l.UserID, l, f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, c.Back+"?done=link-removed", http.StatusSeeOther)
		return nil
	case f.refused(err):
		c.Form = f
		return d.confirm(w, r, v, "users", c)
	}
	return err
}
