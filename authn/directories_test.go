package authn_test

import (
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// opens reports whether a token opens the door from an address.
func (h *house) opens(token, ip string) bool {
	h.t.Helper()
	_, err := h.DirectoryByToken(h.t.Context(), token, ip)
	if err != nil && identity.KindOf(err) != identity.Unauthenticated && identity.KindOf(err) != identity.Forbidden {
		h.t.Fatal(err)
	}
	return err == nil
}

// tokenOf reads a token of a directory.
func (h *house) tokenOf(d identity.Directory, id identity.TokenID) identity.Token {
	h.t.Helper()
	var out identity.Token
	err := h.db.View(h.t.Context(), func(tx *store.Tx) error {
		all, err := tx.Tokens(h.t.Context(), []identity.DirectoryID{d.ID})
		for _, k := range all[d.ID] {
			if k.ID == id {
				out = k
			}
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func TestAChangeInThisProcessIsSeenByTheNextRequest(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory(h.acme, "Okta", true)
		token, id := h.token(d, nil)
		other, _ := h.token(d, nil)
		for _, change := range []struct {
			name   string
			change func(*store.Tx) error
			want   bool
		}{
			{"nothing", func(*store.Tx) error { return nil }, true},
			{"another directory is made", func(tx *store.Tx) error {
				return tx.InsertDirectory(t.Context(), identity.Directory{ID: identity.NewID[identity.DirectoryID](), Name: "x", CreatedAt: tx.Now(), UpdatedAt: tx.Now()})
			}, true},
			{"the directory is disabled", func(tx *store.Tx) error { d.Enabled = false; return tx.UpdateDirectory(t.Context(), d) }, false},
			{"it is enabled again", func(tx *store.Tx) error { d.Enabled = true; return tx.UpdateDirectory(t.Context(), d) }, true},
			{"it may be used from elsewhere only", func(tx *store.Tx) error {
				d.Networks = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
				return tx.UpdateDirectory(t.Context(), d)
			}, false},
			{"it may be used from anywhere", func(tx *store.Tx) error { d.Networks = nil; return tx.UpdateDirectory(t.Context(), d) }, true},
			{"the token is revoked", func(tx *store.Tx) error { return tx.RevokeToken(t.Context(), d.ID, id) }, false},
		} {
			h.opens(token, "192.0.2.1") // what is found now is remembered
			h.update(change.change)
			if got := h.opens(token, "192.0.2.1"); got != change.want {
				t.Errorf("%s: the token opens the door: %v", change.name, got)
			}
		}
		if !h.opens(other, "192.0.2.1") {
			t.Error("the other token went with it")
		}
	})
}

func TestAChangeOfAnotherReplicaIsSeenWithinTwoSeconds(t *testing.T) {
	storetest.SQLite(t) // makes the template outside the bubble
	synctest.Test(t, func(t *testing.T) {
		url := storetest.SQLiteURL(t)
		h := build(t, storetest.Open(t, url))
		d := h.directory(h.acme, "Okta", true)
		token, id := h.token(d, nil)
		other := storetest.Open(t, url)
		if !h.opens(token, "") {
			t.Fatal("the token opens nothing")
		}
		if err := other.Update(t.Context(), func(tx *store.Tx) error { return tx.RevokeToken(t.Context(), d.ID, id) }); err != nil {
			t.Fatal(err)
		}
		pass(900 * time.Millisecond)
		if !h.opens(token, "") {
			t.Error("the database was asked again at once: nothing is remembered")
		}
		pass(1100 * time.Millisecond)
		if h.opens(token, "") {
			t.Error("two seconds later the token still opens the door")
		}
	})
}

func TestATokenEndsWhenItSaysEvenWhenItIsRemembered(t *testing.T) {
	storetest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		h := build(t, storetest.SQLite(t))
		end := time.Now().Add(time.Second).UTC()
		token, _ := h.token(h.directory(h.acme, "Okta", true), &end)
		before := h.opens(token, "")
		pass(time.Second)
		if after := h.opens(token, ""); !before || after {
			t.Errorf("before its end it opens the door: %v; at its end: %v", before, after)
		}
	})
}

func TestUseIsWrittenDownOnceAMinute(t *testing.T) {
	storetest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		h := build(t, storetest.SQLite(t))
		d := h.directory(h.acme, "Okta", true)
		token, id := h.token(d, nil)
		began := time.Now()
		var uses []time.Time
		for range 130 { // two minutes and a bit, one use a second
			h.opens(token, "")
			if at := *h.tokenOf(d, id).LastUsedAt; len(uses) == 0 || !at.Equal(uses[len(uses)-1]) {
				uses = append(uses, at)
			}
			pass(time.Second)
		}
		if len(uses) != 3 || uses[1].Sub(began) != time.Minute || uses[2].Sub(began) != 2*time.Minute {
			t.Errorf("written down at %v", uses)
		}
	})
}

func TestATokenThatEndsSoonIsToldOfOnceADayAndHasOneEvent(t *testing.T) {
	storetest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		h := build(t, storetest.SQLite(t))
		d := h.directory(h.acme, "Okta", true)
		end := time.Now().Add(16*24*time.Hour + 30*time.Minute).UTC()
		token, id := h.token(d, &end)
		h.token(d, &end) // is not used, so nobody is told
		told := 0
		for range 16 * 24 { // once an hour
			v, err := h.DirectoryByToken(t.Context(), token, "")
			if err != nil {
				t.Fatal(err)
			}
			if v.Ending != nil {
				told++
				if left := time.Until(end); left > identity.TokenWarning || !v.Ending.Equal(end) {
					t.Errorf("told %s before its end at %s", left, v.Ending)
				}
			}
			pass(time.Hour)
		}
		if told != 14 {
			t.Errorf("told %d times, want 14", told)
		}
		if h.tokenOf(d, id).WarnedAt == nil {
			t.Error("it is not noted when it was told")
		}
		var page identity.Page[identity.Event]
		err := h.db.View(t.Context(), func(tx *store.Tx) (err error) {
			page, err = tx.Events(t.Context(), store.Everything(), store.EventQuery{Type: identity.TokenExpiring, Limit: 10})
			return err
		})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("events: %+v, %v", page.Items, err)
		}
		if e := page.Items[0]; e.TenantID != h.acme || e.ObjectID != string(d.ID) || e.ActorKind != identity.ActorSystem {
			t.Errorf("the event is %+v", e)
		}
	})
}

func TestADirectoryIsUsedFromItsNetworksOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory(h.acme, "Okta", true)
		d.Networks = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32")}
		h.update(func(tx *store.Tx) error { return tx.UpdateDirectory(t.Context(), d) })
		token, _ := h.token(d, nil)
		for ip, want := range map[string]bool{
			"203.0.113.7": true, "::ffff:203.0.113.7": true, "2001:db8::1": true, "203.0.114.1": false, "2001:db9::1": false, "": false, "nonsense": false,
		} {
			if got := h.opens(token, ip); got != want {
				t.Errorf("from %q: %v", ip, got)
			}
		}
		v, err := h.DirectoryByToken(t.Context(), token, "198.51.100.1")
		if identity.KindOf(err) != identity.Forbidden || v.Directory.ID != d.ID || v.Actor.ID != string(d.ID) {
			t.Errorf("the journal cannot know whose request it is: %+v, %v", v, err)
		}
	})
}

func TestManyTokensAreRememberedWithoutEnd(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	d := h.directory(h.acme, "Okta", true)
	const n = 5000 // more than are remembered
	secrets := make([]string, n)
	h.update(func(tx *store.Tx) error {
		for i := range secrets {
			secrets[i] = identity.NewSecret(identity.DirectoryTokenPrefix)
			k := identity.Token{ID: identity.NewID[identity.TokenID](), DirectoryID: d.ID, Hint: strconv.Itoa(i), CreatedAt: tx.Now(), LastUsedAt: ptr(tx.Now())}
			if err := tx.InsertToken(t.Context(), k, identity.HashSecret(secrets[i])); err != nil {
				return err
			}
			if err := tx.TouchToken(t.Context(), k.ID, tx.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	for i, secret := range secrets {
		if !h.opens(secret, "") {
			t.Fatalf("token %d opens nothing", i)
		}
	}
	if !h.opens(secrets[0], "") || !h.opens(secrets[n-1], "") {
		t.Error("a token was lost")
	}
}

func ptr[T any](v T) *T { return &v }

func TestARememberedTokenCostsNoMemory(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	token, _ := h.token(h.directory(h.acme, "Okta", true), nil)
	ctx := t.Context()
	h.opens(token, "")
	allocs := testing.AllocsPerRun(10000, func() {
		if _, err := h.DirectoryByToken(ctx, token, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations for a token that is remembered", allocs)
	}
}

func BenchmarkDirectoryByToken(b *testing.B) {
	h := build(b, storetest.SQLite(b))
	token, _ := h.token(h.directory(h.acme, "Okta", true), nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := h.DirectoryByToken(b.Context(), token, "192.0.2.1"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
