package authn_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestOneAddressMayNotTryPasswordsWithoutEnd(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	ada := h.person(h.acme, "ada", "editor")
	h.password(ada)
	wrong := func(n int, ip string) {
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() { _, _, _ = h.CheckPassword(t.Context(), fmt.Sprintf("nobody%d", i), "a wrong password", ip) })
		}
		all.Wait()
	}
	wrong(100, "203.0.113.9")
	t.Run("FSM-44 one source is slowed down whoever it tries", func(t *testing.T) {
		_, _, err := h.CheckPassword(t.Context(), "ada", right, "203.0.113.9")
		wantCode(t, err, identity.TooMany, "signin.too_many")
	})
	for _, ip := range []string{"203.0.113.10", ""} {
		if _, _, err := h.CheckPassword(t.Context(), "ada", right, ip); err != nil {
			t.Errorf("%q pays for another address: %v", ip, err)
		}
	}
}

func TestAFloodOfPasswordsIsTurnedAwayAndNotQueuedWithoutEnd(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	var all sync.WaitGroup
	var turned atomic.Int32
	for range 1000 {
		all.Go(func() {
			if _, _, err := h.CheckPassword(t.Context(), "nobody", "a wrong password", ""); identity.CodeOf(err) == "signin.busy" {
				turned.Add(1)
			}
		})
	}
	all.Wait()
	if turned.Load() == 0 {
		t.Error("a thousand passwords at once were all taken in")
	}
}

func TestTheClockDoesNotTellWhoHasAnAccount(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	h.password(h.person(h.acme, "ada", "editor"))
	for _, name := range []string{"ada", "nobody"} {
		began := time.Now()
		_, _, err := h.CheckPassword(t.Context(), name, "a wrong password", "")
		if took := time.Since(began); identity.KindOf(err) != identity.Unauthenticated || took < 100*time.Millisecond {
			t.Errorf("%s is refused after %v: %v", name, took, err)
		}
	}
}

func TestTheOldestOfTooManySessionsEnds(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	ada := h.person(h.acme, "ada", "editor")
	first, _, err := h.StartSession(t.Context(), ada, identity.Session{}, "")
	for range 100 {
		_, _, again := h.StartSession(t.Context(), ada, identity.Session{}, "")
		err = errors.Join(err, again)
	}
	if err != nil {
		t.Fatal(err)
	}
	live, err := h.Sessions(t.Context(), h.as(ada), ada.ID)
	if err != nil || len(live) != 100 {
		t.Errorf("%d sessions live: %v", len(live), err)
	}
	_, err = h.Session(t.Context(), first)
	wantKind(t, err, identity.Unauthenticated)
}

func TestSecretsOfLinksAreNotGuessedWithoutEnd(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	const stranger, neighbour = "203.0.113.7", "203.0.113.8"
	for range 100 {
		if err := h.TakeGuess(stranger); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, h.TakeGuess(stranger), identity.TooMany)
	for range 200 {
		if err := h.TakeGuess(neighbour); err != nil {
			t.Fatalf("somebody else, or right ones: %v", err)
		}
		h.GuessedRight(neighbour)
	}
}

func TestOneAddressBeginsSoManySignInsOnly(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	st := identity.SignInState{ConnectionID: h.connection("Okta"), BrowserHash: []byte{1}, IP: "203.0.113.7"}
	begin := func() error {
		st.Key = identity.NewSecret("")
		return h.SaveSignIn(t.Context(), st)
	}
	for range 6000 {
		if err := begin(); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, begin(), identity.TooMany)
	st.IP = "203.0.113.8"
	if err := begin(); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}
