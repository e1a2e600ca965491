package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// change applies one change to a locked user: access rules, the write itself, its consequences and its events.
func (s *Service) change(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.User, facts store.UserFacts, reason string, change func(*identity.User) error) (identity.User, error) {
	links := facts.Links
	own, linked := ownLink(by, links, before)
	if by.Kind == identity.ActorDirectory {
		before.ExternalID = own.ExternalID // the row was locked, the link beside it not: it may have been read as it was before somebody else's change
	}
	after := before
	if by.Kind == identity.ActorDirectory {
		after.Enabled = own.Active // a directory speaks of its own word, not of what others said
	}
	if err := change(&after); err != nil {
		return before, err
	}
	keepFixed(&after, before)
	if err := normalise(&after); err != nil {
		return before, err
	}
	if by.Kind == identity.ActorDirectory {
		after.Held = before.Held
		if own.Active && !after.Enabled {
			if err := s.mayDepart(ctx, tx, by, own); err != nil {
				return before, err
			}
		}
		wrote, err := s.writeLink(ctx, tx, by, own, linked, before, after)
		if err != nil {
			return before, err
		}
		links = withLink(links, wrote)
		if err := s.noteWord(ctx, tx, by, before, own, wrote, letsIn(after, links) && !facts.Out); err != nil {
			return before, err
		}
	} else {
		if err := s.checkFields(ctx, tx, by, before, after, false); err != nil {
			return before, err
		}
		if after.Enabled != before.Enabled {
			if after.Enabled && facts.Out {
				return before, outOfTerms(before)
			}
			after.Held = !after.Enabled // a person's word, which no directory can undo
			if _, err := tx.ForgetAway(ctx, before.ID); err != nil {
				return before, err
			}
		}
	}
	after.Enabled = letsIn(after, links) && !facts.Out
	changes := diffUsers(before, after)
	if len(changes) == 0 {
		return before, nil
	}
	let, err := s.checkChange(ctx, tx, by, before, after, links)
	if err != nil {
		return before, err
	}
	if after, err = s.writeUser(ctx, tx, by, before, after, facts.Sessions, reason, append(changes, let...)); err != nil {
		return before, err
	}
	return after, s.followType(ctx, tx, by, before, after)
}

// noteWord writes the event of a directory's word that does not show in the user, because somebody else keeps the person out anyway.
func (s *Service) noteWord(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, was, is identity.DirectoryLink, enabled bool) error {
	if was.Active == is.Active || enabled != u.Enabled {
		return nil
	}
	e := about(by, identity.UserUpdated, u)
	e.Changes = []identity.Change{{Field: "active at " + by.Label, Before: was.Active, After: is.Active}}
	return tx.InsertEvent(ctx, e)
}

// writeUser writes a changed user, ends the sessions of one who was deactivated, and writes the events.
func (s *Service) writeUser(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.User, sessions int, reason string, changes []identity.Change) (identity.User, error) {
	after.Version++
	after.UpdatedAt = tx.Now()
	if err := tx.UpdateUser(ctx, before, after); err != nil {
		return before, err
	}
	if err := keepLogins(ctx, tx, by, before, after); err != nil {
		return before, err
	}
	var events []identity.Event
	switched, rest := splitActive(changes)
	if len(rest) > 0 {
		e := about(by, identity.UserUpdated, after)
		e.Reason, e.Changes = reason, rest
		events = append(events, e)
	}
	if len(switched) > 0 {
		e, err := s.switchAccess(ctx, tx, by, after, sessions, switched)
		if err != nil {
			return before, err
		}
		e.Reason = reason
		events = append(events, e)
	}
	return after, tx.InsertEvent(ctx, events...)
}

// switchAccess does what follows when a user was let in or kept out. Nobody can begin a session meanwhile, since the user is locked.
func (s *Service) switchAccess(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, sessions int, changes []identity.Change) (identity.Event, error) {
	e := about(by, identity.UserActivated, u)
	if !u.Enabled {
		e.Type = identity.UserDeactivated
		if sessions > 0 {
			if _, err := tx.DeleteSessionsOf(ctx, u.ID, ""); err != nil {
				return e, err
			}
			changes = append(changes, identity.Change{Field: "sessions", Before: sessions, After: 0})
		}
		if keys, ok := s.model.APIKeys(); ok && keys.RevokedOnDeactivate {
			n, err := tx.RevokeAPIKeysOf(ctx, u.ID)
			if err != nil {
				return e, err
			}
			changes = append(changes, identity.Change{Field: "api keys", Before: n, After: 0})
		}
	}
	e.Changes = changes
	return e, nil
}

// checkChange holds the rules that a change must keep. It returns what was let pass, for the event.
func (s *Service) checkChange(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.User, links []identity.DirectoryLink) ([]identity.Change, error) {
	let, err := s.keepChange(ctx, tx, by, before, after)
	if err != nil {
		return nil, err
	}
	return let, s.checkSources(ctx, tx, by, before, after, links)
}

// checkSources holds the rules about who says what of a person, and that a user name is free.
func (s *Service) checkSources(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.User, links []identity.DirectoryLink) error {
	if before.Held && !after.Held && !letsIn(after, links) {
		return identity.Errorf(identity.Forbidden, "%s cannot be activated here: a directory says that this person is inactive. Activate the person there.", before.Label())
	}
	if by.Kind != identity.ActorDirectory && len(links) > 0 && managedChanged(before, after) {
		return identity.Errorf(identity.Forbidden, "%s is managed by the directory %s; change the attributes there.", before.Label(), links[0].DirectoryName)
	}
	if identity.NameKey(before.UserName) == identity.NameKey(after.UserName) {
		return nil
	}
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return err
	}
	same, err := tx.UsersByName(ctx, scope, after.UserName, 20)
	if err != nil {
		return err
	}
	for _, other := range same {
		if other.ID != before.ID && other.DeletedAt == nil && (by.Kind == identity.ActorDirectory || other.TenantID == before.TenantID) {
			if by.Kind == identity.ActorDirectory { // it sees everybody of its scope
				return takenBy(after.UserName, other.ID)
			}
			return taken(after.UserName)
		}
	}
	return nil
}
