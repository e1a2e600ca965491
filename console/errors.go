package console

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

type errorBody struct {
	Status    int
	Headline  string
	Message   string
	WhatNow   string
	Reference identity.RequestID
}

// errorTexts say, for each status, what happened and what the reader can do.
var errorTexts = map[int][2]string{
	http.StatusForbidden:             {"This is not open to you", "Nothing was changed. If you need it for your work, ask an administrator and give the reference below."},
	http.StatusNotFound:              {"Nothing is here", "It may have been deleted, or it belongs to a tenant that you cannot see. Check the address or go back to the list."},
	http.StatusConflict:              {"Somebody was faster", "Nothing was changed. Go back, reload the page and look at what it says now."},
	http.StatusPreconditionFailed:    {"Somebody was faster", "Nothing was changed. Go back, reload the page and look at what it says now."},
	http.StatusBadRequest:            {"That could not be read", "Nothing was changed. Go back and check what you entered."},
	http.StatusTooManyRequests:       {"Too many attempts", "Wait a few minutes, then try again."},
	http.StatusRequestEntityTooLarge: {"That is too large", "Nothing was changed. Send a smaller file or fewer people at once."},
	http.StatusInternalServerError:   {"Something went wrong on our side", "Nothing that you can fix. Try again in a minute; if it stays, give the reference below to whoever runs Drawbridge: the log has the cause."},
}

// renderError writes an error as a page. Whoever is not signed in is sent to sign in and comes back to the page that was asked for.
func (d *Door) renderError(w http.ResponseWriter, r *http.Request, err error) {
	if identity.KindOf(err) == identity.Unauthenticated {
		if !d.keepForm(w, r) {
			d.toSignin(w, r)
		}
		return
	}
	status := web.Status(err)
	body := errorBody{Status: status, Reference: web.RequestID(r.Context())}
	body.Headline, body.WhatNow = errorTexts[status][0], errorTexts[status][1]
	var e *identity.Error
	if errors.As(err, &e) && status != http.StatusInternalServerError {
		body.Message = e.Message
	}
	v, visitErr := d.visit(r)
	if visitErr != nil {
		v = visit{}
		if status == http.StatusNotFound && body.Message != "" {
			body.WhatNow = "" // a stranger has no list to go back to
		}
	}
	if showErr := d.show(w, r, v, "error", screen{Title: body.Headline, Status: status, Body: body}); showErr != nil {
		http.Error(w, body.Headline, status)
	}
}

func (d *Door) toSignin(w http.ResponseWriter, r *http.Request) {
	q := url.Values{}
	if r.Method == http.MethodGet && r.URL.Path != "/console" {
		q.Set("return_to", r.URL.RequestURI())
	}
	if d.cookies.Session(r) != "" {
		q.Set("done", "session-over")
	}
	to := "/signin"
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
