package sso

import (
	"context"
	"net/http"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/drawbridge-id/drawbridge/identity"
)

// discovered returns what the provider publishes, or why it cannot be used now.
func (a *attempt) discovered(ctx context.Context) (discovery, error) {
	d, err := a.door.providers.of(&a.connection).discover(ctx)
	if err := a.trail.require(check{
		name: "discovery", ok: err == nil, code: "oidc.provider_unavailable", got: anyCause(err), want: a.connection.OIDC.Issuer,
		fix: discoveryFix(a.connection.OIDC.Issuer, err),
	}); err != nil {
		return d, err
	}
	if !d.multiTenant() {
		return d, nil
	}
	return d, a.trail.require(check{
		name: "tenant ids", ok: len(a.connection.OIDC.TenantIDs) > 0, code: "oidc.tenants_missing", got: d.Issuer,
		fix: "This issuer speaks for every organisation: list the tenant ids that you trust, or use your own tenant's issuer.",
	})
}

func (a *attempt) oauth(d discovery) *oauth2.Config {
	o := a.connection.OIDC
	secret := o.ClientSecret
	if o.ClientAuth == identity.ClientAuthPrivateKey {
		secret = "" // one proof is enough, and a second one is an error (RFC 6749 2.3)
	}
	scopes := []string{oidc.ScopeOpenID, "profile", "email"}
	if len(o.Scopes) > 0 {
		scopes = o.Scopes
	}
	if !slices.Contains(scopes, oidc.ScopeOpenID) {
		scopes = append([]string{oidc.ScopeOpenID}, scopes...)
	}
	return &oauth2.Config{
		ClientID: o.ClientID, ClientSecret: secret, RedirectURL: a.door.callbackURL(a.connection.ID), Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: d.Authorization, TokenURL: d.Token, AuthStyle: authStyle(&o, d)},
	}
}

// startOIDC begins the code flow with PKCE (RFC 7636), state and nonce (OpenID Connect core 3.1.2.1).
func (a *attempt) startOIDC(w http.ResponseWriter, r *http.Request) (string, error) {
	d, err := a.discovered(r.Context())
	if err != nil {
		return "", err
	}
	st := identity.SignInState{Key: identity.NewSecret(""), Nonce: identity.NewSecret(""), Verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{oidc.Nonce(st.Nonce), oauth2.S256ChallengeOption(st.Verifier)}
	if hint := r.URL.Query().Get("login_hint"); hint != "" && len(hint) <= identity.MaxEmail {
		options = append(options, oauth2.SetAuthURLParam("login_hint", hint))
	}
	if st.Force = a.forced(r); st.Force {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	target := a.oauth(d).AuthCodeURL(st.Key, options...)
	return target, a.remember(r.Context(), st, a.door.bind(w, r), r.URL.Query().Get("return_to"))
}
