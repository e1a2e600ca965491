package sso

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/drawbridge-id/drawbridge/identity"
)

// callback answers GET /sso/{connection}/callback, the redirect URI (OpenID Connect core 3.1.2.5).
func (d *Door) callback(w http.ResponseWriter, r *http.Request) error {
	c, err := d.connection(r, identity.OIDC)
	if err != nil {
		return err
	}
	a := d.answer(r, c)
	claims, st, err := a.answeredOIDC(r)
	return a.finish(w, r, claims, st, err)
}

func (a *attempt) answeredOIDC(r *http.Request) (identity.Claims, identity.SignInState, error) {
	var none identity.Claims
	if err := a.enabled(); err != nil {
		return none, identity.SignInState{}, err
	}
	query := r.URL.Query()
	st, err := a.recall(r, query.Get("state"), "oidc", identity.Invalid)
	if err != nil {
		return none, st, err
	}
	d, err := a.discovered(r.Context())
	if err != nil {
		return none, st, err
	}
	if err := a.trail.require(responseIssCheck(query, d), responseErrorCheck(query)); err != nil {
		return none, st, err
	}
	token, err := a.exchange(r.Context(), d, query.Get("code"), st.Verifier)
	if err != nil {
		return none, st, err
	}
	claims, err := a.claimsOf(r.Context(), d, token, st)
	return claims, st, err
}

// responseIssCheck is RFC 9207: the answer names its provider when that says it will, and never another one.
func responseIssCheck(query url.Values, d discovery) check {
	got := query.Get("iss")
	ok := got == d.Issuer || got == "" && !d.IssInResponse || d.multiTenant()
	c := check{
		name: "issuer of the answer", ok: ok && len(query["iss"]) <= 1, code: "oidc.mix_up", kind: identity.Invalid, got: got, want: d.Issuer,
		fix: "The answer comes from another provider than the one that was asked.",
	}
	if got == "" {
		c.fix = "The provider publishes that it names itself in every answer (iss, RFC 9207), and this answer does not: switch it on for this client there."
	}
	return c
}

func responseErrorCheck(query url.Values) check {
	c := check{name: "answer", ok: query.Get("error") == "" && query.Get("code") != "", code: "oidc.provider_error", kind: identity.Forbidden}
	if !c.ok {
		c.got = strings.TrimSpace(query.Get("error") + " " + query.Get("error_description"))
		c.fix = answerFix(query.Get("error"))
	}
	return c
}

// exchange trades the code for tokens, with the PKCE verifier.
func (a *attempt) exchange(ctx context.Context, d discovery, code, verifier string) (*oauth2.Token, error) {
	options, err := a.exchangeOptions(d, verifier)
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, a.door.fetch.client)
	token, err := a.oauth(d).Exchange(ctx, code, options...)
	c := check{
		name: "token endpoint", ok: err == nil, code: "oidc.token_endpoint", kind: identity.Unauthenticated, got: exchangeError(err),
		fix: tokenFix(err, a.connection.OIDC.ClientAuth),
	}
	if err := a.trail.require(c); err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	return token, a.trail.require(check{
		name: "id token", ok: raw != "", code: "oidc.no_id_token", kind: identity.Unauthenticated, want: "an id_token",
		fix: "The provider gave no ID token: allow the scope openid for this client.",
	})
}

// exchangeError names what went wrong without the body, which could hold tokens.
func exchangeError(err error) string {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.Response != nil {
		return strings.TrimSpace(answer.Response.Status + " " + answer.ErrorCode + " " + answer.ErrorDescription)
	}
	var transport *url.Error
	if errors.As(err, &transport) {
		return transport.Err.Error()
	}
	if err != nil {
		return "the answer is no token response"
	}
	return ""
}

// claimsOf verifies the ID token and asks userinfo when the e-mail is only there.
func (a *attempt) claimsOf(ctx context.Context, d discovery, token *oauth2.Token, st identity.SignInState) (identity.Claims, error) {
	raw, _ := token.Extra("id_token").(string)
	id, err := verifyIDToken(ctx, raw, a.door.providers.of(&a.connection), &a.connection, d, st.Nonce, time.Now(), &a.trail)
	a.trace.Facts = id.facts()
	if err != nil {
		return identity.Claims{}, err
	}
	checks := []check{accessTokenCheck(id, token.AccessToken)}
	if st.Force {
		checks = append(checks, a.freshCheck(id, st))
	}
	if err := a.trail.require(checks...); err != nil {
		return identity.Claims{}, err
	}
	if id.Email == "" && d.UserInfo != "" {
		if err := a.userInfo(ctx, d, token, &id); err != nil {
			return identity.Claims{}, err
		}
		a.trace.Facts = id.facts()
	}
	if id.Email == "" {
		a.trail.note("e-mail", "neither in the ID token nor in userinfo", "Let the provider give this client the claim email: allow the scope email for it there.")
	}
	claims := id.claims(d)
	claims.Token = raw
	return claims, nil
}

// freshCheck is about auth_time, which a provider must give when it was asked to authenticate the person anew (OpenID Connect core 3.1.2.1, max_age).
func (a *attempt) freshCheck(id idToken, st identity.SignInState) check {
	at, known := moment(id.AuthTime)
	asked := st.CreatedAt.Add(-skewOf(&a.connection))
	return check{
		name: "time of authentication", ok: known && !at.Before(asked), code: "oidc.stale_authentication", kind: identity.Unauthenticated,
		got: stamp(at, known), want: "after " + stamp(st.CreatedAt.UTC(), true),
		fix: "This connection asks that people authenticate anew each time, and the provider let somebody in who did so before, or does not say when (auth_time): let it honour prompt=login and max_age, or switch that off for this connection.",
	}
}

// userInfo fills in what only the userinfo endpoint knows (OpenID Connect core 5.3). An endpoint that fails is noted, another subject is refused.
func (a *attempt) userInfo(ctx context.Context, d discovery, token *oauth2.Token, id *idToken) error {
	header := http.Header{"Authorization": {"Bearer " + token.AccessToken}, "Accept": {"application/json"}}
	raw, err := a.door.fetch.get(ctx, d.UserInfo, maxAnswer, header)
	var info userInfo
	if err == nil {
		info, err = readUserInfo(ctx, raw, a.door.providers.of(&a.connection), &a.connection)
	}
	if err != nil {
		a.trail.note("userinfo", anyCause(err), "The e-mail address is not in the ID token and userinfo could not be read.")
		return nil
	}
	if err := a.trail.require(check{
		name: "userinfo", ok: info.Subject == id.Subject, code: "oidc.userinfo_subject", kind: identity.Unauthenticated, got: info.Subject, want: id.Subject,
		fix: "The userinfo endpoint speaks about somebody else than the ID token.",
	}); err != nil {
		return err
	}
	id.add(info)
	return nil
}
