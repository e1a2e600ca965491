package sso

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/drawbridge-id/drawbridge/identity"
)

// profile is the claims about the person (OpenID Connect core 5.1); the ID token and userinfo have the same.
type profile struct {
	Subject       string          `json:"sub"`
	Email         string          `json:"email"`
	EmailVerified any             `json:"email_verified"`
	Name          string          `json:"name"`
	GivenName     string          `json:"given_name"`
	FamilyName    string          `json:"family_name"`
	Groups        json.RawMessage `json:"groups"`
}

// fill takes what is missing from another profile. The e-mail and whether it is verified belong together.
func (p *profile) fill(from profile) {
	if p.Email == "" {
		p.Email, p.EmailVerified = from.Email, from.EmailVerified
	}
	for _, pair := range []struct {
		mine  *string
		other string
	}{{&p.Name, from.Name}, {&p.GivenName, from.GivenName}, {&p.FamilyName, from.FamilyName}} {
		if *pair.mine == "" {
			*pair.mine = pair.other
		}
	}
	if len(p.Groups) == 0 {
		p.Groups = from.Groups
	}
}

// userInfo is an answer of the userinfo endpoint, with every claim as it came.
type userInfo struct {
	profile
	Issuer   string    `json:"iss"`
	Audience oneOrMore `json:"aud"`

	all map[string]json.RawMessage
}

// add takes from userinfo what the ID token does not say.
func (id *idToken) add(info userInfo) {
	id.emailElse = id.Email == ""
	id.fill(info.profile)
	for name, value := range info.all {
		if _, said := id.all[name]; !said {
			id.all[name] = value
		}
	}
}

// readUserInfo reads an answer of the userinfo endpoint: JSON, or a JWT signed with one of keys (OpenID Connect core 5.3.2).
func readUserInfo(ctx context.Context, raw []byte, keys oidc.KeySet, c *identity.Connection) (userInfo, error) {
	var info userInfo
	var err error
	raw = bytes.TrimSpace(raw)
	signed := !bytes.HasPrefix(raw, []byte("{"))
	if signed {
		if algorithm := headerOf(string(raw)).Algorithm; !slices.Contains(acceptedAlgorithms(c), algorithm) {
			return userInfo{}, fmt.Errorf("it is neither JSON nor a token signed as this connection accepts (%q)", shown(algorithm))
		}
		if raw, err = keys.VerifySignature(ctx, string(raw)); err != nil {
			return userInfo{}, err
		}
	}
	if info.all, err = readClaims(raw, &info); err != nil {
		return userInfo{}, err
	}
	if signed && (info.Issuer != c.OIDC.Issuer || !slices.Contains(info.Audience, c.OIDC.ClientID)) {
		return userInfo{}, errors.New("it is signed for somebody else (iss, aud)")
	}
	return info, nil
}

// claims turns a verified ID token into what the rest of the house understands.
func (id *idToken) claims(d discovery) identity.Claims {
	c := identity.Claims{
		Issuer: id.Issuer, Subject: id.Subject, Email: strings.TrimSpace(id.Email), EmailVerified: truth(id.EmailVerified),
		GivenName: id.GivenName, FamilyName: id.FamilyName, DisplayName: id.Name,
		SessionIndex: id.SessionID, ACR: id.ACR, AMR: id.AMR, Attributes: attributesOf(id.all), GroupsElsewhere: groupsElsewhere(id.all),
	}
	if d.multiTenant() {
		// Anybody can write any address into their own directory there; only the owner of the domain is believed, about the address in the same token.
		owner := !id.emailElse && (id.DomainOwner == true || id.DomainOwner == "true" || id.DomainOwner == float64(1) || id.DomainOwner == "1")
		c.EmailVerified = &owner
	}
	c.Groups = listOf(id.Groups) // another shape is no list of groups
	c.SessionEnds, c.AuthTime = optional(id.SessionExpiry), optional(id.AuthTime)
	return c
}

// What is kept of the claims of one token.
const (
	maxClaims      = 200
	maxClaimName   = 256
	maxClaimValues = 2000
	maxClaimValue  = 1024
)

// notKept are the claims that bind a token to one sign-in and say nothing about the person.
var notKept = []string{"nonce", "at_hash", "c_hash", "s_hash"}

// attributesOf returns the claims that are texts, numbers and truths, or lists of them, as text. What is longer than any rule could want is left out, never cut.
func attributesOf(all map[string]json.RawMessage) map[string][]string {
	out := make(map[string][]string, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if len(out) == maxClaims {
			break
		}
		if len(name) > maxClaimName || slices.Contains(notKept, name) {
			continue
		}
		if values := listOf(all[name]); len(values) > 0 {
			out[name] = values
		}
	}
	return out
}

// listOf returns a JSON text, number or truth, or the list's texts, numbers and truths, as text; nil for anything else.
func listOf(raw json.RawMessage) []string {
	if one, ok := textOf(raw); ok {
		return []string{one}
	}
	var many []json.RawMessage
	if json.Unmarshal(raw, &many) != nil {
		return nil
	}
	var out []string
	for _, item := range many[:min(len(many), maxClaimValues)] {
		if one, ok := textOf(item); ok {
			out = append(out, one)
		}
	}
	return out
}

func textOf(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || raw[0] == 'n' {
		return "", false
	}
	text := string(raw)
	if raw[0] == '"' && json.Unmarshal(raw, &text) != nil {
		return "", false
	}
	return text, len(text) <= maxClaimValue
}

// groupsElsewhere reports whether the provider has more groups than the token says: Entra names a place to ask instead, or says only that there are some
// (groups overage claims).
func groupsElsewhere(all map[string]json.RawMessage) bool {
	var names map[string]json.RawMessage
	_ = json.Unmarshal(all["_claim_names"], &names) // another shape names nothing
	_, named := names["groups"]
	_, linked := all["groups.link"]
	has, _ := textOf(all["hasgroups"])
	return named || linked || has == "true"
}

// facts are what a trace shows of a token: its header, and the claims if the provider signed them.
func (id *idToken) facts() []identity.Fact {
	h := id.header
	out := []identity.Fact{fact("header alg", h.Algorithm), fact("header kid", h.KeyID), fact("header typ", h.Type)}
	return append(out, attributeFacts(attributesOf(id.all))...)
}

// truth reads a claim that should be a boolean: nil when it is absent, true only for true and "true".
func truth(v any) *bool {
	if v == nil {
		return nil
	}
	yes := v == true || v == "true"
	return &yes
}

func optional(seconds *float64) *time.Time {
	t, ok := moment(seconds)
	if !ok {
		return nil
	}
	return &t
}
