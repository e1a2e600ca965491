package authn_test

import (
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// eventsOfTenant returns the newest events of a type in a tenant.
func (h *house) eventsOfTenant(id identity.TenantID, kind identity.EventType) []identity.Event {
	h.t.Helper()
	var page identity.Page[identity.Event]
	h.update(func(tx *store.Tx) (err error) {
		page, err = tx.Events(h.t.Context(), store.OfTenant(id), store.EventQuery{Type: kind, Limit: 100})
		return err
	})
	return page.Items
}

// session writes one of somebody that began and was last used some time ago.
func (h *house) session(u identity.User, created, seen time.Duration, ip, browser string) string {
	h.t.Helper()
	cookie := identity.NewSecret("")
	s := identity.Session{
		ID: identity.NewID[identity.SessionID](), UserID: u.ID, IP: ip, UserAgent: browser, CreatedAt: ago(created), LastSeenAt: ago(seen), ExpiresAt: ago(created - 24*time.Hour),
	}
	h.update(func(tx *store.Tx) error { return tx.InsertSession(h.t.Context(), s, identity.HashSecret(cookie), "") })
	return cookie
}

func TestATenantSaysHowLongItsSessionsLive(t *testing.T) {
	t.Run("FSM-43 unused and in all, on the server, also for those that were begun", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada, eve := h.person(h.acme, "ada", "dispatcher"), h.person(h.umbr, "eve", "dispatcher")
			live := func(cookie string) bool { _, err := h.Session(t.Context(), cookie); return err == nil }
			if c := h.session(ada, time.Hour, 29*time.Minute, "", ""); !live(c) {
				t.Error("the model lets sessions be unused for 30 minutes")
			}
			if c := h.session(ada, time.Hour, 30*time.Minute, "", ""); live(c) {
				t.Error("unused for 30 minutes, and still live")
			}
			if c := h.session(ada, 12*time.Hour, 0, "", ""); live(c) {
				t.Error("twelve hours old, and still live")
			}
			old, idle, other := h.session(ada, 5*time.Hour, 0, "", ""), h.session(ada, time.Hour, 10*time.Minute, "", ""), h.session(eve, 5*time.Hour, 10*time.Minute, "", "")
			set, err := h.LimitTenantSessions(t.Context(), identity.Operator(), h.acme, authn.SessionRules{Idle: 10 * time.Minute, Age: 5 * time.Hour})
			if err != nil || set.SessionIdle != 10*time.Minute {
				t.Fatalf("%+v, %v", set, err)
			}
			if live(old) || live(idle) || !live(other) {
				t.Errorf("at its age %v, unused %v, of another tenant %v", live(old), live(idle), live(other))
			}
			_, session := h.signIn(ada)
			if left := time.Until(session.ExpiresAt); left > 5*time.Hour || left < 5*time.Hour-time.Minute {
				t.Errorf("a new session lives %v", left)
			}
			list, err := h.Sessions(t.Context(), identity.Operator(), ada.ID)
			if err != nil || len(list) != 2 || list[0].EndsBy != identity.EndsIdle || time.Until(list[0].EndsAt) > 10*time.Minute {
				t.Errorf("the list is %+v, %v", list, err)
			}
		})
	})
	t.Run("FSM-43 its own administrators can only make them shorter", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			admin, eve, ada := h.person(h.acme, "admin", "administrator"), h.person(h.umbr, "eve", "administrator"), h.person(h.acme, "ada", "dispatcher")
			limit := func(by identity.Actor, r authn.SessionRules) error {
				_, err := h.LimitTenantSessions(t.Context(), by, h.acme, r)
				return err
			}
			wantKind(t, limit(by(ada, "dispatcher"), authn.SessionRules{}), identity.Forbidden)
			wantKind(t, limit(by(eve, "administrator"), authn.SessionRules{}), identity.NotFound)
			wantKind(t, limit(by(admin, "administrator"), authn.SessionRules{Idle: time.Hour}), identity.Invalid)
			wantKind(t, limit(by(admin, "administrator"), authn.SessionRules{Age: 13 * time.Hour}), identity.Invalid)
			wantKind(t, limit(identity.Operator(), authn.SessionRules{Idle: time.Second}), identity.Invalid)
			wantKind(t, limit(identity.Operator(), authn.SessionRules{Age: 100 * 24 * time.Hour}), identity.Invalid)
			wantKind(t, limit(identity.Operator(), authn.SessionRules{Most: 101}), identity.Invalid)
			for range 2 {
				if err := limit(by(admin, "administrator"), authn.SessionRules{Idle: 5 * time.Minute, Age: time.Hour, Most: 2}); err != nil {
					t.Fatal(err)
				}
			}
			e := h.eventsOfTenant(h.acme, identity.TenantUpdated)
			if len(e) != 1 || e[0].ActorID != string(admin.ID) || len(e[0].Changes) != 3 || e[0].Changes[0].After != "5m0s" {
				t.Errorf("the events are %+v", e)
			}
			if err := limit(identity.Operator(), authn.SessionRules{Idle: 2 * time.Hour}); err != nil {
				t.Errorf("the operator may make them longer: %v", err)
			}
		})
	})
}

func TestAccountsThatSeveralPeopleUseAreFoundAndBounded(t *testing.T) {
	t.Run("FSM-64 one more session than allowed ends the oldest", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada := h.person(h.acme, "ada", "dispatcher")
			if _, err := h.LimitTenantSessions(t.Context(), identity.Operator(), h.acme, authn.SessionRules{Most: 2}); err != nil {
				t.Fatal(err)
			}
			first, _ := h.signIn(ada)
			second, _ := h.signIn(ada)
			third, _ := h.signIn(ada)
			for cookie, want := range map[string]bool{first: false, second: true, third: true} {
				if _, err := h.Session(t.Context(), cookie); (err == nil) != want {
					t.Errorf("live: %v, want %v", err == nil, want)
				}
			}
			if e := h.events(ada, identity.SessionEnded); len(e) != 1 || e[0].Reason != "too many sessions" {
				t.Errorf("the events are %+v", e)
			}
		})
	})
	t.Run("FSM-64 a report says who has several, from how many places", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			admin, shared, two, one := h.person(h.acme, "admin", "administrator"), h.person(h.acme, "shared", "dispatcher"), h.person(h.acme, "two", "dispatcher"), h.person(h.acme, "one", "dispatcher")
			elsewhere := h.person(h.umbr, "elsewhere", "dispatcher")
			for _, s := range []struct {
				u           identity.User
				ip, browser string
			}{
				{shared, "203.0.113.1", "Firefox"},
				{shared, "203.0.113.2", "Firefox"},
				{shared, "203.0.113.3", "Safari"},
				{two, "203.0.113.1", "Firefox"},
				{two, "203.0.113.1", "Firefox"},
				{one, "203.0.113.1", "Firefox"},
				{elsewhere, "203.0.113.1", "Firefox"},
				{elsewhere, "203.0.113.2", "Firefox"},
			} {
				h.session(s.u, time.Minute, 0, s.ip, s.browser)
			}
			h.session(one, time.Hour, 31*time.Minute, "203.0.113.9", "unused")
			list, err := h.SharedLogins(t.Context(), by(admin, "administrator"), "", 2)
			if err != nil || len(list) != 2 {
				t.Fatalf("%+v, %v", list, err)
			}
			if s := list[0]; s.User.ID != shared.ID || s.Sessions != 3 || s.Addresses != 3 || s.Browsers != 2 || time.Since(s.LastSeenAt) > time.Minute {
				t.Errorf("the first is %+v", s)
			}
			if s := list[1]; s.User.ID != two.ID || s.Sessions != 2 || s.Addresses != 1 || s.Browsers != 1 {
				t.Errorf("the second is %+v", s)
			}
			if all, err := h.SharedLogins(t.Context(), identity.Operator(), "", 2); err != nil || len(all) != 3 {
				t.Errorf("the operator sees %+v, %v", all, err)
			}
			_, err = h.SharedLogins(t.Context(), by(admin, "administrator"), h.umbr, 2)
			wantKind(t, err, identity.NotFound)
			_, err = h.SharedLogins(t.Context(), by(two, "dispatcher"), "", 2)
			wantKind(t, err, identity.Forbidden)
			_, err = h.SharedLogins(t.Context(), identity.Operator(), "", 1)
			wantKind(t, err, identity.Invalid)
		})
	})
}
