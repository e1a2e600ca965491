package sso

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/drawbridge-id/drawbridge/identity"
)

// What an ID token may weigh, and how old it may be when we see it: it was made while we waited.
const (
	maxIDToken    = 64 << 10
	maxIDTokenAge = time.Hour
)

// Algorithms that can be accepted at all: none and those with a shared secret cannot.
var (
	possibleAlgorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
	defaultAlgorithms  = []string{oidc.RS256, oidc.ES256, oidc.PS256, oidc.EdDSA}
)

// acceptedAlgorithms returns the connection's list without what can never be accepted. An empty result accepts nothing.
func acceptedAlgorithms(c *identity.Connection) []string {
	if len(c.OIDC.Algorithms) == 0 {
		return defaultAlgorithms
	}
	return slices.DeleteFunc(slices.Clone(c.OIDC.Algorithms), func(a string) bool { return !slices.Contains(possibleAlgorithms, a) })
}

// idToken is the claims of an ID token as far as we read them (OpenID Connect core 2).
type idToken struct {
	profile
	Issuer          string                     `json:"iss"`
	Audience        oneOrMore                  `json:"aud"`
	AuthorizedParty *string                    `json:"azp"`
	Nonce           string                     `json:"nonce"`
	Expiry          *float64                   `json:"exp"`
	IssuedAt        *float64                   `json:"iat"`
	NotBefore       *float64                   `json:"nbf"`
	AccessTokenHash string                     `json:"at_hash"`
	TenantID        string                     `json:"tid"`
	DomainOwner     any                        `json:"xms_edov"` // Entra: the address's domain is the tenant's own
	Events          map[string]json.RawMessage `json:"events"`
	SessionID       string                     `json:"sid"`
	SessionExpiry   *float64                   `json:"session_expiry"`
	AuthTime        *float64                   `json:"auth_time"`
	ACR             string                     `json:"acr"`
	AMR             oneOrMore                  `json:"amr"`

	header    tokenHeader
	all       map[string]json.RawMessage // every claim as it came, when the signature was good
	emailElse bool                       // the address was not in the token but in userinfo
}

// oneOrMore is a JSON string or a list of strings.
type oneOrMore []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMore) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(o))
}

// verifyIDToken decides whether raw is an ID token of the connection's provider for us, for this sign-in and now. keys says which keys are the provider's.
// What the token says is returned with a refusal too, as far as the provider signed it.
func verifyIDToken(ctx context.Context, raw string, keys oidc.KeySet, c *identity.Connection, d discovery, nonce string, now time.Time, t *trail) (idToken, error) {
	var id idToken
	id.header = headerOf(raw)
	accepted := acceptedAlgorithms(c)
	if err := t.require(
		check{
			name: "id token algorithm", ok: slices.Contains(accepted, id.header.Algorithm), code: "oidc.bad_algorithm", kind: identity.Unauthenticated,
			got: id.header.Algorithm, want: strings.Join(accepted, ", "), fix: "The ID token is signed in a way that this connection does not accept: set the provider to sign this client's ID tokens with one of the expected algorithms, such as RS256.",
		},
		check{name: "id token type", ok: !isLogoutType(id.header.Type), code: "oidc.not_an_id_token", kind: identity.Unauthenticated, got: id.header.Type, fix: notIDToken},
	); err != nil {
		return id, err
	}
	payload, err := keys.VerifySignature(ctx, raw)
	if err := t.require(signatureCheck("ID token", err)); err != nil {
		return id, err
	}
	id.all, err = readClaims(payload, &id)
	if err := t.require(claimsCheck("ID token", err)); err != nil {
		return id, err
	}
	return id, t.require(idTokenChecks(id, c, d, nonce, now)...)
}

// signatureCheck tells a token with a wrong signature from a provider whose keys cannot be read. what is "ID token" or "logout token".
func signatureCheck(what string, err error) check {
	c := check{
		name: strings.ToLower(what) + " signature", ok: err == nil, code: "oidc.bad_signature", kind: identity.Unauthenticated, got: anyCause(err),
		fix: "The " + what + " is not signed with a key that the provider publishes.",
	}
	var keys *keysError
	if errors.As(err, &keys) {
		c.name, c.code, c.kind = "keys of the provider", "oidc.keys_unavailable", identity.Forbidden
		c.fix = "The provider's keys (jwks_uri) cannot be read, so no signature can be checked: see what is wrong there. It is tried again at the next sign-in."
	}
	return c
}

func claimsCheck(what string, err error) check {
	return check{
		name: strings.ToLower(what) + " claims", ok: err == nil, code: "oidc.malformed_token", kind: identity.Unauthenticated, got: anyCause(err),
		fix: "The " + what + " has a claim of another type than OpenID Connect says: correct what the provider is set to put there.",
	}
}

// isLogoutType reports whether the type in a header is that of a logout token (OpenID Connect back-channel logout 2.4).
func isLogoutType(typ string) bool {
	return strings.EqualFold(typ, "logout+jwt") || strings.EqualFold(typ, "application/logout+jwt")
}

// readClaims reads a JSON object into a struct by the exact names of its fields, which are all in lower case: encoding/json alone takes "SUB" for "sub", and
// the last of both would win. It returns all members as they came.
func readClaims(raw []byte, dst any) (map[string]json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	exact, same := make(map[string]json.RawMessage, len(all)), true
	for name, value := range all {
		if strings.ContainsFunc(name, func(r rune) bool { return r >= 'A' && r <= 'Z' || r > unicode.MaxASCII }) {
			same = false
			continue
		}
		exact[name] = value
	}
	if !same {
		var err error
		if raw, err = json.Marshal(exact); err != nil {
			return nil, err
		}
	}
	return all, json.Unmarshal(raw, dst)
}

const notIDToken = "This is another kind of token than an ID token."

// tokenHeader is what a trace shows of a JWT's header.
type tokenHeader struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid"`
}

// headerOf reads the header of a JWT for the trace; it is read again where the signature is verified. Nothing that it says about keys is read but their name.
func headerOf(raw string) tokenHeader {
	var h tokenHeader
	part, _, _ := strings.Cut(raw, ".")
	if len(raw) > maxIDToken {
		return h
	}
	if decoded, err := base64.RawURLEncoding.DecodeString(part); err == nil {
		if _, err := readClaims(decoded, &h); err != nil {
			return tokenHeader{} // what cannot be read has no acceptable algorithm
		}
	}
	return h
}

// idTokenChecks are the rules of OpenID Connect core 3.1.3.7, stricter where it leaves a choice.
func idTokenChecks(id idToken, c *identity.Connection, d discovery, nonce string, now time.Time) []check {
	client := c.OIDC.ClientID
	checks := []check{
		issuerCheck(id, c, d),
		{
			name: "audience", ok: client != "" && slices.Contains(id.Audience, client), code: "oidc.wrong_audience", got: strings.Join(id.Audience, ", "), want: client,
			fix: "The ID token is for another client: compare the client id.",
		},
		authorizedPartyCheck(id, client),
		{
			name: "nonce", ok: nonce != "" && subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) == 1, code: "oidc.wrong_nonce",
			fix: "The ID token belongs to another sign-in.",
		},
		{name: "subject", ok: id.Subject != "" && len(id.Subject) <= 255, code: "oidc.no_subject", got: id.Subject, fix: "The ID token names nobody (sub)."},
		{name: "kind of token", ok: id.Events == nil, code: "oidc.not_an_id_token", fix: notIDToken},
	}
	checks = append(checks, timeChecks(id, now, skewOf(c))...)
	for i := range checks {
		checks[i].kind = identity.Unauthenticated
	}
	return checks
}

// issuerCheck compares to the last character. At a multi-tenant issuer the tenant must be listed and be the one in the issuer.
func issuerCheck(id idToken, c *identity.Connection, d discovery) check {
	want := c.OIDC.Issuer
	ok := id.Issuer == want
	if d.multiTenant() {
		want = strings.Replace(d.Issuer, tenantPlaceholder, id.TenantID, 1) + " of a listed tenant"
		ok = id.TenantID != "" && slices.Contains(c.OIDC.TenantIDs, id.TenantID) && id.Issuer == strings.Replace(d.Issuer, tenantPlaceholder, id.TenantID, 1)
	}
	return check{
		name: "issuer", ok: ok && id.Issuer != "", code: "oidc.wrong_issuer", got: id.Issuer, want: want,
		fix: "The token comes from another issuer than this connection's: compare them to the last character.",
	}
}

// authorizedPartyCheck: with several audiences azp must be there, and it must always be us.
func authorizedPartyCheck(id idToken, client string) check {
	c := check{name: "authorized party", code: "oidc.wrong_azp", want: client, fix: "The ID token was made for another client (azp)."}
	if id.AuthorizedParty == nil {
		c.ok = len(id.Audience) <= 1
		return c
	}
	c.ok, c.got = *id.AuthorizedParty == client, *id.AuthorizedParty
	return c
}

func timeChecks(id idToken, now time.Time, skew time.Duration) []check {
	expiry, hasExpiry := moment(id.Expiry)
	issued, hasIssued := moment(id.IssuedAt)
	before, hasBefore := moment(id.NotBefore)
	k := clock{now: now, skew: skew}
	return []check{
		{
			name: "expiry", ok: hasExpiry && now.Before(expiry.Add(skew)), code: "oidc.expired", got: stamp(expiry, hasExpiry), want: "after " + k.String(), fix: clockFix,
		},
		{
			name: "issued at", ok: hasIssued && !issued.After(now.Add(skew)) && now.Sub(issued) < maxIDTokenAge+skew, code: "oidc.wrong_issue_time",
			got: stamp(issued, hasIssued), want: "within the last hour before " + k.String(), fix: clockFix,
		},
		{
			name: "not before", ok: id.NotBefore == nil || hasBefore && !before.After(now.Add(skew)), code: "oidc.not_yet_valid", got: stamp(before, hasBefore),
			want: "not after " + k.String(), fix: clockFix,
		},
	}
}

// moment reads a NumericDate (RFC 7519 2); false when it is missing or no time of this age of the world.
func moment(seconds *float64) (time.Time, bool) {
	if seconds == nil || math.IsNaN(*seconds) || *seconds <= 0 || *seconds > 253402300799 {
		return time.Time{}, false
	}
	whole, part := math.Modf(*seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), true
}

func stamp(t time.Time, ok bool) string {
	if !ok {
		return "none"
	}
	return t.Format(time.RFC3339)
}

// accessTokenCheck compares at_hash, where there is one, with the access token (OpenID Connect core 3.1.3.6).
func accessTokenCheck(id idToken, accessToken string) check {
	ok := id.AccessTokenHash == "" || subtle.ConstantTimeCompare([]byte(id.AccessTokenHash), []byte(halfHash(id.header.Algorithm, accessToken))) == 1
	return check{
		name: "access token hash", ok: ok, code: "oidc.wrong_access_token", kind: identity.Unauthenticated,
		fix: "The access token does not belong to the ID token.",
	}
}

// halfHash is the left half of a token's hash, by the hash function of the ID token's algorithm; Ed25519 has SHA-512.
func halfHash(algorithm, token string) string {
	var sum []byte
	switch {
	case strings.HasSuffix(algorithm, "256"):
		h := sha256.Sum256([]byte(token))
		sum = h[:]
	case strings.HasSuffix(algorithm, "384"):
		h := sha512.Sum384([]byte(token))
		sum = h[:]
	default:
		h := sha512.Sum512([]byte(token))
		sum = h[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
