package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ConnectionUse counts the people who are linked to a connection and the sessions that came through it.
func (s *Service) ConnectionUse(ctx context.Context, by identity.Actor, id identity.ConnectionID) (links, sessions int, err error) {
	if err := s.platform(by); err != nil {
		return 0, 0, err
	}
	if id == "" || !validIDs(&id) {
		return 0, 0, noConnection()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		links, sessions, err = tx.ConnectionUse(ctx, id)
		return err
	})
	return links, sessions, err
}

// DeleteConnection deletes a connection for good and ends the sessions that came through it. While people are linked to it, that is a Conflict unless withLinks
// says that they go too; the people stay. Its sign-in traces and events stay.
func (s *Service) DeleteConnection(ctx context.Context, by identity.Actor, id identity.ConnectionID, withLinks bool) error {
	if err := s.platform(by); err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noConnection()
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		c, err := tx.ConnectionForUpdate(ctx, store.Everything(), id)
		if err != nil {
			return err
		}
		links, sessions, err := tx.ConnectionUse(ctx, id)
		if err != nil {
			return err
		}
		if links > 0 && !withLinks {
			return identity.Errorf(identity.Conflict, "%d people sign in through %s. Disable it instead, or say that their links go too.", links, c.Name).WithCode("connection.in_use")
		}
		if err := tx.DeleteConnection(ctx, id); err != nil {
			return err
		}
		e := aboutConnection(by, identity.ConnectionDeleted, c)
		e.Changes = append(diffConnections(c, identity.Connection{}), identity.Change{Field: "links", Before: links}, identity.Change{Field: "sessions", Before: sessions})
		return tx.InsertEvent(ctx, e)
	})
	return sharpen(err, noConnection)
}
