package sso

import (
	"net/http"
	"strings"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// Where a browser is sent that is signed in nowhere any more, and one whose session at the provider may go on.
const (
	signedOut     = "/signin?done=signed-out"
	signedOutHere = "/signin?done=signed-out-here"
)

// onward is where a browser goes on to, to end the session at the provider too. The zero value is nowhere.
type onward struct {
	address string
	form    []formField // posted there; none: a link
}

type formField struct{ Name, Value string }

// Logout ends a session, forgets the cookie, and answers: the browser is led on to the provider of the session, so that the session there ends too, or back
// to the sign-in page. Ours is over before the provider hears of it, and whatever is wrong there: the error is about our own session only.
func (d *Door) Logout(w http.ResponseWriter, r *http.Request, v authn.Visit) error {
	token, err := d.authn.UpstreamToken(r.Context(), v)
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return err
	}
	if err := d.authn.EndSession(r.Context(), v.Actor, v.Session.ID); err != nil && identity.KindOf(err) != identity.NotFound {
		return err
	}
	d.cookies.ClearSession(w)
	end := signedOut
	next, err := d.upstreamLogout(w, r, v, token)
	if err != nil {
		end = signedOutHere
		d.log.WarnContext(r.Context(), "the provider could not be told that somebody signed out", "connection", v.Session.ConnectionID, "error", err)
	}
	if next.address == "" {
		http.Redirect(w, r, end, http.StatusSeeOther)
		return nil
	}
	return d.leadOn(w, next)
}

// upstreamLogout prepares the end of the provider's session: nothing when there is none, or the connection is gone or switched off.
func (d *Door) upstreamLogout(w http.ResponseWriter, r *http.Request, v authn.Visit, token string) (onward, error) {
	if v.Session.ConnectionID == "" {
		return onward{}, nil
	}
	c, err := d.provisioning.Connection(r.Context(), d.by(r), v.Session.ConnectionID)
	if identity.KindOf(err) == identity.NotFound || err == nil && !c.Enabled {
		return onward{}, nil
	}
	if err != nil {
		return onward{}, err
	}
	if c.Kind == identity.OIDC {
		address, err := d.oidcLogout(w, r, c, v, token)
		return onward{address: address}, err
	}
	return d.samlLogout(w, r, c, v)
}

// onwardTemplate leads on by a page of its own and not by a redirect: browsers apply the form-action of the page with the sign-out button to every redirect
// that follows, and the provider is not in it. A provider that takes forms only is posted to by a script of ours, or by the button.
var onwardTemplate = framed(`{{define "head"}}{{if .Form}}<script src="/sso/submit.js" defer></script>{{else}}<meta http-equiv="refresh" content="0; url={{.Address}}">{{end}}{{end}}
{{define "content"}}{{if .Form}}<form method="post" action="{{.Address}}" id="onward">
{{range .Form}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">
{{end}}<button class="button">Continue</button></form>
{{else}}<p><a class="button" href="{{.Address}}">Continue</a></p>{{end}}{{end}}`)

// onwardPage is what the page shows.
type onwardPage struct {
	Title, Text, Address string
	Form                 []formField
}

func (d *Door) leadOn(w http.ResponseWriter, next onward) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if len(next.form) > 0 {
		sources := []string{"https:"}
		if strings.HasPrefix(d.url, "http:") {
			sources = append(sources, "http:")
		}
		web.AllowForms(w, sources...)
	}
	return onwardTemplate.Execute(w, onwardPage{
		Title: "You are signed out here", Text: "Going on to your organisation’s sign-in, to sign you out there too.", Address: next.address, Form: next.form,
	})
}

// submitScript answers GET /sso/submit.js: the policy of our pages allows no script inside them.
func submitScript(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, _ = w.Write([]byte("document.getElementById(\"onward\").submit()\n")) // a browser that left needs no answer
}
