package provisioning_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// town is a tenant with a directory and with people who are known in every way.
type town struct {
	*house
	by  identity.Actor
	old map[identity.UserID]string // who was there before, under a name that is the same in every town
}

func (h *house) town(name string) town {
	h.t.Helper()
	home := h.tenant(name)
	w := town{house: h, by: h.directory(name, home.ID, "standard"), old: map[identity.UserID]string{}}
	w.old[h.push(w.by, "linked@x.test").ID] = "linked"
	gone := h.push(w.by, "gone@x.test").ID
	w.old[gone] = "gone"
	if err := h.DeleteUser(h.ctx, w.by, gone, 0); err != nil {
		h.t.Fatal(err)
	}
	for name, role := range map[string]identity.RoleID{"manual": "viewer", "boss": "administrator"} {
		u := withTenant(person(name+"@x.test"), home.ID)
		w.old[must[identity.User](h.t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: u, Role: role})).ID] = name
	}
	return w
}

// pushed is what a directory says of somebody.
func pushed(name, externalID, address string) provisioning.NewUser {
	u := identity.User{UserName: name, DisplayName: "Person " + name, ExternalID: externalID, Enabled: true}
	if address != "" {
		u.Emails = []identity.Email{{Value: address, Type: "work", Primary: true}}
	}
	return provisioning.NewUser{User: u}
}

// everyCase is a list in which all may go wrong that can.
func everyCase() []provisioning.NewUser {
	list := []provisioning.NewUser{
		pushed("a@x.test", "1", ""), pushed("b@x.test", "2", "b@x.test"), pushed(" A@X.test ", "3", ""),
		pushed("", "4", ""), pushed("c@x.test", "5", ""), pushed(strings.Repeat("x", 256), "6", ""),
		pushed("same externalId", "2", ""), pushed("same address", "8", "B@x.test"), pushed("d", "", "no address"),
		pushed("linked@x.test", "9", ""), pushed("e", "10", ""), pushed("gone@x.test", "11", "new@x.test"), pushed("new@x.test", "12", ""),
		pushed("manual@x.test", "13", ""), pushed("found by address", "14", "manual@x.test"), pushed("boss@x.test", "15", ""),
		pushed("beside the boss", "16", "boss@x.test"), pushed("e", "17", ""), pushed("f", "18", ""),
	}
	for i := range 230 {
		list = append(list, pushed(fmt.Sprint("u", i), "", ""))
	}
	list = append(list, pushed("u7", "", ""), pushed("f ", "", ""))
	list[4].User.Enabled = false
	return list
}

// told is what there is to compare of a result, without ids and times.
func (w town) told(c provisioning.Created) string {
	w.t.Helper()
	if c.Err != nil {
		return fmt.Sprint(identity.KindOf(c.Err), " ", identity.CodeOf(c.Err))
	}
	u := must[identity.User](w.t)(w.User(w.ctx, w.by, c.User.ID))
	if u.UserName != c.User.UserName || u.Version != c.User.Version || c.User.TenantID != w.by.TenantID {
		w.t.Errorf("the answer says %q version %d in %q, the database %q version %d", c.User.UserName, c.User.Version, c.User.TenantID, u.UserName, u.Version)
	}
	return fmt.Sprintf("%q %q %q %v %s %d, was %q, roles %s, events %v", u.UserName, u.DisplayName, u.ExternalID, u.Enabled, u.RawEmails, u.Version, w.old[u.ID], w.roles(u.ID), w.events(u.ID))
}

func TestUsersCreatedTogetherAreAsIfCreatedOneByOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		single, many := h.town("One by one"), h.town("Together")
		list := everyCase()
		results := h.CreateUsers(h.ctx, many.by, list)
		if len(results) != len(list) {
			t.Fatalf("%d results for %d users", len(results), len(list))
		}
		for i, n := range everyCase() {
			var c provisioning.Created
			c.User, c.Err = h.CreateUser(h.ctx, single.by, n)
			if want, got := single.told(c), many.told(results[i]); got != want {
				t.Errorf("%d %q:\n got %s\nwant %s", i, n.User.UserName, got, want)
			}
		}
	})
}

func TestUsersWhomTheDatabaseRefusesHarmNobodyInTheList(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		w := h.town("T")
		results := h.CreateUsers(h.ctx, w.by, []provisioning.NewUser{pushed("a", "1", ""), {User: identity.User{UserName: "b", Attributes: []byte("{")}}, pushed("c\x00", "", ""), pushed("d", "2", "")})
		for _, i := range []int{0, 3} {
			if results[i].Err != nil || results[i].User.ID == "" {
				t.Errorf("%d: %v", i, results[i].Err)
			}
		}
	})
}

func TestNobodyIsCreatedByOneWhoMayNot(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		home := h.tenant("T")
		u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("viewer@x.test"), home.ID), Role: "viewer"}))
		for _, c := range h.CreateUsers(h.ctx, h.as(u.ID), []provisioning.NewUser{pushed("a", "", ""), pushed("b", "", "")}) {
			wantKind(t, c.Err, identity.Forbidden, "")
		}
		for _, c := range h.CreateUsers(h.ctx, identity.Actor{}, []provisioning.NewUser{pushed("a", "", "")}) {
			if c.Err == nil {
				t.Error("nobody in particular created a user")
			}
		}
		if list := h.CreateUsers(h.ctx, h.op, nil); len(list) != 0 {
			t.Errorf("%d results for nobody", len(list))
		}
	})
}
