package sso

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// readUserInfo reads an answer of the userinfo endpoint: JSON, or a JWT signed with one of keys (OpenID Connect core 5.3.2).
func readUserInfo(ctx context.Context, raw []byte, keys oidc.KeySet, c *identity.Connection) (profile, error) {
	var info struct {
		profile
		Issuer   string    `json:"iss"`
		Audience oneOrMore `json:"aud"`
	}
	raw = bytes.TrimSpace(raw)
	if bytes.HasPrefix(raw, []byte("{")) {
		err := json.Unmarshal(raw, &info.profile)
		return info.profile, err
	}
	if algorithm := headerOf(string(raw)).Algorithm; !slices.Contains(acceptedAlgorithms(c), algorithm) {
		return profile{}, fmt.Errorf("it is neither JSON nor a token signed as this connection accepts (%q)", shown(algorithm))
	}
	payload, err := keys.VerifySignature(ctx, string(raw))
	if err != nil {
		return profile{}, err
	}
	if err := json.Unmarshal(payload, &info); err != nil {
		return profile{}, err
	}
	if info.Issuer != c.OIDC.Issuer || !slices.Contains(info.Audience, c.OIDC.ClientID) {
		return profile{}, errors.New("it is signed for somebody else (iss, aud)")
	}
	return info.profile, nil
}

// claims turns a verified ID token into what the rest of the house understands.
func (id *idToken) claims(d discovery) identity.Claims {
	c := identity.Claims{
		Issuer: id.Issuer, Subject: id.Subject, Email: strings.TrimSpace(id.Email), EmailVerified: truth(id.EmailVerified),
		GivenName: id.GivenName, FamilyName: id.FamilyName, DisplayName: id.Name,
		SessionIndex: id.SessionID, ACR: id.ACR, AMR: id.AMR,
	}
	if d.multiTenant() {
		// Anybody can write any address into their own directory there; only the owner of the domain is believed.
		owner := id.DomainOwner == true || id.DomainOwner == "true" || id.DomainOwner == float64(1) || id.DomainOwner == "1"
		c.EmailVerified = &owner
	}
	_ = json.Unmarshal(id.Groups, &c.Groups) // another shape is no list of groups
	c.SessionEnds, c.AuthTime = optional(id.SessionExpiry), optional(id.AuthTime)
	return c
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
