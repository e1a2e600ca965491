// Package sso is the door through which people come in from an identity provider: it speaks SAML 2.0 as a service provider and
// OpenID Connect as a relying party, and turns what a provider asserts into identity.Claims.
//
// Its duty ends there. Who the claims belong to, and whether that person may come in, is decided by provisioning.SignIn; sessions are
// made by authn. The browser sees one generic page when a sign-in is refused; the exact cause is a list of named checks in the trace.
package sso
