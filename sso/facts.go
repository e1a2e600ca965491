package sso

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/drawbridge-id/drawbridge/identity"
)

// What a trace keeps of one sign-in, so that a provider that sends a book does not fill the database.
const (
	maxFacts      = 60
	maxFactValues = 20
)

// hidden stands for a value that nobody may read in a trace.
const hidden = "(hidden)"

// Names whose values are never shown: as a word anywhere in the name, and as the whole name. "postal code" is no secret, "code" is one.
var (
	secretWords = []string{"password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "credential", "credentials", "otp"}
	secretNames = []string{
		"code", "nonce", "state", "pin", "jwt", "cookie", "authorization", "assertion", "signature", "signaturevalue", "at_hash", "c_hash", "s_hash",
		"samlresponse", "samlrequest", "relaystate", "code_verifier", "client_assertion", "private_key", "privatekey", "userpassword", "unicodepwd",
	}
)

// secretValue finds values that are secrets whatever they are called: a JWT, a private key, a hash of a password.
var secretValue = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.|-----BEGIN [A-Z ]*PRIVATE KEY|^\$(2[aby]|argon2[id]{1,2}|[156])\$|^\{S?SHA`)

// fact makes one thing that a provider said safe to keep and to show: what could be used to come in is hidden, the rest is cut to 200 characters and
// has no control characters. Several values are joined by the caller, or see attributeFacts.
func fact(name, value string) identity.Fact {
	name = shown(strings.TrimSpace(name))
	if value != "" && (secretName(name) || secretValue.MatchString(value)) {
		value = hidden
	}
	return identity.Fact{Name: name, Value: shown(value)}
}

// attributeFacts are attributes or claims by name, in the order of their names, at most maxFacts.
func attributeFacts(attributes map[string][]string) []identity.Fact {
	var out []identity.Fact
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if len(out) == maxFacts {
			return append(out, identity.Fact{Name: "and", Value: fmt.Sprintf("%d more", len(attributes)-maxFacts)})
		}
		out = append(out, fact(name, joined(attributes[name])))
	}
	return out
}

// joined writes several values in one line; one value that is a secret hides them all.
func joined(values []string) string {
	for _, value := range values {
		if secretValue.MatchString(value) {
			return value
		}
	}
	if more := len(values) - maxFactValues; more > 0 {
		return fmt.Sprintf("%d values: %s, …", len(values), strings.Join(values[:maxFactValues], ", "))
	}
	return strings.Join(values, ", ")
}

// secretName looks at the last part of a name, so that the claims of one URI are not all secrets.
func secretName(name string) bool {
	if i := strings.LastIndexAny(name, "/:#"); i >= 0 && i < len(name)-1 {
		name = name[i+1:]
	}
	if slices.Contains(secretNames, strings.ToLower(name)) {
		return true
	}
	return slices.ContainsFunc(nameWords(name), func(word string) bool { return slices.Contains(secretWords, word) })
}

// nameWords splits "accessToken", "access_token" and "access-token" into access and token.
func nameWords(name string) []string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		if unicode.IsUpper(r) && lower {
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
