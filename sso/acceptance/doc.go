// Package acceptance has no code of its own: its tests go through several doors at once, as somebody does who signs in and then uses the console, SCIM or a
// password. Rows of the acceptance table that one door can show alone are tests of package sso.
package acceptance
