// Package ssotest has a small SAML identity provider and a small OpenID provider that run in this process: for the tests of sso, and for the demo.
// They sign for real and check what a relying party sends, but they ask for no password: whoever asks may be anybody. They are never for production.
package ssotest
