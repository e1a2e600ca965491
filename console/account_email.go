package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

type ownEmailBody struct {
	Form    form
	Now     string
	Proof   proof
	Pending *provisioning.EmailChange
	Rule    provisioning.EmailRule
}

// ownEmailForm asks for another address of one's own, and for the password where there is one: a session that was stolen must not be enough.
func (d *Door) ownEmailForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.ownEmailPage(w, r, v, blank())
}

func (d *Door) ownEmailPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	f.Values.Del("password")
	f.Values.Del("code")
	body := ownEmailBody{Form: f, Now: v.User.Email(), Rule: d.prov.OwnEmailRule()}
	var err error
	if body.Proof, err = d.proofOf(r, v); err != nil {
		return err
	}
	if p, err := d.prov.PendingEmail(r.Context(), v.Actor); err == nil {
		body.Pending = &p
	} else if identity.KindOf(err) != identity.NotFound {
		return err
	}
	s := screen{Title: "Your e-mail address", Nav: "account", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "account_email", s)
}

func (d *Door) ownEmail(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "email", "password", "code")
	if err != nil {
		return err
	}
	var change provisioning.EmailChange
	if err = d.prove(r, v, f); err == nil {
		change, err = d.prov.ChangeOwnEmail(r.Context(), v.Actor, f.Value("email"))
	}
	switch {
	case err == nil:
		done := map[bool]string{true: "email-asked", false: "email-changed"}[change.Pending]
		http.Redirect(w, r, "/account?done="+done, http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.ownEmailPage(w, r, v, f)
	}
	return err
}

func (d *Door) cancelOwnEmail(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := d.prov.CancelEmailChange(r.Context(), v.Actor); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=email-cancelled", http.StatusSeeOther)
	return nil
}

// inviteAgain sends a new invitation from the page of a user.
func (d *Door) inviteAgain(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	if _, err := d.prov.ResendInvitation(r.Context(), v.Actor, id); err != nil {
		return err
	}
	if f, err := readForm(w, r); err == nil && f.Value("back") != "" { // from the list of people
		http.Redirect(w, r, backTo(f, "invited-again"), http.StatusSeeOther)
		return nil
	}
	http.Redirect(w, r, "/console/users/"+string(id)+"?done=invited-again", http.StatusSeeOther)
	return nil
}

// resendMail sends a mail again that was given up.
func (d *Door) resendMail(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	mail, err := pathID[identity.MailID](r, "mail")
	if err != nil {
		return err
	}
	if err := d.prov.ResendMail(r.Context(), v.Actor, mail); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/users/"+string(id)+"?done=mail-resent", http.StatusSeeOther)
	return nil
}
