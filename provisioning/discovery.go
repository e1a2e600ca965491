package provisioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ConnectionForEmail returns the connection through which the people of an address sign in: the oldest enabled one that lists the domain, else the
// only one that is trusted for every domain. NotFound means that a password is asked for. It never looks at users, so it tells nobody who exists.
func (s *Service) ConnectionForEmail(ctx context.Context, email string) (identity.ConnectionID, error) {
	none := identity.Errorf(identity.NotFound, "No connection is responsible for this address.")
	key, err := identity.EmailKey(strings.TrimSpace(email))
	if err != nil {
		return "", none
	}
	var own, star []identity.ConnectionID
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		if own, err = tx.ConnectionsByDomain(ctx, identity.EmailDomain(key)); err != nil {
			return err
		}
		star, err = tx.ConnectionsByDomain(ctx, identity.AnyDomain)
		return err
	})
	switch {
	case err != nil:
		return "", err
	case len(own) > 0:
		return own[0], nil
	case len(star) == 1:
		return star[0], nil
	}
	return "", none
}

// fingerprints returns the SHA-256 of certificates, so that an event can name them.
func fingerprints(certificates [][]byte) []string {
	out := make([]string, len(certificates))
	for i, der := range certificates {
		sum := sha256.Sum256(der)
		out[i] = hex.EncodeToString(sum[:])
	}
	return out
}
