package provisioning_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// found lists duplicates as kind:key, a page of one at a time.
func (h *house) duplicates(by identity.Actor, kinds ...identity.DuplicateKind) []string {
	h.t.Helper()
	var out []string
	q := provisioning.DuplicateQuery{Kinds: kinds, Limit: 1}
	for range 50 {
		page := must[identity.Page[identity.Duplicate]](h.t)(h.Duplicates(h.ctx, by, q))
		for _, d := range page.Items {
			out = append(out, fmt.Sprintf("%s:%s:%d", d.Kind, d.Key, len(d.Users)))
			q.After = d.Cursor
		}
		if !page.More {
			return out
		}
	}
	h.t.Fatal("the list does not end")
	return nil
}

func numbered(name, number string) identity.User {
	u := person(name)
	u.ExternalID = "ext-" + number
	u.Attributes = []byte(`{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"` + number + `"}}`)
	return u
}

func TestOnePersonHasOneAccount(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.home()
		_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
		_, plain := h.staff(home.ID, "plain@acme.test", "technician")
		okta, hr := h.directory("Okta", home.ID, identity.DialectOkta), h.directory("HR", home.ID, identity.DialectStandard)
		first := must[identity.User](t)(h.CreateUser(h.ctx, okta, provisioning.NewUser{User: numbered("ada@acme.test", "17")}))
		twin := numbered("ada.lovelace@acme.test", "17")
		twin.Emails = append(twin.Emails, identity.Email{Value: "Ada@Acme.test"})
		second := must[identity.User](t)(h.CreateUser(h.ctx, hr, provisioning.NewUser{User: twin}))
		t.Run("FSM-62 duplicates are found by what people have in common, the surest first", func(t *testing.T) {
			h.findsDuplicates(t, boss, plain, first, second)
		})
		t.Run("FSM-62 two accounts of one person are joined in one step, and the story of both is kept", func(t *testing.T) {
			h.joins(t, boss, okta, hr, first, second)
		})
	})
}

func (h *house) findsDuplicates(t *testing.T, boss, plain identity.Actor, first, second identity.User) {
	a, b := h.connection("A", func(c *identity.Connection) { c.TenantID, c.Domains = first.TenantID, []string{"acme.test"} }), h.connection("B", func(c *identity.Connection) { c.TenantID, c.Domains = first.TenantID, []string{"acme.test"} })
	h.ok(h.LinkUser(h.ctx, h.op, first.ID, identity.Link{ConnectionID: a.ID, Issuer: "https://idp", Subject: "s"}, ""))
	h.ok(h.LinkUser(h.ctx, h.op, second.ID, identity.Link{ConnectionID: b.ID, Issuer: "https://idp", Subject: "s"}, ""))
	named := func(u identity.User, name string) {
		h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
			before, err := tx.UserForUpdate(h.ctx, store.Everything(), u.ID)
			after := before
			after.DisplayName = name
			if err == nil {
				err = tx.UpdateUser(h.ctx, before, after)
			}
			return err
		}))
	}
	named(first, "Ada Lovelace")
	named(second, "ADA LOVELACE")
	want := []string{"identity:https://idp s:2", "email:ada@acme.test:2", "external_id:ext-17:2", "employee_number:17:2", "name:ada lovelace @ acme.test:2"}
	if got := h.duplicates(boss); !slices.Equal(got, want) {
		t.Errorf("found %v", got)
	}
	if got := h.duplicates(boss, identity.SameEmployeeNumber); !slices.Equal(got, want[3:4]) {
		t.Errorf("asked for one kind: %v", got)
	}
	_, err := h.Duplicates(h.ctx, plain, provisioning.DuplicateQuery{})
	wantKind(t, err, identity.Forbidden, "")
	_, err = h.Duplicates(h.ctx, boss, provisioning.DuplicateQuery{Kinds: []identity.DuplicateKind{"stars"}})
	wantKind(t, err, identity.Invalid, "")
}

func (h *house) joins(t *testing.T, boss, okta, hr identity.Actor, first, second identity.User) {
	g := h.group(hr, "Riggers", second.ID)
	h.holds(hr, identity.OpenTask, "wo-7", second.ID)
	h.session(second.ID)
	h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
		return tx.PutRecord(h.ctx, identity.Record{Application: "default", Type: "technician", ForeignID: "T-1", Display: "Rig 1", Active: true, TenantID: second.TenantID, UserID: second.ID})
	}))
	m := provisioning.Merge{Keep: provisioning.PlacedUser{ID: first.ID}, Drop: provisioning.PlacedUser{ID: second.ID}, Reason: "the same Ada"}
	plan := must[provisioning.MergePlan](t)(h.PlanMerge(h.ctx, boss, m))
	if plan.Refused != "" || len(plan.Links) != 1 || len(plan.Directories) != 1 || len(plan.Groups) != 1 || len(plan.Records) != 1 || len(plan.Holdings) != 1 ||
		len(plan.LostRoles) != 1 || !slices.Equal(plan.Emails, []string{"ada.lovelace@acme.test"}) {
		t.Fatalf("the plan is %+v", plan)
	}
	if u := must[identity.User](t)(h.User(h.ctx, h.op, second.ID)); u.Version != plan.Drop.Version {
		t.Error("the plan changed something")
	}
	m.Drop.Version = 99
	_, err := h.MergeUsers(h.ctx, boss, m)
	wantKind(t, err, identity.Precondition, "")
	m.Drop.Version = plan.Drop.Version
	done := must[provisioning.MergePlan](t)(h.MergeUsers(h.ctx, boss, m))
	if !done.Keep.Enabled {
		t.Error("who stays cannot come in")
	}
	_, err = h.User(h.ctx, hr, second.ID)
	wantKind(t, err, identity.NotFound, "")
	d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, first.ID))
	if len(d.Links) != 2 || len(d.Directories) != 2 || len(d.Memberships) != 1 || len(d.Assignments) != 1 || len(d.User.Emails) != 2 || d.User.Email() != "ada@acme.test" {
		t.Errorf("who stays has %d links, %d directories, %d groups, %d roles, %v", len(d.Links), len(d.Directories), len(d.Memberships), len(d.Assignments), d.User.Emails)
	}
	if h.heldBy(boss, first.ID) != "wo-7" || !h.members(hr, g)[string(first.ID)] {
		t.Error("the work or the group did not come along")
	}
	seen := must[identity.User](t)(h.User(h.ctx, hr, first.ID)) // the directory of the one who went knows the other now
	if seen.ExternalID != "ext-17" {
		t.Errorf("HR sees %+v", seen)
	}
	h.joinedStory(t, first, second)
}

func (h *house) joinedStory(t *testing.T, first, second identity.User) {
	page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: first.ID, Limit: 100}))
	about := map[identity.UserID]int{}
	var merged []string
	for _, e := range page.Items {
		about[e.UserID]++
		if e.Type == identity.UserMerged {
			merged = append(merged, string(e.UserID)+e.Reason)
		}
	}
	if about[second.ID] < 3 || about[first.ID] < 3 || len(merged) != 2 || !strings.HasSuffix(merged[0], "the same Ada") {
		t.Errorf("the timeline has %v, merged %v", about, merged)
	}
}

func TestWhoIsNotJoined(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		boss := h.administrator("boss@acme.test", acme.ID, "administrator")
		ada, bob, eve := h.userIn(acme.ID, "ada@acme.test", "viewer"), h.userIn(acme.ID, "bob@acme.test", "viewer"), h.userIn(beta.ID, "eve@beta.test", "viewer")
		chief := h.userIn(acme.ID, "chief@acme.test", "administrator")
		okta := h.directory("Okta", acme.ID, identity.DialectOkta)
		one, two := h.push(okta, "one@acme.test"), h.push(okta, "two@acme.test")
		refused := func(by identity.Actor, keep, drop identity.UserID, why string) {
			t.Helper()
			m := provisioning.Merge{Keep: provisioning.PlacedUser{ID: keep}, Drop: provisioning.PlacedUser{ID: drop}}
			_, err := h.MergeUsers(h.ctx, by, m)
			wantKind(t, err, identity.Conflict, "merge_refused")
			plan := must[provisioning.MergePlan](t)(h.PlanMerge(h.ctx, by, m))
			if !strings.Contains(plan.Refused, why) || !strings.Contains(err.Error(), why) {
				t.Errorf("refused because %q", plan.Refused)
			}
		}
		refused(boss, chief.ID, ada.ID, "may manage people")
		refused(boss, ada.ID, chief.ID, "may manage people")
		refused(h.op, ada.ID, eve.ID, "two tenants")
		refused(boss, one.ID, two.ID, "the directory Okta knows both")
		h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.SetOwner(h.ctx, acme.ID, bob.ID) }))
		refused(boss, ada.ID, bob.ID, "owns the tenant")
		for _, m := range []struct {
			keep, drop identity.UserID
			kind       identity.Kind
		}{{ada.ID, eve.ID, identity.NotFound}, {ada.ID, ada.ID, identity.Invalid}, {boss.UserID(), ada.ID, identity.Forbidden}} {
			_, err := h.MergeUsers(h.ctx, boss, provisioning.Merge{Keep: provisioning.PlacedUser{ID: m.keep}, Drop: provisioning.PlacedUser{ID: m.drop}})
			wantKind(t, err, m.kind, "")
		}
		_, err := h.MergeUsers(h.ctx, okta, provisioning.Merge{Keep: provisioning.PlacedUser{ID: one.ID}, Drop: provisioning.PlacedUser{ID: two.ID}})
		wantKind(t, err, identity.Forbidden, "")
	})
}
