package authn_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

const right = "correct horse battery"

// house is a database with a service on it; its methods put people there without asking the rules of provisioning.
type house struct {
	*authn.Service
	t    testing.TB
	db   *store.DB
	acme identity.TenantID
	umbr identity.TenantID
}

func build(t testing.TB, db *store.DB) *house {
	t.Helper()
	model, err := access.Load(storetest.Model)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Service: authn.New(db, model), t: t, db: db}
	h.acme, h.umbr = h.tenant("Acme"), h.tenant("Umbrella")
	return h
}

func (h *house) update(fn func(*store.Tx) error) {
	h.t.Helper()
	if err := h.db.Update(h.t.Context(), fn); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) tenant(name string) identity.TenantID {
	h.t.Helper()
	id := identity.NewID[identity.TenantID]()
	h.update(func(tx *store.Tx) error {
		return tx.InsertTenant(h.t.Context(), identity.Tenant{ID: id, Name: name, CreatedAt: tx.Now()})
	})
	return id
}

// person puts somebody into a tenant with roles; name@example.com is the address.
func (h *house) person(tenant identity.TenantID, name string, roles ...identity.RoleID) identity.User {
	h.t.Helper()
	u := identity.User{
		ID: identity.NewID[identity.UserID](), TenantID: tenant, UserName: name, DisplayName: strings.ToUpper(name[:1]) + name[1:], Enabled: true, Version: 1,
		Emails: []identity.Email{{Value: name + "@example.com", Primary: true}},
	}
	h.update(func(tx *store.Tx) error {
		u.CreatedAt, u.UpdatedAt = tx.Now(), tx.Now()
		return tx.InsertUser(h.t.Context(), u)
	})
	h.give(u, roles...)
	return u
}

func (h *house) give(u identity.User, roles ...identity.RoleID) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		for _, role := range roles {
			a := identity.Assignment{
				ID: identity.NewID[identity.AssignmentID](), UserID: u.ID, RoleID: role, Application: identity.DefaultApplication,
				Source: identity.SourceManual, CreatedAt: tx.Now(),
			}
			if err := tx.InsertAssignment(h.t.Context(), a); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h *house) take(u identity.User, role identity.RoleID) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		all, err := tx.Assignments(h.t.Context(), u.ID)
		for _, a := range all {
			if err == nil && a.RoleID == role {
				err = tx.DeleteAssignment(h.t.Context(), a.ID)
			}
		}
		return err
	})
}

// change writes a user as the function leaves it.
func (h *house) change(u identity.User, fn func(*identity.User)) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		now, err := tx.UserForUpdate(h.t.Context(), store.Everything(), u.ID)
		if err != nil {
			return err
		}
		before := now
		fn(&now)
		return tx.UpdateUser(h.t.Context(), before, now)
	})
}

// password gives somebody the right password.
func (h *house) password(u identity.User) {
	h.t.Helper()
	phc, err := h.HashPassword(h.t.Context(), right)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.SetPassword(h.t.Context(), identity.Operator(), u.ID, phc); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) signIn(u identity.User) (string, identity.Session) {
	h.t.Helper()
	cookie, session, err := h.StartSession(h.t.Context(), u, identity.Session{IP: "203.0.113.9", UserAgent: "test"}, "")
	if err != nil {
		h.t.Fatal(err)
	}
	return cookie, session
}

// as returns the actor that somebody is while signed in.
func (h *house) as(u identity.User) identity.Actor {
	h.t.Helper()
	cookie, _ := h.signIn(u)
	visit, err := h.Session(h.t.Context(), cookie)
	if err != nil {
		h.t.Fatal(err)
	}
	return visit.Actor
}

// events returns the newest events of a type about somebody, newest first.
func (h *house) events(u identity.User, kind identity.EventType) []identity.Event {
	h.t.Helper()
	var page identity.Page[identity.Event]
	err := h.db.View(h.t.Context(), func(tx *store.Tx) error {
		var err error
		page, err = tx.Events(h.t.Context(), store.Everything(), store.EventQuery{UserID: u.ID, Type: kind, Limit: 100})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Items
}

func (h *house) traces(u identity.User) []identity.Trace {
	h.t.Helper()
	var page identity.Page[identity.Trace]
	err := h.db.View(h.t.Context(), func(tx *store.Tx) error {
		var err error
		page, err = tx.Traces(h.t.Context(), store.Everything(), store.TraceQuery{UserID: u.ID, Limit: 100})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Items
}

// each runs the test on both databases.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, build(t, db)) })
}

func wantKind(t testing.TB, err error, want identity.Kind) {
	t.Helper()
	if err == nil || identity.KindOf(err) != want {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// message is what a client sees of an error.
func message(err error) string {
	var e *identity.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}

func ago(d time.Duration) time.Time { return time.Now().UTC().Truncate(time.Microsecond).Add(-d) }
