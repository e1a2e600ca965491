package sso

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

// samlLogout returns where a browser goes on to, to end its session at a SAML provider too; nowhere when the provider takes no log-outs.
func (d *Door) samlLogout(_ http.ResponseWriter, _ *http.Request, _ identity.Connection, _ authn.Visit) (onward, error) {
	return onward{}, nil
}
