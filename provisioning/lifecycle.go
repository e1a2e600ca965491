package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// DeactivateUser keeps a user out until an administrator lets them in again; no directory can undo it. All sessions end.
func (s *Service) DeactivateUser(ctx context.Context, by identity.Actor, id identity.UserID, reason string) (identity.User, error) {
	if !validIDs(&id) {
		return identity.User{}, noUser()
	}
	if by.UserID() != "" && by.UserID() == id {
		return identity.User{}, identity.Errorf(identity.Forbidden, "You cannot deactivate yourself; ask another administrator.")
	}
	var version int64
	return s.updateUserThen(ctx, by, id, 0, reason, func(u *identity.User) error {
		version = u.Version
		u.Enabled, u.Held = false, true // also when a directory keeps the user out already: it must not let them in again
		return nil
	}, func(tx *store.Tx, u identity.User) (identity.User, error) {
		return s.takeOver(ctx, tx, by, u, version, reason)
	})
}

// takeOver makes being kept out somebody's word where it was a source's until now: neither the source nor the undoing of what it did lets the person in again.
func (s *Service) takeOver(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, version int64, reason string) (identity.User, error) {
	away, err := tx.ForgetAway(ctx, u.ID)
	if err != nil || !away || u.Version != version {
		return u, err
	}
	after := u
	after.Version, after.UpdatedAt = u.Version+1, tx.Now()
	if err := tx.UpdateUser(ctx, u, after); err != nil {
		return u, err
	}
	e := about(by, identity.UserUpdated, after)
	e.Reason, e.Changes = reason, []identity.Change{{Field: "kept out by", Before: "a source", After: by.Label}}
	return after, tx.InsertEvent(ctx, e)
}

// ActivateUser lets a user in again. While a directory keeps the user out it is Forbidden: the directory's word stands.
func (s *Service) ActivateUser(ctx context.Context, by identity.Actor, id identity.UserID, reason string) (identity.User, error) {
	return s.updateUser(ctx, by, id, 0, reason, func(u *identity.User) error {
		u.Enabled = true
		return nil
	})
}

// DeleteUser leaves a tombstone: the user is gone from every list, sessions and memberships end, and the same person may come back to the
// same id. A version other than 0 must be the current one. By somebody's word it is what the access model means by deleting: see RemoveUser.
func (s *Service) DeleteUser(ctx context.Context, by identity.Actor, id identity.UserID, version int64) error {
	if by.Kind == identity.ActorUser {
		return s.RemoveUser(ctx, by, id, version, "")
	}
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noUser()
	}
	var before identity.User
	err = s.update(ctx, by, func(tx *store.Tx) (err error) {
		if before, err = tx.UserForUpdate(ctx, scope, id); err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return stale()
		}
		return s.bury(ctx, tx, by, before, "")
	})
	if identity.CodeOf(err) == DepartureHeld {
		return s.holdDeparture(ctx, by, before, true, err)
	}
	return sharpen(err, noUser)
}

func (s *Service) bury(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.User, reason string) error {
	let, err := s.keepPerson(ctx, tx, by, before, access.DenyDelete)
	if err != nil {
		return err
	}
	after := before
	at := tx.Now()
	after.DeletedAt, after.Enabled, after.UpdatedAt, after.Version = &at, false, at, before.Version+1
	if by.Kind == identity.ActorDirectory {
		if err := s.buryLink(ctx, tx, by, before); err != nil {
			return err
		}
	} else {
		after.Held = true // an administrator's word: a directory that pushes the person again does not undo it
	}
	if err := tx.UpdateUser(ctx, before, after); err != nil {
		return err
	}
	groups, err := tx.DeleteMembershipsOf(ctx, before.ID)
	if err != nil {
		return err
	}
	if err := tx.BumpGroups(ctx, groups); err != nil {
		return err
	}
	ended, err := tx.DeleteSessionsOf(ctx, before.ID, "")
	if err != nil {
		return err
	}
	e := about(by, identity.UserDeleted, before)
	e.Reason = reason
	e.Changes = []identity.Change{{Field: "active", Before: before.Enabled, After: false}, {Field: "sessions", Before: ended, After: 0}, {Field: "groups", Before: len(groups), After: 0}}
	e.Changes = append(e.Changes, let...)
	return tx.InsertEvent(ctx, e)
}

// buryLink notes that the directory let the person go. One whom it did not know must not be a privileged account.
func (s *Service) buryLink(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User) error {
	links, err := tx.DirectoryLinks(ctx, u.ID)
	if err != nil {
		return err
	}
	own, linked := ownLink(by, links, u)
	if own.Active {
		if err := s.mayDepart(ctx, tx, by, own); err != nil {
			return err
		}
	}
	gone := u
	gone.Enabled, gone.ExternalID = false, own.ExternalID
	_, err = s.writeLink(ctx, tx, by, own, linked, u, gone)
	return err
}

// RestoreUser brings a deleted user back under the old id, with the old roles. The user name must be free.
func (s *Service) RestoreUser(ctx context.Context, by identity.Actor, id identity.UserID) (identity.User, error) {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return identity.User{}, err
	}
	if by.Kind == identity.ActorDirectory {
		return identity.User{}, identity.Errorf(identity.Forbidden, "A directory brings somebody back by pushing them again.")
	}
	if id == "" || !validIDs(&id) {
		return identity.User{}, noUser()
	}
	var after identity.User
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		before, err := tx.DeletedUserForUpdate(ctx, scope, id)
		if err != nil {
			return err
		}
		after, err = s.unbury(ctx, tx, by, before, "")
		return err
	})
	if identity.KindOf(err) == identity.Conflict && identity.CodeOf(err) == "" {
		err = taken(after.UserName).WithCause(err)
	}
	return after, sharpen(err, noUser)
}

// unbury brings a locked tombstone back.
func (s *Service) unbury(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.User, reason string) (identity.User, error) {
	links, err := tx.DirectoryLinks(ctx, before.ID)
	if err != nil {
		return before, err
	}
	out, err := tx.OutOfTerms(ctx, before.ID)
	if err != nil {
		return before, err
	}
	after := before
	after.DeletedAt, after.Held, after.UpdatedAt, after.Version = nil, false, tx.Now(), before.Version+1
	after.Enabled = letsIn(after, links) && !out
	if err := tx.UpdateUser(ctx, before, after); err != nil {
		return before, err
	}
	e := about(by, identity.UserRestored, after)
	e.Reason = reason
	stands, err := s.returnToType(ctx, tx, by, before)
	if err != nil {
		return before, err
	}
	e.Changes = append(diffUsers(before, after), stands...)
	return after, tx.InsertEvent(ctx, e)
}

// ReleaseUser ends the hold that the directories of the present tenant have on a person, so that the person may be placed elsewhere. Whoever they
// kept out stays out, by an administrator's word from then on. A directory that writes the person again while they are still in its tenant takes hold again.
func (s *Service) ReleaseUser(ctx context.Context, by identity.Actor, id identity.UserID, reason string) (identity.User, error) {
	if err := s.platform(by); err != nil {
		return identity.User{}, err
	}
	if id == "" || !validIDs(&id) {
		return identity.User{}, noUser()
	}
	var after identity.User
	err := s.update(ctx, by, func(tx *store.Tx) error {
		before, facts, err := tx.UserForChange(ctx, store.Everything(), id)
		if err != nil {
			return err
		}
		after, err = s.release(ctx, tx, by, before, facts, reason)
		return err
	})
	return after, sharpen(err, noUser)
}

func (s *Service) release(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.User, facts store.UserFacts, reason string) (identity.User, error) {
	after := before
	var kept []identity.DirectoryLink
	changes := []identity.Change{}
	for _, l := range facts.Links {
		if l.TenantID == "" || l.TenantID != before.TenantID {
			kept = append(kept, l)
			continue
		}
		after.Held = after.Held || !l.Active
		changes = append(changes, identity.Change{Field: "directory", Before: l.DirectoryName})
		if err := tx.DeleteDirectoryLink(ctx, l.DirectoryID, before.ID); err != nil {
			return before, err
		}
	}
	if len(changes) == 0 {
		return before, identity.Errorf(identity.Precondition, "No directory of the present tenant holds %s.", before.Label())
	}
	after.Enabled = letsIn(after, kept) && !facts.Out
	return s.writeUser(ctx, tx, by, before, after, facts.Sessions, reason, append(changes, diffUsers(before, after)...))
}
