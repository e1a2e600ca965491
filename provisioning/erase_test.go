package provisioning_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// eachWith runs a test in an empty house with another access model on every database.
func eachWith(t *testing.T, preset string, fn func(t *testing.T, h *house)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		model := storetest.Preset(t, db, preset)
		fn(t, &house{Service: provisioning.New(db, model), t: t, ctx: t.Context(), db: db, op: identity.Operator()})
	})
}

// home is the tenant in which a model's people live.
func (h *house) home() identity.Tenant {
	h.t.Helper()
	name := h.Model().MainTenant()
	if t, err := h.TenantByName(h.ctx, h.op, name); err == nil {
		return t
	}
	return h.tenant(name)
}

// staff creates somebody of a tenant with a role and a reason, and returns them with the actor that they are.
func (h *house) staff(tenant identity.TenantID, name string, role identity.RoleID) (identity.User, identity.Actor) {
	h.t.Helper()
	u := must[identity.User](h.t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person(name), tenant), Role: role, Reason: "joined"}))
	return u, h.as(u.ID)
}

// opened is a house of which the database can be looked through from outside.
type opened struct {
	*house
	url string
}

// eachOpened is eachWith for tests that look through the whole database.
func eachOpened(t *testing.T, preset string, fn func(t *testing.T, h *opened)) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		model := storetest.Preset(t, db, preset)
		fn(t, &opened{&house{Service: provisioning.New(db, model), t: t, ctx: t.Context(), db: db, op: identity.Operator()}, url})
	})
}

// everywhere returns where in the database a word stands.
func (h *opened) everywhere(word string) []string {
	h.t.Helper()
	return storetest.Mentions(h.t, h.url, word)
}

func TestErasingSomebody(t *testing.T) {
	for _, preset := range []string{"fentu-connect", "fentu-fsm", "fintechos"} {
		t.Run(preset, func(t *testing.T) {
			eachOpened(t, preset, func(t *testing.T, h *opened) {
				home := h.home()
				_, boss := h.staff(home.ID, "boss@acme.test", h.chiefRole())
				okta := h.directory("Okta", home.ID, identity.DialectOkta)
				t.Run("FC-21 deleting is permanent: the data is gone, the id stays in the audit, a later push makes a new user", func(t *testing.T) {
					h.erases(t, boss, okta)
				})
			})
		})
	}
}

func TestErasingSomebodyErasesThoseWhoWereJoinedWithThem(t *testing.T) {
	eachOpened(t, "fentu-fsm", func(t *testing.T, h *opened) {
		home := h.home()
		h.staff(home.ID, "boss@acme.test", h.chiefRole())
		keep, _ := h.staff(home.ID, "keep@acme.test", "technician")
		pushing := h.directory("Okta", home.ID, identity.DialectOkta)
		pushing.Request = &identity.Request{ID: identity.NewID[identity.RequestID](), At: time.Now().UTC(), Method: "POST", Path: "/scim/v2/Users", Body: `{"displayName":"Zelda Quirk"}`, Status: 201}
		pushing.RequestID = pushing.Request.ID
		u := person("z@acme.test")
		u.DisplayName = "Zelda Quirk"
		zelda := must[identity.User](t)(h.CreateUser(h.ctx, pushing, provisioning.NewUser{User: u}))
		h.bring(provisioning.ImportOptions{Tenant: home.ID, Source: "hr"}, "userName,title", "z@acme.test,Quirkologist")
		must[provisioning.MergePlan](t)(h.MergeUsers(h.ctx, h.op, provisioning.Merge{Keep: provisioning.PlacedUser{ID: keep.ID}, Drop: provisioning.PlacedUser{ID: zelda.ID}, Reason: "one person"}))
		if len(h.everywhere("uirk")) < 2 {
			t.Fatalf("the test sees too little: %v", h.everywhere("uirk"))
		}
		h.ok(h.EraseUser(h.ctx, h.op, keep.ID, 0, "asked for it"))
		if left := h.everywhere("uirk"); len(left) > 0 {
			t.Errorf("still in %v", left)
		}
	})
}

// ok ends the test when something that has to succeed did not.
func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// chiefRole is the first role that may change people within a tenant.
func (h *house) chiefRole() identity.RoleID {
	h.t.Helper()
	for _, r := range h.Model().Roles() {
		if r.Scope == identity.ScopeTenant && h.Model().Assignable(r.ID) && h.Model().Privileged(r.ID) {
			return r.ID
		}
	}
	h.t.Fatal("nobody manages people in " + h.Model().Name())
	return ""
}

func (h *opened) erases(t *testing.T, boss, okta identity.Actor) {
	const name = "zelda.quirk@acme.test"
	journal := &identity.Request{ID: identity.NewID[identity.RequestID](), At: time.Now().UTC(), Method: "POST", Path: "/scim/v2/Users", Body: `{"userName":"` + name + `"}`, Status: 201}
	pushing := okta
	pushing.Request, pushing.RequestID = journal, journal.ID
	u := person(name)
	u.DisplayName, u.ExternalID, u.Attributes = "Zelda Quirk", "00uzelda", []byte(`{"title":"Quirkologist"}`)
	zelda := must[identity.User](t)(h.CreateUser(h.ctx, pushing, provisioning.NewUser{User: u}))
	failed := h.keep(time.Hour, identity.Request{DirectoryID: okta.DirectoryID(), Path: `/scim/v2/Users?filter=userName%20eq%20%22` + name + `%22`, Status: 400, Detail: "no filter"})
	group := h.group(okta, "Everybody", zelda.ID)
	h.session(zelda.ID)
	c := h.connection("Idp", func(c *identity.Connection) { c.TenantID, c.Domains = zelda.TenantID, []string{"acme.test"} })
	h.ok(h.LinkUser(h.ctx, h.op, zelda.ID, identity.Link{ConnectionID: c.ID, Subject: "sub-zelda"}, "asked Zelda Quirk"))
	h.record(identity.Trace{At: time.Now(), ConnectionID: c.ID, OK: true, Email: name, Subject: "sub-zelda", UserID: zelda.ID})
	h.record(identity.Trace{At: time.Now(), ConnectionID: c.ID, Code: "x", Email: strings.ToUpper(name)})
	h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
		return tx.InsertMail(h.ctx, identity.Mail{To: name, Subject: "Hello", Text: "x", Kind: "test", UserID: zelda.ID})
	}))
	must[identity.User](t)(h.UpdateUser(h.ctx, okta, zelda.ID, 0, func(u *identity.User) error { u.DisplayName = "Zelda X. Quirk"; return nil }))
	if len(h.everywhere("uirk")) < 5 {
		t.Fatalf("the test sees too little: %v", h.everywhere("uirk"))
	}

	wantKind(t, h.EraseUser(h.ctx, boss, zelda.ID, zelda.Version+9, "left"), identity.Precondition, "")
	wantKind(t, h.EraseUser(h.ctx, okta, zelda.ID, 0, ""), identity.Forbidden, "")
	wantKind(t, h.EraseUser(h.ctx, boss, boss.UserID(), 0, ""), identity.Forbidden, "")
	now := must[identity.User](t)(h.User(h.ctx, h.op, zelda.ID))
	if err := h.DeleteUser(h.ctx, boss, zelda.ID, now.Version); err != nil {
		t.Fatal(err)
	}

	for _, word := range []string{"uirk", "zelda"} {
		if left := h.everywhere(word); len(left) > 0 {
			t.Errorf("%q is still in %v", word, left)
		}
	}
	_, err := h.User(h.ctx, h.op, zelda.ID)
	wantKind(t, err, identity.NotFound, "")
	_, err = h.User(h.ctx, okta, zelda.ID) // what SCIM answers with 404
	wantKind(t, err, identity.NotFound, "")
	_, err = h.RestoreUser(h.ctx, h.op, zelda.ID)
	wantKind(t, err, identity.NotFound, "")
	if h.members(okta, group)[string(zelda.ID)] {
		t.Error("still a member")
	}
	h.erasedStory(t, boss, zelda)
	if d := must[provisioning.RequestDetail](t)(h.Request(h.ctx, h.op, failed)); d.Request.Status != 400 || d.Request.Path != "" {
		t.Errorf("the journal keeps %+v", d.Request)
	}
	again := h.push(okta, name)
	if again.ID == zelda.ID || !again.Enabled {
		t.Errorf("pushed again: %+v", again)
	}
}

// erasedStory checks what the audit still says of somebody erased.
func (h *house) erasedStory(t *testing.T, boss identity.Actor, u identity.User) {
	t.Helper()
	page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: u.ID, Limit: 50}))
	last := page.Items[0]
	if last.Type != identity.UserErased || last.ActorID != boss.ID || last.ObjectID != string(u.ID) || last.ObjectLabel != string(u.ID) {
		t.Errorf("the last event is %+v", last)
	}
	var types []identity.EventType
	for _, e := range page.Items {
		types = append(types, e.Type)
		for _, c := range e.Changes {
			if c.Field == "displayName" && (c.Before != nil || c.After != nil) {
				t.Errorf("%s still says %v", e.Type, c)
			}
			if c.Field == "role" && c.After == nil {
				t.Error("which role was given is no more to be read")
			}
		}
		if e.At.IsZero() || e.ActorID == "" && e.ActorKind != identity.ActorOperator {
			t.Errorf("when or by whom is lost: %+v", e)
		}
	}
	for _, want := range []identity.EventType{identity.UserCreated, identity.UserUpdated, identity.UserLinked} {
		if !slices.Contains(types, want) {
			t.Errorf("%s is gone", want)
		}
	}
}

func TestWhoActedLosesTheNameWithTheAccount(t *testing.T) {
	eachOpened(t, "fentu-connect", func(t *testing.T, h *opened) {
		home := h.home()
		_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
		ann, asAnn := h.staff(home.ID, "ann.unique@acme.test", "administrator")
		bob := must[identity.User](t)(h.CreateUser(h.ctx, asAnn, provisioning.NewUser{User: withTenant(person("bob@acme.test"), home.ID), Role: "viewer"}))
		if err := h.EraseUser(h.ctx, boss, ann.ID, 0, "asked for it"); err != nil {
			t.Fatal(err)
		}
		if left := h.everywhere("ann.unique"); len(left) > 0 {
			t.Errorf("still in %v", left)
		}
		page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: bob.ID, Limit: 5}))
		if e := page.Items[len(page.Items)-1]; e.ActorID != string(ann.ID) || e.ActorLabel != string(ann.ID) || e.ObjectLabel != "bob@acme.test" {
			t.Errorf("bob was created by %+v", e)
		}
	})
}

func TestWhatDeletingMeansIsTheModels(t *testing.T) {
	t.Run("ETL-09 people are deactivated and no delete is offered", func(t *testing.T) {
		eachWith(t, "etlworks", func(t *testing.T, h *house) {
			acme := h.tenant("Acme")
			ada, boss := h.userIn(acme.ID, "ada@acme.test", "viewer"), h.administrator("boss@acme.test", acme.ID, "administrator")
			root := h.as(h.admin("root@example.com").ID)
			for _, by := range []identity.Actor{boss, root} {
				err := h.DeleteUser(h.ctx, by, ada.ID, 0)
				wantKind(t, err, identity.Forbidden, "deactivate_instead")
				if !strings.Contains(err.Error(), "deactivate the person instead") {
					t.Errorf("the sentence does not help: %v", err)
				}
				wantKind(t, h.EraseUser(h.ctx, by, ada.ID, 0, ""), identity.Forbidden, "deactivate_instead")
			}
			u := must[identity.User](t)(h.DeactivateUser(h.ctx, boss, ada.ID, "left"))
			if u.Status() != identity.StatusInactive {
				t.Error(u.Status())
			}
			okta := h.directory("Okta", acme.ID, identity.DialectOkta)
			bob := h.push(okta, "bob@acme.test")
			if err := h.DeleteUser(h.ctx, okta, bob.ID, 0); err != nil {
				t.Errorf("a directory's DELETE must work in every mode: %v", err)
			}
			if err := h.EraseUser(h.ctx, h.op, ada.ID, 0, "the law"); err != nil {
				t.Errorf("the operator must be able to keep the law: %v", err)
			}
		})
	})
	t.Run("FP-33 who may invite removes people from the tenant, and their accounts elsewhere are as they were", func(t *testing.T) {
		eachWith(t, "fluentpro-backup", func(t *testing.T, h *house) {
			acme, beta := h.tenant("Acme"), h.tenant("Beta")
			ada, elsewhere := h.userIn(acme.ID, "ada@mail.test", "viewer"), h.userIn(beta.ID, "ada@mail.test", "member")
			h.session(ada.ID)
			h.session(elsewhere.ID)
			boss, member := h.administrator("boss@acme.test", acme.ID, "admin"), h.administrator("member@acme.test", acme.ID, "member")
			wantKind(t, h.RemoveUser(h.ctx, member, ada.ID, 0, ""), identity.Forbidden, "")
			wantKind(t, h.RemoveUser(h.ctx, boss, elsewhere.ID, 0, ""), identity.NotFound, "")
			wantKind(t, h.RemoveUser(h.ctx, boss, boss.UserID(), 0, ""), identity.Forbidden, "")
			if err := h.RemoveUser(h.ctx, boss, ada.ID, ada.Version, "project over"); err != nil {
				t.Fatal(err)
			}
			_, err := h.User(h.ctx, boss, ada.ID)
			wantKind(t, err, identity.NotFound, "")
			still := must[identity.User](t)(h.User(h.ctx, h.op, elsewhere.ID))
			if !still.Enabled || h.sessions(elsewhere.ID) != 1 || h.roles(elsewhere.ID) != "member " {
				t.Errorf("the account elsewhere is %+v", still)
			}
			page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: ada.ID, Limit: 1}))
			if e := page.Items[0]; e.Type != identity.UserDeleted || e.Reason != "project over" || e.ActorID != boss.ID {
				t.Errorf("the event is %+v", e)
			}
			if back := h.userIn(acme.ID, "ada@mail.test", "viewer"); back.ID == ada.ID {
				t.Error("invited again, and it is the old account")
			}
		})
	})
}

func TestTombstonesArePurgedWhenTheirTimeIsOver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		var gone []identity.UserID
		for i := range 3 {
			u := h.push(okta, fmt.Sprintf("p%d@example.com", i))
			gone = append(gone, u.ID)
			if err := h.DeleteUser(h.ctx, okta, u.ID, 0); err != nil {
				t.Fatal(err)
			}
		}
		stays := h.push(okta, "stays@example.com")
		if n, err := h.PurgeTombstones(h.ctx, identity.System(), 0); n != 0 || err != nil {
			t.Errorf("0 days keeps everybody: %d, %v", n, err)
		}
		if n, err := h.PurgeTombstones(h.ctx, identity.System(), time.Hour); n != 0 || err != nil {
			t.Errorf("purged too early: %d, %v", n, err)
		}
		back := h.push(okta, "p0@example.com")
		if back.ID != gone[0] {
			t.Error("who comes back in time has another id")
		}
		if n, err := h.PurgeTombstones(h.ctx, identity.System(), time.Nanosecond); n != 2 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
		if again := h.push(okta, "p1@example.com"); again.ID == gone[1] {
			t.Error("who comes back too late has the old id")
		}
		if !slices.Contains(h.events(gone[2]), identity.UserErased) || h.count() != 3 {
			t.Errorf("%v, %d people", h.events(gone[2]), h.count())
		}
		must[identity.User](t)(h.User(h.ctx, h.op, stays.ID))
	})
}
