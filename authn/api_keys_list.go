package authn

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// KeyQuery says which API keys are wanted; empty fields do not narrow.
type KeyQuery = store.KeyQuery

// HeldKey is an API key with its person. Why says why it does not work, and is empty while it does.
type HeldKey struct {
	identity.APIKey
	User identity.User
	Why  string
}

// keyPage is how many keys a page has where nobody says, and at most.
const keyPage = 50

// KeysWhere returns the API keys of everybody whom the actor may look after, by the ids of the keys. It needs the right to write users.
func (s *Service) KeysWhere(ctx context.Context, by identity.Actor, q KeyQuery) (identity.Page[HeldKey], error) {
	var out identity.Page[HeldKey]
	scope, err := s.keyScope(by)
	if err != nil {
		return out, err
	}
	if q.Limit <= 0 || q.Limit > keyPage {
		q.Limit = keyPage
	}
	q.After, _ = identity.ParseID[string](q.After)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err := tx.APIKeysWhere(ctx, scope, q)
		if err != nil {
			return err
		}
		out = identity.Page[HeldKey]{Items: make([]HeldKey, len(page.Items)), More: page.More}
		policy, err := s.keyPolicy(ctx, tx)
		if err != nil {
			return err
		}
		return s.holders(ctx, tx, page.Items, policy, out.Items)
	})
	return out, err
}

// keyScope is whose keys an actor sees.
func (s *Service) keyScope(by identity.Actor) (store.Scope, error) {
	switch d := s.model.Allows(access.Who(by), usersWrite); {
	case by.Kind == identity.ActorOperator, by.Kind == identity.ActorSystem:
		return store.Everything(), nil
	case by.Kind != identity.ActorUser:
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A %s may not do this.", by.Kind)
	case !d.Allowed:
		return store.Scope{}, identity.Errorf(identity.Forbidden, "You may not do this: it needs the right %s. %s.", usersWrite, d.Reason)
	case by.TenantID == "":
		return store.Everything(), nil
	}
	return store.OfTenant(by.TenantID), nil
}

// holders fills in who has each key and why it does not work; each person is looked at once.
func (s *Service) holders(ctx context.Context, tx *store.Tx, keys []identity.APIKey, policy identity.KeyPolicy, out []HeldKey) error {
	ids := make([]identity.UserID, 0, len(keys))
	for _, k := range keys {
		ids = append(ids, k.UserID)
	}
	people, err := tx.UsersOf(ctx, ids)
	if err != nil {
		return err
	}
	why := map[identity.UserID]string{}
	for i, k := range keys {
		u := people[k.UserID]
		out[i] = HeldKey{APIKey: k, User: u}
		end := k.CreatedAt.Add(policy.Age)
		switch {
		case k.RevokedAt != nil:
			continue
		case policy.Age > 0 && !tx.Now().Before(end):
			out[i].Why = "It ended at " + end.Format("2006-01-02 15:04") + " UTC."
			continue
		}
		said, known := why[u.ID]
		if !known {
			if said, err = s.whyNoKey(ctx, tx, u, policy); err != nil {
				return err
			}
			why[u.ID] = said
		}
		out[i].Why = said
	}
	return nil
}

// whyNoKey says why a person's keys do not work now, or "".
func (s *Service) whyNoKey(ctx context.Context, tx *store.Tx, u identity.User, policy identity.KeyPolicy) (string, error) {
	roles, err := s.rightsOf(ctx, tx, &u)
	if err != nil {
		return "", err
	}
	v, err := s.keyStanding(ctx, tx, u, roles, policy)
	return v.why, err
}

// MayHaveKey says why somebody's own programs may have no API key, or "" when they may.
func (s *Service) MayHaveKey(ctx context.Context, by identity.Actor) (string, error) {
	var why string
	err := s.db.View(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, by.UserID(), usersRead)
		if err != nil {
			return err
		}
		policy, err := s.keyPolicy(ctx, tx)
		if err != nil {
			return err
		}
		why, err = s.whyNoKey(ctx, tx, u, policy)
		return err
	})
	return why, err
}
