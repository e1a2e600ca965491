package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Rows about new people go many at once: the rules that concern one person alone are asked without the database, those about roles and places once for all whom
// they hold for alike, and who has the names and addresses already is read for all of them together. Whoever is in any way special, and whoever a rule refuses, goes
// the single way (planner.carryOut), which is the law: here nothing is decided, only found to be plain.

// batchFields are what a row may say of somebody who is created with others. A field that is not among them has its row go by itself.
var batchFields = map[string]bool{
	fieldUserName: true, fieldEmail: true, fieldDisplayName: true, fieldGivenName: true, fieldFamilyName: true, fieldRole: true, fieldTenant: true, fieldType: true, fieldUnit: true,
	fieldTeam: true, fieldLevel: true, fieldExternal: true, fieldEmployeeNumber: true, fieldExternalID: true, fieldPhone: true, fieldTitle: true, fieldActive: true,
	fieldDepartment: true, fieldDivision: true, fieldCostCenter: true, fieldOrganization: true, fieldLocation: true,
}

// newcomer is somebody new who keeps all rules.
type newcomer struct {
	user  NewUser
	after personFields // as a table will have the person, without the id
	known []store.SourceUser
}

// plain reports whether a row about somebody new may go with others.
func (p *planner) plain(r importRow) bool {
	o := p.plan.Options
	if r.wrong != nil || r.recalled || r.bulk != nil || r.undo != nil || p.by.Kind == identity.ActorDirectory || len(o.Rules)+len(o.Fields) > 0 || o.Welcome != identity.WelcomeNone && o.Welcome != "" {
		return false
	}
	for field, value := range r.fields {
		if value != "" && !batchFields[field] {
			return false
		}
	}
	return true
}

// newcomers returns of each row about somebody new what is to be written, or nil where the row has to go by itself. who says whom the others are about; known is
// who has the keys of the rows.
func (p *planner) newcomers(ctx context.Context, tx *store.Tx, rows []importRow, who []identity.UserID, known found) ([]*newcomer, error) {
	out := make([]*newcomer, len(rows))
	if collide(rows) {
		return out, nil
	}
	seen := &places{roles: map[place]bool{}, positions: map[place]identity.Position{}}
	for i, r := range rows {
		if who[i] != "" || !p.plain(r) {
			continue
		}
		n, err := p.newcomer(ctx, tx, r, known, seen)
		if err != nil && refusalOf(err) == nil {
			return nil, err
		}
		if err == nil {
			out[i] = n
		}
	}
	return out, nil
}

// newcomer holds one row to the rules; nil for a row that has to go by itself.
func (p *planner) newcomer(ctx context.Context, tx *store.Tx, r importRow, known found, seen *places) (*newcomer, error) {
	n, roles, err := p.newUser(ctx, tx, r, p.reason(r))
	if err != nil || len(roles) > 1 || p.counted(n.Position.Type) || p.shared(n.User, r, known) {
		return nil, err
	}
	apart := n
	apart.SameEmail = true // whoever shares an address goes the single way
	if err := p.s.checkNew(ctx, tx, p.by, &apart, seen); err != nil {
		return nil, err
	}
	apart.SameEmail = false
	stands := p.newStanding(r, apart, apart.User)
	after, err := p.names.fields(ctx, tx, stands, p.plan.TenantID, p.plan.Source)
	delete(after, fieldID)
	return &newcomer{apart, after, stands.sources}, err
}

// counted reports whether a user type has room for some people only, so that one counts for the next.
func (p *planner) counted(id identity.UserTypeID) bool {
	return id != "" && slices.ContainsFunc(p.names.types, func(t identity.UserType) bool { return t.ID == id && t.MaxUsers > 0 })
}

// shared reports whether somebody of the tenant has the name or, where people sign in with it, the address.
func (p *planner) shared(u identity.User, r importRow, known found) bool {
	there := func(kind store.KeyKind, key string) bool {
		return slices.ContainsFunc(known[string(kind)][key], func(k store.Known) bool { return k.TenantID == u.TenantID })
	}
	if there(store.ByName, identity.NameKey(u.UserName)) {
		return true
	}
	key := r.addressKey()
	return key != "" && p.s.model.Identifier() == access.IdentifierEmail && (there(store.ByAddress, key) || there(store.ByName, key))
}

// collide reports whether two rows would give somebody the same name or address: then their order counts.
func collide(rows []importRow) bool {
	seen := make(map[string]int, 2*len(rows))
	for i, r := range rows {
		if r.wrong != nil {
			continue
		}
		for _, key := range []string{identity.NameKey(r.fields[fieldUserName]), identity.NameKey(r.fields[fieldEmail]), r.addressKey()} {
			if first, ok := seen[key]; ok && key != "" && first != i {
				return true
			}
			seen[key] = i
		}
	}
	return false
}

// places remembers which roles and positions were found to be right. What is not right is looked at each time, since the refusal is about the person.
type places struct {
	roles     map[place]bool
	positions map[place]identity.Position
}

// place is a role or a position in a tenant.
type place struct {
	tenant   identity.TenantID
	role     identity.RoleID
	position identity.Position
}

func (p *places) checkRole(ctx context.Context, tx *store.Tx, s *Service, by identity.Actor, id identity.RoleID, tenant identity.TenantID) error {
	at := place{tenant: tenant, role: id}
	if p != nil && p.roles[at] {
		return nil
	}
	err := s.checkRole(ctx, tx, by, id, tenant)
	if p != nil && err == nil {
		p.roles[at] = true
	}
	return err
}

func (p *places) checkPosition(ctx context.Context, tx *store.Tx, s *Service, by identity.Actor, u identity.User, position *identity.Position) error {
	at := place{tenant: u.TenantID, position: *position}
	if p != nil {
		if right, ok := p.positions[at]; ok {
			*position = right
			return nil
		}
	}
	err := s.checkPosition(ctx, tx, by, u, identity.Position{}, position)
	if p != nil && err == nil {
		p.positions[at] = *position
	}
	return err
}

// planned computes the step of somebody who is created with others.
func (p *planner) planned(r importRow, n *newcomer) (identity.PlanStep, stepData, error) {
	step := identity.PlanStep{PlanID: p.plan.ID, Line: r.line, Action: identity.StepCreate, State: identity.StepOpen}
	d := stepData{Who: n.user.User.Label(), Fields: r.fields, Hash: r.hash, Terms: r.terms, Tenant: r.tenant, Left: n.after}
	return step, d, writeStep(&step, d)
}

// sameFields reports whether two lists of fields say the same, apart from the id.
func sameFields(a, b personFields) bool {
	same := func(x, y personFields) bool {
		for field, value := range x {
			if field != fieldID && value != y[field] {
				return false
			}
		}
		return true
	}
	return same(a, b) && same(b, a)
}
