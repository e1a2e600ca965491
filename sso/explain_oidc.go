package sso

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// peek reads an ID token whose signature nobody has checked: to choose the connection, and to show.
func peek(raw string) (idToken, error) {
	var id idToken
	id.header = headerOf(raw)
	if len(raw) > maxIDToken {
		return id, identity.Errorf(identity.TooLarge, "The token is larger than 64 KiB; no sign-in accepts it.").WithCode("oidc.malformed_token")
	}
	parts := strings.Split(raw, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		id.all, err = readClaims(payload, &id)
	}
	if err != nil {
		return id, identity.Errorf(identity.Invalid, "The middle part of the token is no JSON that can be read.").WithCode("oidc.malformed_token").WithCause(err)
	}
	return id, nil
}

// oidc explains an ID token.
func (x *explanation) oidc(ctx context.Context) error {
	seen, err := peek(x.message.token)
	if err != nil {
		x.trace.Facts = seen.facts()
		return x.stop(x.trail.require(failed("id token claims", err)))
	}
	c, several, err := x.oidcConnection(&seen)
	if err != nil {
		return err
	}
	issued, known := moment(seen.IssuedAt)
	x.judgedAt(issued, known)
	if c == nil {
		err := x.unknown(seen.Issuer, "a connection with this issuer and client id", several)
		x.trail.note("id token signature", "", "It was not checked: without a connection it is not known whose keys to ask for.")
		x.wouldFail(timeChecks(seen, x.at, skewOf(&identity.Connection{}))...)
		x.trace.Facts = unprovenFacts(&seen)
		return x.stop(err)
	}
	if err := x.use(ctx, c, identity.OIDC); err != nil {
		return x.stop(err)
	}
	x.trail.note("time", stamp(x.at, true), "All times are judged as of this moment.")
	return x.verifiedToken(ctx, &seen)
}

func unprovenFacts(id *idToken) []identity.Fact {
	return append([]identity.Fact{fact("proven", "no: anybody could have written this")}, id.facts()...)
}

// oidcConnection returns the connection that was named, or the one that the token is made for; nil, and how many of the issuer there are.
func (x *explanation) oidcConnection(id *idToken) (*identity.Connection, int, error) {
	if c, err := x.named(); c != nil || err != nil {
		return c, 1, err
	}
	var ofIssuer, ofClient []*identity.Connection
	for i := range x.known {
		c := &x.known[i]
		if c.Kind != identity.OIDC {
			continue
		}
		client := slices.Contains(id.Audience, c.OIDC.ClientID)
		issuer := c.OIDC.Issuer == id.Issuer || id.TenantID != "" && slices.Contains(c.OIDC.TenantIDs, id.TenantID)
		if client && issuer {
			return c, 1, nil
		}
		if client {
			ofClient = append(ofClient, c)
		}
		if issuer {
			ofIssuer = append(ofIssuer, c)
		}
	}
	switch {
	case len(ofIssuer) == 1:
		return ofIssuer[0], 1, nil
	case len(ofIssuer) == 0 && len(ofClient) == 1:
		return ofClient[0], 1, nil
	}
	return nil, len(ofIssuer), nil
}

// verifiedToken makes the checks of the callback that need no browser, then says what is different now.
func (x *explanation) verifiedToken(ctx context.Context, seen *idToken) error {
	x.trace.Facts = unprovenFacts(seen)
	d, err := x.discovered(ctx)
	if err != nil {
		return x.stop(err)
	}
	id, err := verifyIDToken(ctx, x.message.token, x.door.providers.of(&x.connection), &x.connection, d, seen.Nonce, x.at, &x.trail)
	x.skipNonce(seen)
	if err == nil {
		x.trace.Facts = id.facts()
		x.trail.note("access token hash", "", "Whether the token belongs to its access token is not looked at.")
		if id.Email == "" && d.UserInfo != "" {
			x.trail.note("userinfo", "not asked", "The token has no e-mail address; in a sign-in the provider's userinfo endpoint is asked for it.")
		}
		err = x.preview(ctx, id.claims(d))
		x.trail.checks = x.trace.Checks
	}
	if identity.CodeOf(err) == "" && err != nil {
		return err
	}
	x.unprovenToken(seen, d)
	return x.stop(err)
}

// skipNonce takes back the one check that was made with the token's own word. A token without a nonce stays refused: we always ask for one.
func (x *explanation) skipNonce(seen *idToken) {
	for i := range x.trail.checks {
		if c := &x.trail.checks[i]; c.Name == "nonce" && seen.Nonce != "" {
			c.Result, c.Fix = identity.Skipped, "Whether it was made for one certain sign-in is not looked at."
		}
	}
}

func (x *explanation) unprovenToken(seen *idToken, d discovery) {
	if !slices.ContainsFunc(x.trail.checks, func(c identity.Check) bool { return c.Name == "audience" }) {
		x.trail.note("not proven", "", "What follows is read from a token that could not be proven to be the provider's. Providers renew their keys: the key of an old token may be gone.")
		x.wouldFail(idTokenChecks(*seen, &x.connection, d, seen.Nonce, x.at)...)
	}
	skew := skewOf(&x.connection)
	x.overNow(timeChecks(*seen, x.at, skew), timeChecks(*seen, x.now.Truncate(time.Second), skew))
}
