package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// fakeIdP is the demo's identity provider, on a listener of its own: it speaks SAML and OpenID Connect and asks for no password.
type fakeIdP struct {
	url    string
	saml   *ssotest.SAML
	oidc   *ssotest.OIDC
	server *http.Server
	done   chan struct{}
}

// newFakeIdP starts the provider for people who come from home, the bridge's origin.
func newFakeIdP(ctx context.Context, home string) (*fakeIdP, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &fakeIdP{url: "http://" + l.Addr().String(), done: make(chan struct{})}
	acme, partners := demoPeople()
	if f.saml, err = ssotest.NewSAML(f.url+"/saml", known(acme)...); err != nil {
		return nil, err
	}
	if f.oidc, err = ssotest.NewOIDC(f.url+"/oidc", known(partners)...); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/saml/", f.saml)
	mux.Handle("/oidc/", f.oidc)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "This is the fake identity provider of drawbridge demo. Sign-ins begin at %s/signin.\n", home)
	})
	f.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(f.done)
		_ = f.server.Serve(l) // ends with close
	}()
	return f, nil
}

// close ends the provider.
func (f *fakeIdP) close() {
	_ = f.server.Close()
	<-f.done
}

// known are people as the provider knows them.
func known(people []*person) []ssotest.Person {
	out := make([]ssotest.Person, len(people))
	for i, who := range people {
		out[i] = ssotest.Person{Email: who.email, GivenName: who.given, FamilyName: who.family}
	}
	return out
}

// trustSAML makes the bridge known to the provider, as an administrator would by uploading our metadata.
func (f *fakeIdP) trustSAML(c identity.Connection, url string) {
	v := viewConnection(c, "", url)
	f.saml.Register(ssotest.SAMLClient{EntityID: v.EntityID, ACS: v.ACSURL, SLO: v.SLOURL, Certificate: c.SAML.Certificate})
}

// trustOIDC makes the bridge known to the provider, as an administrator would by registering an application.
func (f *fakeIdP) trustOIDC(c identity.Connection, secret, url string) {
	f.oidc.Register(ssotest.OIDCClient{ID: c.OIDC.ClientID, Secret: secret, RedirectURI: viewConnection(c, "", url).RedirectURI})
}
