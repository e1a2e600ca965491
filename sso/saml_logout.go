package sso

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/beevik/etree"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	// logoutAge is how long a log-out may be on its way.
	logoutAge  = 5 * time.Minute
	reasonUser = "urn:oasis:names:tc:SAML:2.0:logout:user"
)

// samlLogout returns where a browser goes on to, to end its session at a SAML provider too; nowhere when the provider takes no log-outs.
func (d *Door) samlLogout(w http.ResponseWriter, r *http.Request, c identity.Connection, v authn.Visit) (onward, error) {
	if c.SAML.SLOURL == "" {
		return onward{}, nil
	}
	a, want := d.attempt(r, c), d.expectation(c.ID)
	a.errand = errand{purpose: identity.PurposeLogout, user: v.User.ID}
	st := identity.SignInState{Key: identity.NewSecret("_")}
	if err := a.remember(r.Context(), st, d.bind(w, r), ""); err != nil {
		return onward{}, err
	}
	return sendLogout(c.SAML.SLOURL, samlRequest, newLogoutRequest(st.Key, &c, v.Session, want), &c, "")
}

// newLogoutRequest names the person exactly as the provider did (SAML core 3.7.1).
func newLogoutRequest(id string, c *identity.Connection, s identity.Session, want expectation) *etree.Element {
	el := newMessage("LogoutRequest", id, "", c.SAML.SLOURL, want)
	el.CreateAttr("NotOnOrAfter", want.now.Add(logoutAge).UTC().Format(time.RFC3339))
	el.CreateAttr("Reason", reasonUser)
	name := el.CreateElement("saml:NameID")
	for _, qualifier := range []struct{ key, value string }{
		{"Format", s.Upstream.NameIDFormat}, {"NameQualifier", s.Upstream.NameQualifier}, {"SPNameQualifier", s.Upstream.SPNameQualifier},
	} {
		if qualifier.value != "" {
			name.CreateAttr(qualifier.key, qualifier.value)
		}
	}
	name.SetText(cmp.Or(s.NameID, s.Subject))
	if s.SessionIndex != "" {
		el.CreateElement("samlp:SessionIndex").SetText(s.SessionIndex)
	}
	return el
}

// newLogoutResponse says that the log-out with that id was done.
func newLogoutResponse(inResponseTo, destination string, want expectation) *etree.Element {
	el := newMessage("LogoutResponse", identity.NewSecret("_"), inResponseTo, destination, want)
	el.CreateElement("samlp:Status").CreateElement("samlp:StatusCode").CreateAttr("Value", statusSuccess)
	return el
}

// sendLogout signs a message and says how the browser carries it to the provider: by redirect, or in a form where the provider takes forms only.
func sendLogout(address, name string, message *etree.Element, c *identity.Connection, relay string) (onward, error) {
	if c.SAML.SLOBinding != identity.BindingPost {
		target, err := redirect(address, name, message, c, relay)
		return onward{address: target}, err
	}
	if err := signEnveloped(message, c); err != nil {
		return onward{}, err
	}
	doc := etree.NewDocument()
	doc.SetRoot(message)
	raw, err := doc.WriteToBytes()
	if err != nil {
		return onward{}, identity.Errorf(identity.Internal, "").WithCause(err)
	}
	next := onward{address: address, form: []formField{{name, base64.StdEncoding.EncodeToString(raw)}}}
	if relay != "" {
		next.form = append(next.form, formField{"RelayState", relay})
	}
	return next, nil
}

// slo answers GET and POST /sso/{connection}/slo, our single logout service (SAML profiles 4.4): a provider's log-out, or its answer to ours.
func (d *Door) slo(w http.ResponseWriter, r *http.Request) error {
	c, err := d.connection(r, identity.SAML)
	if err != nil {
		return err
	}
	a := d.attempt(r, c)
	a.trace.Purpose = identity.PurposeLogout
	if err := a.enabled(); err != nil {
		return a.refused(r, err)
	}
	m, err := inbound(w, r)
	if err != nil {
		return a.refused(r, err)
	}
	if m.request {
		return a.logoutAsked(w, r, m)
	}
	return a.logoutAnswered(w, r, m)
}

// logoutAsked ends the sessions that a provider's LogoutRequest names, and sends the browser back with our answer.
func (a *attempt) logoutAsked(w http.ResponseWriter, r *http.Request, m message) error {
	want := a.door.expectation(a.connection.ID)
	request, err := verifyLogoutRequest(m, &a.connection, want, &a.trail)
	if err == nil {
		err = a.onceLogout(r, request)
	}
	if err == nil {
		err = a.endNamed(r, request)
	}
	if err != nil {
		return a.refused(r, err)
	}
	if err := a.passed(r); err != nil {
		return err
	}
	s := a.connection.SAML
	address := cmp.Or(s.SLOResponseURL, s.SLOURL)
	if address == "" {
		http.Redirect(w, r, signedOut, http.StatusSeeOther)
		return nil
	}
	next, err := sendLogout(address, samlResponse, newLogoutResponse(request.ID, address, want), &a.connection, m.relay)
	if err != nil {
		return err
	}
	if len(next.form) > 0 {
		return a.door.leadOn(w, next)
	}
	http.Redirect(w, r, next.address, http.StatusSeeOther)
	return nil
}

// onceLogout refuses a request that came before, at whichever replica.
func (a *attempt) onceLogout(r *http.Request, request logoutRequest) error {
	err := a.door.authn.Remember(r.Context(), a.connection.ID, "logout "+request.ID, request.until)
	if err != nil && identity.KindOf(err) != identity.Conflict {
		return err
	}
	return a.trail.require(check{
		name: "replay", ok: err == nil, code: "saml.replay", got: request.ID, want: "a log-out that did not come yet",
		fix: "This log-out came before: somebody reloaded the page, or presents a copy.",
	})
}

// endNamed ends the sessions of the NameID: those of the indexes that are given, or all.
func (a *attempt) endNamed(r *http.Request, request logoutRequest) error {
	indexes := request.SessionIndexes
	if len(indexes) == 0 {
		indexes = []string{""}
	}
	by := identity.Actor{Kind: identity.ActorConnection, ID: string(a.connection.ID), Label: a.connection.Name, TenantID: a.connection.TenantID, Door: "sso"}
	by.RequestID = a.door.by(r).RequestID
	var ended []identity.Session
	for _, index := range indexes {
		some, err := a.door.authn.EndUpstreamSessions(r.Context(), by, a.connection.ID, a.connection.SAML.EntityID, request.name(), trimmed(index))
		if err != nil {
			return err
		}
		ended = append(ended, some...)
	}
	for _, session := range ended {
		a.trace.UserID = session.UserID
	}
	a.trace.Issuer, a.trace.Subject = a.connection.SAML.EntityID, shown(request.name())
	return a.trail.require(check{name: "sessions", ok: true, got: count(len(ended), "session") + " ended"})
}

// logoutAnswered takes the provider's answer to our own log-out. Our session is over already; what the answer says is where the person stands.
func (a *attempt) logoutAnswered(w http.ResponseWriter, r *http.Request, m message) error {
	answer, err := verifyLogoutResponse(m, &a.connection, a.door.expectation(a.connection.ID), &a.trail)
	if err != nil {
		return a.refused(r, err)
	}
	st, err := a.recall(r, answer.InResponseTo, "saml", identity.Forbidden)
	if err == nil {
		err = a.trail.require(purposeCheck(st.Purpose == identity.PurposeLogout))
	}
	if err != nil {
		return a.refused(r, err)
	}
	a.trace.UserID = st.UserID
	target := signedOut
	if err := a.trail.require(logoutStatusCheck(answer)); err != nil {
		target = signedOutHere
		if refused, ok := a.refused(r, err).(*refusal); !ok {
			return refused
		}
	} else if err := a.passed(r); err != nil {
		return err
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// purposeCheck: an answer to a log-out signs nobody in, and an answer to a sign-in ends nothing.
func purposeCheck(ok bool) check {
	return check{
		name: "purpose of the request", ok: ok, code: "saml.unknown_request", want: "an answer to what was asked",
		fix: "This answers a request of ours of another kind. Start again at the sign-in page.",
	}
}

// passed stores the trace of something that went well and signed nobody in.
func (a *attempt) passed(r *http.Request) error {
	a.trace.OK, a.trace.Checks = true, a.trail.checks
	return a.record(r)
}
