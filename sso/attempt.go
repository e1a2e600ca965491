package sso

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// recordTimeout bounds the writing of a trace when the browser has already gone.
const recordTimeout = 5 * time.Second

// attempt is one try to sign in at one connection, with the trace that it leaves.
type attempt struct {
	door       *Door
	connection identity.Connection
	errand     errand           // what for, while the browser is sent away
	trial      identity.TrialID // of which this is the result; empty: a real sign-in
	trail      trail
	trace      identity.Trace
}

func (d *Door) attempt(r *http.Request, c identity.Connection) *attempt {
	return &attempt{door: d, connection: c, trace: identity.Trace{
		ID: identity.NewID[identity.TraceID](), At: time.Now(), ConnectionID: c.ID, TenantID: c.TenantID, IP: web.ClientIP(r),
	}}
}

// enabled refuses a connection that was switched off, also for people who were on their way. A trial works on it all the same.
func (a *attempt) enabled() error {
	if a.trial != "" && !a.connection.Enabled {
		a.trail.note("connection", "switched off: only a test works", "")
		return nil
	}
	return a.switchedOn()
}

func (a *attempt) switchedOn() error {
	return a.trail.require(check{
		name: "connection", ok: a.connection.Enabled, code: "connection.disabled", got: a.connection.Name,
		fix: "This connection is switched off: switch it on to let people sign in.",
	})
}

// finish ends an attempt whose protocol is done: what the browser came for is done, the trace stored, the browser sent on.
// err is why the protocol refused, nil when it did not.
func (a *attempt) finish(w http.ResponseWriter, r *http.Request, claims identity.Claims, st identity.SignInState, err error) error {
	a.trace.Issuer, a.trace.Subject, a.trace.Email = shown(claims.Issuer), shown(claims.Subject), shown(claims.Email)
	a.trace.Checks = a.trail.checks
	if st.ConnectionID != "" { // the request was found: what the browser brought no longer counts
		a.trace.Purpose, a.trial = st.Purpose, st.TrialID
	}
	var out outcome
	if err == nil {
		out, err = a.complete(r, claims, st)
	}
	if err != nil {
		return a.refused(r, err)
	}
	a.trace.OK = true
	if err := a.record(r); err != nil {
		return err
	}
	if a.door.cookies.Value(r, bounceCookie) != "" {
		a.door.cookies.Clear(w, bounceCookie)
	}
	if out.cookie != "" {
		a.door.endOldSession(r)
		a.door.cookies.SetSession(w, out.cookie, out.session.ExpiresAt)
	}
	http.Redirect(w, r, out.to, http.StatusSeeOther)
	return nil
}

func (a *attempt) signIn(r *http.Request, claims identity.Claims) (string, identity.Session, error) {
	ctx := r.Context()
	user, err := a.door.provisioning.SignIn(ctx, a.connection, claims, &a.trace)
	if err != nil {
		return "", identity.Session{}, err
	}
	a.trace.UserID = user.ID
	session := identity.Session{
		ConnectionID: a.connection.ID, IP: web.ClientIP(r), UserAgent: shown(r.UserAgent()),
		Issuer: claims.Issuer, Subject: claims.Subject, NameID: claims.NameID, SessionIndex: claims.SessionIndex,
		Upstream: identity.Upstream{
			NameIDFormat: claims.NameIDFormat, NameQualifier: claims.NameQualifier, SPNameQualifier: claims.SPNameQualifier,
			ACR: claims.ACR, AMR: claims.AMR, AuthTime: claims.AuthTime, Ends: claims.SessionEnds,
		},
	}
	if claims.SessionEnds != nil {
		session.ExpiresAt = *claims.SessionEnds
	}
	cookie, session, err := a.door.authn.StartSession(ctx, user, session, claims.Token)
	a.trace.SessionID = session.ID
	return cookie, session, err
}

// refused stores why, and returns the error as the page shows it: with the reference only.
func (a *attempt) refused(r *http.Request, err error) error {
	a.trace.OK, a.trace.Code, a.trace.Message = false, identity.CodeOf(err), messageOf(err)
	if len(a.trace.Checks) < len(a.trail.checks) {
		a.trace.Checks = a.trail.checks
	}
	a.explain(err)
	if failed := a.record(r); failed != nil {
		return failed
	}
	why := &refusal{err: err, reference: a.trace.ID, connection: a.connection.ID, purpose: a.trace.Purpose}
	if a.trial != "" {
		why.to = web.TrialPath + string(a.trial)
	}
	return why
}

// explain adds the check that failed where what refused was none of ours: a message that could not be read at all, or an account for which no session begins.
func (a *attempt) explain(err error) {
	if _, ok := a.trace.Failure(); ok {
		return
	}
	name, fix := "message", identity.AccountFix(identity.CodeOf(err))
	if fix != "" || a.trace.UserID != "" {
		name = "session"
	}
	c := identity.Check{Name: name, Result: identity.Failed, Fix: cmp.Or(fix, messageOf(err))}
	var e *identity.Error
	if errors.As(err, &e) && e.Kind != identity.Internal {
		c.Got = shown(anyCause(e.Cause))
	}
	a.trace.Checks = append(slices.Clone(a.trace.Checks), c)
}

// record stores the trace, as the result of the trial when it is one, even when the browser has hung up.
func (a *attempt) record(r *http.Request) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), recordTimeout)
	defer cancel()
	if a.trial != "" {
		return a.door.provisioning.FinishTrial(ctx, a.trial, a.trace)
	}
	return a.door.provisioning.RecordTrace(ctx, a.trace)
}

// endOldSession ends the session that this browser had before, so that its cookie is worth nothing any more.
func (d *Door) endOldSession(r *http.Request) {
	old := d.cookies.Session(r)
	if old == "" {
		return
	}
	visit, err := d.authn.AnySession(r.Context(), old)
	if err != nil {
		return // already over
	}
	if err := d.authn.EndSession(r.Context(), visit.Actor, visit.Session.ID); err != nil {
		d.log.WarnContext(r.Context(), "the old session of a browser could not be ended", "session", visit.Session.ID, "error", err)
	}
}
