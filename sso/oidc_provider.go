package sso

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// How long what a provider publishes is believed, and how often an unknown key makes us ask again.
const (
	discoveryAge   = time.Hour
	keysAge        = 15 * time.Minute
	refetchAtLeast = time.Minute
	// retryAfter is how long a provider that could not be read is left alone, so that nobody queues up behind one that hangs. staleAge is how long what it
	// published before is used meanwhile: where to send people, never its keys.
	retryAfter = 10 * time.Second
	staleAge   = 24 * time.Hour
	reportTime = 5 * time.Second
)

// discovery is what a provider publishes about itself (OpenID Connect discovery 3). Its list of algorithms is not read: the connection's counts.
type discovery struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	UserInfo      string   `json:"userinfo_endpoint"`
	EndSession    string   `json:"end_session_endpoint"` // RP-Initiated Logout 2.1
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	AuthSigning   []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	IssInResponse bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
}

// tenantPlaceholder stands in the issuer of Entra's multi-tenant endpoints.
const tenantPlaceholder = "{tenantid}"

// multiTenant reports whether the provider speaks for many organisations under one address.
func (d discovery) multiTenant() bool { return strings.Contains(d.Issuer, tenantPlaceholder) }

// providers caches what each connection's provider publishes. It may be forgotten at any time.
type providers struct {
	fetch  *fetcher
	report func(context.Context, identity.ConnectionID, string) // how it went when a provider was read; nil: nobody wants to know
	mu     sync.Mutex
	known  map[identity.ConnectionID]*provider
}

// of returns the provider of a connection; a changed issuer is a new provider.
func (p *providers) of(c *identity.Connection) *provider {
	p.mu.Lock()
	defer p.mu.Unlock()
	if have := p.known[c.ID]; have != nil && have.issuer == c.OIDC.Issuer {
		return have
	}
	if p.known == nil {
		p.known = map[identity.ConnectionID]*provider{}
	}
	fresh := &provider{id: c.ID, issuer: c.OIDC.Issuer, fetch: p.fetch, report: p.report, gate: make(chan struct{}, 1)}
	p.known[c.ID] = fresh
	return fresh
}

// provider is one upstream OpenID provider. The gate guards the fields below it; waiting for it ends with the context, and nobody of another
// connection waits there.
type provider struct {
	id     identity.ConnectionID
	issuer string
	fetch  *fetcher
	report func(context.Context, identity.ConnectionID, string)
	gate   chan struct{}

	found        discovery
	discoveredAt time.Time
	keys         *publishedKeys
	keysAt       time.Time
	refetchedAt  time.Time // for a key that was not known
	failure      error     // of the last fetch
	failedAt     time.Time
}

func (p *provider) enter(ctx context.Context) error {
	select {
	case p.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *provider) leave() { <-p.gate }

// discover returns the provider's discovery document, at most an hour old, or a day while the provider cannot be read.
func (p *provider) discover(ctx context.Context) (discovery, error) {
	if err := p.enter(ctx); err != nil {
		return discovery{}, err
	}
	defer p.leave()
	if time.Since(p.discoveredAt) < discoveryAge {
		return p.found, nil
	}
	err := p.rested()
	if err == nil {
		err = p.ended(ctx, p.readDiscovery(ctx))
	}
	if err != nil && time.Since(p.discoveredAt) < staleAge && !isOther(err) {
		return p.found, nil
	}
	return p.found, err
}

func (p *provider) readDiscovery(ctx context.Context) error {
	raw, err := p.fetch.get(ctx, strings.TrimSuffix(p.issuer, "/")+"/.well-known/openid-configuration", maxAnswer, nil)
	if err != nil {
		return err
	}
	d, err := p.parseDiscovery(raw)
	if err == nil {
		p.found, p.discoveredAt = d, time.Now()
	}
	return err
}

// parseDiscovery reads a discovery document (OpenID Connect discovery 4.2) and refuses one that is another provider's or names addresses that must not be asked.
func (p *provider) parseDiscovery(raw []byte) (discovery, error) {
	var d discovery
	if _, err := readClaims(raw, &d); err != nil {
		return discovery{}, fmt.Errorf("the discovery document is no JSON: %w", err)
	}
	if err := p.usable(d); err != nil {
		return discovery{}, err
	}
	return d, nil
}

// rested returns the last failure while it is too early to try again.
func (p *provider) rested() error {
	if p.failure != nil && time.Since(p.failedAt) < retryAfter {
		return p.failure
	}
	return nil
}

// ended notes how a fetch ended, and tells the administrators. Somebody who hung up says nothing about the provider.
func (p *provider) ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return err
	}
	p.failure, p.failedAt = err, time.Now()
	if p.report == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTime)
	defer cancel()
	p.report(ctx, p.id, providerFailure(p.issuer, err))
	return err
}

// isOther reports whether the provider answered, and is not the one of the connection any more.
func isOther(err error) bool {
	var other *issuerError
	return errors.As(err, &other)
}

func (p *provider) usable(d discovery) error {
	if err := sameIssuer(p.issuer, d); err != nil {
		return err
	}
	for _, endpoint := range []struct {
		name, address string
		optional      bool
	}{
		{"authorization_endpoint", d.Authorization, false},
		{"token_endpoint", d.Token, false},
		{"jwks_uri", d.Keys, false},
		{"userinfo_endpoint", d.UserInfo, true},
		{"end_session_endpoint", d.EndSession, true},
	} {
		if endpoint.address == "" && endpoint.optional {
			continue
		}
		u, err := url.Parse(endpoint.address)
		if err != nil {
			return fmt.Errorf("%s is no URL", endpoint.name)
		}
		if err := p.fetch.allowed(u); err != nil {
			return fmt.Errorf("%s: %w", endpoint.name, err)
		}
	}
	return nil
}

// sameIssuer: the document must be about exactly the issuer that was asked (discovery 4.3). Entra's shared endpoints name a template instead.
func sameIssuer(issuer string, d discovery) error {
	if d.Issuer == issuer && issuer != "" {
		return nil
	}
	if d.multiTenant() && originOf(issuer) == originOf(strings.Replace(d.Issuer, tenantPlaceholder, "tenant", 1)) {
		return nil
	}
	return &issuerError{published: d.Issuer, configured: issuer}
}

// originOf returns scheme and host of an absolute URL; two that are none are never equal.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "none: " + address
	}
	return u.Scheme + "://" + u.Host
}

// keysError says that the provider's keys cannot be read now, which is nobody's wrong signature.
type keysError struct{ cause error }

// Error implements error.
func (e *keysError) Error() string { return "the provider's keys: " + e.cause.Error() }

// Unwrap returns the cause.
func (e *keysError) Unwrap() error { return e.cause }

// VerifySignature implements oidc.KeySet. Keys are at most 15 minutes old. A signature that fits none of them makes us fetch them again, at most
// once a minute.
func (p *provider) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	keys, fresh, err := p.keySet(ctx, false)
	if err != nil {
		return nil, err
	}
	payload, err := keys.VerifySignature(ctx, jwt)
	if err == nil || !errors.Is(err, errNoKey) {
		return payload, err
	}
	if fresh {
		return nil, errors.Join(err, p.spend(ctx))
	}
	newer, _, again := p.keySet(ctx, true)
	if again != nil || newer == keys { // not granted, and nobody else has fetched them meanwhile
		return nil, errors.Join(err, again)
	}
	return newer.VerifySignature(ctx, jwt)
}

// spend notes that the keys were fetched just now for an unknown key.
func (p *provider) spend(ctx context.Context) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.leave()
	p.refetchedAt = time.Now()
	return nil
}

// keySet returns the keys and whether they were fetched by this call. again asks for newer ones, which is granted once a minute.
func (p *provider) keySet(ctx context.Context, again bool) (*publishedKeys, bool, error) {
	if err := p.enter(ctx); err != nil {
		return nil, false, err
	}
	defer p.leave()
	old := p.keys == nil || time.Since(p.keysAt) >= keysAge
	if !old && (!again || time.Since(p.refetchedAt) < refetchAtLeast) {
		return p.keys, false, nil
	}
	if again {
		p.refetchedAt = time.Now()
	}
	err := p.rested()
	if err == nil {
		err = p.ended(ctx, p.readKeys(ctx))
	}
	if err != nil {
		return nil, false, &keysError{err}
	}
	return p.keys, true, nil
}

func (p *provider) readKeys(ctx context.Context) error {
	raw, err := p.fetch.get(ctx, p.found.Keys, maxAnswer, nil)
	if err != nil {
		return err
	}
	keys, err := parseKeys(raw)
	if err == nil {
		p.keys, p.keysAt = keys, time.Now()
	}
	return err
}

// reportProvider tells the administrators how it went when a provider was read.
func (d *Door) reportProvider(ctx context.Context, id identity.ConnectionID, failure string) {
	if err := d.provisioning.ReportConnection(ctx, id, failure); err != nil {
		d.log.WarnContext(ctx, "how it went at a provider could not be noted", "connection", id, "error", err)
	}
}
