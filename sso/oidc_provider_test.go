package sso

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// handlerTransport answers requests without a network, so that time can be made up (testing/synctest).
type handlerTransport struct{ handler http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	h.handler.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// documentTransport answers every request with one document.
func documentTransport(raw []byte) http.RoundTripper {
	return handlerTransport{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(raw) })}
}

func quietProvider(t *testing.T) (*ssotest.OIDC, *oidcCase) {
	t.Helper()
	idp, err := ssotest.NewOIDC("https://idp.example.com", ada)
	must(err)
	fetch := newFetcher(false)
	fetch.client = &http.Client{Transport: handlerTransport{idp}}
	o := &oidcCase{provider: idp, connection: identity.Connection{ID: "c", OIDC: identity.OIDCSettings{Issuer: idp.Issuer(), ClientID: "drawbridge"}}}
	cache := providers{fetch: fetch}
	o.keys = cache.of(&o.connection)
	if o.discovery, err = o.keys.discover(context.Background()); err != nil {
		t.Fatal(err)
	}
	return idp, o
}

func (o *oidcCase) fresh() {
	o.now = time.Now()
	o.token = o.provider.NewIDToken(ssotest.OIDCClient{ID: "drawbridge"}, ada, testNonce)
}

func TestO23UnknownKeysAreAskedForOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idp, o := quietProvider(t)
		try := func(want string) {
			t.Helper()
			_, tr, err := o.verify(t)
			wantCode(t, tr, err, want)
		}
		o.fresh()
		try("")
		try("")
		if n := idp.Fetches(); n != 1 {
			t.Fatalf("%d fetches for two sign-ins, want 1", n)
		}
		must(idp.RotateKey())
		o.fresh()
		try("")
		if n := idp.Fetches(); n != 2 {
			t.Fatalf("%d fetches after a rotation, want 2", n)
		}
		for range 50 {
			o.token.Header["kid"] = identity.NewSecret("")
			try("oidc.bad_signature")
		}
		if n := idp.Fetches(); n != 2 {
			t.Fatalf("%d fetches after 50 unknown keys, want still 2", n)
		}
		<-time.After(refetchAtLeast) // in the time of synctest
		for range 50 {
			o.token.Header["kid"] = identity.NewSecret("")
			try("oidc.bad_signature")
		}
		if n := idp.Fetches(); n != 3 {
			t.Fatalf("%d fetches a minute later, want 3", n)
		}
	})
}

func TestAFirstUnknownKeyCostsOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idp, o := quietProvider(t)
		for range 50 {
			o.fresh()
			o.token.Header["kid"] = identity.NewSecret("")
			_, tr, err := o.verify(t)
			wantCode(t, tr, err, "oidc.bad_signature")
		}
		if n := idp.Fetches(); n != 1 {
			t.Fatalf("%d fetches, want 1", n)
		}
	})
}

func TestEverybodyWhoWaitsGetsTheNewKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idp, o := quietProvider(t)
		o.fresh()
		_, tr, err := o.verify(t)
		wantCode(t, tr, err, "")
		must(idp.RotateKey())
		o.fresh()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, tr, err := o.verify(t); err != nil {
					t.Errorf("refused: %v%s", err, tr.failures())
				}
			})
		}
		wg.Wait()
		if n := idp.Fetches(); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
	})
}

func TestO24ARemovedKeyIsRefusedAfterAQuarterOfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idp, o := quietProvider(t)
		o.fresh()
		if _, tr, err := o.verify(t); err != nil {
			wantCode(t, tr, err, "")
		}
		old := *o.token
		must(idp.RotateKey())
		<-time.After(keysAge) // in the time of synctest
		o.now = time.Now()
		o.token = &old
		o.token.Claims["iat"], o.token.Claims["exp"] = o.now.Unix(), o.now.Add(time.Minute).Unix()
		_, tr, err := o.verify(t)
		wantCode(t, tr, err, "oidc.bad_signature")
	})
}

func TestDiscovery(t *testing.T) {
	tests := []struct {
		name   string
		change map[string]any
		want   string
	}{
		{"good", nil, ""},
		{"it advertises HS256 and none", map[string]any{"id_token_signing_alg_values_supported": []string{"HS256", "none"}}, ""},
		{"another issuer", map[string]any{"issuer": "https://evil.example"}, "calls itself"},
		{"a trailing slash", map[string]any{"issuer": "https://idp.example.com/"}, "calls itself"},
		{"a template of another host", map[string]any{"issuer": "https://evil.example/{tenantid}/v2.0"}, "calls itself"},
		{"a template of the same host", map[string]any{"issuer": "https://idp.example.com/{tenantid}/v2.0"}, ""},
		{"an http endpoint", map[string]any{"token_endpoint": "http://idp.example.com/token"}, "token_endpoint"},
		{"keys from a file", map[string]any{"jwks_uri": "file:///etc/passwd"}, "jwks_uri"},
		{"no endpoint", map[string]any{"authorization_endpoint": ""}, "authorization_endpoint"},
		{"a log-out by http", map[string]any{"end_session_endpoint": "http://idp.example.com/logout"}, "end_session_endpoint"},
		{"an issuer in another case of the name", map[string]any{"issuer": "https://evil.example", "ISSUER": "https://idp.example.com"}, "calls itself"},
		{"no userinfo", map[string]any{"userinfo_endpoint": ""}, ""},
		{"too large", map[string]any{"x": strings.Repeat("x", 2<<20)}, "more than"},
		{"no JSON object", map[string]any{"issuer": 1}, "no JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			document := map[string]any{
				"issuer": "https://idp.example.com", "authorization_endpoint": "https://idp.example.com/a", "token_endpoint": "https://idp.example.com/t",
				"jwks_uri": "https://idp.example.com/k", "userinfo_endpoint": "https://idp.example.com/u",
			}
			for name, value := range tt.change {
				document[name] = value
			}
			raw, err := json.Marshal(document)
			must(err)
			fetch := newFetcher(false)
			fetch.client = &http.Client{Transport: documentTransport(raw)}
			cache := providers{fetch: fetch}
			_, err = cache.of(&identity.Connection{OIDC: identity.OIDCSettings{Issuer: "https://idp.example.com"}}).discover(context.Background())
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAProviderThatHangsKeepsNobodyElseWaiting(t *testing.T) {
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(release)
	cache := providers{fetch: newFetcher(true)}
	stuck := cache.of(&identity.Connection{ID: "a", OIDC: identity.OIDCSettings{Issuer: hanging.URL}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := stuck.discover(ctx)
			done <- err
		}()
	}
	other := cache.of(&identity.Connection{ID: "b", OIDC: identity.OIDCSettings{Issuer: openProvider().Issuer()}})
	if _, err := other.discover(context.Background()); err != nil {
		t.Errorf("the other connection: %v", err)
	}
	cancel()
	for range 2 {
		if err := <-done; err == nil {
			t.Error("the hanging provider was discovered")
		}
	}
}

// downProvider is a provider that is away until up is set.
func downProvider(up *bool) (*provider, *[]string, *int) {
	idp, err := ssotest.NewOIDC("https://idp.example.com", ada)
	must(err)
	reports, asked := &[]string{}, new(int)
	fetch := newFetcher(false)
	fetch.client = &http.Client{Transport: handlerTransport{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if *asked++; !*up {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		idp.ServeHTTP(w, r)
	})}}
	cache := providers{fetch: fetch, report: func(_ context.Context, _ identity.ConnectionID, failure string) { *reports = append(*reports, failure) }}
	return cache.of(&identity.Connection{ID: "c", OIDC: identity.OIDCSettings{Issuer: idp.Issuer(), ClientID: "drawbridge"}}), reports, asked
}

func TestAProviderThatWasAwayIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := false
		p, reports, asked := downProvider(&up)
		for range 20 {
			if _, err := p.discover(context.Background()); err == nil {
				t.Fatal("a provider that is away was read")
			}
		}
		if *asked != 1 || len(*reports) != 1 || !strings.Contains((*reports)[0], "compare the issuer URL") {
			t.Errorf("asked %d times, reported %q", *asked, *reports)
		}
		up = true
		<-time.After(retryAfter) // in the time of synctest
		p.refresh(context.Background())
		if _, err := p.discover(context.Background()); err != nil || *asked != 3 || (*reports)[len(*reports)-1] != "" {
			t.Errorf("asked %d times, reported %q: %v", *asked, *reports, err)
		}
		up = false
		<-time.After(discoveryAge)
		if _, err := p.discover(context.Background()); err != nil {
			t.Errorf("where people are sent is forgotten after an hour: %v", err)
		}
		_, _, err := p.keySet(context.Background(), false)
		var keys *keysError
		if !errors.As(err, &keys) {
			t.Errorf("keys of an hour ago are believed: %v", err)
		}
		<-time.After(staleAge)
		if _, err := p.discover(context.Background()); err == nil {
			t.Error("what was published a day ago is believed")
		}
	})
}

func TestKeysThatCannotBeReadAreNoWrongSignature(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, o := quietProvider(t)
		o.fresh()
		o.keys.fetch.client = &http.Client{Transport: documentTransport([]byte("<html>"))}
		_, tr, err := o.verify(t)
		wantCode(t, tr, err, "oidc.keys_unavailable")
	})
}
