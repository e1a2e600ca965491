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

// completeSignIn finds or makes the person and starts the session. Somebody whose account has a password of its own may connect it after signing in with that.
func (a *attempt) completeSignIn(r *http.Request, claims identity.Claims, st identity.SignInState) (outcome, error) {
	cookie, session, err := a.signIn(r, claims)
	if identity.CodeOf(err) == "link.requires_proof" {
		if failed := a.offerLink(r.Context(), claims, a.trace.UserID, st.BrowserHash, false); failed != nil {
			return outcome{}, failed
		}
	}
	return outcome{to: web.LocalPath(st.ReturnTo), cookie: cookie, session: session}, err
}

// completeLink offers the person who asked to tie this account of the provider to their own: they see there which one it is, and confirm.
func (a *attempt) completeLink(ctx context.Context, claims identity.Claims, st identity.SignInState) (outcome, error) {
	a.trace.UserID = st.UserID
	if err := a.offerLink(ctx, claims, st.UserID, st.BrowserHash, true); err != nil {
		return outcome{}, err
	}
	a.trail.note("link", "offered for confirmation in My Account", "")
	a.trace.Checks = a.trail.checks
	return outcome{to: web.PendingLinksPath}, nil
}

func (a *attempt) offerLink(ctx context.Context, claims identity.Claims, user identity.UserID, browser []byte, asked bool) error {
	return a.door.provisioning.SavePendingLink(ctx, a.connection, claims, user, browser, asked)
}

// otherPurpose refuses the answer to a request that was not for this.
func (a *attempt) otherPurpose(st identity.SignInState) error {
	return a.trail.require(check{
		name: "purpose", code: "signin.other_purpose", got: string(st.Purpose), want: "a sign-in",
		fix: "This answers a request that was not for signing in. Start again at the sign-in page.",
	})
}
