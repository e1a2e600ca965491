// Package api is the door for programs: it says who holds an API key and what that person may do, and lets applications tell what they know of people.
// Errors are problem documents (RFC 9457). It decides nothing: every rule is in provisioning and authn.
package api
