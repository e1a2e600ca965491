package sso

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

// oidcLogout returns where a browser goes on to, to end its session at an OpenID provider too; "" when the provider takes no log-outs.
// token is the ID token of the session, "" when there is none.
func (d *Door) oidcLogout(_ http.ResponseWriter, _ *http.Request, _ identity.Connection, _ authn.Visit, _ string) (string, error) {
	return "", nil
}
