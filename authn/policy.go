package authn

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	// leastBits is how hard a password must be to guess, by zxcvbn: 30 million tries.
	leastBits = 25
	// mostScored is how many bytes at each end are scored: the time grows with the cube of the length.
	mostScored = 64
	// leastWord is the shortest name in characters that must not be in a password; shorter ones are in everything.
	leastWord = 4
)

// PasswordRule is one rule for new passwords.
type PasswordRule struct {
	Code  string // such as "password.short"
	Text  string // what is asked
	Holds bool   // the password keeps it
	Later bool   // whether it holds is only found out when the password is set
}

// PasswordRules returns what is asked of a new password of a user, and which of it a password keeps; of a user who is about to be created, names, addresses and tenant count. It is what a form
// shows while somebody types. It computes no hash, and may be asked often.
func (s *Service) PasswordRules(ctx context.Context, u identity.User, password string) ([]PasswordRule, error) {
	words, _, err := s.known(ctx, u)
	if err != nil {
		return nil, err
	}
	rules := s.rules(password, words)
	if n := s.policy().PasswordHistory; n > 1 {
		rules = append(rules, PasswordRule{Code: "password.history", Text: fmt.Sprintf("none of the last %d passwords", n), Later: true})
	}
	return rules, nil
}

// rules are those that need nothing but the password and some words.
func (s *Service) rules(password string, words []string) []PasswordRule {
	p, n := s.policy(), utf8.RuneCountInString(password)
	out := []PasswordRule{{Code: "password.short", Text: fmt.Sprintf("at least %d characters", p.MinPassword), Holds: n >= p.MinPassword}}
	if p.PasswordClasses > 1 {
		out = append(out, PasswordRule{
			Code: "password.classes", Text: fmt.Sprintf("%d of these: small letters, capitals, digits, other characters", p.PasswordClasses), Holds: classes(password) >= p.PasswordClasses,
		})
	}
	fits := n <= maxPassword
	return append(out,
		PasswordRule{Code: "password.word", Text: "not your name or address, nor the name of your organisation or of this product", Holds: fits && n > 0 && wordIn(password, words) == ""},
		PasswordRule{Code: "password.guessable", Text: "not easy to guess", Holds: fits && n > 0 && !guessable(password, words)})
}

// checkNew refuses a password that the policy does not allow; words must not be in it.
func (s *Service) checkNew(password string, words []string) error {
	p, n := s.policy(), utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return badPassword("password.text", "The password is no valid text (UTF-8).")
	case n < p.MinPassword:
		return badPassword("password.short", "The password has %d characters; it needs at least %d. A few words in a row are easy to remember.", n, p.MinPassword)
	case n > maxPassword:
		return badPassword("password.long", "The password has %d characters; it may have at most %d.", n, maxPassword)
	case classes(password) < p.PasswordClasses:
		return badPassword("password.classes", "The password needs %d of these: small letters, capitals, digits, other characters.", p.PasswordClasses)
	}
	if word := wordIn(password, words); word != "" {
		return badPassword("password.word", "The password contains %q, which everybody who knows you would try. Leave it out.", word)
	}
	if guessable(password, words) {
		return badPassword("password.guessable", "This password is easy to guess. Add a few words that have nothing to do with each other.")
	}
	return nil
}

// checkFormer refuses the present password and former ones.
func (s *Service) checkFormer(ctx context.Context, password string, former []string) error {
	for i, phc := range former {
		same, err := s.matches(ctx, phc, password)
		if err != nil {
			return err
		}
		if same && i == 0 {
			return badPassword("password.same", "This is the password that is there already. Choose another one.")
		}
		if same {
			return badPassword("password.history", "This was one of your last %d passwords. Choose one that you have not had.", s.policy().PasswordHistory)
		}
	}
	return nil
}

func badPassword(code, format string, args ...any) error {
	return identity.Errorf(identity.Invalid, format, args...).WithField("password").WithCode(code)
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

// guessable reports whether zxcvbn finds the better one of both ends of a password in fewer tries than we allow.
func guessable(password string, words []string) bool {
	weak := func(part string) bool { return zxcvbn.PasswordStrength(part, words).Entropy < leastBits }
	if len(password) <= mostScored {
		return weak(password)
	}
	return weak(strings.ToValidUTF8(password[:mostScored], "")) && weak(strings.ToValidUTF8(password[len(password)-mostScored:], ""))
}

// wordIn returns the first of the words that a password contains in any case, or "".
func wordIn(password string, words []string) string {
	password = strings.ToLower(password)
	for _, word := range words {
		if strings.Contains(password, word) {
			return word
		}
	}
	return ""
}

var wordParts = regexp.MustCompile(`[\p{L}\p{N}]+`)

// words are what must not be in a user's password: the names and addresses, those of the tenant and of the product, each of at least four characters, in small letters.
func (s *Service) words(u identity.User, tenant string) []string {
	name := u.Name()
	texts := []string{u.UserName, u.DisplayName, name.GivenName, name.FamilyName, name.Formatted, tenant, "drawbridge", productName(s.model.Name())}
	for _, e := range u.Emails {
		local, domain, _ := strings.Cut(e.Value, "@")
		host, _, _ := strings.Cut(domain, ".")
		texts = append(texts, local, host)
	}
	var out []string
	for _, text := range texts {
		text = strings.ToLower(clean(text, maxIdentifier))
		for _, word := range append(wordParts.FindAllString(text, -1), text) {
			if utf8.RuneCountInString(word) >= leastWord && !slices.Contains(out, word) {
				out = append(out, word)
			}
		}
	}
	return out
}

// productName is the first word of a model's name; what follows is as a rule a word of everyday.
func productName(model string) string {
	name, _, _ := strings.Cut(model, "-")
	return name
}
