package console

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// mailDoneBody is a page of a link with one button, or the page after it.
type mailDoneBody struct {
	Form   form
	Title  string
	Text   string
	Button string // empty: it is done
	Danger bool
	Action string
	Next   string // where to go on, when it is done
	NextIs string
}

// verifyForm shows the button that puts a new address in force.
func (d *Door) verifyForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	o, _, err := d.openedMail(r, identity.LinkEmail)
	if err != nil {
		return d.linkOver(w, r, identity.LinkEmail, err)
	}
	return d.verifyPage(w, r, o, blank())
}

func (d *Door) verifyPage(w http.ResponseWriter, r *http.Request, o provisioning.OpenedLink, f form) error {
	return d.gate(w, r, "mail_done", "Confirm your address", f, mailDoneBody{
		Form: f, Title: "Confirm your address", Button: "Use this address", Action: "/verify",
		Text: fmt.Sprintf("%s takes the place of %s.", o.Link.Data.To, o.Link.Data.From),
	})
}

func (d *Door) verify(w http.ResponseWriter, r *http.Request, _ visit) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	o, token, err := d.openedMail(r, identity.LinkEmail)
	if err != nil {
		return d.linkOver(w, r, identity.LinkEmail, err)
	}
	u, err := d.prov.ConfirmEmail(r.Context(), token)
	switch {
	case err == nil:
		d.forgetMail(w)
		return d.gate(w, r, "mail_done", "Your address is confirmed", form{}, mailDoneBody{
			Title: "Your address is confirmed", Text: fmt.Sprintf("%s is your address from now on.", u.Email()), Next: "/account", NextIs: "My account",
		})
	case identity.KindOf(err) == identity.NotFound:
		return d.linkOver(w, r, identity.LinkEmail, err)
	case f.refused(err):
		return d.verifyPage(w, r, o, f)
	}
	return err
}

// stopForm shows the button with which the old mailbox stops a change of address.
func (d *Door) stopForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	o, _, err := d.openedMail(r, identity.LinkStop)
	if err != nil {
		return d.linkOver(w, r, identity.LinkStop, err)
	}
	return d.stopPage(w, r, o, blank())
}

func (d *Door) stopPage(w http.ResponseWriter, r *http.Request, o provisioning.OpenedLink, f form) error {
	return d.gate(w, r, "mail_done", "Keep your address?", f, mailDoneBody{
		Form: f, Title: "Keep your address?", Button: "It was not me: stop it", Danger: true, Action: "/stop",
		Text: fmt.Sprintf("%s stays the address of the account, and not %s. If the address was changed already it is changed back, and every session ends.", o.Link.Data.From, o.Link.Data.To),
	})
}

func (d *Door) stop(w http.ResponseWriter, r *http.Request, _ visit) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	o, token, err := d.openedMail(r, identity.LinkStop)
	if err != nil {
		return d.linkOver(w, r, identity.LinkStop, err)
	}
	_, back, err := d.prov.StopEmailChange(r.Context(), token)
	switch {
	case err == nil:
		d.forgetMail(w)
		text := "The address stays as it was. If it was not you who asked, somebody has your password: choose a new one."
		if back {
			text = "The address was changed back and every session ended. Choose a new password now: whoever changed the address may know yours."
		}
		return d.gate(w, r, "mail_done", "It is stopped", form{}, mailDoneBody{Title: "It is stopped", Text: text, Next: "/restore?" + url.Values{"email": {o.Link.Email}}.Encode(), NextIs: "Restore password"})
	case identity.KindOf(err) == identity.NotFound:
		return d.linkOver(w, r, identity.LinkStop, err)
	case f.refused(err):
		return d.stopPage(w, r, o, f)
	}
	return err
}
