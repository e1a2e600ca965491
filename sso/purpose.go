package sso

import (
	"context"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// errand is what a browser is sent to a provider for, and for whom.
type errand struct {
	purpose identity.SignInPurpose
	user    identity.UserID  // who asked, for a test or a link
	trial   identity.TrialID // of a test
}

// outcome is what a browser gets when it came back and all was well.
type outcome struct {
	to      string // local path
	cookie  string // of the new session; empty: the browser keeps the one that it has
	session identity.Session
}

// Begin sends somebody who is signed in to a provider for something else than a sign-in: to try a connection, or to tie the account there to the own one.
// It sets the cookie that binds the browser and returns the provider's address. A refusal leaves a trace, as every attempt does.
func (d *Door) Begin(w http.ResponseWriter, r *http.Request, id identity.ConnectionID, purpose identity.SignInPurpose, user identity.UserID) (string, error) {
	c, err := d.provisioning.Connection(r.Context(), d.by(r), id)
	if err != nil {
		return "", err
	}
	a := d.attempt(r, c)
	a.errand, a.trace.Purpose = errand{purpose: purpose, user: user}, purpose
	target, err := a.start(w, r)
	if err != nil {
		return "", a.refused(r, err)
	}
	return target, nil
}

// complete does what the browser was sent to the provider for.
func (a *attempt) complete(r *http.Request, claims identity.Claims, st identity.SignInState) (outcome, error) {
	if st.Purpose != identity.PurposeTest && !a.connection.Enabled { // a browser with a running test came this far
		return outcome{}, a.switchedOn()
	}
	switch st.Purpose {
	case identity.PurposeSignIn:
		return a.completeSignIn(r, claims, st)
	case identity.PurposeLink:
		return a.completeLink(r.Context(), claims, st)
	case identity.PurposeTest:
		return a.completeTest(r.Context(), claims, st)
	}
	return outcome{}, a.otherPurpose(st)
}

// completeSignIn finds or makes the person and starts the session.
func (a *attempt) completeSignIn(r *http.Request, claims identity.Claims, st identity.SignInState) (outcome, error) {
	cookie, session, err := a.signIn(r, claims)
	return outcome{to: web.LocalPath(st.ReturnTo), cookie: cookie, session: session}, err
}

// completeLink offers the person who asked to tie this account of the provider to their own.
func (a *attempt) completeLink(_ context.Context, _ identity.Claims, st identity.SignInState) (outcome, error) {
	return outcome{}, a.otherPurpose(st)
}

// otherPurpose refuses the answer to a request that was not for this.
func (a *attempt) otherPurpose(st identity.SignInState) error {
	return a.trail.require(check{
		name: "purpose", code: "signin.other_purpose", got: string(st.Purpose), want: "a sign-in",
		fix: "This answers a request that was not for signing in. Start again at the sign-in page.",
	})
}
