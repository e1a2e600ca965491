package sso

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/drawbridge-id/drawbridge/identity"
)

// How long what a provider publishes is believed, and how often an unknown key makes us ask again.
const (
	discoveryAge   = time.Hour
	keysAge        = 15 * time.Minute
	refetchAtLeast = time.Minute
)

// discovery is what a provider publishes about itself (OpenID Connect discovery 3). Its list of algorithms is not read: the connection's counts.
type discovery struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	UserInfo      string   `json:"userinfo_endpoint"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	IssInResponse bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
}

// tenantPlaceholder stands in the issuer of Entra's multi-tenant endpoints.
const tenantPlaceholder = "{tenantid}"

// multiTenant reports whether the provider speaks for many organisations under one address.
func (d discovery) multiTenant() bool { return strings.Contains(d.Issuer, tenantPlaceholder) }

// providers caches what each connection's provider publishes. It may be forgotten at any time.
type providers struct {
	fetch *fetcher
	mu    sync.Mutex
	known map[identity.ConnectionID]*provider
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
	fresh := &provider{issuer: c.OIDC.Issuer, fetch: p.fetch, gate: make(chan struct{}, 1)}
	p.known[c.ID] = fresh
	return fresh
}

// provider is one upstream OpenID provider. The gate guards the fields below it; waiting for it ends with the context, and nobody of another
// connection waits there.
type provider struct {
	issuer string
	fetch  *fetcher
	gate   chan struct{}

	found        discovery
	discoveredAt time.Time
	keys         oidc.KeySet
	keysAt       time.Time
	refetchedAt  time.Time
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

// discover returns the provider's discovery document, at most an hour old.
func (p *provider) discover(ctx context.Context) (discovery, error) {
	if err := p.enter(ctx); err != nil {
		return discovery{}, err
	}
	defer p.leave()
	if time.Since(p.discoveredAt) < discoveryAge {
		return p.found, nil
	}
	raw, err := p.fetch.get(ctx, strings.TrimSuffix(p.issuer, "/")+"/.well-known/openid-configuration", maxAnswer, nil)
	if err != nil {
		return discovery{}, err
	}
	var d discovery
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, fmt.Errorf("the discovery document is no JSON: %w", err)
	}
	if err := p.usable(d); err != nil {
		return d, err
	}
	p.found, p.discoveredAt = d, time.Now()
	return d, nil
}

func (p *provider) usable(d discovery) error {
	if err := sameIssuer(p.issuer, d); err != nil {
		return err
	}
	for name, endpoint := range map[string]string{"authorization_endpoint": d.Authorization, "token_endpoint": d.Token, "jwks_uri": d.Keys, "userinfo_endpoint": d.UserInfo} {
		if endpoint == "" && name == "userinfo_endpoint" {
			continue
		}
		u, err := url.Parse(endpoint)
		if err != nil {
			return fmt.Errorf("%s is no URL", name)
		}
		if err := p.fetch.allowed(u); err != nil {
			return fmt.Errorf("%s: %w", name, err)
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

// VerifySignature implements oidc.KeySet. Keys are at most 15 minutes old. A signature that fits none of them makes us fetch them again, at most
// once a minute.
func (p *provider) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	keys, fresh, err := p.keySet(ctx, false)
	if err != nil {
		return nil, err
	}
	payload, err := keys.VerifySignature(ctx, jwt)
	if err == nil {
		return payload, nil
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
func (p *provider) keySet(ctx context.Context, again bool) (oidc.KeySet, bool, error) {
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
	raw, err := p.fetch.get(ctx, p.found.Keys, maxAnswer, nil)
	if err != nil {
		return nil, false, fmt.Errorf("the provider's keys: %w", err)
	}
	p.keys, p.keysAt = staticKeys(p.found.Keys, raw), time.Now()
	return p.keys, true, nil
}

// staticKeys returns a key set that reads one JWKS document and never the network: go-oidc parses and verifies, when to fetch is decided here.
func staticKeys(address string, raw []byte) oidc.KeySet {
	client := &http.Client{Transport: staticTransport(raw)}
	return oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), client), address)
}

type staticTransport []byte

// RoundTrip implements http.RoundTripper.
func (t staticTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(t)), ContentLength: int64(len(t)), Request: r,
	}, nil
}
