package provisioning_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// veteran puts somebody into the database who is 400 days old and was seen some days ago; -1: never.
func (h *house) veteran(tenant identity.TenantID, name string, role identity.RoleID, seen int) identity.UserID {
	h.t.Helper()
	u := withTenant(person(name), tenant)
	u.ID, u.Version, u.CreatedAt = identity.NewID[identity.UserID](), 1, time.Now().UTC().AddDate(0, 0, -400)
	u.UpdatedAt = u.CreatedAt
	if seen >= 0 {
		at := time.Now().UTC().AddDate(0, 0, -seen)
		u.LastLoginAt = &at
	}
	h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
		if err := tx.InsertUser(h.ctx, u); err != nil {
			return err
		}
		return tx.InsertAssignment(h.ctx, identity.Assignment{
			ID: identity.NewID[identity.AssignmentID](), UserID: u.ID, RoleID: role, Application: identity.DefaultApplication, Source: identity.SourceManual, CreatedAt: u.CreatedAt,
		})
	}))
	return u.ID
}

// password gives somebody a way to sign in.
func (h *house) password(ids ...identity.UserID) {
	h.t.Helper()
	for _, id := range ids {
		h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
			return tx.PutCredential(h.ctx, store.Credential{UserID: id, PasswordHash: "$argon2id$x"})
		}))
	}
}

func (h *house) dormant(by identity.Actor, q provisioning.DormantQuery) string {
	h.t.Helper()
	var out []string
	q.Limit = 2
	for {
		page := must[identity.Page[identity.Dormant]](h.t)(h.Dormant(h.ctx, by, q))
		for _, d := range page.Items {
			out = append(out, fmt.Sprint(strings.TrimSuffix(d.User.UserName, "@acme.test"), d.Why))
			q.After = d.User.ID
		}
		if !page.More {
			slices.Sort(out)
			return strings.Join(out, " ")
		}
	}
}

func TestAccountsThatNobodyUses(t *testing.T) {
	for _, preset := range []string{"fentu-fsm", "fentu-connect"} {
		t.Run(preset, func(t *testing.T) {
			eachWith(t, preset, func(t *testing.T, h *house) {
				home := h.home()
				_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
				plain := h.plainRole()
				left, used, never := h.veteran(home.ID, "left@acme.test", plain, 120), h.veteran(home.ID, "used@acme.test", plain, 3), h.veteran(home.ID, "never@acme.test", plain, -1)
				robot := h.veteran(home.ID, "robot@acme.test", plain, 200)
				h.veteran(home.ID, "lost@acme.test", plain, 5)
				h.password(left, used, never, robot)
				h.session(robot) // is used just now
				okta := h.directory("Okta", home.ID, identity.DialectOkta)
				gone := h.veteran(home.ID, "gone@acme.test", plain, 5)
				h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
					return tx.PutDirectoryLink(h.ctx, identity.DirectoryLink{DirectoryID: okta.DirectoryID(), UserID: gone, Active: false})
				}))
				t.Run("FSM-58 FC-55 unused accounts are reported with the reason", func(t *testing.T) {
					want := "gone[deactivated_upstream] left[not_seen] lost[no_source] never[never_signed_in]"
					if got := h.dormant(boss, provisioning.DormantQuery{}); got != want {
						t.Errorf("reported %s", got)
					}
					if got := h.dormant(boss, provisioning.DormantQuery{Days: 200}); strings.Contains(got, "left") {
						t.Errorf("120 days are not 200: %s", got)
					}
					if got := h.dormant(boss, provisioning.DormantQuery{Why: []identity.DormantWhy{identity.NoSource}}); got != "lost[no_source]" {
						t.Errorf("one reason: %s", got)
					}
					_, err := h.Dormant(h.ctx, boss, provisioning.DormantQuery{Days: 1})
					wantKind(t, err, identity.Invalid, "")
				})
				t.Run("FSM-58 FC-55 they are deactivated together with a reason, and whoever must stay stays and it is said", func(t *testing.T) {
					h.deactivatesMany(t, boss, left, never)
				})
			})
		})
	}
}

func (h *house) deactivatesMany(t *testing.T, boss identity.Actor, left, never identity.UserID) {
	wantKind(t, h.DeactivateUsers(h.ctx, boss, []identity.UserID{left}, " ", nil), identity.Invalid, "")
	var said []string
	var done []int
	ids := []identity.UserID{left, boss.UserID(), never}
	h.ok(h.DeactivateUsers(h.ctx, h.op, ids, "spring cleaning", func(n int, d provisioning.Deactivated) error {
		done = append(done, n)
		if d.Err != nil {
			said = append(said, identity.CodeOf(d.Err))
		}
		return nil
	}))
	if !slices.Equal(said, []string{"last_administrator"}) || !slices.Equal(done, []int{1, 2, 3}) {
		t.Errorf("said %v, progress %v", said, done)
	}
	for _, id := range []identity.UserID{left, never} {
		u := must[identity.User](t)(h.User(h.ctx, h.op, id))
		page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: id, Limit: 1}))
		if u.Enabled || page.Items[0].Type != identity.UserDeactivated || page.Items[0].Reason != "spring cleaning" {
			t.Errorf("%+v after %+v", u.Status(), page.Items[0])
		}
	}
	stop := errors.New("enough")
	if err := h.DeactivateUsers(h.ctx, h.op, ids, "again", func(int, provisioning.Deactivated) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("not stopped: %v", err)
	}
	ended, end := context.WithCancel(h.ctx)
	end()
	if err := h.DeactivateUsers(ended, h.op, ids, "again", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("not cancelled: %v", err)
	}
}

func TestATenantMayHaveItsUnseenPeopleDeactivated(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.superAdmin("root@example.com")
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		boss := h.administrator("boss@acme.test", acme.ID, "administrator")
		old, fresh, theirs := h.veteran(acme.ID, "old@acme.test", "viewer", 100), h.veteran(acme.ID, "fresh@acme.test", "viewer", 10), h.veteran(beta.ID, "old@beta.test", "viewer", 100)
		t.Run("FSM-58 a rule of the tenant does it by itself, once a day, and tells the administrators", func(t *testing.T) {
			wantKind(t, h.SetDormantRule(h.ctx, boss, beta.ID, 60, ""), identity.NotFound, "")
			wantKind(t, h.SetDormantRule(h.ctx, boss, acme.ID, 3, ""), identity.Invalid, "")
			wantKind(t, h.SetDormantRule(h.ctx, h.as(fresh), acme.ID, 60, ""), identity.Forbidden, "")
			h.ok(h.SetDormantRule(h.ctx, boss, acme.ID, 60, "policy 7"))
			if n := must[int](t)(h.RunDormantRules(h.ctx, identity.System())); n != 1 {
				t.Errorf("%d deactivated", n)
			}
			for id, enabled := range map[identity.UserID]bool{old: false, fresh: true, theirs: true} {
				if u := must[identity.User](t)(h.User(h.ctx, h.op, id)); u.Enabled != enabled {
					t.Errorf("%s may come in: %v", u.UserName, u.Enabled)
				}
			}
			if got := h.mailsTo("boss@acme.test"); !slices.Equal(got, []string{"Deactivated after 60 days unseen: 1"}) {
				t.Errorf("mails %v", got)
			}
			again := h.veteran(acme.ID, "older@acme.test", "viewer", 300)
			if n := must[int](t)(h.RunDormantRules(h.ctx, identity.System())); n != 0 {
				t.Errorf("a second replica on the same day: %d", n)
			}
			must[identity.User](t)(h.User(h.ctx, h.op, again))
			if got := h.objectEvents(string(acme.ID)); !slices.Contains(got, identity.TenantUpdated) {
				t.Errorf("events of the tenant: %v", got)
			}
		})
	})
}
