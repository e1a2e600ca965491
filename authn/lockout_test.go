package authn_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

const wrong = "Wrong horse 7 battery"

// status is what a list shows.
func (h *house) status(u identity.User) identity.Status {
	h.t.Helper()
	var now identity.User
	h.update(func(tx *store.Tx) error {
		var err error
		if now, err = tx.User(h.t.Context(), store.Everything(), u.ID); err != nil {
			return err
		}
		until, err := tx.LockedUntil(h.t.Context(), []identity.UserID{u.ID})
		if at, ok := until[u.ID]; ok {
			now.LockedUntil = &at
		}
		return err
	})
	return now.Status()
}

// with counts who has a status, as a list that is narrowed to it does.
func (h *house) with(status identity.Status) int {
	h.t.Helper()
	var page identity.Page[identity.User]
	h.update(func(tx *store.Tx) (err error) {
		page, err = tx.Users(h.t.Context(), store.Everything(), identity.Query{Status: status, Limit: 10})
		return err
	})
	return len(page.Items)
}

func TestAnAccountIsLockedUntilAnAdministratorUnlocksIt(t *testing.T) {
	for row, p := range map[string]struct{ preset, admin, plain string }{
		"FSM-65": {"fentu-fsm", "administrator", "dispatcher"}, "FOS-32": {"fintechos", "user_management", "auditor"},
	} {
		t.Run(row+" after five wrong passwords the right one is refused with the same words", func(t *testing.T) {
			on(t, p.preset, func(t *testing.T, h *house) {
				admin, ada := h.person(h.acme, "admin", identity.RoleID(p.admin)), h.person(h.acme, "ada", identity.RoleID(p.plain))
				h.set(ada, strong)
				_, cookie := h.in(ada, strong)
				var said error
				for range 5 {
					_, _, said = h.try(ada, wrong)
					wantKind(t, said, identity.Unauthenticated)
				}
				_, _, err := h.try(ada, strong)
				wantKind(t, err, identity.Unauthenticated)
				if message(err) != message(said) || !strings.Contains(err.Error(), "user.locked") {
					t.Errorf("the right one: %v; a wrong one: %v", err, said)
				}
				if s := h.status(ada); s != identity.StatusLocked || h.with(identity.StatusLocked) != 1 || h.with(identity.StatusActive) != 0 {
					t.Errorf("the status is %s, %d are locked", s, h.with(identity.StatusLocked))
				}
				_, err = h.Session(t.Context(), cookie)
				wantKind(t, err, identity.Unauthenticated)
				n := len(h.traces(ada))
				if _, _, err = h.try(ada, wrong); len(h.traces(ada)) != n {
					t.Errorf("wrong ones fill the traces: %v", err)
				}
				e := h.events(ada, identity.UserLocked)
				if len(e) != 1 || e[0].ActorKind != identity.ActorSystem || e[0].Changes[0].After != "203.0.113.9" || e[0].Reason != "5 wrong passwords in a row" {
					t.Errorf("the events are %+v", e)
				}
				h.unlocks(t, admin, ada, identity.RoleID(p.admin), identity.RoleID(p.plain))
			})
		})
	}
}

// unlocks is the second half: who may, and what it does.
func (h *house) unlocks(t *testing.T, admin, ada identity.User, role, plain identity.RoleID) {
	t.Helper()
	t.Run("FSM-37 FOS-33 an administrator takes the lock and the count away", func(t *testing.T) {
		wantKind(t, h.Unlock(t.Context(), by(h.person(h.acme, "bob", plain), plain), ada.ID, ""), identity.Forbidden)
		wantKind(t, h.Unlock(t.Context(), by(h.person(h.umbr, "eve", role), role), ada.ID, ""), identity.NotFound)
		wantCode(t, h.Unlock(t.Context(), by(ada, role), ada.ID, ""), identity.Forbidden, "self")
		for range 2 {
			if err := h.Unlock(t.Context(), by(admin, role), ada.ID, "she called"); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 { // the count began anew
			_, _, err := h.try(ada, wrong)
			wantKind(t, err, identity.Unauthenticated)
		}
		h.in(ada, strong)
		e := h.events(ada, identity.UserUnlocked)
		if len(e) != 1 || e[0].ActorID != string(admin.ID) || e[0].Reason != "she called" || e[0].Changes[0].Field != "locked" || e[0].Changes[0].Before == nil {
			t.Errorf("the events are %+v", e)
		}
		if s := h.status(ada); s != identity.StatusActive {
			t.Errorf("the status is %s", s)
		}
	})
}

func TestAResetCanUnlockToo(t *testing.T) {
	t.Run("FSM-07 a new password alone leaves the lock, with unlock it goes", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada := h.person(h.acme, "ada", "dispatcher")
			h.set(ada, strong)
			for range 5 {
				_, _, err := h.try(ada, wrong)
				wantKind(t, err, identity.Unauthenticated)
			}
			password, err := h.ResetPassword(t.Context(), identity.Operator(), ada.ID, authn.GivenPassword{})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = h.try(ada, password)
			wantKind(t, err, identity.Unauthenticated)
			if password, err = h.ResetPassword(t.Context(), identity.Operator(), ada.ID, authn.GivenPassword{Unlock: true, Reason: "she called"}); err != nil {
				t.Fatal(err)
			}
			if v, _ := h.in(ada, password); v.Must != authn.MustChangePassword {
				t.Errorf("to do first: %q", v.Must)
			}
			if e := h.events(ada, identity.UserUnlocked); len(e) != 1 || e[0].Reason != "she called" {
				t.Errorf("the events are %+v", e)
			}
		})
	})
}

func TestALockCanEndByItself(t *testing.T) {
	t.Run("FSM-41 FSM-44 with a duration the status says so until it is over", func(t *testing.T) {
		each(t, func(t *testing.T, h *house) {
			ada := h.person(h.acme, "ada", "editor")
			h.password(ada)
			h.in(ada, right)
			for range 10 {
				_, _, err := h.try(ada, wrong)
				wantKind(t, err, identity.Unauthenticated)
			}
			if s := h.status(ada); s != identity.StatusLocked || h.with(identity.StatusLocked) != 1 || h.with(identity.StatusActive) != 0 {
				t.Errorf("the status is %s", s)
			}
			h.backdate(ada, 15*time.Minute)
			if s := h.status(ada); s != identity.StatusActive || h.with(identity.StatusLocked) != 0 || h.with(identity.StatusActive) != 1 {
				t.Errorf("after the wait it is %s", s)
			}
			h.in(ada, right)
			for range 10 {
				_, _, err := h.try(ada, wrong)
				wantKind(t, err, identity.Unauthenticated)
			}
			if err := h.Unlock(t.Context(), identity.Operator(), ada.ID, ""); err != nil {
				t.Fatal(err)
			}
			h.in(ada, right)
			if e := h.events(ada, identity.UserUnlocked); len(e) != 1 || e[0].Changes[0].Field != "until" {
				t.Errorf("the events are %+v", e)
			}
		})
	})
	t.Run("FSM-44 a wrong password is forgotten after the window", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada := h.person(h.acme, "ada", "dispatcher")
			h.set(ada, strong)
			for range 4 {
				_, _, err := h.try(ada, wrong)
				wantKind(t, err, identity.Unauthenticated)
			}
			h.backdate(ada, 24*time.Hour)
			for range 4 {
				_, _, err := h.try(ada, wrong)
				wantKind(t, err, identity.Unauthenticated)
			}
			h.in(ada, strong)
		})
	})
}

func TestTheStatusIsDerived(t *testing.T) {
	on(t, "fentu-fsm", func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "dispatcher")
		t.Run("FSM-42 who never came in is pending", func(t *testing.T) {
			if s := h.status(ada); s != identity.StatusPending || h.with(identity.StatusPending) != 1 {
				t.Errorf("the status is %s", s)
			}
		})
		t.Run("FSM-39 who came in is active", func(t *testing.T) {
			h.set(ada, strong)
			h.in(ada, strong)
			if s := h.status(ada); s != identity.StatusActive || h.with(identity.StatusActive) != 1 {
				t.Errorf("the status is %s", s)
			}
		})
		t.Run("FSM-40 who is disabled is inactive, cannot come in, and comes back", func(t *testing.T) {
			h.change(ada, func(u *identity.User) { u.Enabled = false })
			_, _, err := h.try(ada, strong)
			wantKind(t, err, identity.Unauthenticated)
			if s := h.status(ada); s != identity.StatusInactive || h.with(identity.StatusInactive) != 1 {
				t.Errorf("the status is %s", s)
			}
			h.change(ada, func(u *identity.User) { u.Enabled = true })
			h.in(ada, strong)
			if s := h.status(ada); s != identity.StatusActive {
				t.Errorf("after coming back it is %s", s)
			}
		})
	})
}
