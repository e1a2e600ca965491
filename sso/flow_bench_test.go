package sso_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// benchClients is how many people come in at once, benchPeople how many there are.
const (
	benchClients = 8
	benchPeople  = 50
)

// comeIn measures the last step of sign-ins, by several at once. Everything before it is done in advance: last gets a fresh browser
// and returns its last request.
func comeIn(b *testing.B, last func(b *browser, email string) (*http.Request, error)) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			open := storetest.SQLite
			if database == "postgres" {
				open = storetest.Postgres
			}
			h := build(b, open(b))
			for i := range benchPeople {
				h.person(benchEmail(i))
			}
			browsers, requests := make([]*browser, b.N), make([]*http.Request, b.N)
			for i := range requests {
				var err error
				browsers[i] = h.browser()
				if requests[i], err = last(browsers[i], benchEmail(i)); err != nil {
					b.Fatal(err)
				}
			}
			finish(b, browsers, requests)
		})
	}
}

func benchEmail(i int) string { return fmt.Sprintf("person%d@example.com", i%benchPeople) }

// finish sends the last requests. The time of one is that of one client's turn, without what the OpenID provider took of it,
// divided by the number of clients: so its inverse is a rate.
func finish(b *testing.B, browsers []*browser, requests []*http.Request) {
	var next atomic.Int64
	var clients sync.WaitGroup
	inOIDC.Store(0)
	b.ResetTimer()
	began := time.Now()
	for range benchClients {
		clients.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(requests)); i = next.Add(1) - 1 {
				if err := comesIn(browsers[i].client, requests[i]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
	b.StopTimer()
	elsewhere := time.Duration(inOIDC.Load()) / benchClients
	b.ReportMetric(float64((time.Since(began)-elsewhere).Nanoseconds())/float64(b.N), "ns/op")
}

// comesIn sends a browser's last request, which must end where a good sign-in ends.
func comesIn(client *http.Client, request *http.Request) error {
	res, err := client.Do(request)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/console" {
		return fmt.Errorf("answered %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	return nil
}

// BenchmarkACS is a signed response that becomes a session, over HTTP, with the database: 1e9 by its time is the sign-ins a second.
func BenchmarkACS(b *testing.B) {
	comeIn(b, func(browser *browser, email string) (*http.Request, error) {
		form := url.Values{"SAMLResponse": {browser.samlResponse(email, "/console")}}
		r, err := http.NewRequest(http.MethodPost, browser.h.at(browser.h.viaSAML, "acs"), strings.NewReader(form.Encode()))
		if err == nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", "https://idp.example.com")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}
		return r, err
	})
}

// BenchmarkCallback is a code that becomes a session: the provider's token endpoint is asked, and its time taken off.
func BenchmarkCallback(b *testing.B) {
	comeIn(b, func(browser *browser, email string) (*http.Request, error) {
		return http.NewRequest(http.MethodGet, browser.callbackURL(email), nil)
	})
}
