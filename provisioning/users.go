package provisioning

import (
	"cmp"
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// NewUser is what CreateUser needs.
type NewUser struct {
	User         identity.User
	Role         identity.RoleID // empty: the landing role, for a directory only
	PasswordHash string          // PHC, from authn.NewPassword, or made elsewhere as authn.ImportPasswordHash takes it; empty: no local password

	PasswordTerms identity.PasswordTerms // what holds for the password, from the same
	Reason        string

	SameEmail bool // on purpose: somebody of the tenant has the address already

	Position identity.Position // where the person stands; what is empty is as the access model says. A directory says nothing here

	Furnishing // not by a directory

	source   identity.SourceKind // of the role that an administrator's word gives; empty: manual
	sourceID string
	out      bool // may not come in, by the word of whoever creates the person
	waits    bool // may not come in at this time, by the person's terms
	read     *readOnce
}

// User returns a user whom the actor may see (oneself always), or NotFound. People get the roles and the tenant's name with it, a directory what
// Query.Lean says.
func (s *Service) User(ctx context.Context, by identity.Actor, id identity.UserID) (identity.User, error) {
	scope, err := s.scopeFor(by, usersRead)
	if by.UserID() != "" && by.UserID() == id {
		scope, err = store.Everything(), nil // everybody may see what is kept about them
	}
	if err != nil {
		return identity.User{}, err
	}
	id, ok := identity.ParseID[identity.UserID](string(id))
	if !ok {
		return identity.User{}, noUser()
	}
	var u identity.User
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if by.Kind == identity.ActorDirectory {
			u, err = tx.PushedUser(ctx, scope, id)
			return err
		}
		if u, err = tx.User(ctx, scope, id); err != nil {
			return err
		}
		list := []identity.User{u}
		err = s.describe(ctx, tx, list)
		u = list[0]
		return err
	})
	return u, sharpen(err, noUser)
}

// Users returns a page of the users whom the actor may see. People get the roles and the tenants' names with it.
func (s *Service) Users(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.User], error) {
	var page identity.Page[identity.User]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return page, err
	}
	if !validIDs(&q.Directory) {
		return page, nil
	}
	q.After, q.Lean = cursor(q.After), by.Kind == identity.ActorDirectory
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if nobody, err := s.placeQuery(ctx, tx, scope, &q); nobody || err != nil {
			return err
		}
		if page, err = tx.Users(ctx, scope, q); err != nil || by.Kind == identity.ActorDirectory {
			return err
		}
		return s.describe(ctx, tx, page.Items)
	})
	return page, err
}

// describe fills in the roles and the tenants' names.
func (s *Service) describe(ctx context.Context, tx *store.Tx, users []identity.User) error {
	if len(users) == 0 {
		return nil
	}
	ids := make([]identity.UserID, len(users))
	var tenants []identity.TenantID
	for i, u := range users {
		ids[i] = u.ID
		if u.TenantID != "" {
			tenants = append(tenants, u.TenantID)
		}
	}
	roles, err := tx.AssignmentsOf(ctx, ids)
	if err != nil {
		return err
	}
	names, err := tx.TenantNames(ctx, tenants)
	if err != nil {
		return err
	}
	locked, err := tx.LockedUntil(ctx, ids)
	if err != nil {
		return err
	}
	for i := range users {
		if until, ok := locked[users[i].ID]; ok {
			users[i].LockedUntil = &until
		}
		users[i].TenantName = names[users[i].TenantID]
		users[i].Roles = s.rolesOf(roles[users[i].ID])
	}
	return nil
}

// rolesOf returns the distinct roles of some assignments.
func (s *Service) rolesOf(assignments []identity.Assignment) []identity.Role {
	var roles []identity.Role
	seen := map[identity.RoleID]bool{}
	for _, a := range assignments {
		if seen[a.RoleID] {
			continue
		}
		seen[a.RoleID] = true
		r, ok := s.model.Role(a.RoleID)
		if !ok {
			r = identity.Role{ID: a.RoleID, Title: string(a.RoleID), Application: a.Application}
		}
		roles = append(roles, r)
	}
	return roles
}

// CreateUser creates a person. A directory's people go to its tenant, or to SSO Landing when it belongs to the whole installation; one who
// already exists there is adopted, one whom it deleted comes back under the old id. Taken names are a Conflict with the code "uniqueness".
func (s *Service) CreateUser(ctx context.Context, by identity.Actor, n NewUser) (identity.User, error) {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return identity.User{}, err
	}
	if by.Kind != identity.ActorDirectory && strings.TrimSpace(n.User.UserName) == "" {
		n.User.UserName = n.User.Email() // what people sign in with most easily
	}
	if err := normalise(&n.User); err != nil {
		return identity.User{}, err
	}
	things, err := s.furnishing(ctx, n.Furnishing)
	if err != nil {
		return identity.User{}, err
	}
	var out identity.User
	create := func(tx *store.Tx) error {
		if by.Kind == identity.ActorDirectory {
			out, err = s.pushUser(ctx, tx, by, scope, n)
		} else {
			out, err = s.addUser(ctx, tx, by, n)
			if err == nil {
				err = s.furnish(ctx, tx, by, out, things, n.Reason)
			}
		}
		return err
	}
	if by.Kind == identity.ActorDirectory {
		err = s.pushNewUser(ctx, by, scope, n, &out)
	} else {
		err = s.update(ctx, by, create)
	}
	for tries := 0; identity.KindOf(err) == identity.Conflict && identity.CodeOf(err) == "" && tries < 4; tries++ {
		err = s.update(ctx, by, create) // somebody like that is there, or another request won the race: now that person can be seen
	}
	return out, sharpen(err, func() *identity.Error { return taken(n.User.UserName) })
}

// addUser creates a user by an administrator's word, or by that of a directory whose plan is carried out.
func (s *Service) addUser(ctx context.Context, tx *store.Tx, by identity.Actor, n NewUser) (identity.User, error) {
	if by.Kind == identity.ActorDirectory {
		return s.addPushed(ctx, tx, by, n)
	}
	if err := s.checkNew(ctx, tx, by, &n, nil); err != nil {
		return n.User, err
	}
	return s.insertUser(ctx, tx, by, n.User, n, cmp.Or(n.source, identity.SourceManual))
}

// checkNew holds somebody new to the rules, and fills in what they say. What was found about roles and positions is remembered in places, where that is not nil.
func (s *Service) checkNew(ctx context.Context, tx *store.Tx, by identity.Actor, n *NewUser, places *places) error {
	u := &n.User
	if err := s.homeByDefault(ctx, tx, n.Role, u); err != nil {
		return err
	}
	if by.Kind == identity.ActorUser && by.TenantID != "" && u.TenantID != by.TenantID {
		return identity.Errorf(identity.Forbidden, "You may create users in your own tenant only.").WithField("tenant")
	}
	if err := s.checkFields(ctx, tx, by, identity.User{}, *u, n.SameEmail); err != nil {
		return err
	}
	if n.Role == "" {
		return identity.Errorf(identity.Invalid, "A role is needed: a user without one could do nothing.").WithField("role")
	}
	if err := places.checkRole(ctx, tx, s, by, n.Role, u.TenantID); err != nil {
		return err
	}
	if u.TenantID != "" { // who runs the installation is no matter of the access model
		var err error
		if n.Reason, err = s.checkReason(n.Reason); err != nil {
			return err
		}
	}
	if err := places.checkPosition(ctx, tx, s, by, *u, &n.Position); err != nil {
		return err
	}
	u.Enabled, u.Held = !n.out && !n.waits, n.out
	return nil
}

// insertUser writes a new user with a first role, an optional password and the event.
func (s *Service) insertUser(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, n NewUser, source identity.SourceKind) (identity.User, error) {
	n.User = u
	list, err := s.insertUsers(ctx, tx, by, []NewUser{n}, source)
	if err != nil || n.PasswordHash == "" {
		return list[0], err
	}
	return list[0], s.putPassword(ctx, tx, list[0], n.PasswordHash, n.PasswordTerms)
}

// insertUsers is insertUser for many at once, without passwords. An empty role is one that the caller gives otherwise.
func (s *Service) insertUsers(ctx context.Context, tx *store.Tx, by identity.Actor, list []NewUser, source identity.SourceKind) ([]identity.User, error) {
	users := make([]identity.User, len(list))
	for i, n := range list {
		users[i] = n.User
		users[i].ID, users[i].Version = identity.NewID[identity.UserID](), 1
		users[i].CreatedAt, users[i].UpdatedAt = tx.Now(), tx.Now()
		if n.Role != "" {
			if err := s.checkRoles(n.User.TenantID, []identity.RoleID{n.Role}); err != nil {
				return users, err
			}
		}
	}
	if err := tx.InsertUser(ctx, users...); err != nil {
		return users, err
	}
	if len(list) >= manyUsers { // while they are written there is time to put their events together
		if err := tx.Send(ctx); err != nil {
			return users, err
		}
	}
	return users, s.insertWith(ctx, tx, by, list, users, source)
}

// insertWith writes what belongs to new users: roles, positions and events.
func (s *Service) insertWith(ctx context.Context, tx *store.Tx, by identity.Actor, list []NewUser, users []identity.User, source identity.SourceKind) error {
	roles := make([]identity.Assignment, 0, len(list))
	events := make([]identity.Event, len(list))
	var positions []identity.Position
	stood := map[identity.Position][]identity.Change{}
	for i, n := range list {
		u := users[i]
		e := about(by, identity.UserCreated, u)
		e.Reason, e.Changes = n.Reason, diffNew(u, n.read)
		if n.Role != "" {
			a := assignment(tx, by, u, n.Role, source, n.Reason)
			a.SourceID = n.sourceID
			roles = append(roles, a)
			e.Changes = append(e.Changes, identity.Change{Field: "role", After: s.roleTitle(n.Role)})
		}
		if n.Position != (identity.Position{}) {
			if _, ok := stood[n.Position]; !ok {
				stands, err := s.diffPositions(ctx, tx, identity.Position{}, n.Position)
				if err != nil {
					return err
				}
				stood[n.Position] = stands
			}
			e.Changes = append(e.Changes, stood[n.Position]...)
			n.Position.UserID = u.ID
			positions = append(positions, n.Position)
		}
		events[i] = e
	}
	if err := tx.InsertAssignment(ctx, roles...); err != nil {
		return err
	}
	if err := tx.PutPosition(ctx, positions...); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, events...)
}

// UpdateUser changes a user by a function that may run more than once. It may set UserName, DisplayName, Enabled, Emails, Attributes
// and, for a directory, ExternalID. A version other than 0 must be the current one, else Precondition. What changes nothing writes nothing.
func (s *Service) UpdateUser(ctx context.Context, by identity.Actor, id identity.UserID, version int64, change func(*identity.User) error) (identity.User, error) {
	return s.updateUser(ctx, by, id, version, "", change)
}

func (s *Service) updateUser(ctx context.Context, by identity.Actor, id identity.UserID, version int64, reason string, change func(*identity.User) error) (identity.User, error) {
	return s.updateUserThen(ctx, by, id, version, reason, change, nil)
}

// updateUserThen is updateUser with something more to do in the same transaction, also where nothing changed.
func (s *Service) updateUserThen(ctx context.Context, by identity.Actor, id identity.UserID, version int64, reason string, change func(*identity.User) error, then func(*store.Tx, identity.User) (identity.User, error)) (identity.User, error) {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return identity.User{}, err
	}
	id, ok := identity.ParseID[identity.UserID](string(id))
	if !ok {
		return identity.User{}, noUser()
	}
	var out identity.User
	apply := func(tx *store.Tx, before identity.User, facts store.UserFacts, err error) error {
		if err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return stale()
		}
		if out, err = s.change(ctx, tx, by, before, facts, reason, change); err == nil && then != nil {
			out, err = then(tx, out)
		}
		return err
	}
	light := by.Kind == identity.ActorDirectory && then == nil && s.db.Spreads() // almost always nothing happens between a look and a write
	if light {
		err = s.updateBy(ctx, by, s.db.UpdateLight, func(tx *store.Tx) error {
			before, facts, err := tx.UserSeen(ctx, scope, id)
			return apply(tx, before, facts, err)
		})
	}
	if !light || identity.KindOf(err) == identity.Conflict {
		err = s.update(ctx, by, func(tx *store.Tx) error {
			before, facts, err := tx.UserForChange(ctx, scope, id)
			return apply(tx, before, facts, err)
		})
	}
	if identity.CodeOf(err) == DepartureHeld {
		return out, s.holdDeparture(ctx, by, out, false, err)
	}
	if identity.KindOf(err) == identity.Conflict && identity.CodeOf(err) == "" {
		return out, taken("").WithCause(err)
	}
	return out, sharpen(err, noUser)
}

// Memberships returns the groups of some users, nested ones too: a directory gets its own, an administrator all.
func (s *Service) Memberships(ctx context.Context, by identity.Actor, ids []identity.UserID) (map[identity.UserID][]identity.Membership, error) {
	if _, err := s.scopeFor(by, usersRead); err != nil || len(ids) == 0 {
		return nil, err
	}
	if by.Kind == identity.ActorUser { // the ids are not checked against a tenant here; UserDetail does that
		return nil, identity.Errorf(identity.Forbidden, "Groups of a person are part of the person's page.")
	}
	var out map[identity.UserID][]identity.Membership
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.Memberships(ctx, by.DirectoryID(), ids)
		return err
	})
	return out, err
}

// checkEmails refuses what is no address. Directories may push such a thing, and it is kept; a person who types it made a mistake.
func checkEmails(u identity.User) error {
	for _, e := range u.Emails {
		if _, err := identity.EmailKey(e.Value); err != nil {
			return err
		}
	}
	return nil
}

// normalise checks and tidies what a user record must be, whoever wrote it.
func normalise(u *identity.User) error {
	u.UserName = strings.TrimSpace(u.UserName)
	if u.UserName == "" {
		return identity.Errorf(identity.Invalid, "A user name is needed.").WithField("userName").WithCode("invalidValue")
	}
	if len(u.UserName) > 255 {
		return identity.Errorf(identity.Invalid, "A user name has at most 255 bytes.").WithField("userName").WithCode("invalidValue")
	}
	if len(u.Attributes) == 0 {
		u.Attributes = []byte("{}")
	}
	return nil
}
