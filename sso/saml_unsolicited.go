package sso

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

const (
	bounceCookie = "drawbridge-bounced"
	// bounceAge is how long a browser that was sent round once is not sent round again.
	bounceAge = time.Minute
)

// errUnsolicited is how a good response ends that answers no request, where the connection takes such.
var errUnsolicited = errors.New("the provider started this sign-in")

// bounce sends a browser whose sign-in the provider started through a request of our own, so that nobody can be signed in as somebody else by a link (login
// CSRF): what the response said is forgotten, the provider is asked who is there. A local path in RelayState is where it ends.
func (a *attempt) bounce(w http.ResponseWriter, r *http.Request, relay string) error {
	a.trace.Purpose, a.trial = identity.PurposeUnsolicited, "" // it is the result of nothing that was begun here
	if err := a.trail.require(check{
		name: "answer to our request", ok: a.door.cookies.Value(r, bounceCookie) == "", code: "saml.unsolicited", got: "a second sign-in that the provider started", want: "InResponseTo",
		fix: "We asked the provider who is there, and it answered as if nobody had asked: its answers must carry InResponseTo.",
	}); err != nil {
		a.door.cookies.Clear(w, bounceCookie)
		return a.refused(r, err)
	}
	a.trail.note("request", "started by the provider", "The response was good. The browser is sent to the provider with a request of ours; the sign-in itself is the next trace.")
	if err := a.passed(r); err != nil {
		return err
	}
	a.door.setReturning(w, bounceCookie, "1", bounceAge)
	target := "/sso/" + string(a.connection.ID) + "/login"
	if path := web.LocalPath(relay); path != "/" {
		target += "?" + url.Values{"return_to": {path}}.Encode()
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}
