package sso

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Limits of everything that is fetched from a provider.
const (
	fetchTimeout = 10 * time.Second
	maxRedirects = 3
	maxAnswer    = 1 << 20
)

// fetcher asks identity providers. It reaches only public addresses, by https, unless private ones are allowed for development; the address is
// checked when the connection is made, so that a name cannot change its mind in between.
type fetcher struct {
	client       *http.Client
	allowPrivate bool
}

func newFetcher(allowPrivate bool) *fetcher {
	f := &fetcher{allowPrivate: allowPrivate}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: f.control}
	f.client = &http.Client{
		Timeout: fetchTimeout,
		Transport: &limitedTransport{&http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: fetchTimeout,
			MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		}},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("too many redirects")
			}
			return f.allowed(r.URL)
		},
	}
	return f
}

// limitedTransport cuts every answer, so that a library that reads to the end cannot be fed without end.
type limitedTransport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper. Reading past the limit is an error, never a silently shorter answer.
func (t *limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, maxMetadata)
	}
	return res, err
}

// allowed refuses URLs that must not be asked, before anything is resolved.
func (f *fetcher) allowed(u *url.URL) error {
	if u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !f.allowPrivate) {
		return fmt.Errorf("%q is not an https URL: %w", shown(u.Redacted()), errNotAllowed)
	}
	return nil
}

func (f *fetcher) control(_, address string, _ syscall.RawConn) error {
	if f.allowPrivate {
		return nil
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil || !public(at.Addr()) {
		return fmt.Errorf("%s is not a public address: %w", address, errNotAllowed)
	}
	return nil
}

// notPublic are the ranges that net/netip has no name for: this network, carrier NAT, protocol assignments, benchmarks, reserved, NAT64.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
}

func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// get returns the body of an answer with status 200. The error is for administrators.
func (f *fetcher) get(ctx context.Context, address string, limit int64, header http.Header) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%q is no URL", shown(address))
	}
	if err := f.allowed(u); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", shown(u.Redacted()), res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("%s answered more than %d bytes", shown(u.Redacted()), limit)
	}
	return body, err
}

// messageOf returns what may be shown of an error: its message, never its cause.
func messageOf(err error) string {
	var e *identity.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "an unexpected error"
}
