package authn_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestNewPasswordsAreMeasuredAndHashed(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	tests := []struct{ name, password, want string }{
		{"eleven characters are too few", "elevenchars", "11 characters; it needs at least 12"},
		{"twelve are enough", "twelve chars", ""},
		{"characters count, not bytes", "zwölf Stück ", ""},
		{"256 are possible", strings.Repeat("words that go on ", 16)[:256], ""},
		{"257 are too many", strings.Repeat("x", 257), "257 characters; it may have at most 256"},
		{"broken text is refused", "\xff\xfe twelve chars", "no valid text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			phc, err := h.HashPassword(t.Context(), tt.password)
			if tt.want != "" {
				wantKind(t, err, identity.Invalid)
				if !strings.Contains(message(err), tt.want) {
					t.Errorf("it says %q", message(err))
				}
				return
			}
			if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
				t.Errorf("%q %v", phc, err)
			}
		})
	}
	one, _ := h.HashPassword(t.Context(), right)
	two, _ := h.HashPassword(t.Context(), right)
	if one == two {
		t.Error("two hashes of one password are the same: no salt")
	}
}

func TestSomebodySignsInByAddressOrNameWithAPassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "Ada", "editor")
		h.password(ada)
		for _, name := range []string{"ada", "Ada", "ADA@example.com", " ada@EXAMPLE.com "} {
			u, _, err := h.CheckPassword(t.Context(), name, right, "203.0.113.9")
			if err != nil || u.ID != ada.ID || len(u.Roles) != 1 || u.Roles[0].ID != "editor" {
				t.Errorf("%q: %+v %v", name, u, err)
			}
		}
		if tr := h.traces(ada); len(tr) != 4 || !tr[0].OK || tr[0].TenantID != h.acme || tr[0].IP != "203.0.113.9" {
			t.Errorf("the traces are %+v", tr)
		}
	})
}

func TestEverybodyRefusedGetsTheSameAnswerAndTheLogTheReason(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.password(h.person(h.acme, "ada", "editor"))
		h.person(h.acme, "nopassword", "editor")
		disabled, robot, locked, roleless := h.person(h.acme, "disabled", "editor"), h.person(h.acme, "robot", "api_user"), h.person(h.acme, "locked", "editor"), h.person(h.acme, "roleless")
		deleted := h.person(h.acme, "deleted", "editor")
		now := ago(0)
		for _, u := range []identity.User{disabled, robot, locked, roleless, deleted} {
			h.password(u)
		}
		h.change(disabled, func(u *identity.User) { u.Enabled = false })
		h.change(locked, func(u *identity.User) { u.LockedAt = &now })
		h.change(deleted, func(u *identity.User) { u.DeletedAt = &now })
		tests := []struct{ name, who, password, cause string }{
			{"a stranger", "nobody@example.com", right, "nobody signs in"},
			{"somebody without a password", "nopassword", right, "nobody signs in"},
			{"a wrong password", "ada", "wrong horse battery", "password.wrong"},
			{"an empty password", "ada", "", "password.wrong"},
			{"an endless password", "ada", strings.Repeat("x", 1<<20), "password.wrong"},
			{"a deactivated user", "disabled", right, "user.inactive"},
			{"a deleted user", "deleted", right, "nobody signs in"},
			{"a locked user", "locked", right, "user.locked"},
			{"a program's user", "robot", right, "user.not_interactive"},
			{"a user without a role", "roleless", right, "user.no_role"},
			{"no name", "", right, "nobody signs in"},
			{"an endless name", strings.Repeat("a", 1<<20), right, "nobody signs in"},
			{"a name that no database stores", "ad\x00a\xff", right, "nobody signs in"},
			{"a name with a wildcard", "%", right, "nobody signs in"},
		}
		said := map[string]bool{}
		for _, tt := range tests {
			_, _, err := h.CheckPassword(t.Context(), tt.who, tt.password, "203.0.113.9")
			if identity.KindOf(err) != identity.Unauthenticated {
				t.Fatalf("%s: %v", tt.name, err)
			}
			if !strings.Contains(err.Error(), tt.cause) {
				t.Errorf("%s: the log gets %v", tt.name, err)
			}
			said[message(err)+identity.CodeOf(err)] = true
		}
		if len(said) != 1 {
			t.Errorf("the answers differ: %v", said)
		}
		if tr := h.traces(robot); len(tr) != 1 || tr[0].OK || tr[0].Code != "user.not_interactive" || len(tr[0].Checks) != 3 {
			t.Errorf("the trace is %+v", tr)
		}
	})
}

func TestAStrangerCostsAHashToo(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	best := func(work func() error, want identity.Kind) time.Duration {
		least := time.Hour
		for range 5 {
			began := time.Now()
			if err := work(); identity.KindOf(err) != want {
				t.Fatal(err)
			}
			least = min(least, time.Since(began))
		}
		return least
	}
	hash := best(func() error { _, err := h.HashPassword(t.Context(), right); return err }, identity.Internal)
	stranger := best(func() error { _, _, err := h.CheckPassword(t.Context(), "nobody", right, ""); return err }, identity.Unauthenticated)
	if stranger < hash/2 {
		t.Errorf("a stranger is refused in %v, a hash takes %v", stranger, hash)
	}
}

func TestTenWrongPasswordsMakeTheAccountWait(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "editor")
		h.password(ada)
		try := func(password string) error {
			_, _, err := h.CheckPassword(t.Context(), "ada", password, "203.0.113.9")
			return err
		}
		for i := range 9 {
			if err := try("wrong horse battery"); !strings.Contains(err.Error(), "password.wrong") {
				t.Fatalf("try %d: %v", i+1, err)
			}
		}
		if err := try(right); err != nil {
			t.Fatalf("nine wrong ones are not enough: %v", err)
		}
		for range 10 {
			wantKind(t, try("wrong horse battery"), identity.Unauthenticated)
		}
		if err := try(right); err == nil || !strings.Contains(err.Error(), "password.locked") {
			t.Fatalf("the right password after ten wrong ones: %v", err)
		}
		before := len(h.traces(ada))
		for range 3 {
			wantKind(t, try("wrong horse battery"), identity.Unauthenticated)
		}
		if n := len(h.traces(ada)); n != before {
			t.Errorf("tries while the account waits fill the traces: %d, then %d", before, n)
		}
		locked := h.events(ada, identity.PasswordLocked)
		if len(locked) != 1 || locked[0].TenantID != h.acme || locked[0].Changes[0].After != "203.0.113.9" {
			t.Errorf("the events are %+v", locked)
		}
		h.backdate(ada, 15*time.Minute+time.Second)
		if err := try("wrong horse battery"); !strings.Contains(err.Error(), "password.wrong") {
			t.Errorf("after the wait a new count begins: %v", err)
		}
		if err := try(right); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}

// backdate makes the last wrong password, and a wait, older, with the same count.
func (h *house) backdate(u identity.User, by time.Duration) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		c, err := tx.Credential(h.t.Context(), u.ID)
		if err != nil {
			return err
		}
		if err := tx.ClearPasswordFailures(h.t.Context(), u.ID); err != nil {
			return err
		}
		for range c.Failures {
			if _, err := tx.RecordPasswordFailure(h.t.Context(), u.ID, c.LastFailedAt.Add(-by)); err != nil {
				return err
			}
		}
		if c.LockedUntil != nil {
			return tx.LockPassword(h.t.Context(), u.ID, c.LockedUntil.Add(-by))
		}
		return nil
	})
}

func TestParallelWrongPasswordsAreAllCounted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "editor")
		h.password(ada)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if _, _, err := h.CheckPassword(t.Context(), "ada", "wrong horse battery", ""); identity.KindOf(err) != identity.Unauthenticated {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if _, _, err := h.CheckPassword(t.Context(), "ada", right, ""); err == nil || !strings.Contains(err.Error(), "password.locked") {
			t.Errorf("after 16 wrong ones at once: %v", err)
		}
		if n := len(h.events(ada, identity.PasswordLocked)); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

func TestWhoMaySetWhosePassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		root, admin, ada := h.person("", "root", "superadmin"), h.person(h.acme, "admin", "administrator"), h.person(h.acme, "ada", "editor")
		other := h.person(h.umbr, "other", "editor")
		phc, err := h.HashPassword(t.Context(), right)
		if err != nil {
			t.Fatal(err)
		}
		tests := []struct {
			name string
			by   identity.Actor
			whom identity.User
			want identity.Kind // Internal: allowed
		}{
			{"oneself", h.as(ada), ada, 0},
			{"an administrator, somebody of the tenant", h.as(admin), ada, 0},
			{"an administrator, somebody elsewhere", h.as(admin), other, identity.NotFound},
			{"an administrator, a super admin", h.as(admin), root, identity.NotFound},
			{"an editor, a colleague", h.as(ada), admin, identity.Forbidden},
			{"a super admin, anybody", h.as(root), other, 0},
			{"the operator, anybody", identity.Operator(), root, 0},
			{"a directory, nobody", identity.Actor{Kind: identity.ActorDirectory, TenantID: h.acme}, ada, identity.Forbidden},
			{"nobody in particular", identity.Actor{}, ada, identity.Forbidden},
		}
		for _, tt := range tests {
			err := h.SetPassword(t.Context(), tt.by, tt.whom.ID, phc)
			if tt.want == 0 && err != nil || tt.want != 0 && identity.KindOf(err) != tt.want {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if e := h.events(other, identity.PasswordSet); len(e) != 1 || e[0].ActorID != string(root.ID) {
			t.Errorf("the events are %+v", e)
		}
		wantKind(t, h.SetPassword(t.Context(), identity.Operator(), ada.ID, right), identity.Invalid)
		wantKind(t, h.SetPassword(t.Context(), identity.Operator(), "no-id", phc), identity.NotFound)
	})
}

func TestSomebodyElsesNewPasswordEndsTheSessionsAndTheWait(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "editor")
		h.password(ada)
		cookie, _ := h.signIn(ada)
		for range 10 {
			_, _, err := h.CheckPassword(t.Context(), "ada", "wrong horse battery", "")
			wantKind(t, err, identity.Unauthenticated)
		}
		h.password(ada)
		if _, _, err := h.CheckPassword(t.Context(), "ada", right, ""); err != nil {
			t.Errorf("the account still waits: %v", err)
		}
		_, err := h.Session(t.Context(), cookie)
		wantKind(t, err, identity.Unauthenticated)
	})
}

func TestANameBelongsToWhoSignedInWithItFirst(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first, second := h.person(h.acme, "ada", "editor"), h.person(h.umbr, "ada", "editor")
		h.password(first)
		phc, err := h.HashPassword(t.Context(), "another long password")
		if err != nil {
			t.Fatal(err)
		}
		wantKind(t, h.SetPassword(t.Context(), identity.Operator(), second.ID, phc), identity.Conflict)
		if u, _, err := h.CheckPassword(t.Context(), "ada", right, ""); err != nil || u.ID != first.ID {
			t.Errorf("%v %v", u.ID, err)
		}
		_, _, err = h.CheckPassword(t.Context(), "ada", "another long password", "")
		wantKind(t, err, identity.Unauthenticated)
	})
}
