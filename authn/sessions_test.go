package authn_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/google/go-cmp/cmp"
)

func TestASessionSaysWhoIsThere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "editor")
		cookie, session, err := h.StartSession(t.Context(), ada, identity.Session{IP: "203.0.113.9", UserAgent: "Mozilla\x00\xff " + strings.Repeat("x", 1000)}, "")
		if err != nil {
			t.Fatal(err)
		}
		visit, err := h.Session(t.Context(), cookie)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(session, visit.Session); diff != "" {
			t.Errorf("what was started is not what is found: %s", diff)
		}
		want := identity.Actor{Kind: identity.ActorUser, ID: string(ada.ID), Label: "Ada", TenantID: h.acme, Roles: []identity.RoleID{"editor"}, Door: "console"}
		if diff := cmp.Diff(want, visit.Actor); diff != "" {
			t.Error(diff)
		}
		if visit.User.ID != ada.ID || visit.User.LastLoginAt == nil || visit.User.Status() != identity.StatusActive || visit.User.Roles[0].Title != "Editor" {
			t.Errorf("the user is %+v", visit.User)
		}
		if got := session.ExpiresAt.Sub(session.CreatedAt); got != 24*time.Hour || len([]rune(session.UserAgent)) != 300 {
			t.Errorf("it lasts %v, the browser is %q", got, session.UserAgent)
		}
		started := h.events(ada, identity.SessionStarted)
		if len(started) != 1 || started[0].ObjectID != string(session.ID) || started[0].ActorID != string(ada.ID) || started[0].TenantID != h.acme {
			t.Errorf("the events are %+v", started)
		}
	})
}

func TestOnlyTheCookieItselfOpensASession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		cookie, session := h.signIn(h.person(h.acme, "ada", "editor"))
		for _, wrong := range []string{"", "x", string(session.ID), identity.NewSecret(""), cookie[:42], cookie + "A", strings.ToUpper(cookie), string(identity.HashSecret(cookie))} {
			_, err := h.Session(t.Context(), wrong)
			if identity.KindOf(err) != identity.Unauthenticated {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		if _, err := h.Session(t.Context(), cookie); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatHappensToAUserHoldsAtTheNextRequest(t *testing.T) {
	now := ago(0)
	tests := []struct {
		name, cause string
		change      func(h *house, u identity.User)
	}{
		{"deactivated", "user.inactive", func(h *house, u identity.User) { h.change(u, func(u *identity.User) { u.Enabled = false }) }},
		{"locked", "user.locked", func(h *house, u identity.User) { h.change(u, func(u *identity.User) { u.LockedAt = &now }) }},
		{"deleted", "its user is deleted", func(h *house, u identity.User) { h.change(u, func(u *identity.User) { u.DeletedAt = &now }) }},
		{"left without a role", "user.no_role", func(h *house, u identity.User) { h.take(u, "viewer") }},
		{"made a program", "user.not_interactive", func(h *house, u identity.User) { h.take(u, "viewer"); h.give(u, "api_user") }},
	}
	each(t, func(t *testing.T, h *house) {
		for _, tt := range tests {
			u := h.person(h.acme, strings.Fields(tt.name)[0], "viewer")
			cookie, _ := h.signIn(u)
			tt.change(h, u)
			_, err := h.Session(t.Context(), cookie)
			if identity.KindOf(err) != identity.Unauthenticated || !strings.Contains(err.Error(), tt.cause) {
				t.Errorf("%s: %v", tt.name, err)
			}
			if _, _, err := h.StartSession(t.Context(), u, identity.Session{}, ""); identity.KindOf(err) != identity.Forbidden {
				t.Errorf("%s: a new session: %v", tt.name, err)
			}
		}
		ada := h.person(h.acme, "ada", "viewer")
		cookie, _ := h.signIn(ada)
		h.take(ada, "viewer")
		h.give(ada, "administrator")
		h.change(ada, func(u *identity.User) { u.TenantID = h.umbr })
		visit, err := h.Session(t.Context(), cookie)
		if err != nil || visit.Actor.TenantID != h.umbr || len(visit.Actor.Roles) != 1 || visit.Actor.Roles[0] != "administrator" {
			t.Errorf("after being placed: %+v %v", visit.Actor, err)
		}
	})
}

func TestSessionsEndWithTheirTimes(t *testing.T) {
	tests := []struct {
		name              string
		created, lastSeen time.Duration // ago
		left              time.Duration
		want              string
	}{
		{"fresh", 0, 0, time.Hour, ""},
		{"unused for just under eight hours", 10 * time.Hour, 8*time.Hour - time.Minute, time.Hour, ""},
		{"unused for eight hours", 10 * time.Hour, 8 * time.Hour, time.Hour, "unused since"},
		{"at its end", 24 * time.Hour, time.Minute, 0, "it ended at"},
		{"past its end", 25 * time.Hour, time.Minute, -time.Hour, "it ended at"},
	}
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "editor")
		for _, tt := range tests {
			cookie := identity.NewSecret("")
			s := identity.Session{
				ID: identity.NewID[identity.SessionID](), UserID: ada.ID, CreatedAt: ago(tt.created), LastSeenAt: ago(tt.lastSeen), ExpiresAt: ago(-tt.left),
			}
			h.update(func(tx *store.Tx) error { return tx.InsertSession(t.Context(), s, identity.HashSecret(cookie), "") })
			_, err := h.Session(t.Context(), cookie)
			if (err == nil) != (tt.want == "") || err != nil && (identity.KindOf(err) != identity.Unauthenticated || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		live, err := h.Sessions(t.Context(), identity.Operator(), ada.ID)
		if err != nil || len(live) != 2 {
			t.Errorf("%d sessions are shown as live, want 2 (%v)", len(live), err)
		}
	})
}

func TestAProvidersOwnLimitIsKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "editor")
		for _, tt := range []struct{ limit, want time.Duration }{{time.Hour, time.Hour}, {48 * time.Hour, 24 * time.Hour}} {
			_, session, err := h.StartSession(t.Context(), ada, identity.Session{ExpiresAt: time.Now().Add(tt.limit)}, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := session.ExpiresAt.Sub(session.CreatedAt).Round(time.Minute); got != tt.want {
				t.Errorf("a limit of %v gives %v", tt.limit, got)
			}
		}
		_, _, err := h.StartSession(t.Context(), ada, identity.Session{ExpiresAt: ago(time.Second)}, "")
		wantKind(t, err, identity.Unauthenticated)
	})
}

// pass lets time go by, in no time inside a bubble.
func pass(d time.Duration) { <-time.After(d) }

func TestADayPassesOnARealDatabase(t *testing.T) {
	storetest.SQLite(t) // makes the template outside the bubble
	synctest.Test(t, func(t *testing.T) {
		h := build(t, storetest.SQLite(t))
		ada := h.person(h.acme, "ada", "editor")
		cookie, first := h.signIn(ada)
		for range 3 {
			pass(7*time.Hour + 59*time.Minute)
			visit, err := h.Session(t.Context(), cookie)
			if err != nil {
				t.Fatalf("after %v: %v", time.Since(first.CreatedAt), err)
			}
			if !visit.Session.LastSeenAt.Equal(time.Now().UTC().Truncate(time.Microsecond)) {
				t.Errorf("last seen at %v", visit.Session.LastSeenAt)
			}
			pass(50 * time.Second)
			if again, err := h.Session(t.Context(), cookie); err != nil || !again.Session.LastSeenAt.Equal(visit.Session.LastSeenAt) {
				t.Errorf("every request is written down: %v %v", again.Session.LastSeenAt, err)
			}
		}
		pass(time.Minute)
		_, err := h.Session(t.Context(), cookie)
		wantKind(t, err, identity.Unauthenticated)
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		err = h.db.View(t.Context(), func(tx *store.Tx) error { _, err := tx.Session(t.Context(), first.ID); return err })
		wantKind(t, err, identity.NotFound)
	})
}

func TestWhoMaySeeAndEndWhoseSessions(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		root, admin, ada := h.person("", "root", "superadmin"), h.person(h.acme, "admin", "administrator"), h.person(h.acme, "ada", "editor")
		peer, other := h.person(h.acme, "peer", "viewer"), h.person(h.umbr, "other", "administrator")
		tests := []struct {
			name string
			by   identity.Actor
			want identity.Kind // Internal: allowed
		}{
			{"oneself", h.as(ada), 0},
			{"the administrator", h.as(admin), 0},
			{"a super admin", h.as(root), 0},
			{"the operator", identity.Operator(), 0},
			{"a colleague", h.as(peer), identity.Forbidden},
			{"another tenant's administrator", h.as(other), identity.NotFound},
			{"a directory", identity.Actor{Kind: identity.ActorDirectory, TenantID: h.acme}, identity.Forbidden},
		}
		for _, tt := range tests {
			cookie, session := h.signIn(ada)
			_, seen := h.Sessions(t.Context(), tt.by, ada.ID)
			err := h.EndSession(t.Context(), tt.by, session.ID)
			_, still := h.Session(t.Context(), cookie)
			if tt.want == 0 {
				if seen != nil || err != nil || identity.KindOf(still) != identity.Unauthenticated {
					t.Errorf("%s: seen %v, ended %v, then %v", tt.name, seen, err, still)
				}
				continue
			}
			if identity.KindOf(seen) != tt.want || identity.KindOf(err) != tt.want || still != nil {
				t.Errorf("%s: seen %v, ended %v, then %v", tt.name, seen, err, still)
			}
		}
		if e := h.events(ada, identity.SessionEnded); len(e) != 4 || e[0].ActorKind != identity.ActorOperator || e[1].ActorID != string(root.ID) {
			t.Errorf("the events are %+v", e)
		}
		wantKind(t, h.EndSession(t.Context(), identity.Operator(), "no-id"), identity.NotFound)
		wantKind(t, h.EndSession(t.Context(), identity.Operator(), identity.NewID[identity.SessionID]()), identity.NotFound)
	})
}

func TestAllSessionsButThisOneEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada, peer := h.person(h.acme, "ada", "editor"), h.person(h.acme, "peer", "editor")
		keep, session := h.signIn(ada)
		lost, _ := h.signIn(ada)
		foreign, _ := h.signIn(peer)
		visit, err := h.Session(t.Context(), keep)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := h.EndSessions(t.Context(), visit.Actor, ada.ID, session.ID); err != nil || n != 1 {
			t.Fatalf("%d %v", n, err)
		}
		for cookie, in := range map[string]bool{keep: true, lost: false, foreign: true} {
			if _, err := h.Session(t.Context(), cookie); (err == nil) != in {
				t.Errorf("want in %v, got %v", in, err)
			}
		}
		if n, err := h.EndSessions(t.Context(), identity.Operator(), ada.ID, ""); err != nil || n != 1 {
			t.Errorf("%d %v", n, err)
		}
		if e := h.events(ada, identity.SessionEnded); len(e) != 2 {
			t.Errorf("%d events", len(e))
		}
		_, err = h.EndSessions(t.Context(), visit.Actor, ada.ID, "nonsense")
		wantKind(t, err, identity.Invalid)
	})
}

func TestAListSaysWhenASessionEndsAndWhy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "editor")
		soon := ago(-time.Hour)
		for _, tt := range []struct {
			name    string
			age     time.Duration
			session identity.Session
			want    time.Duration
			by      identity.SessionLimit
		}{
			{"unused", 24 * time.Hour, identity.Session{}, 8 * time.Hour, identity.EndsIdle},
			{"as old as sessions get", 2 * time.Hour, identity.Session{}, 2 * time.Hour, identity.EndsAge},
			{"the provider's own limit", 24 * time.Hour, identity.Session{ExpiresAt: soon, Upstream: identity.Upstream{Ends: &soon}}, time.Hour, identity.EndsProvider},
			{"a provider's limit that is later than ours", 30 * time.Minute, identity.Session{ExpiresAt: soon, Upstream: identity.Upstream{Ends: &soon}}, 30 * time.Minute, identity.EndsAge},
		} {
			h.LimitSessions(0, tt.age)
			if _, _, err := h.StartSession(t.Context(), ada, tt.session, ""); err != nil {
				t.Fatal(err)
			}
			live, err := h.Sessions(t.Context(), identity.Operator(), ada.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got := live[0]; got.ConnectionName != "" || got.EndsBy != tt.by || time.Until(got.EndsAt).Round(time.Minute) != tt.want {
				t.Errorf("%s: it ends in %v by %s", tt.name, time.Until(got.EndsAt).Round(time.Minute), got.EndsBy)
			}
		}
	})
}

func TestTheInstallationLimitsSessions(t *testing.T) {
	storetest.SQLite(t) // makes the template outside the bubble
	synctest.Test(t, func(t *testing.T) {
		h := build(t, storetest.SQLite(t))
		h.LimitSessions(30*time.Minute, 2*time.Hour)
		ada := h.person(h.acme, "ada", "editor")
		idle, _ := h.signIn(ada)
		used, first := h.signIn(ada)
		for range 4 {
			pass(29 * time.Minute)
			if _, err := h.Session(t.Context(), used); err != nil {
				t.Fatalf("after %v: %v", time.Since(first.CreatedAt), err)
			}
		}
		_, err := h.Session(t.Context(), idle)
		wantKind(t, err, identity.Unauthenticated)
		pass(5 * time.Minute)
		_, err = h.Session(t.Context(), used)
		wantKind(t, err, identity.Unauthenticated)
		if live, err := h.Sessions(t.Context(), identity.Operator(), ada.ID); err != nil || len(live) != 0 {
			t.Errorf("%d sessions are shown as live (%v)", len(live), err)
		}
	})
}

func TestALogOutAtAProviderWorksOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada, connection := h.person(h.acme, "ada", "editor"), h.connection("Okta")
		begin := func(subject, index string) string {
			t.Helper()
			cookie, _, err := h.StartSession(t.Context(), ada, identity.Session{ConnectionID: connection, Issuer: "https://idp", Subject: subject, SessionIndex: index}, "")
			if err != nil {
				t.Fatal(err)
			}
			return cookie
		}
		end := func(key, subject, index string) (int, error) {
			ended, err := h.EndUpstreamSessionsOnce(t.Context(), identity.System(), connection, key, time.Now().Add(time.Hour), "https://idp", subject, index)
			return len(ended), err
		}
		one, two, untold, other := begin("a", "1"), begin("a", "2"), begin("a", ""), begin("b", "3")
		if n, err := end("k1", "a", "1"); n != 2 || err != nil {
			t.Errorf("%d ended (%v), want the named one and the one that has no name", n, err)
		}
		if n, err := end("k1", "a", ""); n != 0 || identity.KindOf(err) != identity.Conflict {
			t.Errorf("a second time %d ended (%v)", n, err)
		}
		if _, err := end("k2", "", ""); identity.KindOf(err) != identity.Invalid {
			t.Errorf("nobody is named: %v", err)
		}
		if n, err := end("k2", "", "3"); n != 1 || err != nil {
			t.Errorf("what failed was used: %d (%v)", n, err)
		}
		for cookie, in := range map[string]bool{one: false, untold: false, two: true, other: false} {
			if _, err := h.Session(t.Context(), cookie); (err == nil) != in {
				t.Errorf("in %v, want %v", err == nil, in)
			}
		}
		if _, err := h.EndUpstreamSessionsOnce(t.Context(), identity.System(), "x", "k", time.Now(), "i", "s", ""); identity.KindOf(err) != identity.Invalid {
			t.Errorf("no connection: %v", err)
		}
	})
}

func TestNobodySignsInBeforeTheStartOrPastTheEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		before, after := time.Now().UTC().Add(-time.Minute), time.Now().UTC().Add(time.Minute)
		for name, tt := range map[string]struct {
			terms identity.Terms
			out   bool
		}{
			"early": {identity.Terms{StartsAt: &after}, true},
			"gone":  {identity.Terms{EndsAt: &before, Started: true}, true}, // the job has not run yet
			"here":  {identity.Terms{StartsAt: &before, EndsAt: &after, Started: true}, false},
			"kept":  {identity.Terms{EndsAt: &before, Started: true, KeptAt: &before}, false}, // the last administrator
		} {
			u := h.person(h.acme, name, "viewer")
			tt.terms.UserID = u.ID
			h.update(func(tx *store.Tx) error { return tx.PutTerms(t.Context(), tt.terms) })
			_, _, err := h.StartSession(t.Context(), u, identity.Session{}, "")
			if out := identity.CodeOf(err) == "user.out_of_time"; out != tt.out || !out && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			h.password(u)
			_, _, err = h.CheckPassword(t.Context(), name, right, "203.0.113.9")
			traces := h.traces(u)
			if (err != nil) != tt.out || len(traces) != 1 || traces[0].OK == tt.out {
				t.Errorf("%s with a password: %v, %+v", name, err, traces)
			}
			if failed, _ := traces[0].Failure(); tt.out && (traces[0].Code != "user.out_of_time" || failed.Name != "the user may sign in" || strings.Contains(failed.Fix, "0x") || !strings.Contains(failed.Fix, "until "+map[string]string{"early": "any time", "gone": before.Format(time.RFC3339)}[name])) {
				t.Errorf("%s: %+v", name, traces[0])
			}
		}
	})
}
