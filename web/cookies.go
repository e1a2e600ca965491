package web

import (
	"net/http"
	"time"
)

// sessionCookie is the name of the session cookie, without the prefix.
const sessionCookie = "drawbridge"

// TrialCookie has the secret of the trial that this browser began, without the prefix: it leads to the result, and to nothing else.
const TrialCookie = "drawbridge-trial"

// SignInCookie ties what a browser begins at a provider to this browser, without the prefix.
const SignInCookie = "drawbridge-signin"

// Cookies sets and reads cookies. Secure is true when the public URL is https: then every name gets the prefix __Host-, which a browser accepts only
// from this very host over https and for all of its paths (RFC 6265bis 4.1.3.2).
type Cookies struct{ Secure bool }

// Session returns the value of the session cookie, "" without one.
func (c Cookies) Session(r *http.Request) string { return c.Value(r, sessionCookie) }

// SetSession sets the session cookie. It is sent on links from other sites but not on their forms (SameSite=Lax), and no script can read it.
func (c Cookies) SetSession(w http.ResponseWriter, value string, expires time.Time) {
	c.Set(w, http.Cookie{Name: sessionCookie, Value: value, Expires: expires})
}

// ClearSession removes the session cookie from the browser.
func (c Cookies) ClearSession(w http.ResponseWriter) { c.Clear(w, sessionCookie) }

// Value returns the value of a cookie that Set made, "" without one.
func (c Cookies) Value(r *http.Request, name string) string {
	cookie, err := r.Cookie(c.name(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Set sets a cookie for all paths of this host, hidden from scripts; the name's prefix, Path, Secure and HttpOnly are Set's own.
// SameSite is Lax unless the cookie says otherwise; None is only possible with Secure and becomes Lax without.
func (c Cookies) Set(w http.ResponseWriter, cookie http.Cookie) {
	cookie.Name, cookie.Path, cookie.Domain = c.name(cookie.Name), "/", ""
	cookie.Secure, cookie.HttpOnly = c.Secure, true
	if cookie.SameSite == 0 || cookie.SameSite == http.SameSiteNoneMode && !c.Secure {
		cookie.SameSite = http.SameSiteLaxMode
	}
	http.SetCookie(w, &cookie)
}

// Clear removes a cookie that Set made.
func (c Cookies) Clear(w http.ResponseWriter, name string) {
	c.Set(w, http.Cookie{Name: name, MaxAge: -1})
}

func (c Cookies) name(name string) string {
	if c.Secure {
		return "__Host-" + name
	}
	return name
}
