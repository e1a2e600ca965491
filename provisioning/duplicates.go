package provisioning

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// DuplicateQuery says which duplicates are wanted.
type DuplicateQuery struct {
	Kinds []identity.DuplicateKind // none: every kind
	After string                   // identity.Duplicate.Cursor
	Limit int
}

// mostDuplicates is how many groups of duplicates a page has at most.
const mostDuplicates = 200

// Duplicates returns a page of users who may be one person, within each tenant that the actor sees, the surest kind first. The users come with their roles.
func (s *Service) Duplicates(ctx context.Context, by identity.Actor, q DuplicateQuery) (identity.Page[identity.Duplicate], error) {
	var page identity.Page[identity.Duplicate]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return page, err
	}
	if by.Kind == identity.ActorDirectory {
		return page, identity.Errorf(identity.Forbidden, "A directory may not do this.")
	}
	for _, k := range q.Kinds {
		if !slices.Contains(identity.DuplicateKinds, k) {
			return page, identity.Errorf(identity.Invalid, "There are no duplicates of the kind %q.", k).WithField("kind")
		}
	}
	q.Limit = min(max(q.Limit, 1), mostDuplicates)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		groups, more, err := tx.Duplicates(ctx, scope, q.Kinds, duplicateAfter(q.After), q.Limit)
		if err != nil {
			return err
		}
		page = identity.Page[identity.Duplicate]{More: more}
		for _, g := range groups {
			users, err := tx.UsersByID(ctx, scope, g.Users)
			if err == nil {
				err = s.describe(ctx, tx, users)
			}
			if err != nil {
				return err
			}
			page.Items = append(page.Items, identity.Duplicate{
				Kind: identity.DuplicateKinds[g.Rank], Key: g.Key, TenantID: g.TenantID, Users: users, Cursor: strconv.Itoa(g.Rank) + " " + string(g.TenantID) + " " + g.Key,
			})
		}
		return nil
	})
	return page, err
}

// duplicateAfter reads a cursor; nil for the first page, or for what is none.
func duplicateAfter(cursor string) *store.DuplicateKey {
	rank, rest, _ := strings.Cut(cursor, " ")
	tenant, key, ok := strings.Cut(rest, " ")
	n, err := strconv.Atoi(rank)
	if !ok || err != nil {
		return nil
	}
	return &store.DuplicateKey{Rank: n, Key: key, TenantID: identity.TenantID(tenant)}
}
