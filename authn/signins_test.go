package authn_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/google/go-cmp/cmp"
)

func (h *house) directory(tenant identity.TenantID, name string, enabled bool) identity.Directory {
	h.t.Helper()
	d := identity.Directory{ID: identity.NewID[identity.DirectoryID](), TenantID: tenant, Name: name, Dialect: identity.DialectOkta, Enabled: enabled}
	h.update(func(tx *store.Tx) error {
		d.CreatedAt, d.UpdatedAt = tx.Now(), tx.Now()
		return tx.InsertDirectory(h.t.Context(), d)
	})
	return d
}

func (h *house) token(d identity.Directory, expires *time.Time) (string, identity.TokenID) {
	h.t.Helper()
	secret := identity.NewSecret(identity.DirectoryTokenPrefix)
	k := identity.Token{ID: identity.NewID[identity.TokenID](), DirectoryID: d.ID, Hint: secret[len(secret)-4:], ExpiresAt: expires}
	h.update(func(tx *store.Tx) error {
		k.CreatedAt = tx.Now()
		return tx.InsertToken(h.t.Context(), k, identity.HashSecret(secret))
	})
	return secret, k.ID
}

func (h *house) connection(name string) identity.ConnectionID {
	h.t.Helper()
	c := identity.Connection{ID: identity.NewID[identity.ConnectionID](), Name: name, Kind: identity.OIDC, Enabled: true, Unknown: identity.UnknownLanding}
	h.update(func(tx *store.Tx) error {
		c.CreatedAt, c.UpdatedAt = tx.Now(), tx.Now()
		return tx.InsertConnection(h.t.Context(), c)
	})
	return c.ID
}

func TestATokenSaysWhichDirectorySpeaks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta, off := h.directory(h.acme, "Okta", true), h.directory(h.acme, "Off", false)
		soon, past := ago(-time.Hour), ago(time.Second)
		good, id := h.token(okta, &soon)
		expired, _ := h.token(okta, &past)
		revoked, rid := h.token(okta, nil)
		disabled, _ := h.token(off, nil)
		h.update(func(tx *store.Tx) error { return tx.RevokeToken(t.Context(), okta.ID, rid) })
		v, err := h.DirectoryByToken(t.Context(), good, "")
		if err != nil || v.Directory.ID != okta.ID || v.Key != string(id) {
			t.Fatalf("%+v %v", v, err)
		}
		guard := okta.Guard.For(okta.Dialect)
		want := identity.Actor{Kind: identity.ActorDirectory, ID: string(okta.ID), Label: "Okta", TenantID: h.acme, Door: "scim", Guard: &guard}
		if diff := cmp.Diff(want, v.Actor); diff != "" {
			t.Error(diff)
		}
		tests := []struct{ name, token, cause string }{
			{"none", "", "does not look like"},
			{"somebody else's kind", "Bearer " + good, "does not look like"},
			{"the hash", string(identity.HashSecret(good)), "does not look like"},
			{"an unknown one", identity.NewSecret(identity.DirectoryTokenPrefix), "no directory"},
			{"an expired one", expired, "expired at"},
			{"a revoked one", revoked, "was revoked"},
			{"one of a disabled directory", disabled, "is disabled"},
		}
		said := map[string]bool{}
		for _, tt := range tests {
			_, err := h.DirectoryByToken(t.Context(), tt.token, "")
			if identity.KindOf(err) != identity.Unauthenticated || !strings.Contains(err.Error(), tt.cause) {
				t.Errorf("%s: %v", tt.name, err)
			}
			if tt.token != "" && strings.Contains(err.Error(), tt.token) {
				t.Errorf("%s: the log would have the token", tt.name)
			}
			said[message(err)] = true
		}
		if len(said) != 1 {
			t.Errorf("the answers differ: %v", said)
		}
		h.checkTouch(okta.ID, id, good)
	})
}

// checkTouch uses a token twice more and looks when its use is written down.
func (h *house) checkTouch(d identity.DirectoryID, id identity.TokenID, secret string) {
	h.t.Helper()
	lastUsed := func() time.Time {
		var at time.Time
		err := h.db.View(h.t.Context(), func(tx *store.Tx) error {
			all, err := tx.Tokens(h.t.Context(), []identity.DirectoryID{d})
			for _, k := range all[d] {
				if k.ID == id && k.LastUsedAt != nil {
					at = *k.LastUsedAt
				}
			}
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
		return at
	}
	use := func() {
		if _, err := h.DirectoryByToken(h.t.Context(), secret, ""); err != nil {
			h.t.Fatal(err)
		}
	}
	first := lastUsed()
	use()
	if first.IsZero() || !lastUsed().Equal(first) {
		h.t.Errorf("used at %v, within a minute again at %v", first, lastUsed())
	}
}

func TestASignInComesBackOnceToItsConnection(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta, entra := h.connection("Okta"), h.connection("Entra")
		st := identity.SignInState{
			Key: identity.NewSecret("id-"), ConnectionID: okta, BrowserHash: identity.HashSecret("browser"), Nonce: "n", Verifier: "v", ReturnTo: "/console",
		}
		if err := h.SaveSignIn(t.Context(), st); err != nil {
			t.Fatal(err)
		}
		for name, take := range map[string]struct {
			connection identity.ConnectionID
			key        string
		}{
			"another connection": {entra, st.Key}, "another key": {okta, "id-x"}, "no key": {okta, ""}, "no connection": {"nonsense", st.Key},
		} {
			_, err := h.TakeSignIn(t.Context(), take.connection, take.key)
			if identity.KindOf(err) != identity.NotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		got, err := h.TakeSignIn(t.Context(), okta, st.Key)
		if err != nil {
			t.Fatal(err)
		}
		if life := got.ExpiresAt.Sub(got.CreatedAt); life != 10*time.Minute {
			t.Errorf("it lives %v", life)
		}
		got.CreatedAt, got.ExpiresAt = time.Time{}, time.Time{}
		if diff := cmp.Diff(st, got); diff != "" {
			t.Error(diff)
		}
		_, err = h.TakeSignIn(t.Context(), okta, st.Key)
		wantKind(t, err, identity.NotFound)
		st.ExpiresAt = ago(0)
		if err := h.SaveSignIn(t.Context(), st); err != nil {
			t.Fatal(err)
		}
		_, err = h.TakeSignIn(t.Context(), okta, st.Key)
		wantKind(t, err, identity.NotFound)
		st.BrowserHash = nil
		wantKind(t, h.SaveSignIn(t.Context(), st), identity.Invalid)
	})
}

func TestWhatWasUsedIsRefusedTheSecondTimeEvenAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta, entra := h.connection("Okta"), h.connection("Entra")
		var first atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				switch err := h.Remember(t.Context(), okta, "assertion-1", time.Now().Add(time.Hour)); {
				case err == nil:
					first.Add(1)
				case identity.KindOf(err) != identity.Conflict:
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if n := first.Load(); n != 1 {
			t.Errorf("%d of 8 were the first", n)
		}
		if err := h.Remember(t.Context(), entra, "assertion-1", time.Now().Add(time.Hour)); err != nil {
			t.Errorf("another connection's assertion of that name: %v", err)
		}
		wantKind(t, h.Remember(t.Context(), okta, "", time.Now()), identity.Invalid)
	})
}

func TestSweepingDeletesOnlyWhatIsPast(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.connection("Okta")
		for key, until := range map[string]time.Time{"old": ago(time.Second), "new": ago(-time.Hour)} {
			if err := h.Remember(t.Context(), okta, key, until); err != nil {
				t.Fatal(err)
			}
			st := identity.SignInState{Key: key, ConnectionID: okta, BrowserHash: []byte("b"), ExpiresAt: until}
			if err := h.SaveSignIn(t.Context(), st); err != nil {
				t.Fatal(err)
			}
		}
		cookie, _ := h.signIn(h.person(h.acme, "ada", "editor"))
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := h.Remember(t.Context(), okta, "old", ago(-time.Hour)); err != nil {
			t.Errorf("what is past is still there: %v", err)
		}
		wantKind(t, h.Remember(t.Context(), okta, "new", ago(-time.Hour)), identity.Conflict)
		if _, err := h.TakeSignIn(t.Context(), okta, "new"); err != nil {
			t.Errorf("a sign-in in progress is gone: %v", err)
		}
		if _, err := h.Session(t.Context(), cookie); err != nil {
			t.Errorf("a live session is gone: %v", err)
		}
	})
}

func TestNothingIsRememberedOfAConnectionThatIsGone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		gone := identity.NewID[identity.ConnectionID]()
		for _, err := range []error{
			h.SaveSignIn(t.Context(), identity.SignInState{ConnectionID: gone, Key: "state", BrowserHash: []byte("browser")}),
			h.Remember(t.Context(), gone, "assertion", time.Now().Add(time.Hour)),
		} {
			if identity.KindOf(err) != identity.NotFound || identity.CodeOf(err) != "connection.unknown" {
				t.Errorf("it said %v", err)
			}
		}
	})
}
