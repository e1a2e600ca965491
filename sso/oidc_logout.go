package sso

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

// maxHint is the longest ID token in bytes that is sent along as a hint: an address of more than 8 KiB is refused by many servers. Without the hint the provider
// asks the person whether to sign out.
const maxHint = 6 << 10

// oidcLogout returns where a browser goes on to, to end its session at an OpenID provider too (OpenID Connect RP-initiated logout 2); "" when the provider
// takes no log-outs. token is the ID token of the session, "" when there is none. The address carries the token: it is never logged.
func (d *Door) oidcLogout(w http.ResponseWriter, r *http.Request, c identity.Connection, v authn.Visit, token string) (string, error) {
	found, err := d.providers.of(&c).discover(r.Context())
	if err != nil || found.EndSession == "" {
		return "", err
	}
	target, err := url.Parse(found.EndSession)
	if err != nil {
		return "", err
	}
	st := identity.SignInState{Key: identity.NewSecret("")}
	a := d.attempt(r, c)
	a.errand = errand{purpose: identity.PurposeLogout, user: v.User.ID}
	if err := a.remember(r.Context(), st, d.bind(w, r), ""); err != nil {
		return "", err
	}
	q := target.Query() // the provider's own address may have a query
	q.Set("client_id", c.OIDC.ClientID)
	q.Set("post_logout_redirect_uri", d.loggedOutURL(c.ID))
	q.Set("state", st.Key)
	if token != "" && len(token) <= maxHint {
		q.Set("id_token_hint", token)
	}
	target.RawQuery = q.Encode()
	return target.String(), nil
}

func (d *Door) loggedOutURL(id identity.ConnectionID) string {
	return d.url + "/sso/" + string(id) + "/logged-out"
}

// loggedOut answers GET /sso/{connection}/logged-out?state=, the post-logout redirect URI: the provider's session has ended as well. Ours ended before, so an
// answer that is none of ours changes nothing: it only ends at the sign-in page without a word about a log-out.
func (d *Door) loggedOut(w http.ResponseWriter, r *http.Request) error {
	c, err := d.connection(r, identity.OIDC)
	if err != nil {
		return err
	}
	a := d.attempt(r, c)
	a.trace.Purpose = identity.PurposeLogout
	st, err := a.recall(r, r.URL.Query().Get("state"), "oidc", identity.Invalid)
	if err == nil && st.Purpose != identity.PurposeLogout {
		err = a.otherPurpose(st)
	}
	if err != nil {
		return a.noLogOut(w, r, err)
	}
	a.trace.OK, a.trace.UserID, a.trace.Checks = true, st.UserID, a.trail.checks
	if err := a.record(r); err != nil {
		return err
	}
	http.Redirect(w, r, signedOut, http.StatusSeeOther)
	return nil
}

// noLogOut leaves a trace of an answer that was none of ours, and leads the browser to the sign-in page all the same.
func (a *attempt) noLogOut(w http.ResponseWriter, r *http.Request, err error) error {
	var why *refusal
	if err := a.refused(r, err); identity.KindOf(err) == identity.Internal || !errors.As(err, &why) {
		return err
	}
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
	return nil
}
