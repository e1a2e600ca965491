package identity

import (
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// MaxEmail is the longest address in bytes (RFC 5321 4.5.3.1).
const MaxEmail = 254

// Email is one address of a user (RFC 7643 4.1.2).
type Email struct {
	Value   string `json:"value"`
	Type    string `json:"type,omitempty"`
	Display string `json:"display,omitempty"`
	Primary bool   `json:"primary"`
}

// EmailKey returns the form under which two spellings of one address are equal: the domain as lower-case A-labels, the local part
// in lower case. Plus tags and dots are kept: they are different people at many providers. It refuses what is not a plain
// address: display names, comments, quoted local parts, two @, a trailing dot, invisible characters, and text that Unicode normalisation (NFKC) would change.
func EmailKey(address string) (string, error) {
	if isPlain(address) {
		return strings.ToLower(address), nil
	}
	return strictKey(address)
}

// strictKey is EmailKey for any text.
func strictKey(address string) (string, error) {
	bad := func(why string) (string, error) {
		return "", Errorf(Invalid, "%q is no plain e-mail address: %s.", clip(address, 80), why).WithField("email")
	}
	if address == "" || len(address) > MaxEmail {
		return bad("it is empty or longer than 254 bytes")
	}
	if norm.NFKC.String(address) != address {
		return bad("it has characters that look like others")
	}
	for _, r := range address {
		if r == ' ' {
			return bad("it has blanks")
		}
		if unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return bad("it has invisible characters")
		}
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || parsed.Name != "" || strings.ContainsAny(address, `"<>(),;:\`) {
		return bad("write it as name@example.com")
	}
	at := strings.LastIndexByte(address, '@')
	local, domain := address[:at], address[at+1:]
	if strings.Contains(local, "@") {
		return bad("it has two @")
	}
	domain, err = DomainKey(domain)
	if err != nil {
		return bad("its domain is not valid")
	}
	return strings.ToLower(local) + "@" + domain, nil
}

// isPlain reports whether an address has only ASCII letters, digits and the marks that most addresses have, where they may be. Of such a one nothing is left to check.
func isPlain(address string) bool {
	at := strings.IndexByte(address, '@')
	if at < 1 || len(address) > MaxEmail {
		return false
	}
	for part := range strings.SplitSeq(address[:at], ".") {
		if !isWord(part, "_+-") {
			return false
		}
	}
	for label := range strings.SplitSeq(address[at+1:], ".") {
		if !isWord(label, "-") || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.Contains(label, "--") {
			return false
		}
	}
	return true
}

// isWord reports whether a text is not empty and has only ASCII letters, digits and some marks.
func isWord(s, marks string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte(marks, c) < 0 {
			return false
		}
	}
	return s != ""
}

// domains maps names as they are looked up (UTS 46, not transitional) and holds them to the lengths of DNS.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.Transitional(false))

// DomainKey returns a domain name as lower-case A-labels (IDNA 2008), or Invalid.
func DomainKey(domain string) (string, error) {
	ascii, err := domains.ToASCII(domain)
	if err != nil || ascii == "" || strings.HasSuffix(ascii, ".") || strings.HasPrefix(ascii, ".") || strings.Contains(ascii, "..") {
		return "", Errorf(Invalid, "%q is no domain name.", clip(domain, 80)).WithField("domain")
	}
	return strings.ToLower(ascii), nil
}

// EmailDomain returns the domain of a key that EmailKey made.
func EmailDomain(key string) string {
	return key[strings.LastIndexByte(key, '@')+1:]
}

// PrimaryEmail returns the address marked primary, else the first, else "".
func PrimaryEmail(emails []Email) string {
	for _, e := range emails {
		if e.Primary {
			return e.Value
		}
	}
	if len(emails) > 0 {
		return emails[0].Value
	}
	return ""
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}
