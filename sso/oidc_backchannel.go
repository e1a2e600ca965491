package sso

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// logoutEvent is the member of events that makes a token a logout token (OpenID Connect back-channel logout 2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// maxLogoutForm is the largest form in bytes that a provider posts to sign somebody out: a token, escaped.
const maxLogoutForm = 2 * maxIDToken

// backchannelLogout answers POST /sso/{connection}/backchannel-logout: the provider's server says that somebody left there (OpenID Connect back-channel
// logout 2.5). No browser is involved, so no cookie counts and nothing is redirected. It works at a connection that is switched off too: ending a session lets
// nobody in.
func (d *Door) backchannelLogout(w http.ResponseWriter, r *http.Request) error {
	c, err := d.connection(r, identity.OIDC)
	if err != nil {
		return err
	}
	a := d.attempt(r, c)
	a.trace.Purpose = identity.PurposeLogout
	raw, err := logoutTokenOf(w, r)
	if err == nil {
		err = a.logOut(r, raw)
	}
	if err != nil {
		return a.refused(r, err)
	}
	a.trace.OK, a.trace.Checks = true, a.trail.checks
	if err := a.record(r); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}

// refuseLogout renders an error for a provider's server (back-channel logout 2.8). What was wrong is in the trace; a stranger learns its reference only.
func (d *Door) refuseLogout(w http.ResponseWriter, r *http.Request, err error) {
	status, code, description := http.StatusBadRequest, "invalid_request", "The log-out was refused."
	switch identity.KindOf(err) {
	case identity.NotFound:
		status, description = http.StatusNotFound, "There is no such connection."
	case identity.Internal:
		status, code, description = http.StatusInternalServerError, "server_error", "Something went wrong here. Send the log-out again."
	}
	if id := referenceOf(err); id != "" {
		description += " Our administrators see the reason under the reference " + id + "."
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": description}); err != nil {
		d.log.Warn("the answer to a log-out could not be written", "request", web.RequestID(r.Context()), "error", err)
	}
}

// referenceOf returns the id of the trace that explains a refusal, or "".
func referenceOf(err error) string {
	var why *refusal
	if errors.As(err, &why) {
		return string(why.reference)
	}
	return ""
}

// logoutTokenOf returns the logout_token of the posted form; one in the query string does not count.
func logoutTokenOf(w http.ResponseWriter, r *http.Request) (string, error) {
	bad := func(what string) error {
		return identity.Errorf(identity.Invalid, "A log-out is posted as a form of at most %d KiB with one logout_token: %s.", maxLogoutForm>>10, what).WithCode("oidc.bad_form")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return "", bad("it is no form")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutForm)
	if err := r.ParseForm(); err != nil {
		return "", bad("it cannot be read")
	}
	tokens := r.PostForm["logout_token"]
	if len(tokens) != 1 || len(tokens[0]) > maxIDToken {
		return "", bad("there is none, several, or a longer one")
	}
	return tokens[0], nil
}

// logOut verifies a logout token and ends the sessions that it names.
func (a *attempt) logOut(r *http.Request, raw string) error {
	d, err := a.discovered(r.Context())
	if err != nil {
		return err
	}
	token, err := verifyLogoutToken(r.Context(), raw, a.door.providers.of(&a.connection), &a.connection, d, time.Now(), &a.trail)
	a.trace.Facts = (&idToken{header: token.header, all: token.all}).facts()
	if err != nil {
		return err
	}
	a.trace.Issuer, a.trace.Subject = shown(token.Issuer), shown(token.Subject)
	by := identity.Actor{
		Kind: identity.ActorConnection, ID: string(a.connection.ID), Label: a.connection.Name, TenantID: a.connection.TenantID, Door: "sso", RequestID: web.RequestID(r.Context()),
	}
	ended, err := a.door.authn.EndUpstreamSessionsOnce(r.Context(), by, a.connection.ID, "logout "+token.ID, token.until, token.Issuer, token.Subject, token.SessionID)
	if err != nil && identity.KindOf(err) != identity.Conflict {
		return err
	}
	if err := a.trail.require(check{
		name: "replay", ok: err == nil, code: "oidc.replay", kind: identity.Invalid, got: token.ID, want: "a token that was not used yet",
		fix: "This logout token was used before: the provider sent it twice, or somebody presents a copy. The sessions were ended the first time.",
	}); err != nil {
		return err
	}
	a.endedSessions(ended)
	return nil
}

// endedSessions notes how many sessions a log-out ended, and whose they were.
func (a *attempt) endedSessions(ended []identity.Session) {
	if len(ended) == 0 {
		a.trail.note("sessions", "none", "Nobody is signed in here with what the token names. That is no error.")
		return
	}
	a.trace.UserID = ended[0].UserID
	a.trail.note("sessions", strconv.Itoa(len(ended))+" ended", "")
}

// logoutToken is the claims of a logout token (back-channel logout 2.4).
type logoutToken struct {
	Issuer    string                     `json:"iss"`
	Audience  oneOrMore                  `json:"aud"`
	IssuedAt  *float64                   `json:"iat"`
	Expiry    *float64                   `json:"exp"`
	NotBefore *float64                   `json:"nbf"`
	ID        string                     `json:"jti"`
	Events    map[string]json.RawMessage `json:"events"`
	Subject   string                     `json:"sub"`
	SessionID string                     `json:"sid"`
	TenantID  string                     `json:"tid"`

	header tokenHeader
	all    map[string]json.RawMessage
	until  time.Time // how long its id must be remembered
}

// verifyLogoutToken decides whether raw is a logout token of the connection's provider, for us and of now. keys says which keys are the provider's.
func verifyLogoutToken(ctx context.Context, raw string, keys oidc.KeySet, c *identity.Connection, d discovery, now time.Time, t *trail) (logoutToken, error) {
	token := logoutToken{header: headerOf(raw)}
	accepted := acceptedAlgorithms(c)
	algorithm := check{
		name: "logout token algorithm", ok: slices.Contains(accepted, token.header.Algorithm), code: "oidc.bad_algorithm", got: token.header.Algorithm, want: strings.Join(accepted, ", "),
		fix: "The logout token is signed in a way that this connection does not accept: set the provider to sign this client's tokens with one of the expected algorithms.",
	}
	kind := check{
		name: "logout token type", ok: logoutType(token.header.Type), code: "oidc.not_a_logout_token", got: token.header.Type, want: "logout+jwt, JWT or nothing", fix: notLogoutToken,
	}
	if err := t.require(invalid(algorithm, kind)...); err != nil {
		return token, err
	}
	payload, err := keys.VerifySignature(ctx, raw)
	if err := t.require(invalid(signatureCheck("logout token", err))...); err != nil {
		return token, err
	}
	token.all, err = readClaims(payload, &token)
	if err := t.require(invalid(claimsCheck("logout token", err))...); err != nil {
		return token, err
	}
	token.until = token.remembered(now, skewOf(c))
	return token, t.require(invalid(logoutChecks(&token, c, d, now)...)...)
}

// invalid makes every refusal a 400: whatever is wrong with a log-out, nobody needs to sign in for it.
func invalid(checks ...check) []check {
	for i := range checks {
		checks[i].kind = identity.Invalid
	}
	return checks
}

const notLogoutToken = "This is another kind of token than a logout token."

// logoutType accepts the type of logout tokens, and what many providers write for any JWT: what the token is, its events say.
func logoutType(typ string) bool {
	return typ == "" || strings.EqualFold(typ, "JWT") || isLogoutType(typ)
}

// logoutChecks are the rules of back-channel logout 2.6, and the limits that replay and the database need.
func logoutChecks(token *logoutToken, c *identity.Connection, d discovery, now time.Time) []check {
	client := c.OIDC.ClientID
	_, nonce := token.all["nonce"]
	id := idToken{Issuer: token.Issuer, TenantID: token.TenantID, Expiry: token.Expiry, IssuedAt: token.IssuedAt, NotBefore: token.NotBefore}
	checks := []check{
		issuerCheck(id, c, d),
		{
			name: "audience", ok: client != "" && slices.Contains(token.Audience, client), code: "oidc.wrong_audience", got: strings.Join(token.Audience, ", "), want: client,
			fix: "The logout token is for another client: compare the client id.",
		},
		{
			name: "events", ok: strings.HasPrefix(string(token.Events[logoutEvent]), "{"), code: "oidc.not_a_logout_token", want: logoutEvent, fix: notLogoutToken,
		},
		{name: "no nonce", ok: !nonce, code: "oidc.not_a_logout_token", fix: "A logout token has no nonce; this could be an ID token."},
		{
			name: "subject or session", ok: (token.Subject != "" || token.SessionID != "") && storable(token.Subject, maxSubject) && storable(token.SessionID, maxSession),
			code: "oidc.no_subject", got: strings.TrimSpace(token.Subject + " " + token.SessionID), fix: "The logout token names neither a subject (sub) nor a session (sid) that could be looked for.",
		},
		{
			name: "token id", ok: token.ID != "" && storable(token.ID, maxTokenID), code: "oidc.no_token_id", got: token.ID,
			fix: "The logout token has no id (jti), so that nobody could tell it from a copy.",
		},
	}
	return append(checks, timeChecks(id, now, skewOf(c))...)
}

// The longest names in bytes that a logout token may carry.
const (
	maxSubject = 255 // OpenID Connect core 2
	maxSession = 1024
	maxTokenID = 512
)

// storable reports whether a text is short enough, and free of characters that no session was stored with.
func storable(s string, limit int) bool {
	return len(s) <= limit && !strings.ContainsFunc(s, unicode.IsControl)
}

// remembered is when a token's id may be forgotten: when the token is too old, or has expired.
func (l *logoutToken) remembered(now time.Time, skew time.Duration) time.Time {
	until := now.Add(maxIDTokenAge + 2*skew)
	if expiry, ok := moment(l.Expiry); ok && expiry.Add(skew).Before(until) {
		return expiry.Add(skew)
	}
	return until
}
