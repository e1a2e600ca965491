package provisioning_test

import (
	"errors"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// eachOn runs a test in an empty house with a built-in access model, on every database.
func eachOn(t *testing.T, preset string, fn func(t *testing.T, h *house)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, houseOn(t, db, preset)) })
}

func houseOn(t *testing.T, db *store.DB, preset string) *house {
	model := storetest.Preset(t, db, preset)
	return &house{Service: provisioning.New(db, model), t: t, ctx: t.Context(), db: db, op: identity.Operator()}
}

// account is the tenant in which people of a test live.
func (h *house) account() identity.Tenant {
	h.t.Helper()
	t, err := h.TenantByName(h.ctx, h.op, h.Model().MainTenant())
	if identity.KindOf(err) == identity.NotFound {
		return h.tenant(h.Model().MainTenant())
	}
	return must[identity.Tenant](h.t)(t, err)
}

// hire creates somebody with a role in the account.
func (h *house) hire(name string, role identity.RoleID) identity.User {
	h.t.Helper()
	return must[identity.User](h.t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person(name), h.account().ID), Role: role, Reason: "hired"}))
}

// boss returns an actor who holds a role in the account.
func (h *house) boss(name string, role identity.RoleID) identity.Actor {
	h.t.Helper()
	return h.as(h.hire(name, role).ID)
}

// lastEvent returns the newest event of a type.
func (h *house) lastEvent(kind identity.EventType) identity.Event {
	h.t.Helper()
	page := must[identity.Page[identity.Event]](h.t)(h.Events(h.ctx, h.op, provisioning.EventQuery{Type: kind, Limit: 1}))
	if len(page.Items) == 0 {
		h.t.Fatalf("there is no event %s", kind)
	}
	return page.Items[0]
}

// change returns what an event says of a field.
func change(e identity.Event, field string) identity.Change {
	for _, c := range e.Changes {
		if c.Field == field {
			return c
		}
	}
	return identity.Change{}
}

// wantSentence fails the test unless the error says exactly this.
func wantSentence(t *testing.T, err error, sentence string) {
	t.Helper()
	var e *identity.Error
	if !errors.As(err, &e) || e.Message != sentence {
		t.Errorf("it says %q, want %q", err, sentence)
	}
}

// may reports whether somebody may do something now.
func (h *house) may(id identity.UserID, resource, action string) bool {
	h.t.Helper()
	u := must[identity.User](h.t)(h.User(h.ctx, h.op, id))
	var who access.Subject
	for _, r := range u.Roles {
		who.Roles = append(who.Roles, r.ID)
	}
	return h.Model().Decide(who, resource, action).Allowed
}
