package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// What must hold on every path, whoever asks and through whichever door. A path that takes something away from people calls one of these in its own
// transaction, after the people were locked (UserForUpdate) and before it writes:
//
//	keepPerson    somebody is no longer let in: deactivated, deleted, erased, merged into another
//	keepRoles     somebody's roles become others
//	keepMove      somebody goes to another tenant, or gets other roles there
//	keepPosition  somebody gets another place in the organisation, or loses the admin flag
//	keepChange    somebody's own data change: the owner's, and every user name; or the person is let in no more
//	keepRole      a role is changed, or deleted (nil)
//	checkRoles    whether somebody of a tenant may hold these roles together: the right scope, not too few, not too many
//
// Before the first administrator exists there is nobody to keep: an invariant forbids only to go below what it asks for.

// seat is a place that must not be left empty: a role, or without one the admin flag, in one tenant or above all.
type seat struct {
	role   identity.RoleID
	tenant identity.TenantID
}

// departure is what somebody gives up.
type departure struct {
	User  identity.User     // as before the change
	Roles []identity.RoleID // nil: all of them
	Flag  bool              // the admin flag too
}

// departs is the departure of somebody who gives up everything.
func departs(u identity.User) departure { return departure{User: u, Flag: true} }

// keepAdministrators refuses what would leave fewer than the access model asks for who hold a role, or the admin flag, and may come in. What it reads
// stays so until the transaction ends, so that of two at once the second sees the first.
func (s *Service) keepAdministrators(ctx context.Context, tx *store.Tx, going ...departure) error {
	empty := map[seat][]identity.User{}
	var order []seat
	for _, d := range going {
		seats, err := s.seats(ctx, tx, d)
		if err != nil {
			return err
		}
		for _, k := range seats {
			if empty[k] == nil {
				order = append(order, k)
			}
			empty[k] = append(empty[k], d.User)
		}
	}
	if len(order) == 0 {
		return nil
	}
	if err := tx.Lock(ctx, "administrators"); err != nil {
		return err
	}
	for _, k := range order {
		ids := make([]identity.UserID, len(empty[k]))
		for i, u := range empty[k] {
			ids[i] = u.ID
		}
		others, err := tx.CountAdministrators(ctx, k.tenant, k.role, ids)
		if err != nil {
			return err
		}
		if others < s.least(k) {
			return s.lastAdministrator(empty[k][len(ids)-1], k)
		}
	}
	return nil
}

func (s *Service) lastAdministrator(u identity.User, k seat) *identity.Error {
	return identity.Errorf(identity.Forbidden, "%s is the last %s; make somebody else one first.", u.Label(), s.seatTitle(k)).WithCode("last_administrator")
}

func (s *Service) seatTitle(k seat) string {
	if k.role == "" {
		label, _ := s.model.AdminFlag()
		return label
	}
	return s.roleTitle(k.role)
}

// least returns how many must sit there.
func (s *Service) least(k seat) int {
	if k.role == "" {
		return s.model.MinimumAdmins()
	}
	return s.model.Minimum(k.role)
}

// seats returns which of the seats that must be kept somebody gives up. Where the access model asks for nobody in a tenant nothing is read.
func (s *Service) seats(ctx context.Context, tx *store.Tx, d departure) ([]seat, error) {
	u := d.User
	if !u.Enabled || u.DeletedAt != nil {
		return nil, nil
	}
	kept := s.guardedRoles(u.TenantID)
	roles := d.Roles
	if len(kept) > 0 && roles == nil {
		assigned, err := tx.Assignments(ctx, u.ID)
		if err != nil {
			return nil, err
		}
		roles = roleIDs(assigned)
	}
	var out []seat
	for _, id := range kept {
		if slices.Contains(roles, id) {
			out = append(out, seat{id, u.TenantID})
		}
	}
	if !d.Flag || u.TenantID == "" || s.model.MinimumAdmins() == 0 {
		return out, nil
	}
	flagged, err := tx.Administrator(ctx, u.ID)
	if flagged {
		out = append(out, seat{"", u.TenantID})
	}
	return out, err
}

// guardedRoles returns the roles that somebody must hold in a tenant, or above all tenants.
func (s *Service) guardedRoles(tenant identity.TenantID) []identity.RoleID {
	var out []identity.RoleID
	for _, r := range s.model.Roles() {
		if (r.Scope == identity.ScopePlatform) == (tenant == "") && s.model.Minimum(r.ID) > 0 {
			out = append(out, r.ID)
		}
	}
	return out
}

// keepPerson refuses to keep somebody out (access.DenyDeactivate) or to take them away (access.DenyDelete) who must stay: the owner of a tenant, the last
// administrator, the last account for emergencies, somebody with open work. What a directory says holds but for the first two: it would say it again and
// again. What was let pass is returned for the event, so that somebody sees it.
func (s *Service) keepPerson(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, what string) ([]identity.Change, error) {
	flagged, err := s.keepOwner(ctx, tx, by, u, what)
	if err != nil {
		return nil, err
	}
	if err := s.keepAdministrators(ctx, tx, departs(u)); err != nil {
		return nil, err
	}
	if by.Kind != identity.ActorDirectory {
		if err := s.keepLastBreakGlass(ctx, tx, u); err != nil {
			return nil, err
		}
	}
	open, err := s.openWork(ctx, tx, by, u)
	return append(flagged, open...), err
}

// fieldOpenWork is what the event of a leaver says of the work that was left behind.
const fieldOpenWork = "open work"

// openWork refuses to let somebody go whom an application says to have work in hand, where the access model has administrators wait for that; otherwise it
// returns how much it is.
func (s *Service) openWork(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User) ([]identity.Change, error) {
	rule, ok := s.model.OpenAssignments()
	if !ok || !u.Enabled {
		return nil, nil
	}
	work, err := openAssignments(ctx, tx, u)
	if err != nil || len(work) == 0 {
		return nil, err
	}
	blocked := rule.OnPerson == "block"
	if by.Kind == identity.ActorDirectory {
		blocked = rule.OnSCIM == access.OnSCIMRefuse
	}
	if blocked {
		return nil, identity.Errorf(identity.Conflict, "%s still has open work in the application (%s); hand it over to somebody else first.", u.Label(), workText(work)).WithCode("open_assignments")
	}
	return []identity.Change{{Field: fieldOpenWork, After: len(work)}}, nil
}

// keepMove refuses to move somebody to a tenant, with exactly these roles there, who must stay. It returns what the person gives up, for those who are moved in
// the same transaction: they are passed as going.
func (s *Service) keepMove(ctx context.Context, tx *store.Tx, u identity.User, to identity.TenantID, roles []identity.RoleID, going ...departure) (departure, error) {
	d := departs(u)
	if err := s.keepOwnerRoles(ctx, tx, u); err != nil {
		return d, err
	}
	assigned, err := tx.Assignments(ctx, u.ID)
	if err != nil {
		return d, err
	}
	d.Roles = lacking(roleIDs(assigned), nil)
	if u.TenantID == to {
		d.Roles, d.Flag = lacking(d.Roles, roles), false
	}
	if u.TenantID != to || len(roles) > 0 && !slices.ContainsFunc(roles, s.interactive) {
		if err := s.keepLastBreakGlass(ctx, tx, u); err != nil {
			return d, err
		}
	}
	return d, s.keepAdministrators(ctx, tx, append(slices.Clone(going), d)...)
}

// keepRoles refuses to make somebody's roles others where that person must keep one, may not have them, or would have too few or too many. Before and
// after are all roles of the person, whatever their source.
func (s *Service) keepRoles(ctx context.Context, tx *store.Tx, u identity.User, before, after []identity.RoleID) error {
	if sameRoles(before, after) {
		return nil
	}
	if err := s.keepOwnerRoles(ctx, tx, u); err != nil {
		return err
	}
	if err := s.checkRoles(u.TenantID, after); err != nil {
		return err
	}
	if !slices.ContainsFunc(after, s.interactive) {
		if err := s.keepLastBreakGlass(ctx, tx, u); err != nil {
			return err
		}
	}
	return s.keepAdministrators(ctx, tx, departure{User: u, Roles: lacking(before, after)})
}

// interactive reports whether people with a role may sign in.
func (s *Service) interactive(id identity.RoleID) bool {
	r, ok := s.model.Role(id)
	return ok && r.Interactive
}

// checkRoles refuses roles that somebody of a tenant (none: above all) may not hold, or not together.
func (s *Service) checkRoles(tenant identity.TenantID, roles []identity.RoleID) error {
	for _, id := range roles {
		if err := s.fits(id, tenant); err != nil {
			return err
		}
	}
	roles = eachOnce(roles)
	least, most := s.model.AssignmentBounds()
	switch {
	case len(roles) < least:
		return identity.Errorf(identity.Invalid, "Everybody needs %s here; choose more.", several(least, "role")).WithField("roles").WithCode("role_bounds")
	case most > 0 && len(roles) > most:
		return identity.Errorf(identity.Invalid, "Nobody has more than %s here; choose among them.", several(most, "role")).WithField("roles").WithCode("role_bounds")
	}
	return nil
}

// fits refuses a role that does not exist, or belongs to the other kind of people: a platform role needs somebody without a tenant, every other role
// somebody with one.
func (s *Service) fits(id identity.RoleID, tenant identity.TenantID) error {
	role, ok := s.model.Role(id)
	switch {
	case !ok:
		return identity.Errorf(identity.Invalid, "There is no role %q in the access model %s.", id, s.model.Name()).WithField("role")
	case role.Scope == identity.ScopePlatform && tenant != "":
		return identity.Errorf(identity.Invalid, "%s is a role of the platform; it needs a user without a tenant.", role.Title).WithField("role")
	case role.Scope == identity.ScopeTenant && tenant == "":
		return identity.Errorf(identity.Invalid, "%s is a role within a tenant; name the tenant.", role.Title).WithField("tenant")
	}
	return nil
}

// keepPosition refuses to take the admin flag from the last who carries it, and another place for an owner by somebody else.
func (s *Service) keepPosition(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, before, after identity.Position) error {
	if before == after {
		return nil
	}
	if _, err := s.keepOwner(ctx, tx, by, u, access.DenyEdit); err != nil || !before.Admin || after.Admin {
		return err
	}
	return s.keepAdministrators(ctx, tx, departure{User: u, Roles: []identity.RoleID{}, Flag: true})
}
