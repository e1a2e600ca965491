package store_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// city is an installation whose people the test knows as well as the databases do.
type city struct {
	t        *testing.T
	ctx      context.Context
	rng      *rand.Rand
	replicas []*store.DB
	tenants  []identity.TenantID
	here     map[identity.UserID]identity.TenantID // who is not deleted, and where
	gone     map[identity.UserID]identity.TenantID
}

// newCity returns an installation with two replicas and three tenants, of so many people each, whose ids are old.
func newCity(t *testing.T, url string, people ...int) *city {
	c := &city{
		t: t, ctx: t.Context(), rng: rand.New(rand.NewPCG(7, 11)), replicas: []*store.DB{storetest.Open(t, url), storetest.Open(t, url)},
		here: map[identity.UserID]identity.TenantID{}, gone: map[identity.UserID]identity.TenantID{},
	}
	for i, n := range people {
		home := identity.NewID[identity.TenantID]()
		c.tenants = append(c.tenants, home)
		change(t, c.replicas[0], func(tx *store.Tx) error {
			return tx.InsertTenant(c.ctx, identity.Tenant{ID: home, Name: fmt.Sprint("Tenant ", i)})
		})
		for ; n > 0; n -= 200 {
			c.insert(c.replicas[0], c.oldUsers(home, min(n, 200)), func() {})
		}
	}
	return c
}

// oldUsers returns people whose ids were made at some time of the day before.
func (c *city) oldUsers(home identity.TenantID, n int) []identity.User {
	users := make([]identity.User, n)
	for i := range users {
		users[i] = newUser(home)
		at := time.Now().Add(-time.Minute - time.Duration(c.rng.Int64N(int64(24*time.Hour))))
		users[i].ID = identity.UserID(identity.IDBefore(at)[:24] + string(identity.NewID[identity.UserID]())[24:])
	}
	return users
}

// insert adds people in one transaction, which ends after linger returns.
func (c *city) insert(db *store.DB, users []identity.User, linger func()) {
	c.t.Helper()
	change(c.t, db, func(tx *store.Tx) error {
		if err := tx.InsertUser(c.ctx, users...); err != nil {
			return err
		}
		linger()
		return nil
	})
	for _, u := range users {
		c.here[u.ID] = u.TenantID
	}
}

// change does something to somebody, through one of the replicas.
func (c *city) change() {
	db := c.replicas[c.rng.IntN(len(c.replicas))]
	switch c.rng.IntN(5) {
	case 0:
		c.insert(db, []identity.User{newUser(c.tenants[c.rng.IntN(len(c.tenants))])}, func() {})
	case 1:
		id := c.somebody(c.gone)
		if id == "" {
			return
		}
		c.write(db, id, func(u *identity.User) { u.DeletedAt = nil })
		c.here[id] = c.gone[id]
		delete(c.gone, id)
	case 2:
		id, to := c.somebody(c.here), c.tenants[c.rng.IntN(len(c.tenants))]
		c.write(db, id, func(u *identity.User) { u.TenantID = to })
		c.here[id] = to
	default:
		id, at := c.somebody(c.here), time.Now()
		c.write(db, id, func(u *identity.User) { u.DeletedAt = &at })
		c.gone[id] = c.here[id]
		delete(c.here, id)
	}
}

func (c *city) somebody(among map[identity.UserID]identity.TenantID) identity.UserID {
	ids := slices.Sorted(maps.Keys(among))
	if len(ids) == 0 {
		return ""
	}
	return ids[c.rng.IntN(len(ids))]
}

// first returns who comes first in a tenant's list.
func (c *city) first(home identity.TenantID) identity.UserID {
	ids := slices.Sorted(maps.Keys(c.here))
	return ids[slices.IndexFunc(ids, func(id identity.UserID) bool { return c.here[id] == home })]
}

func (c *city) write(db *store.DB, id identity.UserID, fn func(*identity.User)) {
	c.t.Helper()
	change(c.t, db, func(tx *store.Tx) error { return writeUser(c.ctx, tx, id, fn) })
}

func writeUser(ctx context.Context, tx *store.Tx, id identity.UserID, fn func(*identity.User)) error {
	before, err := tx.UserForUpdate(ctx, store.Everything(), id)
	if identity.KindOf(err) == identity.NotFound {
		before, err = tx.DeletedUserForUpdate(ctx, store.Everything(), id)
	}
	if err != nil {
		return err
	}
	after := before
	fn(&after)
	return tx.UpdateUser(ctx, before, after)
}

// check compares some pages of every list with what the test knows.
func (c *city) check(replicas ...*store.DB) {
	c.t.Helper()
	for _, db := range replicas {
		for _, home := range append([]identity.TenantID{""}, c.tenants...) {
			var want []identity.UserID
			for id, where := range c.here {
				if home == "" || home == where {
					want = append(want, id)
				}
			}
			slices.Sort(want)
			for _, offset := range []int{0, c.rng.IntN(len(want) + 1), max(0, len(want)-3), len(want), len(want) + 100} {
				c.page(db, home, want, offset, c.rng.IntN(30))
			}
		}
	}
}

func (c *city) page(db *store.DB, home identity.TenantID, all []identity.UserID, offset, limit int) {
	c.t.Helper()
	var got []identity.UserID
	var page identity.Page[identity.User]
	scope := store.OfDirectory("01890000-0000-7000-8000-00000000d1ec", home)
	err := db.View(c.ctx, func(tx *store.Tx) (err error) {
		page, err = tx.Users(c.ctx, scope, identity.Query{Offset: offset, Limit: limit, Total: true, Lean: true})
		return err
	})
	for _, u := range page.Items {
		got = append(got, u.ID)
	}
	from := min(offset, len(all))
	want := all[from:min(from+limit, len(all))]
	if err != nil || page.Total != int64(len(all)) || !slices.Equal(got, want) {
		c.t.Errorf("tenant %q, %d from %d: total %d, want %d; %d users, want %d; error %v", home, limit, offset, page.Total, len(all), len(got), len(want), err)
	}
}

func TestAPageByIndexIsRightWhateverHappens(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		c := newCity(t, url, 1700, 1100, 150)
		c.check(c.replicas...)
		for range 50 {
			for range c.rng.IntN(4) {
				c.change()
			}
			c.check(c.replicas[c.rng.IntN(2)])
		}
		c.check(c.replicas...)
		c.check(storetest.Open(t, url)) // one that remembers nothing
	})
}

func TestManyWhoAskAtOnceFindThePlacesOnce(t *testing.T) {
	url := storetest.PostgresURL(t)
	c := newCity(t, url, 1500)
	var walks atomic.Int64
	w := wire{said: func(_ byte, body []byte) {
		if bytes.Contains(body, []byte("row_number()")) {
			walks.Add(1)
		}
	}}
	db := open(t, w.listen(t, url), storetest.SecretKey())
	everybody := slices.Sorted(maps.Keys(c.here))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { c.page(db, c.tenants[0], everybody, 700, 20) })
	}
	all.Wait()
	if n := walks.Load(); n != 1 {
		t.Errorf("everybody was looked at %d times", n)
	}
}

// A transaction in progress may have ids that are older than remembered places when it ends.
func TestUsersOfASlowTransactionHaveTheirPlaces(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Parallel() // it waits
		c := newCity(t, url, 1500, 950, 0)
		c.check(c.replicas...)
		for _, home := range c.tenants[:2] {
			c.insert(c.replicas[0], c.oldUsers(home, 130), func() {
				c.check(c.replicas...)
				<-time.After(3100 * time.Millisecond)
			})
			for range 3 {
				c.check(c.replicas...) // the second tenant has enough people for places now
				c.change()
			}
		}
		c.check(c.replicas...)
	})
}

func TestPlacesAreFoundAnewWhenMovesAreForgotten(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		c := newCity(t, url, 1300, 100, 0)
		c.check(c.replicas...)
		for range 20 {
			c.change()
		}
		c.check(c.replicas[0])
		change(t, c.replicas[0], func(tx *store.Tx) error { return tx.Sweep(c.ctx, tx.Now().Add(2*time.Hour)) })
		for range 5 {
			c.change()
		}
		c.check(c.replicas...)
	})
}

// Somebody leaves between the question for the number of the last move and the search for the places.
func TestAMoveWhilePlacesAreFoundIsNotCountedTwice(t *testing.T) {
	url := storetest.PostgresURL(t)
	c := newCity(t, url, 1500, 100, 0)
	home := c.tenants[0]
	var armed atomic.Bool
	id := c.first(home)
	w := wire{said: func(_ byte, body []byte) {
		if bytes.Contains(body, []byte("row_number()")) && armed.CompareAndSwap(true, false) {
			at := time.Now()
			c.write(c.replicas[0], id, func(u *identity.User) { u.DeletedAt = &at })
			delete(c.here, id)
		}
	}}
	third := open(t, w.listen(t, url), storetest.SecretKey())
	armed.Store(true)
	err := third.View(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Users(t.Context(), store.OfDirectory("01890000-0000-7000-8000-00000000d1ec", home), identity.Query{Limit: 1, Total: true, Lean: true})
		return err
	})
	if err != nil || armed.Load() {
		t.Fatal("nobody moved meanwhile", err)
	}
	c.check(third)
}
