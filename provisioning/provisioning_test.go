package provisioning_test

import (
	"context"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// house is one installation under test.
type house struct {
	*provisioning.Service
	t   *testing.T
	ctx context.Context
	db  *store.DB
	op  identity.Actor
}

// each runs a test in an empty house on every database.
func each(t *testing.T, fn func(t *testing.T, h *house)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		model, err := access.Load("etlworks")
		if err != nil {
			t.Fatal(err)
		}
		fn(t, &house{Service: provisioning.New(db, model), t: t, ctx: t.Context(), db: db, op: identity.Operator()})
	})
}

// must returns the value of a call that has to succeed.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantKind fails the test unless the error is of the kind, and of the code where one is named.
func wantKind(t *testing.T, err error, kind identity.Kind, code string) {
	t.Helper()
	if err == nil || identity.KindOf(err) != kind || code != "" && identity.CodeOf(err) != code {
		t.Fatalf("want %v %q, got %v (%v, %q)", kind, code, err, identity.KindOf(err), identity.CodeOf(err))
	}
}

func (h *house) tenant(name string) identity.Tenant {
	h.t.Helper()
	return must[identity.Tenant](h.t)(h.CreateTenant(h.ctx, h.op, name))
}

func (h *house) landing() identity.Tenant {
	h.t.Helper()
	return must[identity.Tenant](h.t)(h.Landing(h.ctx))
}

// directory creates a directory and returns the actor that its token stands for.
func (h *house) directory(name string, tenant identity.TenantID, dialect identity.Dialect, domains ...string) identity.Actor {
	h.t.Helper()
	d, token, err := h.CreateDirectory(h.ctx, h.op, identity.Directory{Name: name, TenantID: tenant, Dialect: dialect, Domains: domains})
	if err != nil || token == "" {
		h.t.Fatal(token, err)
	}
	return identity.Actor{Kind: identity.ActorDirectory, ID: string(d.ID), Label: d.Name, TenantID: d.TenantID, Door: "scim"}
}

// person is a pushed record with one address.
func person(name string) identity.User {
	return identity.User{UserName: name, DisplayName: name, Enabled: true, Emails: []identity.Email{{Value: name, Type: "work", Primary: true}}}
}

func (h *house) push(by identity.Actor, name string) identity.User {
	h.t.Helper()
	return must[identity.User](h.t)(h.CreateUser(h.ctx, by, provisioning.NewUser{User: person(name)}))
}

func (h *house) admin(name string) identity.User {
	h.t.Helper()
	return must[identity.User](h.t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: person(name), Role: "superadmin"}))
}

// as returns the actor of a user, with the roles as they are now.
func (h *house) as(id identity.UserID) identity.Actor {
	h.t.Helper()
	u := must[identity.User](h.t)(h.User(h.ctx, h.op, id))
	a := identity.Actor{Kind: identity.ActorUser, ID: string(u.ID), Label: u.Label(), TenantID: u.TenantID, Door: "console"}
	for _, r := range u.Roles {
		a.Roles = append(a.Roles, r.ID)
	}
	return a
}

func (h *house) roles(id identity.UserID) string {
	h.t.Helper()
	s := ""
	for _, r := range must[identity.User](h.t)(h.User(h.ctx, h.op, id)).Roles {
		s += string(r.ID) + " "
	}
	return s
}

// events returns the types of what happened to a user, oldest first.
func (h *house) events(id identity.UserID) []identity.EventType {
	h.t.Helper()
	page := must[identity.Page[identity.Event]](h.t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: id, Limit: 100}))
	var out []identity.EventType
	for _, e := range page.Items {
		out = append([]identity.EventType{e.Type}, out...)
	}
	return out
}

// session puts a session of a user into the database.
func (h *house) session(id identity.UserID) {
	h.t.Helper()
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		s := identity.Session{ID: identity.NewID[identity.SessionID](), UserID: id, CreatedAt: tx.Now(), LastSeenAt: tx.Now(), ExpiresAt: tx.Now().AddDate(0, 0, 1)}
		return tx.InsertSession(h.ctx, s, identity.HashSecret(string(s.ID)), "")
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) sessions(id identity.UserID) int {
	h.t.Helper()
	return len(must[provisioning.UserDetail](h.t)(h.UserDetail(h.ctx, h.op, id)).Sessions)
}
