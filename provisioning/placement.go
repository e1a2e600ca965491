package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// MaxPlacement is how many people one placement may move.
const MaxPlacement = 500

// Placement moves people to a tenant with a role; without a tenant, to the platform with a role of it.
type Placement struct {
	Users  []PlacedUser
	Tenant identity.TenantID
	Role   identity.RoleID
	Reason string
}

// PlacedUser is one person of a placement, with the version that was seen; 0 means any.
type PlacedUser struct {
	ID      identity.UserID
	Version int64
}

// PlacementPlan is what a placement would do, or did.
type PlacementPlan struct {
	Tenant identity.Tenant // zero for the platform
	Role   identity.Role
	Steps  []PlacementStep
}

// PlacementStep is one person of the plan. Refused says why the person cannot be moved; empty means that they are.
type PlacementStep struct {
	User       identity.User
	FromTenant string
	FromRoles  []identity.Role
	Refused    string
}

// Refusals counts the people who cannot be moved.
func (p PlacementPlan) Refusals() int {
	n := 0
	for _, s := range p.Steps {
		if s.Refused != "" {
			n++
		}
	}
	return n
}

// Landed returns a page of the people in SSO Landing, who wait to be placed. In an installation of one tenant its administrators see them too.
func (s *Service) Landed(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.User], error) {
	if err := s.household(ctx, by); err != nil {
		return identity.Page[identity.User]{}, err
	}
	landing, err := s.Landing(ctx)
	if err != nil {
		return identity.Page[identity.User]{}, err
	}
	q.Tenant = landing.ID
	return s.Users(ctx, identity.System(), q)
}

// PreviewPlacement says what PlaceUsers would do, person by person, and changes nothing.
func (s *Service) PreviewPlacement(ctx context.Context, by identity.Actor, p Placement) (PlacementPlan, error) {
	var plan PlacementPlan
	if err := s.checkPlacement(ctx, by, &p); err != nil {
		return plan, err
	}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		plan, err = s.planPlacement(ctx, tx, by, p, (*store.Tx).User)
		return err
	})
	return plan, err
}

// PlaceUsers moves people to a tenant with a role in one transaction: all of them, or none when one cannot be moved. Their rights change with
// their next request; the role is an administrator's and stays whatever later sign-ins say.
func (s *Service) PlaceUsers(ctx context.Context, by identity.Actor, p Placement) (PlacementPlan, error) {
	var plan PlacementPlan
	if err := s.checkPlacement(ctx, by, &p); err != nil {
		return plan, err
	}
	reason, err := s.checkReason(p.Reason)
	if err != nil {
		return plan, err
	}
	p.Reason = reason
	err = s.db.Update(ctx, func(tx *store.Tx) (err error) {
		if plan, err = s.planPlacement(ctx, tx, by, p, (*store.Tx).UserForUpdate); err != nil {
			return err
		}
		for _, step := range plan.Steps {
			if step.Refused != "" {
				return identity.Errorf(identity.Conflict, "Nobody was moved: %s: %s", step.User.Label(), step.Refused).WithCode("placement_refused")
			}
		}
		for i := range plan.Steps {
			if plan.Steps[i].User, err = s.place(ctx, tx, by, plan, plan.Steps[i], p.Reason); err != nil {
				return err
			}
		}
		return nil
	})
	if identity.KindOf(err) == identity.Conflict && identity.CodeOf(err) == "" {
		err = identity.Errorf(identity.Conflict, "Nobody was moved: a user name was taken in the new tenant meanwhile. Look at the preview again.").WithCause(err)
	}
	return plan, err
}

// checkPlacement refuses what needs no database to be refused, and puts the people in the order in which they are locked.
func (s *Service) checkPlacement(ctx context.Context, by identity.Actor, p *Placement) error {
	if err := s.household(ctx, by); err != nil {
		return err
	}
	if len(p.Users) == 0 {
		return identity.Errorf(identity.Invalid, "Choose at least one person.").WithField("users")
	}
	if len(p.Users) > MaxPlacement {
		return identity.Errorf(identity.TooLarge, "At most %d people can be moved at once.", MaxPlacement).WithField("users")
	}
	if !validIDs(&p.Tenant) {
		return noTenant()
	}
	for i := range p.Users {
		if p.Users[i].ID == "" || !validIDs(&p.Users[i].ID) {
			return noUser()
		}
	}
	slices.SortFunc(p.Users, func(a, b PlacedUser) int { return strings.Compare(string(a.ID), string(b.ID)) })
	p.Users = slices.CompactFunc(p.Users, func(a, b PlacedUser) bool { return a.ID == b.ID })
	return nil
}

type readUser func(*store.Tx, context.Context, store.Scope, identity.UserID) (identity.User, error)

func (s *Service) planPlacement(ctx context.Context, tx *store.Tx, by identity.Actor, p Placement, read readUser) (PlacementPlan, error) {
	var plan PlacementPlan
	home := identity.User{TenantID: p.Tenant}
	if err := s.homeByDefault(ctx, tx, p.Role, &home); err != nil {
		return plan, err
	}
	p.Tenant = home.TenantID
	if err := s.checkRole(ctx, tx, by, p.Role, p.Tenant); err != nil {
		return plan, err
	}
	if err := s.checkRoles(p.Tenant, []identity.RoleID{p.Role}); err != nil {
		return plan, err
	}
	plan.Role, _ = s.model.Role(p.Role)
	if p.Tenant != "" {
		t, err := tx.Tenant(ctx, store.Everything(), p.Tenant)
		if err != nil {
			return plan, err
		}
		plan.Tenant = t
	}
	users := make([]identity.User, len(p.Users))
	for i, placed := range p.Users { // all of them are locked before anything is counted
		u, err := read(tx, ctx, store.Everything(), placed.ID)
		if err == nil {
			err = s.mayTake(ctx, tx, by, u)
		}
		if err != nil {
			return plan, sharpen(err, noUser)
		}
		users[i] = u
	}
	if err := s.describe(ctx, tx, users); err != nil {
		return plan, err
	}
	names, going := map[string]bool{}, []departure(nil)
	for i, u := range users {
		step := PlacementStep{User: u, FromTenant: u.TenantName, FromRoles: u.Roles}
		var d departure
		var err error
		if step.Refused, d, err = s.whyNotPlaced(ctx, tx, plan, u, p.Users[i].Version, going); err != nil {
			return plan, err
		}
		if key := identity.NameKey(u.UserName); step.Refused == "" && names[key] {
			step.Refused = "somebody else in this placement has the same user name"
		} else {
			names[key] = true
		}
		if step.Refused == "" {
			going = append(going, d) // no longer what they were once the plan is done
		}
		plan.Steps = append(plan.Steps, step)
	}
	return plan, nil
}

// whyNotPlaced returns the reason why a person cannot be moved, or "" with what the person gives up.
func (s *Service) whyNotPlaced(ctx context.Context, tx *store.Tx, plan PlacementPlan, u identity.User, version int64, going []departure) (string, departure, error) {
	var d departure
	if version != 0 && version != u.Version {
		return "was changed by somebody else meanwhile; look at the person again", d, nil
	}
	if u.TenantID == plan.Tenant.ID && len(u.Roles) == 1 && u.Roles[0].ID == plan.Role.ID {
		return "is already there with this role", d, nil
	}
	if u.TenantID != plan.Tenant.ID {
		why, err := s.whyNotThere(ctx, tx, u, plan.Tenant)
		if err != nil || why != "" {
			return why, d, err
		}
	}
	d, err := s.keepMove(ctx, tx, u, plan.Tenant.ID, []identity.RoleID{plan.Role.ID}, going...)
	if identity.KindOf(err) == identity.Internal {
		return "", d, err
	}
	return strings.TrimPrefix(strings.TrimSuffix(messageFor(err), "."), u.Label()+" "), d, nil
}

// whyNotThere returns the reason why a person cannot live in another tenant, or "".
func (s *Service) whyNotThere(ctx context.Context, tx *store.Tx, u identity.User, to identity.Tenant) (string, error) {
	links, err := tx.DirectoryLinks(ctx, u.ID)
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if l.TenantID != "" && l.TenantID == u.TenantID {
			return "is managed by the directory " + l.DirectoryName + " of the present tenant; release the person first (drawbridge user release)", nil
		}
	}
	same, err := tx.UsersByName(ctx, store.Everything(), u.UserName, 50)
	if err != nil {
		return "", err
	}
	for _, other := range same {
		if other.ID != u.ID && other.DeletedAt == nil && other.TenantID == to.ID {
			return "the user name " + u.UserName + " is taken in the new tenant", nil
		}
	}
	return "", nil
}

// place moves one person and gives the role.
func (s *Service) place(ctx context.Context, tx *store.Tx, by identity.Actor, plan PlacementPlan, step PlacementStep, reason string) (identity.User, error) {
	after, events, err := s.move(ctx, tx, by, step, plan.Tenant, []identity.Role{plan.Role}, reason)
	if err != nil {
		return after, err
	}
	given, err := s.assign(ctx, tx, by, after, plan.Role.ID, identity.SourceManual, reason)
	if err != nil {
		return after, err
	}
	after.TenantName, after.Roles = plan.Tenant.Name, []identity.Role{plan.Role}
	return after, tx.InsertEvent(ctx, append(events, given)...)
}

// move takes one person to a tenant, without the roles and what else an earlier tenant's rules gave. It returns the events; roles are those that the caller
// gives there.
func (s *Service) move(ctx context.Context, tx *store.Tx, by identity.Actor, step PlacementStep, to identity.Tenant, roles []identity.Role, reason string) (identity.User, []identity.Event, error) {
	after := step.User
	after.TenantID, after.Version, after.UpdatedAt = to.ID, after.Version+1, tx.Now()
	if err := tx.UpdateUser(ctx, step.User, after); err != nil {
		return after, nil, err
	}
	left, err := s.leaveTenant(ctx, tx, step.User, after.TenantID)
	if err != nil {
		return after, nil, err
	}
	old, err := tx.Assignments(ctx, after.ID)
	if err != nil {
		return after, nil, err
	}
	moved := about(by, identity.UserPlaced, after)
	moved.Reason = reason
	moved.Changes = []identity.Change{
		{Field: "tenant", Before: orNil(step.FromTenant), After: orNil(to.Name)},
		{Field: "roles", Before: titles(step.FromRoles), After: titles(roles)},
	}
	stood, err := s.leaveOrganisation(ctx, tx, by, step.User, after)
	if err != nil {
		return after, nil, err
	}
	moved.Changes = append(append(moved.Changes, left...), stood...)
	events := []identity.Event{moved}
	for _, a := range old {
		removed, err := s.unassign(ctx, tx, by, after, a, reason)
		if err != nil {
			return after, nil, err
		}
		events = append(events, removed)
	}
	return after, events, nil
}

// leaveTenant takes away what belongs to the tenant that a person leaves: the groups of its directories, which must not see the person any
// more, and a password that its administrators may know.
func (s *Service) leaveTenant(ctx context.Context, tx *store.Tx, u identity.User, to identity.TenantID) ([]identity.Change, error) {
	landing, err := s.landingID(ctx, tx)
	if err != nil || u.TenantID == "" || u.TenantID == to {
		return nil, err
	}
	var out []identity.Change
	groups, err := leaveGroups(ctx, tx, u)
	if len(groups) > 0 {
		out = append(out, identity.Change{Field: "groups", Before: groups})
	}
	if err != nil || u.TenantID == landing {
		return out, err
	}
	had, err := tx.DeleteCredential(ctx, u.ID)
	if had {
		out = append(out, identity.Change{Field: "password", Before: "set", After: "removed"})
	}
	return out, err
}

// leaveGroups ends the memberships in the groups of a person's tenant and returns their names. The groups of a directory of the whole
// installation go on seeing the person.
func leaveGroups(ctx context.Context, tx *store.Tx, u identity.User) ([]string, error) {
	memberships, err := tx.Memberships(ctx, "", []identity.UserID{u.ID})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range memberships[u.ID] {
		_, err := tx.Group(ctx, store.OfTenant(u.TenantID), m.GroupID)
		if !m.Direct || identity.KindOf(err) == identity.NotFound {
			continue
		}
		if err != nil {
			return names, err
		}
		if _, err := tx.DeleteMembers(ctx, m.GroupID, []string{string(u.ID)}); err != nil {
			return names, err
		}
		if err := tx.BumpGroups(ctx, []identity.GroupID{m.GroupID}); err != nil {
			return names, err
		}
		names = append(names, m.Display)
	}
	return names, nil
}

func titles(roles []identity.Role) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = r.Title
	}
	return out
}
