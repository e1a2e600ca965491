package scim

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// remote is a user of a running server.
type remote struct {
	*client
	id      string
	version string
	before  map[string]any
}

func (r *remote) begin(*rapid.T) map[string]any { return plainCopy(r.before).(map[string]any) }

func (r *remote) patch(t *rapid.T, body []byte) (map[string]any, string) {
	got, err := r.send("PATCH", "/Users/"+r.id, body)
	if err != nil || got.status != http.StatusOK && got.status != http.StatusBadRequest {
		t.Fatalf("%s: status %d %s, %v", body, got.status, got.raw, err)
	}
	after, err := r.send("GET", "/Users/"+r.id, nil)
	if err != nil || after.status != http.StatusOK || got.status == http.StatusOK && !cmp.Equal(after.object, got.object) {
		t.Fatalf("the answer is not what is kept: %s and %s, %v", got.raw, after.raw, err)
	}
	now, version := plainUser(t, after.raw), after.header.Get("ETag")
	if same := cmp.Equal(r.before, now); same != (version == r.version) {
		t.Fatalf("%s: the version went from %s to %s, and the same: %v", body, r.version, version, same)
	}
	r.before, r.version = now, version
	if got.status == http.StatusOK {
		return now, ""
	}
	return now, textOf(got.object["scimType"])
}

func TestRandomPatchesOfAServerGiveWhatTheModelGives(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		clients := map[string]*client{}
		for _, d := range []string{"standard", "entra", "okta"} {
			clients[d] = b.client(t, "patches "+d, identity.Dialect(d))
		}
		rapid.Check(t, func(t *rapid.T) {
			d := drawFrom(t, dialectNames, "dialect")
			c := clients[d]
			r, err := c.send("POST", "/Users", []byte(someone))
			if err != nil || r.status != http.StatusCreated {
				t.Fatalf("%d %s %v", r.status, r.raw, err)
			}
			user := &remote{client: c, id: textOf(r.object["id"]), version: r.header.Get("ETag"), before: plainUser(t, r.raw)}
			defer func() {
				// A tombstone of this user name would come back under the old id, with the version that it had.
				_, _ = c.send("PATCH", "/Users/"+user.id, []byte(patchBody(`{"op":"replace","value":{"userName":"`+user.id+`","externalId":null,"emails":null}}`)))
				_, _ = c.send("DELETE", "/Users/"+user.id, nil)
			}()
			checkPatches(t, d, user)
		})
	})
}
