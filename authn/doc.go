// Package authn answers one question: is this really them? Passwords, sessions, the tokens of directories and what a sign-in must remember.
// It decides nothing about who may exist or what they may do; of the access model it asks only which roles may sign in, who may look after
// somebody else's sessions and password, and how long passwords, locks and sessions last.
//
// Whoever is refused gets one generic sentence; the exact cause is in the error's Cause, for the log, and in a sign-in trace.
package authn
