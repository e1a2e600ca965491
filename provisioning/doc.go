// Package provisioning holds every rule about people: who may exist where, who matches whom, what a sign-in may create and what a directory may change.
// All doors call the same methods; each method checks permission and invariants and writes its events in the transaction of the change.
// It knows no HTTP, no SCIM JSON and no SAML.
package provisioning
