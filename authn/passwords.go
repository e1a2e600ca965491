package authn

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
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

// highest is the most that a hash from elsewhere may ask of us.
var highest = cost{memory: 256 * 1024, passes: 10, lanes: 8}

const (
	saltBytes = 16
	hashBytes = 32
)

// hash is a password hash in its parts.
type hash struct {
	cost
	salt, sum []byte
}

var errHash = errors.New("the stored password hash is not argon2id in PHC format, or asks for too much")

// decoy is checked for those who have no password, so that they cost as much time as those who have.
var decoy = hash{cost: ourCost, salt: make([]byte, saltBytes), sum: make([]byte, hashBytes)}

// HashPassword returns the argon2id hash of a new password in PHC format. A password has 12 to 256 characters (more, and of several classes, where the
// access model asks for it), else the error is Invalid with the field "password". It waits while as many hashes are computed as there are processors.
func (s *Service) HashPassword(ctx context.Context, password string) (string, error) {
	if err := s.checkNew(password); err != nil {
		return "", err
	}
	h := hash{cost: ourCost, salt: make([]byte, saltBytes)}
	rand.Read(h.salt) // never fails since Go 1.24
	sum, err := s.derive(ctx, h, password)
	if err != nil {
		return "", err
	}
	h.sum = sum
	return h.String(), nil
}

func (s *Service) checkNew(password string) error {
	bad := func(format string, args ...any) error {
		return identity.Errorf(identity.Invalid, format, args...).WithField("password")
	}
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return bad("The password is no valid text (UTF-8).")
	case n < s.policy().MinPassword:
		return bad("The password has %d characters; it needs at least %d. A few words in a row are easy to remember.", n, s.policy().MinPassword)
	case n > maxPassword:
		return bad("The password has %d characters; it may have at most %d.", n, maxPassword)
	case classes(password) < s.policy().PasswordClasses:
		return bad("The password needs %d of these: small letters, capitals, digits, other characters.", s.policy().PasswordClasses)
	}
	return nil
}

// classes counts the kinds of characters: small letters, capitals, digits, others.
func classes(password string) int {
	var seen [4]int
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			seen[0] = 1
		case unicode.IsUpper(r):
			seen[1] = 1
		case unicode.IsDigit(r):
			seen[2] = 1
		default:
			seen[3] = 1
		}
	}
	return seen[0] + seen[1] + seen[2] + seen[3]
}

// queueOfOne is how many hashes one processor computes or has waiting, about two seconds of work; whoever comes then is asked to come again.
const queueOfOne = 64

// derive computes the sum of a password, at most one a processor at a time. TooMany when too many wait already.
func (s *Service) derive(ctx context.Context, h hash, password string) ([]byte, error) {
	select {
	case s.queue <- struct{}{}:
	default:
		return nil, identity.Errorf(identity.TooMany, "Too many people sign in at this moment. Try again in a few seconds.").WithCode("signin.busy")
	}
	defer func() { <-s.queue }()
	select {
	case s.hashes <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.hashes }()
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, hashBytes), nil
}

// matches reports whether the password belongs to a hash in PHC format. Without a hash it takes the same time and is false.
func (s *Service) matches(ctx context.Context, phc, password string) (bool, error) {
	h, known := decoy, phc != ""
	if known {
		var err error
		if h, err = parseHash(phc); err != nil {
			return false, err
		}
	}
	if len(password) > maxPassword*utf8.UTFMax {
		password, known = "", false
	}
	sum, err := s.derive(ctx, h, password)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(sum, h.sum) == 1 && known, nil
}

// String returns the hash in PHC format.
func (h hash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.lanes, b64.EncodeToString(h.salt), b64.EncodeToString(h.sum))
}

// parseHash reads what String wrote, within the limits of what we are willing to compute.
func parseHash(phc string) (hash, error) {
	var h hash
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return h, errHash
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	h.sum, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	low := h.memory < 8*uint32(h.lanes) || h.passes < 1 || h.lanes < 1 || len(h.salt) < 8
	high := h.memory > highest.memory || h.passes > highest.passes || h.lanes > highest.lanes || len(h.salt) > 64
	if err1 != nil || err2 != nil || low || high || len(h.sum) != hashBytes || h.String() != phc {
		return h, errHash
	}
	return h, nil
}
