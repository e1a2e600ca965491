package provisioning

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

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
		s.createParts(ctx, by, list, slices.Collect(slices.Chunk(together, manyUsers)), out)
		together = nil
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

// createParts creates users part by part, several parts at once: none of them is like another, and SQLite commits together what waits. A panic is the error of its part.
func (s *Service) createParts(ctx context.Context, by identity.Actor, list []NewUser, parts [][]int, out []Created) {
	idle := make(chan struct{}, hands)
	var all sync.WaitGroup
	for _, part := range parts {
		idle <- struct{}{}
		all.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					for _, i := range part {
						out[i] = Created{Err: fmt.Errorf("panic: %v\n%s", r, debug.Stack())}
					}
				}
				<-idle
			}()
			s.createTogether(ctx, by, list, part, out)
		})
	}
	all.Wait()
}

// strangers reports of each new user whether nobody like that is known, nor stands before in the list, so that creating is all there is to do.
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
	if err != nil {
		return strange, err
	}
	before := map[string]bool{}
	for i, n := range list {
		p := people[i]
		name, address, external := "n"+identity.NameKey(p.Name), "e"+p.AddressKey, "x"+p.ExternalID
		if normalise(&n.User) != nil || before[name] || p.AddressKey != "" && (before["n"+p.AddressKey] || before[address]) || p.ExternalID != "" && before[external] {
			strange[i] = false
		}
		before[name], before[address], before[external] = true, true, true
	}
	return strange, nil
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
