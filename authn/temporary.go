package authn

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"
	"time"
	"unicode"

	"github.com/drawbridge-id/drawbridge/identity"
)

// What a temporary password is made of: characters that nobody takes for another one, in groups. Twenty of them have 98 bits.
const (
	readable     = "abcdefghjkmnpqrstuvwxyz23456789"
	readableEach = 5
	readableLeft = 4 // groups
)

// TemporaryPassword makes up a password for a user, with its hash and terms: it has to be changed at the first sign-in, and ends after a time (0: 72 hours). The password is to be shown once and never kept.
func (s *Service) TemporaryPassword(ctx context.Context, u identity.User, lasts time.Duration) (phc string, terms identity.PasswordTerms, password string, err error) {
	words, _, err := s.known(ctx, u)
	if err != nil {
		return "", terms, "", err
	}
	for password == "" || s.checkNew(password, words) != nil {
		password = makeReadable(s.policy().MinPassword)
	}
	phc, err = s.hash(ctx, password)
	return phc, temporary(lasts), password, err
}

func temporary(lasts time.Duration) identity.PasswordTerms {
	ends := time.Now().UTC().Add(cmp.Or(lasts, temporaryAge)).Truncate(time.Microsecond)
	return identity.PasswordTerms{MustChange: true, Temporary: true, ExpiresAt: &ends}
}

// makeReadable returns groups of characters with at least one capital, small letter, digit and other character.
func makeReadable(least int) string {
	var groups []string
	for n := -1; len(groups) < readableLeft || n < least; n += readableEach + 1 {
		group := make([]byte, readableEach)
		for i := range group {
			group[i] = readable[draw(len(readable))]
		}
		groups = append(groups, string(group))
	}
	out := []rune(strings.Join(groups, "-"))
	for i, r := range out {
		if unicode.IsLetter(r) {
			out[i] = unicode.ToUpper(r)
			break
		}
	}
	if classes(string(out)) < 4 { // no digit, one time in two hundred
		return makeReadable(least)
	}
	return string(out)
}

// draw returns a number below n, each as likely as the others.
func draw(n int) int {
	var b [1]byte
	for {
		rand.Read(b[:]) // never fails since Go 1.24
		if int(b[0]) < 256-256%n {
			return int(b[0]) % n
		}
	}
}
