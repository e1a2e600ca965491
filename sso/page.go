package sso

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// refusal is an error that was explained in a trace; the browser is shown the trace's id and nothing else.
type refusal struct {
	err        error
	reference  identity.TraceID
	connection identity.ConnectionID
	purpose    identity.SignInPurpose
	status     int    // when the error's kind has no status for it
	to         string // local path of the page that explains it to whoever may know; empty: the generic page
}

// Error returns the cause, for the log.
func (e *refusal) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *refusal) Unwrap() error { return e.err }

// page is what the generic page shows. Nothing that a provider or a stranger sent is in it.
type page struct {
	Title     string
	Text      string
	Reference string
	Again     string // local path
	Label     string // of the link there
	Password  string // likewise: where the person signs in with a password first
}

// frame is what the pages of this door have in common. A page defines its content, and "head" when it needs more there.
var frame = template.Must(template.New("frame").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{{.Title}} · Drawbridge</title>
<link rel="stylesheet" href="/assets/drawbridge.css">
{{block "head" .}}{{end}}
</head>
<body class="gate">
<main id="content">
<p class="brand"><span>Drawbridge</span></p>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
{{template "content" .}}
</main>
</body>
</html>
`))

// framed returns the frame with what a page defines.
func framed(definitions string) *template.Template {
	return template.Must(template.Must(frame.Clone()).Parse(definitions))
}

var pageTemplate = framed(`{{define "content"}}{{with .Reference}}<p>Reference: <code>{{.}}</code></p>{{end}}
<p>{{with .Password}}<a class="button button-primary" href="{{.}}">Sign in with the password</a> {{end}}{{with .Again}}<a class="button" href="{{.}}">{{$.Label}}</a> {{end}}<a href="/signin">Other ways to sign in</a></p>{{end}}`)

// refuse renders an error for a browser: always the same page, whatever the reason was. The trace and the log know it.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := page{
		Title: "We could not sign you in",
		Label: "Try again",
		Text:  "Please try again. If it happens again, give the reference below to your administrator: they can see the reason there.",
	}
	status := web.Status(err)
	var why *refusal
	if errors.As(err, &why) && why.to != "" {
		http.Redirect(w, r, why.to, http.StatusSeeOther)
		return
	}
	if why != nil {
		p.Reference, p.Again = string(why.reference), "/sso/"+string(why.connection)+"/login"
		p.explain(why)
		if why.status != 0 {
			status = why.status
		}
	} else if identity.KindOf(err) == identity.NotFound {
		p.Title, p.Text = "There is no such sign-in", "This address belongs to no connection. Start at the sign-in page."
	} else {
		p.Text = "Something went wrong on our side. Please try again in a moment."
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := pageTemplate.Execute(w, p); err != nil {
		d.log.Warn("the refusal page could not be written", "error", err)
	}
}

// explain says what may be said of a refusal without telling the person anything about somebody else.
func (p *page) explain(why *refusal) {
	switch {
	case why.purpose == identity.PurposeLogout:
		p.Title, p.Label, p.Again = "We could not sign you out", "My account", "/account"
		p.Text = "Sign out on the page of your account. If this happens again, give the reference below to your administrator: they can see the reason there."
	case why.purpose == identity.PurposeLink:
		p.Title, p.Again = "We could not connect the account", ""
		p.Text = "Please try again in My Account. If it happens again, give the reference below to your administrator: they can see the reason there."
	case identity.CodeOf(why.err) == "saml.unsolicited":
		p.Label = "Start here"
		p.Text = "This sign-in was not started here. Start it with the button below; if it fails again, give the reference to your administrator: they can see the reason there."
	case identity.CodeOf(why.err) == "link.requires_proof": // the person has shown to own the address
		p.Title = "Connect your account first"
		p.Text = "This address belongs to an account with a password. Sign in with it once, in this browser and within ten minutes, and confirm there that both are you."
		p.Again, p.Password = "", "/signin?with=password&return_to="+url.QueryEscape(web.PendingLinksPath)
	}
}
