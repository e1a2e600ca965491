package console

import (
	"errors"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// mailCookie has the token of the link of a mail that this browser opened, so that no later address carries it.
const mailCookie = "drawbridge-mail"

// mailPages are where a browser goes on that opened the link of a mail.
var mailPages = map[identity.MailLinkKind]string{
	identity.LinkInvitation: "/join", identity.LinkReset: "/restore/new", identity.LinkEmail: "/verify", identity.LinkStop: "/stop", identity.LinkRegistration: "/register/finish",
}

// mailRoutes are the pages that links of mails lead to, and those that ask for such mails. A GET uses nothing up: programs that look through mails open links too.
func (d *Door) mailRoutes() []route {
	return []route{
		{"GET /join/{secret}", anybody, d.openMail(identity.LinkInvitation)},
		{"GET /join", anybody, d.joinForm},
		{"POST /join", anybody, d.join},
		{"GET /restore", anybody, d.forgotForm},
		{"POST /restore", anybody, d.forgot},
		{"GET /restore/{secret}", anybody, d.openMail(identity.LinkReset)},
		{"GET /restore/new", anybody, d.restoreForm},
		{"POST /restore/new", anybody, d.restore},
		{"GET /verify/{secret}", anybody, d.openMail(identity.LinkEmail)},
		{"GET /verify", anybody, d.verifyForm},
		{"POST /verify", anybody, d.verify},
		{"GET /stop/{secret}", anybody, d.openMail(identity.LinkStop)},
		{"GET /stop", anybody, d.stopForm},
		{"POST /stop", anybody, d.stop},
		{"GET /register", anybody, d.registerForm},
		{"POST /register", anybody, d.register},
		{"GET /register/{secret}", anybody, d.openMail(identity.LinkRegistration)},
		{"GET /register/finish", anybody, d.foundForm},
		{"POST /register/finish", anybody, d.found},
		{"GET /account/email", signedIn, d.ownEmailForm},
		{"POST /account/email", signedIn, d.ownEmail},
		{"POST /account/email/cancel", signedIn, d.cancelOwnEmail},
		{"POST /console/users/{id}/invite-again", anyRight, d.inviteAgain},
		{"POST /console/users/{id}/mails/{mail}/resend", anyRight, d.resendMail},
	}
}

// anyRight is for a route whose right is provisioning's to judge: two capabilities open it.
const anyRight = signedIn

// openMail answers the link that was sent: the token goes to a cookie, and out of the address.
func (d *Door) openMail(kind identity.MailLinkKind) page {
	return func(w http.ResponseWriter, r *http.Request, _ visit) error {
		token := r.PathValue("secret")
		o, err := d.mailLink(r, kind, token)
		if err != nil {
			return d.linkOver(w, r, kind, err)
		}
		d.cookies.Set(w, http.Cookie{Name: mailCookie, Value: token, Expires: o.Link.ExpiresAt})
		w.Header().Set("Referrer-Policy", "no-referrer")
		http.Redirect(w, r, mailPages[kind], http.StatusSeeOther)
		return nil
	}
}

// opened is what the link that this browser opened leads to, with its token.
func (d *Door) openedMail(r *http.Request, kind identity.MailLinkKind) (provisioning.OpenedLink, string, error) {
	token := d.cookies.Value(r, mailCookie)
	o, err := d.mailLink(r, kind, token)
	return o, token, err
}

// mailLink slows down who tries wrong tokens. One that was right once is no guess.
func (d *Door) mailLink(r *http.Request, kind identity.MailLinkKind, token string) (provisioning.OpenedLink, error) {
	ip := web.ClientIP(r)
	if err := d.authn.TakeGuess(ip); err != nil {
		return provisioning.OpenedLink{}, err
	}
	o, err := d.prov.OpenMailLink(r.Context(), kind, token)
	if identity.CodeOf(err) != "link.unknown" {
		d.authn.GuessedRight(ip)
	}
	return o, err
}

type linkOverBody struct {
	Headline string
	Message  string
	Act      string
	URL      string
}

// linkOver says what became of a link, and leads to what helps. What is no matter of a link stays an error.
func (d *Door) linkOver(w http.ResponseWriter, r *http.Request, kind identity.MailLinkKind, err error) error {
	body := linkOverBody{Headline: map[string]string{
		"link.unknown": "This link opens nothing", "link.used": "This link was used already", "link.expired": "This link is too old", "link.revoked": "This link was replaced", "link.over": "This link is over",
	}[identity.CodeOf(err)], Act: "Sign in", URL: "/signin"}
	var e *identity.Error
	if body.Headline == "" || !errors.As(err, &e) {
		return err
	}
	body.Message = e.Message
	switch {
	case kind == identity.LinkReset:
		body.Act, body.URL = "Restore password", "/restore"
	case kind == identity.LinkRegistration && identity.CodeOf(err) != "link.used":
		body.Act, body.URL = "Register", "/register"
	}
	status := http.StatusGone
	if identity.CodeOf(err) == "link.unknown" {
		status = http.StatusNotFound
	}
	return d.show(w, r, visit{}, "link_over", screen{Title: body.Headline, Status: status, Body: body})
}

// gate shows a page of a link, with what was wrong about its form.
func (d *Door) gate(w http.ResponseWriter, r *http.Request, name, title string, f form, body any) error {
	s := screen{Title: title, Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, visit{}, name, s)
}

// forgetMail takes the token of a link that was used from the browser.
func (d *Door) forgetMail(w http.ResponseWriter) { d.cookies.Clear(w, mailCookie) }
