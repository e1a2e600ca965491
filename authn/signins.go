package authn

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// signInAge is how long a browser may stay at a provider when the caller sets no end.
const signInAge = 10 * time.Minute

// maxKey is the longest request id, state or assertion id in bytes.
const maxKey = 1024

// SaveSignIn remembers, under the hash of its key, what must be known when a browser comes back from a provider. Empty times are filled in: 10 minutes.
// TooMany when one address has begun 6000 in a quarter of an hour.
func (s *Service) SaveSignIn(ctx context.Context, st identity.SignInState) error {
	id, ok := identity.ParseID[identity.ConnectionID](string(st.ConnectionID))
	if !ok || st.Key == "" || len(st.Key) > maxKey || len(st.BrowserHash) == 0 {
		return identity.Errorf(identity.Invalid, "A sign-in needs a connection, a key and the hash of the cookie that binds the browser.")
	}
	st.ConnectionID = id
	if err := s.begun.take(st.IP, time.Now()); err != nil {
		return err
	}
	return noConnection(s.db.Update(ctx, func(tx *store.Tx) error {
		if st.CreatedAt.IsZero() {
			st.CreatedAt = tx.Now()
		}
		if st.ExpiresAt.IsZero() {
			st.ExpiresAt = st.CreatedAt.Add(signInAge)
		}
		return tx.InsertSignIn(ctx, st, identity.HashSecret(st.Key))
	}))
}

// TakeSignIn returns what SaveSignIn remembered for this connection and forgets it: a second take is NotFound, and so is one after its end.
// The caller compares BrowserHash in constant time before it believes the rest.
func (s *Service) TakeSignIn(ctx context.Context, connection identity.ConnectionID, key string) (identity.SignInState, error) {
	none := identity.Errorf(identity.NotFound, "This sign-in was not begun here, is finished already, or took too long. Begin again.").WithCode("signin.unknown")
	connection, ok := identity.ParseID[identity.ConnectionID](string(connection))
	if !ok || key == "" || len(key) > maxKey {
		return identity.SignInState{}, none
	}
	var st identity.SignInState
	var late bool
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		var err error
		st, err = tx.TakeSignIn(ctx, connection, identity.HashSecret(key))
		late = !tx.Now().Before(st.ExpiresAt)
		return err
	})
	if identity.KindOf(err) == identity.NotFound {
		return identity.SignInState{}, none.WithCause(err)
	}
	if err != nil {
		return identity.SignInState{}, err
	}
	if late {
		return identity.SignInState{}, none
	}
	st.Key = key
	return st, nil
}

// Remember notes that an assertion or token of a connection was used, until it could not be used anyway. A second time, on whichever replica, is a Conflict.
func (s *Service) Remember(ctx context.Context, connection identity.ConnectionID, key string, until time.Time) error {
	if err := usableKey(&connection, key); err != nil {
		return err
	}
	return usedBefore(s.db.Update(ctx, func(tx *store.Tx) error {
		return tx.InsertReplay(ctx, connection, identity.HashSecret(key), until.UTC().Truncate(time.Microsecond))
	}))
}

// usableKey checks what is remembered against replay; the connection becomes its canonical id.
func usableKey(connection *identity.ConnectionID, key string) error {
	id, ok := identity.ParseID[identity.ConnectionID](string(*connection))
	if !ok || key == "" || len(key) > maxKey {
		return identity.Errorf(identity.Invalid, "What is remembered against replay needs a connection and a key.")
	}
	*connection = id
	return nil
}

// noConnection says that the connection, of which something was to be remembered, is gone.
func noConnection(err error) error {
	if identity.CodeOf(err) == store.ChangedMeanwhile {
		return identity.Errorf(identity.NotFound, "There is no such connection any more.").WithCode("connection.unknown").WithCause(err)
	}
	return err
}

// usedBefore sharpens the conflict of a key that is remembered already.
func usedBefore(err error) error {
	if err = noConnection(err); identity.KindOf(err) == identity.Conflict {
		return identity.Errorf(identity.Conflict, "This was used before.").WithCode("replay").WithCause(err)
	}
	return err
}
