package console_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// maxFirstPage is what a page may weigh with everything that it loads, in bytes on the wire, for a browser that has nothing yet.
const maxFirstPage = 60_000

var loaded = regexp.MustCompile(`(?:<link[^>]*href|<script[^>]*src)="(/assets/[^"]+)"`)

func TestAFirstPageIsLight(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	for i := range 60 {
		s.user(t.Context(), fmt.Sprintf("person.%d@acme.example", i), fmt.Sprintf("Person Number %d", i), s.acme.ID, "viewer")
	}
	b := s.signedIn("root@bridge.example")
	for _, path := range []string{"/console", "/console/users", "/console/users/" + string(s.ada.ID), "/console/placement", "/account"} {
		page := b.get(path).is(http.StatusOK)
		weight := b.weight(path)
		for _, m := range loaded.FindAllStringSubmatch(page.body, -1) {
			weight += b.weight(m[1])
		}
		t.Logf("%s: %d bytes, of them %d the page", path, weight, len(page.body))
		if weight > maxFirstPage {
			t.Errorf("%s weighs %d bytes, more than %d; the page alone has %d", path, weight, maxFirstPage, len(page.body))
		}
	}
}

// weight is how many bytes an asset has on the wire.
func (b *browser) weight(path string) int {
	b.t.Helper()
	r := must(http.NewRequest(http.MethodGet, b.url+path, nil))(b.t)
	r.Header.Set("Accept-Encoding", "gzip")
	resp := must((&http.Client{Jar: b.client.Jar, Transport: &http.Transport{DisableCompression: true}}).Do(r))(b.t)
	defer resp.Body.Close()
	if resp.Header.Get("Content-Encoding") != "gzip" {
		b.t.Errorf("%s is not packed", path)
	}
	return len(must(io.ReadAll(resp.Body))(b.t))
}

func TestAPageThatShowsWhatSomebodyChoseIsNotPacked(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	b := s.signedIn("root@bridge.example")
	for path, want := range map[string]string{"/console/users": "gzip", "/console/users?q=ada": "", "/console/users?done=user-created": "", "/console/nowhere": ""} {
		r := must(http.NewRequest(http.MethodGet, b.url+path, nil))(t)
		r.Header.Set("Accept-Encoding", "gzip")
		resp := must((&http.Client{Jar: b.client.Jar, Transport: &http.Transport{DisableCompression: true}}).Do(r))(t)
		resp.Body.Close()
		if got := resp.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%s is packed by %q, not %q", path, got, want)
		}
	}
}
