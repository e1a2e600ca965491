package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// What a person holds has sources. An administrator changes what administrators gave: by hand, in an import, or with the arrival. What a directory or a provider's
// claims give is theirs to take away, and counts together with the rest.

// maxReason is the longest reason in bytes.
const maxReason = 500

// AssignRole gives a person one more role, by an administrator's word. A role that an administrator gave already changes nothing; one that only a directory or a
// provider gives is given once more, and stays when they take theirs away. Where the access model lets nobody have more it is a Conflict with the code "role_bounds".
func (s *Service) AssignRole(ctx context.Context, by identity.Actor, id identity.UserID, role identity.RoleID, reason string) (identity.User, error) {
	return s.changeRolesOf(ctx, by, id, reason, s.oneMore(role))
}

func (s *Service) oneMore(role identity.RoleID) func(*rolesOf) error {
	return func(r *rolesOf) error {
		r.wanted, r.again = append(r.own(), role), true
		if _, most := s.model.AssignmentBounds(); most > 0 && len(union(r.wanted, r.synced())) > most {
			return identity.Errorf(identity.Conflict, "%s has %s, and nobody has more than %s here: exchange the role instead of adding one.",
				r.user.Label(), s.roleTitles(union(r.own(), r.synced())), several(most, "role")).WithField("role").WithCode("role_bounds")
		}
		return nil
	}
}

// RemoveRole takes away a role that an administrator gave. One that only a directory or a provider's claims give is a Conflict with the code "role_source"; the last one
// that a person needs is a Conflict with the code "role_bounds".
func (s *Service) RemoveRole(ctx context.Context, by identity.Actor, id identity.UserID, role identity.RoleID, reason string) (identity.User, error) {
	return s.changeRolesOf(ctx, by, id, reason, s.oneLess(ctx, role))
}

func (s *Service) oneLess(ctx context.Context, role identity.RoleID) func(*rolesOf) error {
	return func(r *rolesOf) error {
		own, synced := r.own(), r.synced()
		if !slices.Contains(own, role) {
			if slices.Contains(synced, role) {
				return s.sourceKeeps(ctx, r, role)
			}
			return identity.Errorf(identity.NotFound, "%s does not have %s.", r.user.Label(), s.roleTitle(role)).WithField("role")
		}
		r.wanted = slices.DeleteFunc(own, func(id identity.RoleID) bool { return id == role })
		if least, _ := s.model.AssignmentBounds(); len(union(r.wanted, synced)) < least {
			return identity.Errorf(identity.Conflict, "%s has no other role, and everybody needs %s: give another role first, or deactivate the person.",
				r.user.Label(), several(least, "role")).WithField("role").WithCode("role_bounds")
		}
		return nil
	}
}

// SetRoles makes the roles that administrators gave a person exactly these, in one transaction; it counts from the person's next request on. What a directory or a provider's
// claims give stays beside them. More or fewer than the access model allows are Invalid with the code "role_bounds".
func (s *Service) SetRoles(ctx context.Context, by identity.Actor, id identity.UserID, roles []identity.RoleID, reason string) (identity.User, error) {
	return s.changeRolesOf(ctx, by, id, reason, exactly(roles...))
}

func exactly(roles ...identity.RoleID) func(*rolesOf) error {
	return func(r *rolesOf) error {
		r.wanted = roles
		return nil
	}
}

// rolesOf is a change of one person's roles in the making.
type rolesOf struct {
	tx     *store.Tx
	by     identity.Actor
	user   identity.User
	held   []identity.Assignment
	wanted []identity.RoleID // what administrators give from now on
	again  bool              // also what a directory or a provider gives already
	reason string
}

// byAdministrator reports whether an administrator gave a role, so that an administrator may take it away.
func byAdministrator(a identity.Assignment) bool {
	return a.Source == identity.SourceManual || a.Source == identity.SourceDefault || a.Source == identity.SourceImport
}

// own are the distinct roles that administrators gave, synced those of directories and providers.
func (r *rolesOf) own() []identity.RoleID    { return given(r.held, true) }
func (r *rolesOf) synced() []identity.RoleID { return given(r.held, false) }

func given(held []identity.Assignment, administrators bool) []identity.RoleID {
	var out []identity.RoleID
	for _, a := range held {
		if byAdministrator(a) == administrators && !slices.Contains(out, a.RoleID) {
			out = append(out, a.RoleID)
		}
	}
	return out
}

// union returns the distinct roles of two lists, in their order.
func union(a, b []identity.RoleID) []identity.RoleID {
	var out []identity.RoleID
	for _, id := range slices.Concat(a, b) {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func (s *Service) roleTitles(ids []identity.RoleID) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = s.roleTitle(id)
	}
	return strings.Join(out, ", ")
}

// changeRolesOf runs a change of one person's roles.
func (s *Service) changeRolesOf(ctx context.Context, by identity.Actor, id identity.UserID, reason string, want func(*rolesOf) error) (identity.User, error) {
	var out identity.User
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return out, err
	}
	if by.Kind == identity.ActorDirectory {
		return out, identity.Errorf(identity.Forbidden, "A directory gives no roles.")
	}
	if reason, err = s.checkReason(reason); err != nil {
		return out, err
	}
	if id == "" || !validIDs(&id) {
		return out, noUser()
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		r := rolesOf{tx: tx, by: by, reason: reason}
		if r.user, err = tx.UserForUpdate(ctx, scope, id); err != nil {
			return sharpen(err, noUser)
		}
		if out, err = s.changeHeld(ctx, &r, want); err != nil {
			return err
		}
		one := []identity.User{out}
		err = s.describe(ctx, tx, one)
		out = one[0]
		return err
	})
	return out, err
}

// changeHeld changes the roles of a person who is locked, by a function that says which are wanted.
func (s *Service) changeHeld(ctx context.Context, r *rolesOf, want func(*rolesOf) error) (identity.User, error) {
	var err error
	if r.held, err = r.tx.Assignments(ctx, r.user.ID); err != nil {
		return r.user, err
	}
	if err := want(r); err != nil {
		return r.user, err
	}
	r.wanted = union(nil, r.wanted)
	_, most := s.model.AssignmentBounds()
	all := union(r.wanted, r.synced())
	if most > 0 && len(r.wanted) <= most && len(all) > most {
		return r.user, s.sourceKeeps(ctx, r, r.synced()[0])
	}
	if err := s.keepRoles(ctx, r.tx, r.user, roleIDs(r.held), all); err != nil {
		return r.user, err
	}
	return r.user, s.writeRoles(ctx, r)
}

// checkReason wants a reason where the access model does, and tidies it.
func (s *Service) checkReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	if len(reason) > maxReason {
		return "", identity.Errorf(identity.Invalid, "A reason has at most %d bytes.", maxReason).WithField("reason")
	}
	if reason == "" && s.model.ReasonRequired() {
		return "", identity.Errorf(identity.Invalid, "Say why: here every role that somebody has comes with a reason.").WithField("reason").WithCode("reason_required")
	}
	return reason, nil
}

// sourceKeeps is the answer to whoever would take away what a directory or a provider gives.
func (s *Service) sourceKeeps(ctx context.Context, r *rolesOf, role identity.RoleID) error {
	where := "a directory or a provider"
	for _, a := range r.held {
		if a.RoleID != role || byAdministrator(a) {
			continue
		}
		name, err := sourceName(ctx, r.tx, a)
		if err != nil {
			return err
		}
		if name != "" {
			where = name
		}
	}
	return identity.Errorf(identity.Conflict, "%s has %s from %s; change it there.", r.user.Label(), s.roleTitle(role), where).WithField("role").WithCode("role_source")
}

// sourceName says where an assignment came from, in words; "" for what a person gave.
func sourceName(ctx context.Context, tx *store.Tx, a identity.Assignment) (string, error) {
	var name string
	var err error
	switch {
	case a.SourceID == "":
	case a.Source == identity.SourceClaim:
		var c identity.Connection
		c, err = tx.Connection(ctx, store.Everything(), identity.ConnectionID(a.SourceID))
		name = "the rules of the connection " + c.Name
	case a.Source == identity.SourceDirectory:
		var d identity.Directory
		d, err = tx.Directory(ctx, store.Everything(), identity.DirectoryID(a.SourceID))
		name = "the directory " + d.Name
	}
	if identity.KindOf(err) == identity.NotFound {
		return "", nil
	}
	return name, err
}

// writeRoles gives what is wanted and not there, and takes away what administrators gave and is not wanted.
func (s *Service) writeRoles(ctx context.Context, r *rolesOf) error {
	there := r.own()
	if !r.again {
		there = union(there, r.synced())
	}
	fresh := slices.DeleteFunc(slices.Clone(r.wanted), func(id identity.RoleID) bool { return slices.Contains(there, id) })
	for _, id := range fresh {
		if err := s.checkRole(ctx, r.tx, r.by, id, r.user.TenantID); err != nil {
			return err
		}
	}
	gone := slices.DeleteFunc(slices.Clone(r.held), func(a identity.Assignment) bool { return !byAdministrator(a) || slices.Contains(r.wanted, a.RoleID) })
	var events []identity.Event
	for _, a := range gone {
		e, err := s.unassign(ctx, r.tx, r.by, r.user, a, r.reason)
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	for _, id := range fresh {
		e, err := s.assign(ctx, r.tx, r.by, r.user, id, identity.SourceManual, r.reason)
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	return r.tx.InsertEvent(ctx, events...)
}
