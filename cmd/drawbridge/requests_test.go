package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
)

// journal fills the journal of a new directory and returns the bridge, open until the test ends, and what writes one more entry.
func (sh shell) journal() (b *bridge, keep func(identity.Request) identity.RequestID) {
	sh.t.Helper()
	sh.must("directory", "create", "Acme Okta", "--dialect", "okta")
	s, err := config.Load(nil, func(name string) string { return sh.env[name] }, nil)
	if err != nil {
		sh.t.Fatal(err)
	}
	if b, err = open(sh.t.Context(), s); err != nil {
		sh.t.Fatal(err)
	}
	sh.t.Cleanup(func() { b.db.Close() })
	d, err := b.findDirectory(sh.t.Context(), "acme okta")
	if err != nil {
		sh.t.Fatal(err)
	}
	return b, func(r identity.Request) identity.RequestID {
		sh.t.Helper()
		r.ID, r.DirectoryID, r.At = identity.NewID[identity.RequestID](), d.ID, time.Now().UTC()
		if err := b.people.RecordRequest(sh.t.Context(), r); err != nil {
			sh.t.Fatal(err)
		}
		return r.ID
	}
}

func TestTheJournalIsReadAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		b, keep := sh.journal()
		keep(identity.Request{Method: "POST", Path: "/scim/v2/Users", Body: `{"userName":"ada"}`, Status: 201})
		id := keep(identity.Request{Method: "PATCH", Path: "/scim/v2/Groups/x", Status: 409, Code: "uniqueness", Detail: "Taken already."})
		b.people.CountRead(first(b, t))
		if err := b.people.WriteReads(t.Context()); err != nil {
			t.Fatal(err)
		}
		out := sh.must("requests")
		for _, word := range []string{"Acme Okta", "201", "POST /scim/v2/Users", "uniqueness: Taken already.", "Reads today that succeeded, of Acme Okta: 1"} {
			if !strings.Contains(out, word) {
				t.Errorf("the list does not say %q:\n%s", word, out)
			}
		}
		for name, args := range map[string][]string{
			"failed": {"--failed"}, "class": {"--status", "4xx"}, "status": {"--status", "409"}, "method": {"--method", "patch"}, "path": {"--path", "/Groups"},
			"id": {"--id", string(id)}, "all at once": {"--directory", "Acme Okta", "--failed", "--since", "1h", "--path", "/Groups/x"}, "about": {"--about", "/Groups/x"}, "the last": {"--limit", "1"},
		} {
			var list requestList
			if sh.json(&list, append([]string{"requests"}, args...)...); len(list.Items) != 1 || list.Items[0].ID != id || list.Items[0].Advice == "" || list.ReadsToday[list.Items[0].DirectoryID] != 1 {
				t.Errorf("%s: %+v", name, list)
			}
		}
		for name, args := range map[string][]string{"before": {"--until", "2020-01-01"}, "later": {"--since", "2100-01-01T00:00:00Z"}, "nobody": {"--about", "nobody"}, "another class": {"--status", "5xx"}} {
			if out := sh.must(append([]string{"requests"}, args...)...); !strings.Contains(out, "No requests.") {
				t.Errorf("%s: %s", name, out)
			}
		}
		for _, args := range [][]string{{"--status", "many"}, {"--status", "9xx"}, {"--since", "yesterday"}, {"--limit", "0"}, {"--id", "x"}, {"--follow", "--after", string(id)}, {"sho"}} {
			sh.refused(2, nil, append([]string{"requests"}, args...)...)
		}
		sh.refused(1, []string{"directory"}, "requests", "--directory", "None")
	})
}

// first returns the only directory.
func first(b *bridge, t *testing.T) identity.DirectoryID {
	t.Helper()
	all, err := b.allDirectories(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0].ID
}

func TestOneRequestIsShownWithAllThatIsKnownOfIt(t *testing.T) {
	sh := newShell(t)
	_, keep := sh.journal()
	id := keep(identity.Request{Method: "POST", Path: "/scim/v2/Bulk", Body: `{"a":[1],"b":"\u202e"}`, Status: 200, Detail: "1 of 2 operations failed.", Operations: []identity.RequestOperation{
		{Method: "POST", Path: "/Users", BulkID: "q", Status: 409, Code: "uniqueness", Detail: "Taken."}, {Method: "DELETE", Path: "/Users/x"},
	}})
	out := sh.must("requests", "show", string(id))
	for _, word := range []string{"POST /scim/v2/Bulk", "What to do", "\"a\": [\n    1\n  ]", "uniqueness: Taken.", "not begun", "It changed nothing.", string(id)} {
		if !strings.Contains(out, word) {
			t.Errorf("it does not say %q:\n%s", word, out)
		}
	}
	var v requestView
	if sh.json(&v, "requests", "show", string(id)); len(v.Operations) != 2 || v.Body == "" || v.Directory != "Acme Okta" {
		t.Errorf("%+v", v)
	}
	sh.refused(1, []string{"not in the journal"}, "requests", "show", string(identity.NewID[identity.RequestID]()))
	sh.refused(2, []string{"X-Request-Id"}, "requests", "show", "x")
}

func TestFollowingShowsEachRequestOnceWhenItComes(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		_, keep := sh.journal()
		want := []identity.RequestID{}
		keep(identity.Request{Method: "POST", Path: "/before", Status: 400, Detail: "x"}) // behind the page that is shown at first
		want = append(want, keep(identity.Request{Method: "POST", Path: "/last", Status: 400, Detail: "x"}))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		read, write := io.Pipe()
		defer read.Close()
		ended := make(chan error, 1)
		go func() {
			ended <- run(ctx, []string{"requests", "--follow", "--failed", "--limit", "1", "--json"}, func(name string) string { return sh.env[name] }, strings.NewReader(""), write, &bytes.Buffer{})
			write.Close()
		}()
		lines := json.NewDecoder(read)
		for i := range 5 {
			var v requestView
			if err := lines.Decode(&v); err != nil || v.ID != want[i] {
				t.Fatalf("line %d is %s %s, want %s: %v", i, v.ID, v.Path, want[i], err)
			}
			if i == 0 || i == 2 { // two at once, one of which does not match
				keep(identity.Request{Method: "POST", Path: "/fine", Status: 201})
				want = append(want, keep(identity.Request{Method: "POST", Path: "/one", Status: 500, Detail: "x"}), keep(identity.Request{Method: "POST", Path: "/two", Status: 500, Detail: "x"}))
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}
