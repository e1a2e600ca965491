package provisioning

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// names turns the names that a table has for tenants, units and types into ids and back. It remembers what it asked for, so it is for one transaction, or for one
// list that need not see what changes meanwhile.
type names struct {
	s       *Service
	scope   store.Scope
	tenants map[identity.TenantID]string
	ids     map[string]identity.TenantID // by NameKey
	units   map[identity.TenantID]*unitNames
	types   []identity.UserType
	typed   bool
}

func (s *Service) names(scope store.Scope) *names {
	return &names{s: s, scope: scope, tenants: map[identity.TenantID]string{}, ids: map[string]identity.TenantID{}, units: map[identity.TenantID]*unitNames{}}
}

// tenantName returns how a table names a tenant.
func (n *names) tenantName(ctx context.Context, tx *store.Tx, id identity.TenantID) (string, error) {
	if id == "" {
		return "", nil
	}
	if name, ok := n.tenants[id]; ok {
		return name, nil
	}
	found, err := tx.TenantNames(ctx, []identity.TenantID{id})
	if err == nil {
		n.tenants[id] = found[id]
	}
	return found[id], err
}

// tenant returns the tenant of the scope that a table names by its name or its id, or NotFound.
func (n *names) tenant(ctx context.Context, tx *store.Tx, word string) (identity.TenantID, error) {
	if id, ok := n.ids[identity.NameKey(word)]; ok {
		return id, nil
	}
	var t identity.Tenant
	id, ok := identity.ParseID[identity.TenantID](word)
	var err error
	if ok {
		t, err = tx.Tenant(ctx, n.scope, id)
	} else {
		t, err = tx.TenantByName(ctx, n.scope, word)
	}
	if err != nil {
		return "", sharpen(err, noTenant)
	}
	n.ids[identity.NameKey(word)], n.tenants[t.ID] = t.ID, t.Name
	return t.ID, nil
}

// unitNames are the units and teams of one tenant.
type unitNames struct {
	root identity.UnitID // where people are whom nobody put anywhere
	byID map[identity.UnitID]identity.Unit
	name map[identity.UnitID]string   // as a table has it
	ids  map[string][]identity.UnitID // by name and by path, as unitKey makes them
}

func unitKey(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = identity.NameKey(identity.TidyText(p))
	}
	return strings.Join(parts, "/")
}

func (n *names) unitsOf(ctx context.Context, tx *store.Tx, tenant identity.TenantID) (*unitNames, error) {
	if u, ok := n.units[tenant]; ok {
		return u, nil
	}
	list, err := tx.Units(ctx, tenant)
	if err != nil {
		return nil, err
	}
	u := &unitNames{byID: map[identity.UnitID]identity.Unit{}, name: map[identity.UnitID]string{}, ids: map[string][]identity.UnitID{}}
	for _, unit := range list {
		u.byID[unit.ID] = unit
		if unit.ParentID == "" {
			u.root = unit.ID
		}
	}
	for _, unit := range list {
		path := u.path(unit)
		u.ids[unitKey(path)] = append(u.ids[unitKey(path)], unit.ID)
		if key := unitKey(unit.Name); key != unitKey(path) {
			u.ids[key] = append(u.ids[key], unit.ID)
		}
	}
	for _, unit := range list {
		u.name[unit.ID] = u.label(unit)
	}
	n.units[tenant] = u
	return u, nil
}

// path writes where a unit is in the tree, without the root.
func (u *unitNames) path(unit identity.Unit) string {
	path := unit.Name
	for i := 0; i < 50; i++ { // a tree that was broken by hand ends somewhere
		parent, ok := u.byID[unit.ParentID]
		if !ok || parent.ParentID == "" {
			break
		}
		path, unit = parent.Name+" / "+path, parent
	}
	return path
}

// label names a unit as briefly as is clear: a team by its own name, since the unit stands beside it.
func (u *unitNames) label(unit identity.Unit) string {
	switch {
	case unit.Kind == identity.KindTeam:
		if strings.Contains(unit.Name, "/") {
			return string(unit.ID)
		}
		return unit.Name
	case len(u.ids[unitKey(unit.Name)]) == 1 && !strings.Contains(unit.Name, "/"):
		return unit.Name
	case len(u.ids[unitKey(u.path(unit))]) == 1 && !strings.Contains(unit.Name, "/"):
		return u.path(unit)
	}
	return string(unit.ID)
}

// unit returns the unit, or the team of a unit, that a table names by its name, its path or its id.
func (n *names) unit(ctx context.Context, tx *store.Tx, tenant identity.TenantID, kind identity.UnitKind, within identity.UnitID, word string) (identity.UnitID, error) {
	all, err := n.unitsOf(ctx, tx, tenant)
	if err != nil {
		return "", err
	}
	var found []identity.UnitID
	for _, id := range all.ids[unitKey(word)] {
		if u := all.byID[id]; u.Kind == kind && (within == "" || u.ParentID == within) {
			found = append(found, id)
		}
	}
	if id, ok := identity.ParseID[identity.UnitID](word); ok && len(found) == 0 && all.byID[id].Kind == kind {
		found = append(found, id)
	}
	what := map[identity.UnitKind]string{identity.KindUnit: "business unit", identity.KindTeam: "team"}[kind]
	switch len(found) {
	case 0:
		return "", identity.Errorf(identity.Invalid, "There is no %s %q in the tenant. Create it first, or write its name as it is there.", what, word).WithField(string(kind))
	case 1:
		return found[0], nil
	}
	return "", identity.Errorf(identity.Invalid, "There is more than one %s %q. Write its path with slashes, or its id.", what, word).WithField(string(kind))
}

// userType returns the user type that a table names by its id or its title.
func (n *names) userType(ctx context.Context, tx *store.Tx, word string) (identity.UserType, error) {
	if !n.typed {
		types, err := tx.UserTypes(ctx, identity.DefaultApplication)
		if err != nil {
			return identity.UserType{}, err
		}
		n.types, n.typed = types, true
	}
	for _, t := range n.types {
		if strings.EqualFold(string(t.ID), word) || identity.NameKey(t.Title) == identity.NameKey(word) {
			return t, nil
		}
	}
	return identity.UserType{}, identity.Errorf(identity.Invalid, "There is no user type %q. Use one of: %s.", word, typeList(n.types)).WithField(fieldType)
}

func typeList(types []identity.UserType) string {
	var out []string
	for _, t := range types {
		out = append(out, string(t.ID))
	}
	return strings.Join(out, ", ")
}

// role returns the role that a table names by its id or its title.
func (n *names) role(word string) (identity.Role, error) {
	for _, r := range n.s.model.Roles() {
		if strings.EqualFold(string(r.ID), word) || identity.NameKey(r.Title) == identity.NameKey(word) {
			return r, nil
		}
	}
	return identity.Role{}, identity.Errorf(identity.Invalid, "There is no role %q in the access model %s.", word, n.s.model.Name()).WithField(fieldRole)
}

// roles returns the roles that a cell names, with commas, semicolons or bars between them. A title that has a comma in it is found when it stands alone.
func (n *names) roles(cell string) ([]identity.RoleID, error) {
	if r, err := n.role(cell); err == nil {
		return []identity.RoleID{r.ID}, nil
	}
	var out []identity.RoleID
	for _, word := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;|", r) }) {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		r, err := n.role(word)
		if err != nil {
			return nil, err
		}
		out = append(out, r.ID)
	}
	return out, nil
}
