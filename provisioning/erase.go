package provisioning

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// usersInvite is the right to bring people into a tenant and to take them out of it.
const usersInvite = "users.invite"

// RemoveUser does what the access model means by deleting a person: erase for good, or take out of the tenant. Where the model offers no deleting it is Forbidden and
// says so. A version other than 0 must be the current one.
func (s *Service) RemoveUser(ctx context.Context, by identity.Actor, id identity.UserID, version int64, reason string) error {
	switch s.model.DeleteMode() {
	case access.DeletePermanent:
		return s.EraseUser(ctx, by, id, version, reason)
	case access.DeleteRemove:
		return s.leave(ctx, by, id, version, reason)
	}
	if trusted(by) {
		return s.leave(ctx, by, id, version, reason)
	}
	return deletingHidden()
}

func deletingHidden() *identity.Error {
	return identity.Errorf(identity.Forbidden, "People are not deleted here: deactivate the person instead. Nobody comes in any more, and it can be undone.").WithCode("deactivate_instead")
}

// leave takes a person out of the tenant: a tombstone stays here, and an account that the same person has in another tenant is as it was.
func (s *Service) leave(ctx context.Context, by identity.Actor, id identity.UserID, version int64, reason string) error {
	scope, err := s.removeScope(by)
	if err != nil {
		return err
	}
	if err := notOneself(by, id, "remove"); err != nil {
		return err
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		before, err := tx.UserForUpdate(ctx, scope, id)
		if err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return stale()
		}
		if _, err := tx.DeleteCredential(ctx, before.ID); err != nil { // the address is free for whoever is invited next
			return err
		}
		return s.bury(ctx, tx, by, before, reason)
	})
	return sharpen(err, noUser)
}

// removeScope returns whom the actor may remove: who invites people takes them out again, where the model speaks of that; else it needs the right to change people.
func (s *Service) removeScope(by identity.Actor) (store.Scope, error) {
	if by.Kind == identity.ActorUser && s.model.DeleteMode() == access.DeleteRemove {
		return s.scopeFor(by, usersInvite)
	}
	return s.scopeFor(by, usersWrite)
}

// notOneself refuses ids that are none, and what nobody does to the own account.
func notOneself(by identity.Actor, id identity.UserID, verb string) error {
	if id == "" || !validIDs(&id) {
		return noUser()
	}
	if by.UserID() == id {
		return identity.Errorf(identity.Forbidden, "You cannot %s yourself; ask another administrator.", verb)
	}
	return nil
}

// EraseUser deletes a person for good, deleted before or not: everything that is kept about them goes, in the audit the id stands for them, and nothing brings them back. A
// directory that pushes the same person later makes a new user. Where the access model does not delete people only the operator may.
func (s *Service) EraseUser(ctx context.Context, by identity.Actor, id identity.UserID, version int64, reason string) error {
	scope, err := s.eraseScope(by)
	if err != nil {
		return err
	}
	if err := notOneself(by, id, "erase"); err != nil {
		return err
	}
	requests, err := s.requestsNaming(ctx, id)
	if err != nil {
		return err
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		before, err := tx.AnyUserForUpdate(ctx, scope, id)
		if err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return stale()
		}
		return s.erase(ctx, tx, by, before, requests, reason)
	})
	return sharpen(err, noUser)
}

func (s *Service) eraseScope(by identity.Actor) (store.Scope, error) {
	if by.Kind == identity.ActorUser && s.model.DeleteMode() != access.DeletePermanent {
		return store.Scope{}, deletingHidden()
	}
	if by.Kind != identity.ActorUser && !trusted(by) {
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A %s deletes nobody for good.", by.Kind)
	}
	return s.scopeFor(by, usersWrite)
}

// requestsNaming finds the entries of the journal that name a person. It reads all of it, so it is done before the change, which others would wait for.
func (s *Service) requestsNaming(ctx context.Context, id identity.UserID) (out []identity.RequestID, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		u, err := tx.AnyUser(ctx, store.Everything(), id)
		if err != nil {
			return err
		}
		words := append(addressesOf(u), string(u.ID), `"`+u.UserName+`"`, "%22"+u.UserName+"%22")
		out, err = tx.RequestsNaming(ctx, words)
		return err
	})
	return out, sharpen(err, noUser)
}

// addressesOf returns what somebody may have been called in a mail or at a provider.
func addressesOf(u identity.User) []string {
	var out []string
	if strings.Contains(u.UserName, "@") {
		out = append(out, u.UserName)
	}
	for _, e := range u.Emails {
		out = append(out, e.Value)
		if key, err := identity.EmailKey(e.Value); err == nil {
			out = append(out, key)
		}
	}
	return out
}

// erase takes a locked person out of every table, and writes the one event that is left.
func (s *Service) erase(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, requests []identity.RequestID, reason string) error {
	var let []identity.Change
	if u.DeletedAt == nil {
		var err error
		if let, err = s.keepPerson(ctx, tx, by, u, access.DenyDelete); err != nil {
			return err
		}
	}
	sessions, err := tx.DeleteSessionsOf(ctx, u.ID, "")
	if err != nil {
		return err
	}
	groups, err := tx.DeleteMembershipsOf(ctx, u.ID)
	if err != nil {
		return err
	}
	if err := tx.BumpGroups(ctx, groups); err != nil {
		return err
	}
	if err := eraseTracks(ctx, tx, u, requests); err != nil {
		return err
	}
	if err := tx.DeleteUser(ctx, u); err != nil {
		return err
	}
	e := about(by, identity.UserErased, u)
	e.ObjectLabel, e.Reason = string(u.ID), reason
	e.Changes = []identity.Change{{Field: "active", Before: u.Enabled, After: false}, {Field: "sessions", Before: sessions, After: 0}}
	e.Changes = append(e.Changes, let...)
	return tx.InsertEvent(ctx, e)
}

// eraseTracks clears what outlives the row of a person.
func eraseTracks(ctx context.Context, tx *store.Tx, u identity.User, requests []identity.RequestID) error {
	merged, err := tx.MergedInto(ctx, u.ID)
	if err != nil {
		return err
	}
	ids, addresses := append(merged, u.ID), addressesOf(u)
	for _, id := range ids {
		known, err := tx.RequestsOf(ctx, id)
		if err != nil {
			return err
		}
		requests = append(requests, known...)
		if err := tx.ErasePlanSteps(ctx, id); err != nil {
			return err
		}
	}
	steps := []func() error{
		func() error { return tx.EraseRequests(ctx, requests) },
		func() error { return tx.EraseMailsOf(ctx, u.ID, addresses) },
		func() error { return tx.EraseTracesOf(ctx, u.ID, addresses) },
		func() error { return tx.EraseReviewsOf(ctx, u.ID, addresses) },
		func() error { return tx.EraseLeader(ctx, u.ID, leaderWords(u, addresses)) },
		func() error { return tx.EraseRefusals(ctx, u.ID, addresses) },
		func() error { return eraseEvents(ctx, tx, u, ids, addresses) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// leaderWords returns by what a source may have named somebody as a manager.
func leaderWords(u identity.User, addresses []string) []string {
	words := append(slices.Clone(addresses), u.UserName)
	if number := string(readAttributes(u.Attributes).Enterprise.EmployeeNumber); number != "" {
		words = append(words, number)
	}
	return words
}

// eraseEvents leaves the id of a person in the audit, of those whom an administrator joined with them too, and nothing else that says who it was.
func eraseEvents(ctx context.Context, tx *store.Tx, u identity.User, ids []identity.UserID, addresses []string) error {
	did := false
	for _, id := range ids {
		if err := tx.EraseEventsOf(ctx, id, append(addresses, u.Label())); err != nil {
			return err
		}
		some, err := tx.EraseActor(ctx, id)
		if err != nil {
			return err
		}
		did = did || some
	}
	if !did {
		return nil
	}
	namesake, err := tx.SomebodyCalled(ctx, u.Label(), u.ID)
	if err != nil || namesake {
		return err
	}
	return tx.EraseDoer(ctx, u.ID, u.Label())
}

// purgeStep is how many tombstones are looked up at once.
const purgeStep = 50

// PurgeTombstones erases the people who were deleted longer ago than the age, each in a transaction of its own, and returns how many. An age of 0 or less keeps everybody. It
// may run at any time and on every replica.
func (s *Service) PurgeTombstones(ctx context.Context, by identity.Actor, age time.Duration) (int, error) {
	if err := s.platform(by); err != nil || age <= 0 {
		return 0, err
	}
	before := time.Now().Add(-age)
	total := 0
	for {
		var ids []identity.UserID
		err := s.db.View(ctx, func(tx *store.Tx) (err error) {
			ids, err = tx.Tombstones(ctx, before, purgeStep)
			return err
		})
		if err != nil || len(ids) == 0 {
			return total, err
		}
		for _, id := range ids {
			done, err := s.purge(ctx, by, id, before)
			if err != nil {
				return total, err
			}
			if done {
				total++
			}
		}
	}
}

// purge erases one tombstone, unless the person came back or another replica was faster.
func (s *Service) purge(ctx context.Context, by identity.Actor, id identity.UserID, before time.Time) (bool, error) {
	done := false
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.DeletedUserForUpdate(ctx, store.Everything(), id)
		if identity.KindOf(err) == identity.NotFound {
			return nil
		}
		if done = err == nil && u.DeletedAt.Before(before); !done {
			return err
		}
		return s.erase(ctx, tx, by, u, nil, "was deleted on "+u.DeletedAt.UTC().Format("2006-01-02")+"; the time for which that is kept is over")
	})
	return done && err == nil, err
}
