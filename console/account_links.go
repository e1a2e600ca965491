package console

import (
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// freshSession is how old a session may be that counts as proof for somebody who has no password here.
const freshSession = 10 * time.Minute

// ownLinks returns the providers that the visitor can connect, and how many links wait to be confirmed in this browser.
func (d *Door) ownLinks(r *http.Request, v visit) ([]identity.Connection, int, error) {
	pending, err := d.prov.PendingLinks(r.Context(), v.Actor, d.browser(r))
	if err != nil || d.begin == nil {
		return nil, len(pending), err
	}
	connectable, err := d.prov.LinkableConnections(r.Context(), v.Actor)
	return connectable, len(pending), err
}

// browser is the hash of the cookie that ties what was begun at a provider to this browser; nil without one.
func (d *Door) browser(r *http.Request) []byte {
	if value := d.cookies.Value(r, web.SignInCookie); value != "" {
		return identity.HashSecret(value)
	}
	return nil
}

// proof is how the visitor can show once more that it is them.
type proof struct {
	Password bool // there is one that counts
	Code     bool // and a second factor
}

func (d *Door) proofOf(r *http.Request, v visit) (proof, error) {
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, v.User.ID)
	if err != nil || !detail.Password {
		return proof{}, err
	}
	if err := d.authn.MayUseLocal(r.Context(), v.User.ID); err != nil {
		if identity.CodeOf(err) == "sso.required" {
			err = nil
		}
		return proof{}, err
	}
	factor, err := d.authn.SecondFactor(r.Context(), v.Actor, v.User.ID)
	return proof{Password: true, Code: factor.On}, err
}

// prove takes the proof that a form brings. Whoever has no password here shows it by a session that is new.
func (d *Door) prove(r *http.Request, v visit, f form) error {
	err := d.authn.Prove(r.Context(), v.User.ID, f.Values.Get("password"), f.Value("code"))
	switch identity.CodeOf(err) {
	case "proof.no_password", "sso.required":
		if time.Since(v.Session.CreatedAt) < freshSession {
			return nil
		}
		return identity.Errorf(identity.Forbidden, "Sign out and in again first: this needs a sign-in of the last ten minutes.").WithCode("proof.too_old")
	}
	return err
}

// ownAct is an act on the own account that needs a proof.
type ownAct struct {
	Title  string
	Lead   string
	Button string
	Danger bool
	Action string
}

// askOwn asks for the password where there is one, else just whether.
func (d *Door) askOwn(w http.ResponseWriter, r *http.Request, v visit, act ownAct, f form) error {
	p, err := d.proofOf(r, v)
	if err != nil {
		return err
	}
	if p.Password {
		return d.askProof(w, r, v, proofBody{Title: act.Title, Lead: act.Lead, Button: act.Button, Danger: act.Danger, Code: p.Code, Action: act.Action, Form: f})
	}
	return d.confirm(w, r, v, "account", confirmBody{Title: act.Title, Facts: []string{act.Lead}, Button: act.Button, Danger: act.Danger, Action: act.Action, Back: "/account", Form: f})
}

func connecting(c identity.Connection) ownAct {
	return ownAct{
		Title: "Connect " + c.Name + "?", Button: "Continue", Action: "/account/links/" + string(c.ID),
		Lead: "You sign in there next, and can sign in here through " + c.Name + " from then on.",
	}
}

func (d *Door) linkable(r *http.Request, v visit) (identity.Connection, error) {
	id, err := pathID[identity.ConnectionID](r, "connection")
	if err != nil {
		return identity.Connection{}, err
	}
	if d.begin == nil {
		return identity.Connection{}, identity.Errorf(identity.NotFound, "No provider can be connected here.")
	}
	return d.prov.Linkable(r.Context(), v.Actor, id)
}

func (d *Door) connectForm(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.linkable(r, v)
	if err != nil {
		return err
	}
	return d.askOwn(w, r, v, connecting(c), blank())
}

type onwardBody struct {
	Name string
	To   string // the provider's address
}

// connect takes the proof, and shows the way to the provider. It is a link, because what a form leads to may not be on another host.
func (d *Door) connect(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.linkable(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "password", "code")
	if err != nil {
		return err
	}
	if err = d.prove(r, v, f); err != nil {
		if f.refused(err) {
			return d.askOwn(w, r, v, connecting(c), f)
		}
		return err
	}
	to, err := d.begin(w, r, c.ID, identity.PurposeLink, v.User.ID)
	if err != nil { // the trace has the cause
		return identity.Errorf(identity.Forbidden, "%s cannot be asked now. Try again in a moment; if it stays, tell your administrator.", c.Name).WithCause(err)
	}
	return d.show(w, r, v, "account_onward", screen{Title: "Connect " + c.Name, Nav: "account", Body: onwardBody{c.Name, to}})
}

// ownLink returns the visitor's link to the connection of the path.
func (d *Door) ownLink(r *http.Request, v visit) (identity.Link, error) {
	return d.linkOf(r, v, v.User.ID)
}

func (d *Door) linkOf(r *http.Request, v visit, user identity.UserID) (identity.Link, error) {
	id, err := pathID[identity.ConnectionID](r, "connection")
	if err != nil {
		return identity.Link{}, err
	}
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, user)
	if err != nil {
		return identity.Link{}, err
	}
	for _, l := range detail.Links {
		if l.ConnectionID == id {
			return l, nil
		}
	}
	return identity.Link{}, identity.Errorf(identity.NotFound, "There is no such link; it may have been removed already.")
}

func disconnecting(l identity.Link) ownAct {
	return ownAct{
		Title: "Disconnect " + l.ConnectionName + "?", Button: "Disconnect", Danger: true, Action: "/account/links/" + string(l.ConnectionID) + "/remove",
		Lead: "You cannot sign in through " + l.ConnectionName + " any more, unless its administrator lets your address in again. Sessions that began there end.",
	}
}

func (d *Door) disconnectForm(w http.ResponseWriter, r *http.Request, v visit) error {
	l, err := d.ownLink(r, v)
	if err != nil {
		return err
	}
	return d.askOwn(w, r, v, disconnecting(l), blank())
}

func (d *Door) disconnect(w http.ResponseWriter, r *http.Request, v visit) error {
	l, err := d.ownLink(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "password", "code")
	if err != nil {
		return err
	}
	if err = d.prove(r, v, f); err == nil {
		err = d.prov.UnlinkUser(r.Context(), v.Actor, v.User.ID, l, "disconnected in My Account")
	}
	switch {
	case err == nil:
		http.Redirect(w, r, "/account?done=link-removed", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.askOwn(w, r, v, disconnecting(l), f)
	}
	return err
}

type pendingBody struct {
	Links []pendingRow
	Form  form
	Code  bool
}

// pendingRow is a link to confirm. Proof asks for the password.
type pendingRow struct {
	identity.PendingLink
	Proof bool
}

// pendingLinks shows what a provider said about somebody in this browser, so that the visitor confirms that it is them.
func (d *Door) pendingLinks(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.pendingPage(w, r, v, blank())
}

func (d *Door) pendingPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	links, err := d.prov.PendingLinks(r.Context(), v.Actor, d.browser(r))
	if err != nil {
		return err
	}
	factor, err := d.authn.SecondFactor(r.Context(), v.Actor, v.User.ID)
	if err != nil {
		return err
	}
	f.Values.Del("password")
	f.Values.Del("code")
	body := pendingBody{Form: f, Code: factor.On}
	for _, l := range links {
		body.Links = append(body.Links, pendingRow{l, l.NeedsProof(v.Session)})
	}
	s := screen{Title: "Connect an account", Nav: "account", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "account_pending", s)
}

func (d *Door) confirmLink(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.PendingLinkID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "password", "code")
	if err != nil {
		return err
	}
	c := provisioning.Confirmation{ID: id, Browser: d.browser(r), Session: v.Session}
	if f.Values.Get("password") != "" {
		if err = d.authn.Prove(r.Context(), v.User.ID, f.Values.Get("password"), f.Value("code")); err == nil {
			c.Proven = true
		}
	}
	if err == nil {
		_, err = d.prov.ConfirmLink(r.Context(), v.Actor, c)
	}
	switch {
	case err == nil:
		http.Redirect(w, r, "/account?done=link-made", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		return d.pendingPage(w, r, v, f)
	}
	return err
}

func (d *Door) dropLink(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.PendingLinkID](r, "id")
	if err != nil {
		return err
	}
	if err := d.prov.DropPendingLink(r.Context(), v.Actor, id, d.browser(r)); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=link-dropped", http.StatusSeeOther)
	return nil
}
