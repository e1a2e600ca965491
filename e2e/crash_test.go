//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestNoAnsweredWriteIsLostWhenTheProgramIsKilled(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, database string) {
		const writes, writers, enough = 200, 8, 100
		b := newBridge(t, database).serve(t)
		var d directory
		b.command(t, nil, "tenant", "create", tenant)
		b.command(t, &d, "directory", "create", "Okta", "--tenant", tenant, "--dialect", "okta")

		var mu sync.Mutex
		answered := map[string]string{} // user name -> id
		var next atomic.Int64
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for n := next.Add(1); n <= writes; n = next.Add(1) {
					name := fmt.Sprintf("person%03d@%s", n, domain)
					status, created, err := d.call(t.Context(), http.MethodPost, "/Users", userBody(name, person{Subject: name, GivenName: "Person", FamilyName: fmt.Sprint(n)}))
					if err != nil {
						continue // the program is gone, and nothing was promised
					}
					if status != http.StatusCreated {
						t.Errorf("%s: %d %s", name, status, created.Detail)
						return
					}
					mu.Lock()
					answered[name] = created.ID
					if len(answered) == enough {
						go b.process.kill()
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		b.process.kill()
		if len(answered) < enough || len(answered) >= writes {
			t.Fatalf("%d of %d writes were answered: the program was not killed in their midst", len(answered), writes)
		}
		b.serve(t)
		for name, id := range answered {
			status, found, err := d.call(t.Context(), http.MethodGet, "/Users/"+id, nil)
			if err != nil || status != http.StatusOK || found.UserName != name {
				t.Errorf("%s was answered with 201 and is lost: %d %v", name, status, err)
			}
		}
		t.Logf("killed after %d answers; all of them are there", len(answered))
	})
}

func TestFourReplicasStartAtOnceAndAgree(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, database string) {
		replicas := make([]*bridge, 4)
		for n := range replicas {
			replicas[n] = newBridge(t, database)
			replicas[n].start(t)
		}
		for _, b := range replicas {
			b.ready(t)
		}
		var d directory
		replicas[0].command(t, nil, "tenant", "create", tenant)
		replicas[0].command(t, &d, "directory", "create", "Okta", "--tenant", tenant, "--dialect", "okta")

		const many = 16
		statuses := together(many, func(n int) (int, error) {
			at := directory{BaseURL: replicas[n%len(replicas)].url + "/scim/v2", Token: d.Token}
			status, _, err := at.call(t.Context(), http.MethodPost, "/Users", userBody(ada.Email, ada))
			return status, err
		})
		seen := map[int]int{}
		for _, s := range statuses {
			if s.err != nil {
				t.Fatal(s.err)
			}
			seen[s.value]++
		}
		if seen[http.StatusCreated] != 1 || seen[http.StatusConflict] != many-1 {
			t.Errorf("one name, sixteen times, at four replicas: %v", seen)
		}
		for _, b := range replicas {
			n, err := directory{BaseURL: b.url + "/scim/v2", Token: d.Token}.byUserName(t.Context(), ada.Email)
			if err != nil || n != 1 {
				t.Errorf("%s finds %d: %v", b.url, n, err)
			}
		}
	})
}
