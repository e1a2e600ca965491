package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// manyUsers is how many new users share one transaction.
const manyUsers = 100

// Created is what became of one of many new users.
type Created struct {
	User identity.User
	Err  error
}

// CreateUsers is CreateUser for many whom a directory pushes at once. Each is created or not by itself, in the order given as far as it matters;
// those whom nobody knew yet are written together.
func (s *Service) CreateUsers(ctx context.Context, by identity.Actor, list []NewUser) []Created {
	out := make([]Created, len(list))
	strange, err := s.strangers(ctx, by, list)
	var together []int
	flush := func() {
		for part := range slices.Chunk(together, manyUsers) {
			s.createTogether(ctx, by, list, part, out)
		}
		together = together[:0]
	}
	for i, n := range list {
		if err == nil && strange[i] {
			together = append(together, i)
			continue
		}
		flush()
		out[i].User, out[i].Err = s.CreateUser(ctx, by, n)
	}
	flush()
	return out
}

// strangers reports of each new user whether nobody like that is known, so that creating is all there is to do.
func (s *Service) strangers(ctx context.Context, by identity.Actor, list []NewUser) ([]bool, error) {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil || by.Kind != identity.ActorDirectory {
		return make([]bool, len(list)), err
	}
	people := make([]store.Person, len(list))
	for i, n := range list {
		_ = normalise(&n.User) // the name is trimmed; what is wrong with it comes out when the user is created
		people[i] = store.Person{Name: n.User.UserName, ExternalID: n.User.ExternalID, AddressKey: addressKey(n.User)}
	}
	var strange []bool
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		if _, err = s.landingID(ctx, tx); err == nil {
			strange, err = tx.Strangers(ctx, scope, people)
		}
		return err
	})
	for i, n := range list {
		if err == nil && normalise(&n.User) != nil {
			strange[i] = false
		}
	}
	return strange, err
}

// createTogether creates some users in one transaction; when anything is wrong with any of them, each by itself.
func (s *Service) createTogether(ctx context.Context, by identity.Actor, list []NewUser, which []int, out []Created) {
	rows := make([]NewUser, len(which))
	for k, i := range which {
		rows[k] = list[i]
		_ = normalise(&rows[k].User) // strangers left out whom this refuses
	}
	var users []identity.User
	err := s.update(ctx, by, func(tx *store.Tx) (err error) {
		users, err = s.pushStrangers(ctx, tx, by, rows)
		return err
	})
	for k, i := range which {
		if err != nil {
			out[i].User, out[i].Err = s.CreateUser(ctx, by, list[i])
			continue
		}
		out[i].User = users[k]
	}
}
