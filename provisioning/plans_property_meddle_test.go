package provisioning_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// guarded is a set of what several hands note at once.
type guarded struct {
	sync.Mutex
	values map[string]string
}

func (g *guarded) put(id identity.UserID, field, value string) {
	g.Lock()
	defer g.Unlock()
	g.values[string(id)+" "+field] = value
}

// meddle lets somebody else act. It returns what they wrote, by person and field.
func (w *planWorld) meddle(list []meddling) map[string]string {
	wrote := &guarded{values: map[string]string{}}
	for i, m := range list {
		if m.Who >= len(w.folk) || w.folk[m.Who].ID == "" {
			w.collide(m)
			continue
		}
		u := w.folk[m.Who]
		err := w.act(u, m.Act, fmt.Sprintf("meddled in %s: %d", w.where, i), wrote)
		w.may(err, "somebody else")
	}
	return wrote.values
}

// collide makes somebody who has a name that a file may bring.
func (w *planWorld) collide(m meddling) {
	n := provisioning.NewUser{User: withTenant(person(fmt.Sprintf("n%d@story.test", m.Who)), w.home.ID), Role: w.roles[0], Reason: "hired meanwhile"}
	_, err := w.CreateUser(w.ctx, identity.System(), n)
	w.may(err, "somebody else who is new")
}

func (w *planWorld) act(u identity.User, act int, value string, wrote *guarded) (err error) {
	by := identity.System()
	was, err := w.User(w.ctx, by, u.ID)
	if err != nil {
		return err
	}
	title := func(u *identity.User) error { u.Attributes = []byte(`{"title":"` + value + `"}`); return nil }
	switch act {
	case 0, 1:
		if w.managed[u.ID] {
			by = w.dir
		}
		if _, err = w.UpdateUser(w.ctx, by, u.ID, 0, title); err == nil {
			wrote.put(u.ID, "title", value)
		}
	case 2:
		if _, err = w.DeactivateUser(w.ctx, by, u.ID, value); err == nil && was.Enabled { // what changes nothing is no word
			wrote.put(u.ID, "active", "no")
		}
	case 3:
		if _, err = w.ActivateUser(w.ctx, by, u.ID, value); err == nil && !was.Enabled {
			wrote.put(u.ID, "active", "yes")
		}
	case 4:
		if _, err = w.SetRoles(w.ctx, by, u.ID, []identity.RoleID{w.roles[0]}, value); err == nil && !w.managed[u.ID] && !slices.ContainsFunc(was.Roles, func(r identity.Role) bool { return r.ID == w.roles[0] }) {
			wrote.put(u.ID, "role", string(w.roles[0]))
		}
	case 5:
		if _, err = w.UpdateUser(w.ctx, by, u.ID, 0, func(u *identity.User) error { u.DisplayName = value; return nil }); err == nil {
			wrote.put(u.ID, "displayName", value)
		}
	case 6:
		if _, err = w.SetPosition(w.ctx, by, u.ID, func(p *identity.Position) error { p.External = !p.External; return nil }, value); err == nil {
			return nil
		}
	case 7:
		if err = w.DeleteUser(w.ctx, by, u.ID, 0); err == nil {
			wrote.gone(u.ID)
		}
	}
	return err
}

// gone forgets what was written about somebody who is deleted.
func (g *guarded) gone(id identity.UserID) {
	g.Lock()
	defer g.Unlock()
	maps.DeleteFunc(g.values, func(key, _ string) bool { return strings.HasPrefix(key, string(id)) })
}
