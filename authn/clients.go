package authn

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

const (
	accessAge       = 10 * time.Minute // how long an access token opens the door
	maxAccessTokens = 1000             // live access tokens of one client
)

// ClientProof is what an OAuth client sent to say who it is: its id with a secret, or a signed JWT.
type ClientProof struct {
	ID        string   // client_id; may be empty beside an assertion
	Secret    string   // or
	Assertion string   // a JWT (RFC 7523 section 2.2)
	Audiences []string // whom an assertion may be meant for: us, under each of our names
	IP        string
}

// IssueAccessToken gives a directory's OAuth client a new access token (RFC 6749 section 4.4). Only its hash is kept. Unauthenticated, with
// one message for all and the reason as Cause, when the client is not who it says, is revoked, or its directory is disabled; Forbidden
// when it asks from a network that the directory does not allow; TooMany after a hundred refusals of one address in a quarter of an hour,
// or with a thousand live tokens.
func (s *Service) IssueAccessToken(ctx context.Context, proof ClientProof) (identity.AccessToken, error) {
	if err := s.clients.take(proof.IP, time.Now()); err != nil {
		return identity.AccessToken{}, identity.Errorf(identity.TooMany, "Too many wrong tries came from your network. Wait a quarter of an hour, then try again.").
			WithCode("client.too_many")
	}
	c, d, signed, err := s.client(ctx, proof)
	if identity.KindOf(err) != identity.Unauthenticated {
		s.clients.done(proof.IP) // not a wrong try
	}
	if err != nil {
		return identity.AccessToken{}, err
	}
	if len(d.Networks) > 0 && !identity.InNetworks(d.Networks, proof.IP) {
		return identity.AccessToken{}, strangeNetwork(d, proof.IP)
	}
	token := identity.NewSecret(identity.AccessTokenPrefix)
	err = s.db.Update(ctx, func(tx *store.Tx) error { return issue(ctx, tx, c, signed, token) })
	if identity.CodeOf(err) == store.ChangedMeanwhile {
		return identity.AccessToken{}, badClient(err) // it was deleted
	}
	if identity.KindOf(err) == identity.Conflict {
		return identity.AccessToken{}, badClient(fmt.Errorf("client %s used the JWT %q before", c.ID, clean(signed.id, 80)))
	}
	if err != nil {
		return identity.AccessToken{}, err
	}
	return identity.AccessToken{Token: token, Expires: accessAge, Scope: identity.ScopeSCIM}, nil
}

// issue writes an access token, and that the JWT that it was asked for with is used up.
func issue(ctx context.Context, tx *store.Tx, c identity.Client, signed assertion, token string) error {
	if signed.id != "" {
		if err := tx.InsertClientReplay(ctx, c.ID, identity.HashSecret(signed.id), signed.until.UTC().Truncate(time.Microsecond)); err != nil {
			return err
		}
	}
	n, err := tx.LiveAccessTokens(ctx, c.ID)
	if err != nil {
		return err
	}
	if n >= maxAccessTokens {
		return identity.Errorf(identity.TooMany, "This client has %d access tokens that have not expired. Use one until it ends.", n).WithCode("client.too_many")
	}
	if err := tx.InsertAccessToken(ctx, c.ID, identity.HashSecret(token), tx.Now().Add(accessAge)); err != nil {
		return err
	}
	return tx.TouchClient(ctx, c.ID, tx.Now())
}

// client finds out who asks.
func (s *Service) client(ctx context.Context, proof ClientProof) (identity.Client, identity.Directory, assertion, error) {
	var signed assertion
	id := proof.ID
	if proof.Assertion != "" {
		var err error
		if signed, err = readAssertion(proof.Assertion); err != nil {
			return identity.Client{}, identity.Directory{}, signed, badClient(err)
		}
		if id = signed.subject; proof.ID != "" && proof.ID != id {
			return identity.Client{}, identity.Directory{}, signed, badClient(errors.New("client_id is not the subject of the assertion"))
		}
	}
	c, hash, d, err := s.findClient(ctx, id)
	if err != nil {
		return c, d, signed, err
	}
	if proof.Assertion != "" {
		err = signed.check(c, proof.Audiences, time.Now())
	} else {
		err = checkSecret(c, hash, proof.Secret)
	}
	switch {
	case err != nil:
	case c.RevokedAt != nil:
		err = fmt.Errorf("client %s was revoked at %s", c.ID, c.RevokedAt.Format(time.RFC3339))
	case !d.Enabled:
		err = fmt.Errorf("directory %s is disabled", d.ID)
	}
	if err != nil {
		return c, d, signed, badClient(err)
	}
	return c, d, signed, nil
}

// findClient returns a client by its id. One that does not exist has no secret and no keys, and fails where a wrong secret does.
func (s *Service) findClient(ctx context.Context, id string) (c identity.Client, hash []byte, d identity.Directory, err error) {
	client, ok := identity.ParseID[identity.ClientID](id)
	if !ok {
		return c, nil, d, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		c, hash, d, err = tx.ClientWithDirectory(ctx, client)
		return err
	})
	if identity.KindOf(err) == identity.NotFound {
		err = nil
	}
	return c, hash, d, err
}

// checkSecret compares in constant time, also where there is nothing to compare with.
func checkSecret(c identity.Client, hash []byte, secret string) error {
	same := subtle.ConstantTimeCompare(identity.HashSecret(secret), hash) == 1
	switch {
	case c.ID == "":
		return errors.New("there is no such client")
	case c.Method != identity.ClientSecret:
		return fmt.Errorf("client %s has keys and must sign a JWT", c.ID)
	case !same:
		return fmt.Errorf("client %s sent a wrong secret", c.ID)
	}
	return nil
}

func badClient(cause error) error {
	return identity.Errorf(identity.Unauthenticated, "The client is unknown or revoked, or its secret or signature is wrong.").WithCode("client.invalid").WithCause(cause)
}

// accessPass reads an access token.
func accessPass(ctx context.Context, tx *store.Tx, hash []byte) (*pass, error) {
	d, c, end, err := tx.DirectoryByAccessToken(ctx, hash)
	if err != nil {
		return nil, err
	}
	p := &pass{directory: d, key: string(c.ID), client: c.ID, ends: &end, used: c.LastUsedAt, read: tx.Now()}
	switch {
	case c.RevokedAt != nil:
		return nil, dead("client %s of directory %s was revoked at %s", c.ID, d.ID, c.RevokedAt.Format(time.RFC3339))
	case !tx.Now().Before(end):
		return nil, dead("an access token of client %s expired at %s", c.ID, end.Format(time.RFC3339))
	case !d.Enabled:
		return nil, dead("directory %s is disabled", d.ID)
	}
	return p, nil
}
