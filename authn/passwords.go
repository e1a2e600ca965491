package authn

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"golang.org/x/crypto/argon2"
)

// maxPassword is the longest password in characters: far more than anybody types, little enough to hash.
const maxPassword = 256

// cost is what one hash takes: argon2id (RFC 9106) with 19 MiB, two passes, one lane.
type cost struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
}

var ourCost = cost{memory: 19 * 1024, passes: 2, lanes: 1}

const (
	saltBytes = 16
	hashBytes = 32
)

// mostHashes is how many hashes are computed at once, however many processors there are: each takes 19 MiB.
const mostHashes = 3

// queueOfOne is how many hashes one processor computes or has waiting, about two seconds of work; whoever comes then is asked to come again.
const queueOfOne = 64

// decoy is compared for those who have no password, so that they cost as much time as those who have.
var decoy = hash{memory: ourCost.memory, is: func(password string) bool {
	argon2.IDKey([]byte(password), make([]byte, saltBytes), ourCost.passes, ourCost.memory, ourCost.lanes, hashBytes)
	return false
}}

// HashPassword returns the argon2id hash of a new password in PHC format, of somebody who is not known yet: of the password policy it checks what needs no person. It waits while
// as many hashes are computed as may be at once. Errors are those of NewPassword.
func (s *Service) HashPassword(ctx context.Context, password string) (string, error) {
	if err := s.checkNew(password, nil); err != nil {
		return "", err
	}
	return s.hash(ctx, password)
}

// NewPassword returns the argon2id hash of a new password for a user, with what holds for it. A user with an id is read with the history; without one it is somebody who is about to be
// created, of whom names, addresses and tenant count. Where the actor is not the user, the password has to be changed at the first sign-in when the access model says so; the caller may
// say otherwise. Invalid with the field "password" and a code such as "password.short" when the policy refuses it: PasswordRules says what it asks.
func (s *Service) NewPassword(ctx context.Context, by identity.Actor, u identity.User, password string) (string, identity.PasswordTerms, error) {
	var terms identity.PasswordTerms
	words, former, err := s.known(ctx, u)
	if err != nil {
		return "", terms, err
	}
	if err := s.checkNew(password, words); err != nil {
		return "", terms, err
	}
	if err := s.checkFormer(ctx, password, former); err != nil {
		return "", terms, err
	}
	phc, err := s.hash(ctx, password)
	terms.MustChange = (u.ID == "" || by.UserID() != u.ID) && s.model.Onboarding().MustChangePassword
	return phc, terms, err
}

// known reads what must not be in a user's password, and the former ones.
func (s *Service) known(ctx context.Context, u identity.User) (words, former []string, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if u.ID != "" {
			if u, err = tx.User(ctx, store.Everything(), u.ID); err != nil {
				return err
			}
			if former, err = s.former(ctx, tx, u.ID); err != nil {
				return err
			}
		}
		names, err := tx.TenantNames(ctx, []identity.TenantID{u.TenantID})
		words = s.words(u, names[u.TenantID])
		return err
	})
	if identity.KindOf(err) == identity.NotFound {
		err = noUser()
	}
	return words, former, err
}

// former returns the present hash of a user and as many before it as may not come back.
func (s *Service) former(ctx context.Context, tx *store.Tx, id identity.UserID) ([]string, error) {
	c, err := tx.Credential(ctx, id)
	if identity.KindOf(err) == identity.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	former := []string{c.PasswordHash}
	if n := s.policy().PasswordHistory; n > 1 {
		older, err := tx.PasswordHistory(ctx, id, n-1)
		return append(former, older...), err
	}
	return former, nil
}

// hash makes a hash of ours.
func (s *Service) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails since Go 1.24
	var sum []byte
	err := s.compute(ctx, ourCost.memory, func() {
		sum = argon2.IDKey([]byte(password), salt, ourCost.passes, ourCost.memory, ourCost.lanes, hashBytes)
	})
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, ourCost.memory, ourCost.passes, ourCost.lanes, b64.EncodeToString(salt), b64.EncodeToString(sum)), err
}

// compute does the work of one hash, a few at a time. One that takes more memory than ours waits until nothing else is computed. TooMany when too many wait already.
func (s *Service) compute(ctx context.Context, memory uint32, work func()) error {
	select {
	case s.queue <- struct{}{}:
	default:
		return identity.Errorf(identity.TooMany, "Too many people sign in at this moment. Try again in a few seconds.").WithCode("signin.busy")
	}
	defer func() { <-s.queue }()
	need := 1
	if memory > ourCost.memory {
		need = cap(s.hashes)
		select {
		case s.large <- struct{}{}: // two of them at once would wait for each other
			defer func() { <-s.large }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for range need {
		select {
		case s.hashes <- struct{}{}:
			defer func() { <-s.hashes }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	work()
	return nil
}

// matches reports whether the password belongs to a hash. Without a hash it takes the same time and is false.
func (s *Service) matches(ctx context.Context, text, password string) (bool, error) {
	h := decoy
	if text != "" {
		var err error
		if h, err = parseHash(text); err != nil {
			return false, err
		}
	}
	if len(password) > maxPassword*utf8.UTFMax {
		password = ""
		h.is = func(string) bool { return decoy.is("") }
	}
	same := false
	err := s.compute(ctx, h.memory, func() { same = h.is(password) })
	return same, err
}

// foreign reports whether a hash is another than we make today.
func foreign(text string) bool {
	h, err := parseHash(text)
	return err == nil && !h.ours
}
