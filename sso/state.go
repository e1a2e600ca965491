package sso

import (
	"context"
	"crypto/subtle"
	"net/http"
	"regexp"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

const (
	// requestAge is how long a person has at the provider; stateAge is how long we still know why it was too late.
	requestAge = 10 * time.Minute
	stateAge   = time.Hour
)

// bindingShape is what our own cookie values look like; any other is replaced.
var bindingShape = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// bind returns the secret that ties requests to this browser, new or the one that it has, so that two tabs can sign in at once.
func (d *Door) bind(w http.ResponseWriter, r *http.Request) string {
	value := d.cookies.Value(r, web.SignInCookie)
	if !bindingShape.MatchString(value) {
		value = identity.NewSecret("")
	}
	d.setReturning(w, web.SignInCookie, value, stateAge)
	return value
}

// setReturning sets a cookie that comes back with the provider's answer, which another site may post: over https by SameSite=None. Over plain http, where None
// is not allowed, it says nothing about SameSite at all, which browsers send with a POST while the cookie is young.
func (d *Door) setReturning(w http.ResponseWriter, name, value string, age time.Duration) {
	cookie := http.Cookie{Name: name, Value: value, MaxAge: int(age / time.Second), SameSite: http.SameSiteNoneMode}
	if d.cookies.Secure {
		d.cookies.Set(w, cookie)
		return
	}
	cookie.SameSite, cookie.Path, cookie.HttpOnly = 0, "/", true
	http.SetCookie(w, &cookie)
}

// remember saves what must be known when the browser comes back.
func (a *attempt) remember(ctx context.Context, st identity.SignInState, browser, returnTo string) error {
	now := time.Now()
	st.ConnectionID, st.BrowserHash, st.ReturnTo = a.connection.ID, identity.HashSecret(browser), web.LocalPath(returnTo)
	st.CreatedAt, st.ExpiresAt, st.IP = now, now.Add(stateAge), a.trace.IP
	st.Purpose, st.UserID, st.TrialID = a.errand.purpose, a.errand.user, a.errand.trial
	return a.door.authn.SaveSignIn(ctx, st)
}

// recall takes back what was remembered under key: once, at this connection, by this browser and in time. protocol starts the reason codes;
// kind is what a wrong key is in that protocol.
func (a *attempt) recall(r *http.Request, key, protocol string, kind identity.Kind) (identity.SignInState, error) {
	st, err := a.door.authn.TakeSignIn(r.Context(), a.connection.ID, key)
	known := err == nil && st.ConnectionID == a.connection.ID
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return st, err
	}
	if err := a.trail.require(check{
		name: "request", ok: known, code: protocol + ".unknown_request", kind: kind, want: "a request of ours that was not answered yet",
		fix: "This answers no request of ours: it was answered before, belongs to another connection, or is older than an hour. Start again at the sign-in page.",
	}); err != nil {
		return st, err
	}
	browser := identity.HashSecret(a.door.cookies.Value(r, web.SignInCookie))
	return st, a.trail.require(
		check{
			name: "browser", ok: subtle.ConstantTimeCompare(browser, st.BrowserHash) == 1, code: protocol + ".other_browser", kind: kind, want: "the browser that began",
			fix: "The sign-in was begun in another browser, or this one dropped our cookie. Start again in one browser, with cookies allowed.",
		},
		check{
			name: "age of the request", ok: time.Since(st.CreatedAt) < requestAge, code: protocol + ".request_expired", kind: kind,
			got: time.Since(st.CreatedAt).Round(time.Second).String(), want: "less than " + requestAge.String(),
			fix: "The person took longer than ten minutes at the provider. Start again at the sign-in page.",
		},
	)
}
