package provisioning_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// wantField fails the test unless the error is of the kind and about the field, and has a sentence.
func wantField(t *testing.T, err error, kind identity.Kind, field string) {
	t.Helper()
	var e *identity.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Field != field || e.Message == "" {
		t.Errorf("want %v about %s, got %v", kind, field, err)
	}
}

func TestWhatAUserMadeByHandNeeds(t *testing.T) {
	eachWith(t, "fentu-connect", func(t *testing.T, h *house) {
		home := h.home()
		_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
		create := func(change func(*provisioning.NewUser)) (identity.User, error) {
			n := provisioning.NewUser{User: withTenant(person("ada@acme.test"), home.ID), Role: "viewer", Reason: "joined"}
			change(&n)
			return h.CreateUser(h.ctx, boss, n)
		}
		t.Run("FC-11 a name is required", func(t *testing.T) {
			_, err := create(func(n *provisioning.NewUser) { n.User.DisplayName = "" })
			wantField(t, err, identity.Invalid, "displayName")
			u := must[identity.User](t)(create(func(n *provisioning.NewUser) {
				n.User.DisplayName, n.User.Attributes = "", []byte(`{"name":{"givenName":"Ada","familyName":"Lovelace"}}`)
			}))
			_, err = h.UpdateUser(h.ctx, boss, u.ID, 0, func(u *identity.User) error { u.Attributes = []byte(`{}`); return nil })
			wantField(t, err, identity.Invalid, "displayName")
		})
		t.Run("FC-12 an e-mail address is required, well formed, and nobody else's", func(t *testing.T) { h.emailRules(t, boss, create) })
		t.Run("FC-16 an address that everybody gets, or of a strange domain, is warned of and not refused", func(t *testing.T) { h.warnsOfAddresses(t, boss, home) })
		t.Run("FC-19 a change touches what it names, and one that is out of date is refused", func(t *testing.T) {
			u := must[identity.User](t)(create(func(n *provisioning.NewUser) { n.User = withTenant(person("carl@acme.test"), home.ID) }))
			after := must[identity.User](t)(h.UpdateUser(h.ctx, boss, u.ID, u.Version, func(u *identity.User) error { u.DisplayName = "Carl"; return nil }))
			if after.DisplayName != "Carl" || after.Email() != "carl@acme.test" || after.Version != u.Version+1 {
				t.Errorf("after the change: %+v", after)
			}
			_, err := h.UpdateUser(h.ctx, boss, u.ID, u.Version, func(u *identity.User) error { u.DisplayName = "Karl"; return nil })
			wantKind(t, err, identity.Precondition, "")
			page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: u.ID, Limit: 1}))
			want := identity.Change{Field: "displayName", Before: "carl@acme.test", After: "Carl"}
			if e := page.Items[0]; e.Type != identity.UserUpdated || !slices.Contains(e.Changes, want) || e.ActorID != boss.ID {
				t.Errorf("the event is %+v", e)
			}
		})
	})
}

func (h *house) emailRules(t *testing.T, boss identity.Actor, create func(func(*provisioning.NewUser)) (identity.User, error)) {
	address := func(name string, values ...string) func(*provisioning.NewUser) {
		return func(n *provisioning.NewUser) {
			n.User.UserName, n.User.Emails = name, nil
			for _, v := range values {
				n.User.Emails = append(n.User.Emails, identity.Email{Value: v})
			}
		}
	}
	_, err := create(address("bob"))
	wantField(t, err, identity.Invalid, "email")
	for _, bad := range []string{"bob", "bob@", "bob@acme test", "<bob@acme.test>"} {
		_, err := create(address("bob", bad))
		wantField(t, err, identity.Invalid, "email")
	}
	bob := must[identity.User](t)(create(address("bob", "bob@acme.test")))
	_, err = create(address("bob2", "BOB@Acme.test"))
	wantField(t, err, identity.Conflict, "email")
	wantKind(t, err, identity.Conflict, "uniqueness")
	twin := must[identity.User](t)(create(func(n *provisioning.NewUser) { address("bob2", "bob@acme.test")(n); n.SameEmail = true }))
	eve := must[identity.User](t)(create(address("eve", "eve@acme.test")))
	_, err = h.UpdateUser(h.ctx, boss, eve.ID, 0, func(u *identity.User) error { u.Emails = bob.Emails; return nil })
	wantField(t, err, identity.Conflict, "email")
	_, err = h.UpdateUser(h.ctx, boss, eve.ID, 0, func(u *identity.User) error { u.Emails = nil; return nil })
	wantField(t, err, identity.Invalid, "email")
	must[identity.User](t)(h.UpdateUser(h.ctx, boss, twin.ID, 0, func(u *identity.User) error { u.DisplayName = "The other Bob"; return nil }))
}

func (h *house) warnsOfAddresses(t *testing.T, boss identity.Actor, home identity.Tenant) {
	kinds := func(u identity.User) (out []identity.UserWarningKind) {
		for _, w := range must[[]identity.UserWarning](t)(h.UserWarnings(h.ctx, boss, u)) {
			if w.Text == "" || w.Field != "email" {
				t.Errorf("a warning without words: %+v", w)
			}
			out = append(out, w.Kind)
		}
		return out
	}
	free := withTenant(person("someone@gmail.com"), home.ID)
	if got := kinds(free); !slices.Equal(got, []identity.UserWarningKind{identity.WarnFreeMail}) {
		t.Errorf("gmail: %v", got)
	}
	must[identity.User](t)(h.CreateUser(h.ctx, boss, provisioning.NewUser{User: free, Role: "viewer"}))
	if got := kinds(free); !slices.Equal(got, []identity.UserWarningKind{identity.WarnSameEmail, identity.WarnFreeMail}) {
		t.Errorf("the same again: %v", got)
	}
	if got := kinds(person("new@acme.test")); got != nil {
		t.Errorf("a fine address: %v", got)
	}
	h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
		return tx.InsertDomain(h.ctx, identity.Domain{ID: identity.NewID[identity.DomainID](), Domain: "acme.test", TenantID: home.ID, Holds: true, CreatedAt: tx.Now()})
	}))
	if got := kinds(person("x@gmail.com")); !slices.Equal(got, []identity.UserWarningKind{identity.WarnForeignDomain}) {
		t.Errorf("a strange domain where the tenant has its own: %v", got)
	}
}

func TestAnAddressIsNotNeededWherePeopleHaveUserNames(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		if h.Model().Identifier() != access.IdentifierUserName {
			t.Fatal("the model is another one")
		}
		home := h.home()
		_, boss := h.staff(home.ID, "boss@acme.test", h.chiefRole())
		u := must[identity.User](t)(h.CreateUser(h.ctx, boss, provisioning.NewUser{User: identity.User{UserName: "clerk1", DisplayName: "Clerk", TenantID: home.ID}, Role: h.plainRole()}))
		if u.Email() != "" {
			t.Error(u.Emails)
		}
		for _, name := range []string{"a", "b"} { // one mailbox of a desk, and two people
			one := withTenant(person(name), home.ID)
			one.Emails = []identity.Email{{Value: "desk@acme.test"}}
			must[identity.User](t)(h.CreateUser(h.ctx, boss, provisioning.NewUser{User: one, Role: h.plainRole()}))
		}
	})
}
