package sso

import (
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

const formatTransient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

// The names under which providers send the same things; compared without case.
var (
	emailNames = []string{
		"email", "mail", "emailaddress", "email_address", "user.email", "urn:mace:dir:attribute-def:mail", "urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:1.2.840.113549.1.9.1",
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "http://schemas.xmlsoap.org/claims/emailaddress",
	}
	givenNames = []string{
		"givenname", "given_name", "firstname", "first_name", "user.firstname", "urn:mace:dir:attribute-def:givenname", "urn:oid:2.5.4.42", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
	}
	familyNames = []string{
		"surname", "sn", "familyname", "family_name", "lastname", "last_name", "user.lastname", "urn:mace:dir:attribute-def:sn", "urn:oid:2.5.4.4", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
	}
	displayNames = []string{
		"displayname", "display_name", "cn", "urn:mace:dir:attribute-def:displayname", "urn:mace:dir:attribute-def:cn", "urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:2.5.4.3", "http://schemas.microsoft.com/identity/claims/displayname",
	}
	groupNames = []string{
		"groups", "group", "memberof", "urn:oid:1.3.6.1.4.1.5923.1.5.1.1", "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
		"http://schemas.xmlsoap.org/claims/group",
	}
	// groupLinks stand where Entra has more groups than it sends (150 in SAML): the address where they could be asked for.
	groupLinks = []string{"http://schemas.microsoft.com/claims/groups.link", "groups.link"}
	// stableNames are asked for the subject when the NameID changes with every sign-in, best first.
	stableNames = []string{
		"urn:oasis:names:tc:saml:attribute:subject-id", "urn:oasis:names:tc:saml:attribute:pairwise-id", "urn:oid:1.3.6.1.4.1.5923.1.1.1.13",
		"urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "edupersonprincipalname", "http://schemas.microsoft.com/identity/claims/objectidentifier", "uid", "urn:oid:0.9.2342.19200300.100.1.1",
	}
)

// conclude turns a response that passed every check into claims.
func conclude(r response, a assertion, c *identity.Connection, want expectation, t *trail) (verdict, error) {
	v := said(r, a)
	v.assertionID, v.inResponseTo, v.replayUntil = a.ID, r.InResponseTo, replayUntil(a, want.now).Add(skewOf(c))
	attributes := v.claims.Attributes
	v.claims = sessionClaims(a)
	v.claims.Issuer, v.claims.Attributes = c.SAML.EntityID, attributes
	v.claims.GivenName, v.claims.FamilyName = a.first(givenNames), a.first(familyNames)
	v.claims.DisplayName, v.claims.Groups = a.first(displayNames), a.values(groupNames)
	v.claims.GroupsElsewhere = len(a.values(groupLinks)) > 0
	if err := t.require(nameIDCheck(a)); err != nil {
		return v, err
	}
	name, format := a.nameID()
	var err error
	if v.claims.Email, err = emailOf(a, c, name, t); err != nil {
		return v, err
	}
	v.claims.Subject = subjectOf(a, name, format, v.claims.Email, t)
	if name != v.claims.Subject {
		v.claims.NameID = name
	}
	for _, n := range a.Subjects[0].NameIDs {
		v.claims.NameIDFormat, v.claims.NameQualifier, v.claims.SPNameQualifier = n.Format, n.NameQualifier, n.SPNameQualifier
	}
	return v, t.require(check{
		name: "identity", ok: v.claims.Subject != "", code: "saml.no_identity", got: v.claims.Subject, want: "a NameID",
		fix: "The assertion names nobody: set the provider to send a persistent NameID and the e-mail address.",
	})
}

func nameIDCheck(a assertion) check {
	s := a.Subjects[0]
	c := check{name: "name id", ok: len(s.NameIDs) <= 1 && s.EncryptedIDs == 0, code: "saml.no_identity", fix: "The subject has more than one NameID."}
	if s.EncryptedIDs > 0 {
		c.code, c.fix = "saml.encrypted_nameid_unsupported", "The NameID is encrypted, which is not supported: encrypt the whole assertion instead."
	}
	return c
}

// nameID returns the trimmed NameID and its format; conditionsOf has made sure that there is one subject.
func (a *assertion) nameID() (name, format string) {
	for _, n := range a.Subjects[0].NameIDs {
		return trimmed(n.Value), n.Format
	}
	return "", ""
}

// subjectOf returns what the person is known by from now on. A transient NameID is a new one every time, so another stable name stands in.
func subjectOf(a assertion, name, format, email string, t *trail) string {
	if name != "" && format != formatTransient {
		return name
	}
	for _, attribute := range stableNames {
		if value := a.first([]string{attribute}); value != "" {
			t.note("name id", "transient or empty; using the attribute "+attribute, "Set the provider to send a persistent NameID.")
			return value
		}
	}
	if key, err := identity.EmailKey(email); err == nil {
		t.note("name id", "transient or empty; using the e-mail address", "Set the provider to send a persistent NameID: an address can be given to somebody else.")
		return key
	}
	return ""
}

// emailOf returns the one address that the provider asserts: the connection's own attribute, else the well-known ones, else a NameID that is one.
// No address is no error here; two different ones are.
func emailOf(a assertion, c *identity.Connection, name string, t *trail) (string, error) {
	values := a.values(emailNames)
	if c.SAML.EmailClaim != "" {
		values = a.claim(c.SAML.EmailClaim)
	}
	keys := map[string]string{}
	for _, value := range values {
		key, err := identity.EmailKey(value)
		if err != nil {
			return "", t.require(check{
				name: "e-mail", code: "saml.bad_email", got: value, want: "one plain address",
				fix: "The e-mail attribute is no address: map another attribute at the provider, or name it in this connection.",
			})
		}
		if keys[key] = value; len(keys) > 1 {
			break
		}
	}
	if len(keys) > 1 {
		return "", t.require(check{
			name: "e-mail", code: "saml.ambiguous_email", got: strings.Join(values, ", "), want: "one address",
			fix: "The provider sends several addresses: name the attribute that carries the right one in this connection.",
		})
	}
	for _, value := range keys {
		return value, t.require(check{name: "e-mail", ok: true, got: value})
	}
	if _, err := identity.EmailKey(name); err == nil && c.SAML.EmailClaim == "" {
		return name, t.require(check{name: "e-mail", ok: true, got: name + " (the NameID)"})
	}
	t.note("e-mail", "none; "+a.attributeNames(), "Let the provider send the e-mail address, as an attribute named email or mail (or name its attribute in this connection), so that people are recognised at their first sign-in.")
	return "", nil
}

// values returns the distinct non-empty values of all attributes with one of these names, in their order.
func (a *assertion) values(names []string) []string {
	return a.collect(func(at *samlAttribute) bool { return slices.Contains(names, at.key) })
}

// claim returns the values of the attribute that an administrator named, by name or by friendly name.
func (a *assertion) claim(name string) []string {
	return a.collect(func(at *samlAttribute) bool {
		return strings.EqualFold(at.Name, name) || strings.EqualFold(at.FriendlyName, name)
	})
}

func (a *assertion) collect(wanted func(*samlAttribute) bool) []string {
	var found []string
	var seen map[string]bool
	for i := range a.Attributes {
		if !wanted(&a.Attributes[i]) {
			continue
		}
		for _, value := range a.Attributes[i].Values {
			if value = trimmed(value); value == "" || seen[value] {
				continue
			}
			if seen == nil {
				seen = map[string]bool{}
			}
			seen[value] = true
			found = append(found, value)
		}
	}
	return found
}

// attributeNames says which attributes came, for the trace: names, never values.
func (a *assertion) attributeNames() string {
	var names []string
	for i := range a.Attributes {
		if name := trimmed(a.Attributes[i].Name); len(names) < 10 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "the provider sends no attributes"
	}
	return "the attributes are " + strings.Join(names, ", ")
}

// all returns the attributes by name, as rules and traces see them, within the limits that claims of OpenID Connect have too: what is beyond is left
// out, which never gives anybody more than they have.
func (a *assertion) all() map[string][]string {
	found := map[string][]string{}
	for i := range a.Attributes {
		name := trimmed(a.Attributes[i].Name)
		values, known := found[name]
		if name == "" || len(name) > maxClaimName || !known && len(found) == maxClaims {
			continue
		}
		for _, value := range a.Attributes[i].Values {
			if value = trimmed(value); value != "" && len(value) <= maxClaimValue && len(values) < maxClaimValues {
				values = append(values, value)
			}
		}
		if len(values) > 0 {
			found[name] = values
		}
	}
	return found
}

func (a *assertion) first(names []string) string {
	if all := a.values(names); len(all) > 0 {
		return all[0]
	}
	return ""
}

// sessionClaims reads what the provider says about its own session; the earliest end wins.
func sessionClaims(a assertion) identity.Claims {
	var c identity.Claims
	for _, s := range a.Statements {
		if at, ok := instant(s.AuthnInstant); ok && c.AuthTime == nil {
			c.AuthTime, c.ACR, c.SessionIndex = &at, trimmed(s.Class), s.SessionIndex
		}
		if ends, ok := instant(s.SessionNotOnOrAfter); ok && (c.SessionEnds == nil || ends.Before(*c.SessionEnds)) {
			c.SessionEnds = &ends
		}
	}
	return c
}

// replayUntil returns the last moment at which the assertion could be valid, without skew.
func replayUntil(a assertion, now time.Time) time.Time {
	until := now
	later := func(s string) {
		if t, ok := instant(s); ok && t.After(until) {
			until = t
		}
	}
	for _, c := range a.Conditions {
		later(c.NotOnOrAfter)
	}
	for _, s := range a.Subjects {
		for _, confirmation := range s.Confirmations {
			for _, d := range confirmation.Data {
				later(d.NotOnOrAfter)
			}
		}
	}
	return until
}
