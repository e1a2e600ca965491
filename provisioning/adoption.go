package provisioning

import (
	"context"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// pushUser is CreateUser for a directory: it restores, adopts or creates.
func (s *Service) pushUser(ctx context.Context, tx *store.Tx, by identity.Actor, scope store.Scope, n NewUser) (identity.User, error) {
	known, err := s.findPushed(ctx, tx, by, scope, n.User)
	if err != nil {
		return identity.User{}, err
	}
	if known != nil {
		return s.adopt(ctx, tx, by, *known, n.User)
	}
	return s.pushStranger(ctx, tx, by, n)
}

// looksFirst is how long pushes look first after one found somebody.
const looksFirst = time.Minute

// pushNewUser is pushUser where nobody is like the person, as it is with almost everybody: the change is one statement, which holds only when nobody is. For
// a minute after somebody was, it looks first, so that a first sync of people who are here already does not fill the log of the database with what did not hold.
// A Conflict without a code means that somebody is, or came between.
func (s *Service) pushNewUser(ctx context.Context, by identity.Actor, scope store.Scope, n NewUser, out *identity.User) (err error) {
	hopeful := s.db.Spreads() && time.Since(time.Unix(s.known.Load(), 0)) > looksFirst
	if !hopeful {
		if err := s.nobodyLike(ctx, scope, n.User); err != nil {
			return err
		}
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		if hopeful {
			tx.NobodyLike(scope, n.User.UserName, n.User.ExternalID, addressKey(n.User))
		}
		*out, err = s.pushStranger(ctx, tx, by, n)
		return err
	})
	if hopeful && identity.KindOf(err) == identity.Conflict {
		s.known.Store(time.Now().Unix())
	}
	return err
}

// nobodyLike looks, without a lock, whether somebody is like a pushed person; then it is a Conflict without a code.
func (s *Service) nobodyLike(ctx context.Context, scope store.Scope, u identity.User) error {
	var known bool
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if _, err = s.landingID(ctx, tx); err == nil {
			known, err = tx.SomebodyLike(ctx, scope, u.UserName, u.ExternalID, addressKey(u))
		}
		return err
	})
	if err != nil {
		return err
	}
	if known {
		s.known.Store(time.Now().Unix())
		return identity.Errorf(identity.Conflict, "this already exists")
	}
	return nil
}

// pushStranger creates somebody whom nobody knew.
func (s *Service) pushStranger(ctx context.Context, tx *store.Tx, by identity.Actor, n NewUser) (identity.User, error) {
	users, err := s.pushStrangers(ctx, tx, by, []NewUser{n})
	if err != nil {
		return n.User, err
	}
	return users[0], nil
}

// pushStrangers is pushStranger for many at once.
func (s *Service) pushStrangers(ctx context.Context, tx *store.Tx, by identity.Actor, list []NewUser) ([]identity.User, error) {
	home := by.TenantID
	if home == "" {
		var err error
		if home, err = s.landingID(ctx, tx); err != nil {
			return nil, err
		}
	}
	_, viewer := s.model.Landing()
	rows := make([]NewUser, len(list))
	links := make([]identity.DirectoryLink, len(list))
	for i, n := range list {
		links[i] = identity.DirectoryLink{DirectoryID: by.DirectoryID(), ExternalID: n.User.ExternalID, Active: n.User.Enabled}
		n.User.TenantID, n.User.Held, n.Position = home, false, identity.Position{}
		if n.Role == "" {
			n.Role = viewer
		}
		rows[i] = n
	}
	users, err := s.insertUsers(ctx, tx, by, rows, identity.SourceDefault)
	if err != nil {
		return users, err
	}
	for i, u := range users {
		links[i].UserID = u.ID
	}
	if err := tx.PutDirectoryLink(ctx, links...); err != nil {
		return users, err
	}
	return users, s.followTypes(ctx, tx, by, users...)
}

// findPushed returns the person whom a directory pushes when they are already there: by user name, as a tombstone, or by e-mail address
// when nobody else's directory knows them. A person whom it already has, or may not take over, is a Conflict; nil means nobody.
func (s *Service) findPushed(ctx context.Context, tx *store.Tx, by identity.Actor, scope store.Scope, u identity.User) (*identity.User, error) {
	key := addressKey(u)
	like, err := tx.UsersLike(ctx, scope, u.UserName, u.ExternalID, key, 60)
	if err != nil || len(like) == 0 {
		return nil, err
	}
	named := func(other identity.User) bool {
		return identity.NameKey(other.UserName) == identity.NameKey(u.UserName)
	}
	for _, other := range like {
		if other.DeletedAt == nil && named(other) {
			return s.mayAdopt(ctx, tx, by, other, u)
		}
	}
	for _, other := range like {
		if other.DeletedAt != nil && (named(other) || u.ExternalID != "" && other.ExternalID == u.ExternalID) {
			return s.mayAdopt(ctx, tx, by, other, u)
		}
	}
	return s.findByEmail(ctx, tx, by, like, u, key)
}

// addressKey returns the address by which a person could be found, or "".
func addressKey(u identity.User) string {
	address := u.Email()
	if address == "" {
		address = u.UserName
	}
	key, err := identity.EmailKey(address)
	if err != nil {
		return ""
	}
	return key
}

// hasAddress reports whether a user has an address, or has it as user name.
func hasAddress(u identity.User, key string) bool {
	return identity.NameKey(u.UserName) == key || slices.ContainsFunc(u.Emails, func(e identity.Email) bool {
		k, err := identity.EmailKey(e.Value)
		return err == nil && k == key
	})
}

// findByEmail returns the one person with the address whom no directory knows yet and whom this one may take over, or nil.
func (s *Service) findByEmail(ctx context.Context, tx *store.Tx, by identity.Actor, like []identity.User, pushed identity.User, key string) (*identity.User, error) {
	var free []identity.User
	for _, other := range like {
		if key == "" || other.DeletedAt != nil || !hasAddress(other, key) {
			continue
		}
		links, err := tx.DirectoryLinks(ctx, other.ID)
		if err != nil {
			return nil, err
		}
		if len(links) == 0 {
			free = append(free, other)
		}
	}
	if len(free) != 1 || s.keepUserName(by, free[0], pushed) != nil {
		return nil, nil
	}
	ok, err := s.adoptable(ctx, tx, by, free[0])
	if err != nil || !ok {
		return nil, err // a new user beside the protected one: the address alone takes nobody over
	}
	return &free[0], nil
}

// mayAdopt returns the person when the directory may take over, else the Conflict.
func (s *Service) mayAdopt(ctx context.Context, tx *store.Tx, by identity.Actor, other, pushed identity.User) (*identity.User, error) {
	links, err := tx.DirectoryLinks(ctx, other.ID)
	if err != nil {
		return nil, err
	}
	linked := slices.ContainsFunc(links, func(l identity.DirectoryLink) bool { return l.DirectoryID == by.DirectoryID() })
	if linked && other.DeletedAt == nil {
		return nil, takenBy(pushed.UserName, other.ID)
	}
	if !linked {
		ok, err := s.adoptable(ctx, tx, by, other)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, protected(pushed.UserName, other)
		}
	}
	return &other, nil
}

// adoptable reports whether a directory may take over somebody whom it does not know: not a privileged account, and within its domains.
func (s *Service) adoptable(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User) (bool, error) {
	protected, err := s.privileged(ctx, tx, u)
	if err != nil || protected {
		return false, err
	}
	d, err := tx.Directory(ctx, store.Everything(), by.DirectoryID())
	if err != nil || len(d.Domains) == 0 {
		return err == nil, err
	}
	return slices.Contains(d.Domains, identity.EmailDomain(addressKey(u))), nil
}

// adopt gives a person who is already there the pushed attributes and ties them to the directory; a tombstone comes back.
func (s *Service) adopt(ctx context.Context, tx *store.Tx, by identity.Actor, known, pushed identity.User) (identity.User, error) {
	var before identity.User
	var err error
	kind := identity.UserAdopted
	if known.DeletedAt != nil {
		kind = identity.UserRestored
		before, err = tx.DeletedUserForUpdate(ctx, store.Everything(), known.ID)
	} else {
		before, err = tx.UserForUpdate(ctx, store.Everything(), known.ID)
	}
	if err != nil {
		if identity.KindOf(err) == identity.NotFound {
			err = identity.Errorf(identity.Conflict, "this already exists").WithCause(err) // changed since it was found: look again
		}
		return known, err
	}
	if before.Version != known.Version {
		// Placed, promoted or changed since it was found, so what was decided about it may no longer hold: look again.
		return known, identity.Errorf(identity.Conflict, "this already exists")
	}
	links, err := tx.DirectoryLinks(ctx, known.ID)
	if err != nil {
		return known, err
	}
	own, linked := ownLink(by, links, before)
	if linked && before.DeletedAt == nil {
		return known, takenBy(pushed.UserName, known.ID) // the same push came twice at once and the other one was first
	}
	own.Active, own.ExternalID = pushed.Enabled, pushed.ExternalID
	if err := tx.PutDirectoryLink(ctx, own); err != nil {
		return known, err
	}
	after := pushed
	keepFixed(&after, before)
	after.DeletedAt, after.Held, after.LockedAt = nil, before.Held, before.LockedAt
	out, err := tx.OutOfTerms(ctx, before.ID)
	if err != nil {
		return known, err
	}
	after.Enabled = letsIn(after, withLink(links, own)) && !out
	after.Version++
	after.UpdatedAt = tx.Now()
	let, err := s.keepChange(ctx, tx, by, before, after)
	if err != nil {
		return known, err
	}
	stands, err := s.returnToType(ctx, tx, by, before)
	if err != nil {
		return known, err
	}
	if err := tx.UpdateUser(ctx, before, after); err != nil {
		return known, err
	}
	if before.Enabled && !after.Enabled {
		if _, err := tx.DeleteSessionsOf(ctx, after.ID, ""); err != nil {
			return known, err
		}
	}
	e := about(by, kind, after)
	e.Changes = slices.Concat(diffUsers(before, after), let, stands)
	if err := tx.InsertEvent(ctx, e); err != nil {
		return known, err
	}
	return after, s.followType(ctx, tx, by, before, after)
}

// ownLink returns the asking directory's link to a user; the second result is false when it has none yet.
func ownLink(by identity.Actor, links []identity.DirectoryLink, u identity.User) (identity.DirectoryLink, bool) {
	for _, l := range links {
		if l.DirectoryID == by.DirectoryID() {
			return l, true
		}
	}
	return identity.DirectoryLink{DirectoryID: by.DirectoryID(), DirectoryName: by.Label, TenantID: by.TenantID, UserID: u.ID, Active: true}, false
}

func withLink(links []identity.DirectoryLink, own identity.DirectoryLink) []identity.DirectoryLink {
	out := slices.DeleteFunc(slices.Clone(links), func(l identity.DirectoryLink) bool { return l.DirectoryID == own.DirectoryID })
	return append(out, own)
}

// letsIn derives whether a user may come in: nobody holds them, and no directory that knows them keeps them out.
func letsIn(u identity.User, links []identity.DirectoryLink) bool {
	out := slices.ContainsFunc(links, func(l identity.DirectoryLink) bool { return !l.Active })
	return !u.Held && !out && u.DeletedAt == nil
}

// writeLink keeps what a directory says of a user. The first write of a directory that did not know the user ties them, which no
// directory may do to a privileged account.
func (s *Service) writeLink(ctx context.Context, tx *store.Tx, by identity.Actor, own identity.DirectoryLink, linked bool, before, after identity.User) (identity.DirectoryLink, error) {
	if linked && own.Active == after.Enabled && own.ExternalID == after.ExternalID {
		return own, nil
	}
	if !linked {
		ok, err := s.adoptable(ctx, tx, by, before)
		if err != nil {
			return own, err
		}
		if !ok {
			return own, identity.Errorf(identity.Forbidden, "%s is an account that this directory may not take over; an administrator must link it.", before.UserName)
		}
		if err := tx.InsertEvent(ctx, about(by, identity.UserAdopted, before)); err != nil {
			return own, err
		}
	}
	own.Active, own.ExternalID = after.Enabled, after.ExternalID
	return own, tx.PutDirectoryLink(ctx, own)
}
