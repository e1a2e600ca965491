package sso

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
)

// login answers GET /sso/{connection}/login?return_to=&login_hint=&force=1: it sends the browser to the provider. return_to is a local path; with force the
// provider asks the person again, as it always does where the connection wants that.
func (d *Door) login(w http.ResponseWriter, r *http.Request) error {
	c, err := d.connection(r, "")
	if err != nil {
		return err
	}
	a := d.attempt(r, c)
	target, err := a.start(w, r)
	if err != nil {
		return a.refused(r, err)
	}
	http.Redirect(w, r, target, http.StatusFound)
	return nil
}

func (a *attempt) start(w http.ResponseWriter, r *http.Request) (string, error) {
	if err := a.enabled(); err != nil {
		return "", err
	}
	if a.connection.Kind == identity.OIDC {
		return a.startOIDC(w, r)
	}
	return a.startSAML(w, r)
}

func (a *attempt) startSAML(w http.ResponseWriter, r *http.Request) (string, error) {
	id := identity.NewSecret("_") // an XML id must not start with a digit
	force := a.forced(r)
	request := authnRequest(id, &a.connection, a.door.expectation(a.connection.ID), force)
	target, err := redirectURL(request, &a.connection, "")
	if err != nil {
		return "", err
	}
	return target, a.remember(r.Context(), identity.SignInState{Key: id, Force: force}, a.door.bind(w, r), r.URL.Query().Get("return_to"))
}

// forced reports whether the provider must ask the person again: always at this connection, or for this one step.
func (a *attempt) forced(r *http.Request) bool {
	return a.connection.Options.ForceAuthn || r.URL.Query().Get("force") == "1"
}
