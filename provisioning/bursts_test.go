package provisioning_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// burstHouse is a house in which people can have been for long.
type burstHouse struct {
	*house
	url string
}

func burstHouses(t *testing.T, test func(t *testing.T, h *burstHouse)) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		test(t, &burstHouse{houseOn(t, storetest.Open(t, url), "etlworks"), url})
	})
}

// burstDirectory is a directory with so many people, and the actor of its requests.
func (h *burstHouse) burstDirectory(tenant identity.TenantID, name string, dialect identity.Dialect, people int, guard identity.DirectoryGuard) (identity.Actor, []identity.User) {
	h.t.Helper()
	by := h.directory(name, tenant, dialect)
	full := guard.For(dialect)
	by.Guard = &full
	var users []identity.User
	for i := range people {
		users = append(users, h.push(by, fmt.Sprintf("%s%03d@acme.test", strings.ToLower(name), i)))
	}
	storetest.Exec(h.t, h.url, `UPDATE directory_users SET created_at = '2020-01-01 00:00:00+00:00'`)
	return by, users
}

// burstOut is a directory's word that somebody is out.
func (h *burstHouse) burstOut(by identity.Actor, u identity.User, in bool) error {
	_, err := h.UpdateUser(h.ctx, by, u.ID, 0, func(u *identity.User) error { u.Enabled = in; return nil })
	return err
}

func TestADirectoryKeepsOutManyAtOnceOnlyWithApproval(t *testing.T) {
	burstHouses(t, func(t *testing.T, h *burstHouse) {
		acme := h.tenant("Acme")
		boss := h.as(h.userIn(acme.ID, "boss@acme.test", "administrator").ID)
		other := h.as(h.userIn(h.tenant("Beta").ID, "boss@beta.test", "administrator").ID)
		by, users := h.burstDirectory(acme.ID, "Okta", identity.DialectOkta, 60, identity.DirectoryGuard{})
		h.post()
		t.Run("FSM-58 up to a fifth of its people, and 25 always, may go within an hour, then nothing is written, and administrators hear of it once", func(t *testing.T) {
			out := 0
			for _, u := range users {
				err := h.burstOut(by, u, false)
				if err == nil {
					out++
					continue
				}
				wantKind(t, err, identity.TooMany, provisioning.DepartureHeld)
				if !must[identity.User](t)(h.User(h.ctx, h.op, u.ID)).Enabled {
					t.Fatal("somebody who waits is kept out")
				}
			}
			if out != 25 {
				t.Errorf("%d went", out)
			}
			wantKind(t, h.DeleteUser(h.ctx, by, users[59].ID, 0), identity.TooMany, provisioning.DepartureHeld)
			if mails := h.post(); len(mails) != 1 || mails[0].To != "boss@acme.test" || !strings.Contains(mails[0].Text, "bursts approve ") {
				t.Errorf("%+v", mails)
			}
			if b := must[identity.Page[identity.Burst]](t)(h.Bursts(h.ctx, boss, identity.Query{Limit: 10})).Items; len(b) != 1 || b[0].Count != 35 || b[0].State != identity.BurstHeld {
				t.Errorf("%+v", b)
			}
		})
		burst := must[identity.Page[identity.Burst]](t)(h.Bursts(h.ctx, boss, identity.Query{Limit: 1})).Items[0]
		t.Run("who comes back makes room, and other directories are not touched", func(t *testing.T) {
			h.ok(h.burstOut(by, users[0], true))
			h.ok(h.burstOut(by, users[0], false))
			wantKind(t, h.burstOut(by, users[40], false), identity.TooMany, provisioning.DepartureHeld)
			entra, people := h.burstDirectory(acme.ID, "Entra", identity.DialectEntra, 1, identity.DirectoryGuard{})
			h.ok(h.burstOut(entra, people[0], false))
		})
		t.Run("approving needs a reason and the right, and lets the directory's requests through", func(t *testing.T) {
			_, err := h.ApproveBurst(h.ctx, boss, burst.ID, " ")
			wantKind(t, err, identity.Invalid, "reason_required")
			_, err = h.ApproveBurst(h.ctx, other, burst.ID, "why not")
			wantKind(t, err, identity.NotFound, "")
			_, err = h.ApproveBurst(h.ctx, by, burst.ID, "let me")
			wantKind(t, err, identity.Forbidden, "")
			burst = must[identity.Burst](t)(h.ApproveBurst(h.ctx, boss, burst.ID, "the branch was closed"))
			if e := h.lastEvent(identity.BurstAllowed); e.Reason != "the branch was closed" || e.ActorLabel != boss.Label || burst.AllowedUntil == nil {
				t.Errorf("%+v", e)
			}
			if !must[identity.User](t)(h.User(h.ctx, h.op, users[40].ID)).Enabled {
				t.Error("somebody was kept out for whom the directory asks again")
			}
			for _, u := range users[25:] {
				h.ok(h.burstOut(by, u, false))
			}
			_, err = h.RejectBurst(h.ctx, boss, burst.ID, "no")
			wantKind(t, err, identity.Precondition, "burst_state")
		})
	})
}

func TestDeparturesThatDrawbridgeKeepsAreDoneWhenTheyAreApproved(t *testing.T) {
	burstHouses(t, func(t *testing.T, h *burstHouse) {
		acme := h.tenant("Acme")
		guard := identity.DirectoryGuard{Most: 1, EndSession: true}
		by, users := h.burstDirectory(acme.ID, "Entra", identity.DialectEntra, 2, guard)
		h.ok(h.burstOut(by, users[0], false))
		last := func() identity.Burst {
			return must[identity.Page[identity.Burst]](t)(h.Bursts(h.ctx, h.op, identity.Query{Limit: 1})).Items[0]
		}
		t.Run("FSM-58 it waits in a list, its sessions end where that is wanted, and approving does it in the directory's name", func(t *testing.T) {
			h.session(users[1].ID)
			wantKind(t, h.burstOut(by, users[1], false), identity.TooMany, provisioning.DepartureQueued)
			if u := must[identity.User](t)(h.User(h.ctx, h.op, users[1].ID)); !u.Enabled || h.sessions(u.ID) != 0 {
				t.Errorf("%+v", u)
			}
			list := must[identity.Page[identity.Departure]](t)(h.Departures(h.ctx, h.op, last().ID, identity.Query{Limit: 10})).Items
			if len(list) != 1 || list[0].UserID != users[1].ID || !list[0].Queued || list[0].Who == "" {
				t.Fatalf("%+v", list)
			}
			must[identity.Burst](t)(h.ApproveBurst(h.ctx, h.op, last().ID, "they left"))
			if must[identity.User](t)(h.User(h.ctx, h.op, users[1].ID)).Enabled {
				t.Error("it was not done")
			}
			if e := h.lastEvent(identity.UserDeactivated); e.ActorLabel != "Entra" || !strings.Contains(e.Reason, "they left") {
				t.Errorf("%+v", e)
			}
		})
		t.Run("rejecting does nothing to anybody, and more of it is refused with the reason", func(t *testing.T) {
			okta, people := h.burstDirectory(acme.ID, "Okta", identity.DialectOkta, 3, identity.DirectoryGuard{Most: 1, Percent: 1, Answer: identity.AnswerQueue})
			h.ok(h.burstOut(okta, people[0], false))
			wantKind(t, h.DeleteUser(h.ctx, okta, people[1].ID, 0), identity.TooMany, provisioning.DepartureQueued)
			must[identity.Burst](t)(h.RejectBurst(h.ctx, h.op, last().ID, "a group was unassigned by mistake"))
			err := h.burstOut(okta, people[2], false)
			wantKind(t, err, identity.Forbidden, provisioning.DepartureRejected)
			if !strings.Contains(err.Error(), "unassigned by mistake") || !must[identity.User](t)(h.User(h.ctx, h.op, people[1].ID)).Enabled {
				t.Error(err)
			}
		})
		t.Run("a guard that is off, and one that cannot be meant", func(t *testing.T) {
			fresh := h.push(by, "fresh@acme.test")
			h.ok(h.burstOut(by, fresh, false)) // who came a moment ago may go
			free, people := h.burstDirectory(acme.ID, "Free", identity.DialectStandard, 40, identity.DirectoryGuard{Most: -1})
			for _, u := range people {
				h.ok(h.burstOut(free, u, false))
			}
			for _, g := range []identity.DirectoryGuard{{Percent: 101}, {Minutes: -1}, {Answer: "418"}} {
				_, err := h.UpdateDirectory(h.ctx, h.op, free.DirectoryID(), func(d *identity.Directory) error { d.Guard = g; return nil })
				wantKind(t, err, identity.Invalid, "")
			}
			d := must[identity.Directory](t)(h.UpdateDirectory(h.ctx, h.op, free.DirectoryID(), func(d *identity.Directory) error { d.Guard.Most = 7; return nil }))
			if again := must[identity.Directory](t)(h.Directory(h.ctx, h.op, d.ID)); again.Guard.Most != 7 || change(h.lastEvent(identity.DirectoryUpdated), "guard").After == nil {
				t.Errorf("%+v", again)
			}
		})
	})
}
