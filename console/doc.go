// Package console is the door for people with a browser: the administrators' pages, My Account and signing in.
// It decodes a form, calls provisioning or authn once and writes a page; it holds no rule about people of its own. Every page works without JavaScript.
package console
