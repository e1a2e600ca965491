package authn

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	stdhash "hash"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// hash is a stored password hash, ready to be compared with.
type hash struct {
	memory uint32 // KiB that one comparison takes
	ours   bool   // as HashPassword makes it today
	is     func(password string) bool
}

// The most that a hash from elsewhere may ask of us: what the usual frameworks make, with room. A comparison takes about a second at these limits.
const (
	mostMemory   = 128 * 1024 // KiB, argon2 and scrypt
	mostPasses   = 10         // argon2
	mostLanes    = 8
	mostBcrypt   = 14
	mostScryptP  = 8
	mostSum      = 64   // bytes
	maxHashText  = 1024 // bytes of the text
	leastSum     = 16
	leastSalt    = 8
	leastBcrypt  = 4
	mostSaltText = 256
)

// rounds are the bounds of PBKDF2 by digest.
var rounds = map[string]struct {
	digest      func() stdhash.Hash
	size        int
	least, most int
}{
	"sha1":   {sha1.New, sha1.Size, 1000, 3_000_000},
	"sha256": {sha256.New, sha256.Size, 1000, 2_000_000},
	"sha512": {sha512.New, sha512.Size, 1000, 1_000_000},
}

var errHash = errors.New("the password hash has no form that is known, or asks for too much")

// ImportPasswordHash checks a password hash that was made elsewhere and returns what holds for it: argon2id and argon2i in PHC format, bcrypt ($2a$, $2b$, $2y$), PBKDF2
// in PHC format ($pbkdf2-sha256$…) or as Django writes it (pbkdf2_sha256$…), each with SHA-1, SHA-256 or SHA-512, and scrypt in PHC format. At the next right password it becomes one
// of ours. Invalid with the field "password_hash" for every other text, and for one that asks for too much work.
func ImportPasswordHash(text string) (identity.PasswordTerms, error) {
	h, err := parseHash(text)
	if err != nil {
		return identity.PasswordTerms{}, identity.Errorf(identity.Invalid, "This is no password hash that can be used. Known are argon2id, argon2i, bcrypt, PBKDF2 and scrypt, with at most 128 MiB and about a second of work; let the person set a new password instead.").WithField("password_hash").WithCause(err)
	}
	return identity.PasswordTerms{Imported: !h.ours}, nil
}

// parseHash reads a hash, within the limits of what we are willing to compute.
func parseHash(text string) (hash, error) {
	if len(text) > maxHashText {
		return hash{}, errHash
	}
	parts := strings.Split(text, "$")
	var h hash
	var ok bool
	switch {
	case len(parts) == 6 && parts[0] == "" && (parts[1] == "argon2id" || parts[1] == "argon2i"):
		h, ok = parseArgon2(parts[1], parts[2:])
	case len(parts) == 4 && parts[0] == "" && (parts[1] == "2a" || parts[1] == "2b" || parts[1] == "2y"):
		h, ok = parseBcrypt(text)
	case len(parts) == 5 && parts[0] == "" && parts[1] == "scrypt":
		h, ok = parseScrypt(parts[2:])
	case len(parts) == 5 && parts[0] == "" && strings.HasPrefix(parts[1], "pbkdf2"):
		h, ok = parsePBKDF2(strings.TrimPrefix(strings.TrimPrefix(parts[1], "pbkdf2"), "-"), parts[2:])
	case len(parts) == 4 && strings.HasPrefix(parts[0], "pbkdf2_"):
		h, ok = parseDjango(strings.TrimPrefix(parts[0], "pbkdf2_"), parts[1:])
	}
	if !ok {
		return hash{}, errHash
	}
	return h, nil
}

// parseArgon2 reads v=19, m=19456,t=2,p=1, salt and sum.
func parseArgon2(kind string, parts []string) (hash, bool) {
	p, ok := parameters(parts[1], "m", "t", "p")
	salt, sum, good := saltAndSum(parts[2], parts[3])
	if !ok || !good || parts[0] != "v="+strconv.Itoa(argon2.Version) {
		return hash{}, false
	}
	memory, passes, lanes := p[0], p[1], p[2]
	if lanes < 1 || lanes > mostLanes || passes < 1 || passes > mostPasses || memory < 8*lanes || memory > mostMemory || memory*passes > mostMemory*mostPasses/2 {
		return hash{}, false
	}
	derive := argon2.IDKey
	if kind == "argon2i" {
		derive = argon2.Key
	}
	c := cost{memory: uint32(memory), passes: uint32(passes), lanes: uint8(lanes)}
	return hash{memory: c.memory, ours: kind == "argon2id" && c == ourCost && len(salt) == saltBytes && len(sum) == hashBytes, is: func(password string) bool {
		return subtle.ConstantTimeCompare(derive([]byte(password), salt, c.passes, c.memory, c.lanes, uint32(len(sum))), sum) == 1
	}}, true
}

// parseBcrypt reads the modular crypt format. What is longer than 72 bytes counts as far as those go, as it did where the hash was made.
func parseBcrypt(text string) (hash, bool) {
	c, err := bcrypt.Cost([]byte(text))
	if err != nil || len(text) != 60 || c < leastBcrypt || c > mostBcrypt {
		return hash{}, false
	}
	return hash{is: func(password string) bool {
		return bcrypt.CompareHashAndPassword([]byte(text), []byte(password)) == nil
	}}, true
}

// parseScrypt reads ln=16,r=8,p=1, salt and sum.
func parseScrypt(parts []string) (hash, bool) {
	p, ok := parameters(parts[0], "ln", "r", "p")
	salt, sum, good := saltAndSum(parts[1], parts[2])
	if !ok || !good || p[0] < 1 || p[0] > 20 || p[1] < 1 || p[1] > 64 || p[2] < 1 || p[2] > mostScryptP {
		return hash{}, false
	}
	n, r, lanes := 1<<p[0], p[1], p[2]
	memory := n * r / 8 // KiB: 128 bytes times n times r
	if memory > mostMemory || memory*lanes > 2*mostMemory {
		return hash{}, false
	}
	return hash{memory: uint32(memory), is: func(password string) bool {
		made, err := scrypt.Key([]byte(password), salt, n, r, lanes, len(sum))
		return err == nil && subtle.ConstantTimeCompare(made, sum) == 1
	}}, true
}

// parsePBKDF2 reads the rounds, as i=600000 with or without l=32 or as a bare number (passlib), salt and sum.
func parsePBKDF2(digest string, parts []string) (hash, bool) {
	if digest == "" {
		digest = "sha1"
	}
	first, length, more := strings.Cut(strings.TrimPrefix(parts[0], "i="), ",l=")
	salt, sum, good := saltAndSum(parts[1], parts[2])
	n, err := strconv.Atoi(first)
	if err != nil || !good || strconv.Itoa(n) != first || more && length != strconv.Itoa(len(sum)) {
		return hash{}, false
	}
	return pbkdf2Hash(digest, n, salt, sum)
}

// parseDjango reads rounds, a salt that stands for itself, and the sum in base64 with its padding.
func parseDjango(digest string, parts []string) (hash, bool) {
	n, err := strconv.Atoi(parts[0])
	sum, bad := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || bad != nil || strconv.Itoa(n) != parts[0] || len(parts[1]) < leastSalt || len(parts[1]) > mostSaltText {
		return hash{}, false
	}
	return pbkdf2Hash(digest, n, []byte(parts[1]), sum)
}

func pbkdf2Hash(digest string, n int, salt, sum []byte) (hash, bool) {
	d, ok := rounds[digest]
	if !ok || n < d.least || n > d.most || len(sum) < leastSum || len(sum) > d.size { // a sum longer than the digest multiplies the work
		return hash{}, false
	}
	return hash{is: func(password string) bool {
		made, err := pbkdf2.Key(d.digest, password, salt, n, len(sum))
		return err == nil && hmac.Equal(made, sum)
	}}, true
}

// parameters reads "m=1,t=2,p=3" in exactly this order.
func parameters(text string, names ...string) ([]int, bool) {
	fields := strings.Split(text, ",")
	if len(fields) != len(names) {
		return nil, false
	}
	out := make([]int, len(names))
	for i, name := range names {
		value, ok := strings.CutPrefix(fields[i], name+"=")
		n, err := strconv.Atoi(value)
		if !ok || err != nil || n < 0 || n > mostMemory || strconv.Itoa(n) != value {
			return nil, false
		}
		out[i] = n
	}
	return out, true
}

// saltAndSum decodes both, base64 without padding; passlib writes "." in place of "+".
func saltAndSum(salt, sum string) ([]byte, []byte, bool) {
	decode := func(s string) ([]byte, error) {
		return base64.RawStdEncoding.Strict().DecodeString(strings.ReplaceAll(s, ".", "+"))
	}
	a, err1 := decode(salt)
	b, err2 := decode(sum)
	ok := err1 == nil && err2 == nil && len(a) >= leastSalt && len(a) <= mostSum && len(b) >= leastSum && len(b) <= mostSum
	return a, b, ok
}
