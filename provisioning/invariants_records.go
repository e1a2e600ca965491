package provisioning

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// keepOwner refuses what the owner of a tenant is protected from (access.DenyEdit and so on). Nobody does it but a directory, where the access model lets
// it; what it does then is returned for the event. Owners change their own data themselves.
func (s *Service) keepOwner(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, what string) ([]identity.Change, error) {
	rule, ok := s.model.Owner()
	if !ok || u.TenantID == "" || !rule.Denies(what) || by.UserID() == u.ID && what == access.DenyEdit {
		return nil, nil
	}
	owner, err := tx.Owner(ctx, u.TenantID)
	if err != nil || owner != u.ID {
		return nil, err
	}
	if by.Kind == identity.ActorDirectory && ownerYields(rule, what) {
		return []identity.Change{{Field: "owner of the tenant", After: true}}, nil
	}
	return nil, identity.Errorf(identity.Forbidden, "%s owns the tenant: %s. Only the platform hands a tenant to somebody else.", u.Label(), ownerStays[what]).WithCode("tenant_owner")
}

// ownerStays says what cannot be done to an owner.
var ownerStays = map[string]string{
	access.DenyEdit:       "nobody else changes the data of an owner",
	access.DenyDelete:     "an owner cannot be deleted",
	access.DenyDeactivate: "an owner cannot be deactivated",
	access.DenyRoleChange: "an owner cannot get another role or tenant",
}

// ownerYields reports whether a directory may do it after all: one that suspends can do everything but take the owner away.
func ownerYields(rule access.Owner, what string) bool {
	return rule.OnSCIM == access.OnSCIMProceed || rule.OnSCIM == access.OnSCIMSuspend && what != access.DenyDelete
}

// keepOwnerRoles refuses to give an owner other roles or another tenant.
func (s *Service) keepOwnerRoles(ctx context.Context, tx *store.Tx, u identity.User) error {
	_, err := s.keepOwner(ctx, tx, identity.Actor{}, u, access.DenyRoleChange)
	return err
}

// keepChange refuses a change of a user that must not be: keepRecord, and keepPerson where it keeps the person out.
func (s *Service) keepChange(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.User) ([]identity.Change, error) {
	let, err := s.keepRecord(ctx, tx, by, before, after)
	if err != nil || !before.Enabled || after.Enabled {
		return let, err
	}
	more, err := s.keepPerson(ctx, tx, by, before, access.DenyDeactivate)
	return append(let, more...), err
}

// keepRecord refuses changes of somebody's own data that nobody may make: of an owner's by somebody else, and of a user name that stays.
func (s *Service) keepRecord(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.User) ([]identity.Change, error) {
	if err := s.keepUserName(by, before, after); err != nil {
		return nil, err
	}
	switched := before
	switched.Enabled, switched.Held = after.Enabled, after.Held
	if len(diffUsers(switched, after)) == 0 {
		return nil, nil
	}
	return s.keepOwner(ctx, tx, by, before, access.DenyEdit)
}

// keepUserName refuses another user name where the access model lets the asking side give none. Where people sign in by their address, the user name is
// the directory's own word, or follows the address.
func (s *Service) keepUserName(by identity.Actor, before, after identity.User) error {
	if identity.NameKey(before.UserName) == identity.NameKey(after.UserName) || s.mayRename(by, before) {
		return nil
	}
	byAddress := s.model.Identifier() == access.IdentifierEmail
	if byAddress && (by.Kind == identity.ActorDirectory || hasAddress(identity.User{Emails: after.Emails}, identity.NameKey(after.UserName))) {
		return nil
	}
	return identity.Errorf(identity.Invalid, "The user name of %s cannot be changed; create another user for another name.", before.Label()).WithField("userName").WithCode("mutability")
}

// mayRename reports whether the access model lets the actor give a person another user name.
func (s *Service) mayRename(by identity.Actor, u identity.User) bool {
	if by.UserID() != "" && by.UserID() == u.ID && s.model.UserNameMutableBy("self") {
		return true
	}
	return s.model.UserNameMutableBy("admin") && (by.UserID() == "" || by.UserID() != u.ID)
}

// keepRole refuses to delete (after is nil) or to weaken a role that somebody must hold: whoever has it could no longer manage people and roles, and nobody
// else might. It also refuses to turn a platform role into a tenant's or back, since its people would be of the wrong kind.
func (s *Service) keepRole(before identity.RoleDefinition, after *identity.RoleDefinition) error {
	owner, _ := s.model.Owner()
	_, arrives := s.model.Landing()
	kept := s.model.Minimum(before.ID) > 0 || owner.Role == before.ID
	switch {
	case after == nil && kept:
		return identity.Errorf(identity.Forbidden, "%s cannot be deleted: the access model %s asks for somebody who holds it.", before.Title, s.model.Name()).WithCode("last_administrator")
	case after == nil && arrives == before.ID:
		return identity.Errorf(identity.Forbidden, "%s cannot be deleted: people whom nobody knows yet arrive with it.", before.Title).WithCode("role_in_use")
	case after == nil:
		return nil
	case before.Scope != after.Scope:
		return identity.Errorf(identity.Invalid, "%s stays a role of the %s; make another role.", before.Title, before.Scope).WithField("scope").WithCode("mutability")
	case !kept:
		return nil
	case before.Interactive && !after.Interactive:
		return identity.Errorf(identity.Forbidden, "%s must be able to sign in: the access model %s asks for somebody who holds it.", before.Title, s.model.Name()).WithField("interactive").WithCode("last_administrator")
	}
	for _, r := range s.model.Catalogue() {
		if r.Owner != "drawbridge" {
			continue
		}
		for _, action := range before.Grants[r.ID] {
			if !slices.Contains(after.Grants[r.ID], action) {
				return identity.Errorf(identity.Forbidden, "%s must keep %s: %s, or nobody might be left who may manage people and roles.", before.Title, r.Title, action).WithField("grants").WithCode("last_administrator")
			}
		}
	}
	return nil
}

func roleIDs(assignments []identity.Assignment) []identity.RoleID {
	out := make([]identity.RoleID, len(assignments))
	for i, a := range assignments {
		out[i] = a.RoleID
	}
	return out
}

func eachOnce(roles []identity.RoleID) []identity.RoleID {
	roles = slices.Clone(roles)
	slices.Sort(roles)
	return slices.Compact(roles)
}

func sameRoles(a, b []identity.RoleID) bool { return slices.Equal(eachOnce(a), eachOnce(b)) }

// lacking returns the roles that are not among others; never nil.
func lacking(roles, others []identity.RoleID) []identity.RoleID {
	out := []identity.RoleID{}
	for _, id := range eachOnce(roles) {
		if !slices.Contains(others, id) {
			out = append(out, id)
		}
	}
	return out
}

// several writes a number with its noun.
func several(n int, noun string) string {
	if n == 1 {
		return "one " + noun
	}
	return fmt.Sprintf("%d %s", n, strings.TrimSuffix(noun, "s")+"s")
}
