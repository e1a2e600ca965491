// Package e2e drives the built program from the outside: real processes, a real SimpleSAMLphp, a real oidc-provider and a browser
// that submits their forms. Its tests need programs beside Go, so they run only with the build tag e2e: make e2e.
package e2e
