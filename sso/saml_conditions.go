package sso

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

const (
	bearer        = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	statusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"
)

// skewOf returns how far two clocks may differ at this connection.
func skewOf(c *identity.Connection) time.Duration {
	switch {
	case c.Skew <= 0:
		return provisioning.DefaultSkew
	case c.Skew > provisioning.MaxSkew:
		return provisioning.MaxSkew
	}
	return c.Skew
}

// conditionsOf returns every check of a signed response against what we expect (SAML core 2.5, profiles 4.1.4.3).
func conditionsOf(r response, a assertion, c *identity.Connection, want expectation) []check {
	clock := clock{now: want.now, skew: skewOf(c)}
	checks := []check{
		versionCheck(r, a),
		destinationCheck(r, want),
		responseIssuerCheck(r, c),
		assertionIssuerCheck(a, c),
		clock.issued("issue instant of the response", r.IssueInstant),
		clock.issued("issue instant of the assertion", a.IssueInstant),
		idCheck(r, a),
	}
	checks = append(checks, clock.validity(a)...)
	checks = append(checks, audienceCheck(a, want), clock.confirmation(r, a, want))
	return append(checks, clock.statements(a)...)
}

func versionCheck(r response, a assertion) check {
	return check{
		name: "version", ok: r.Version == "2.0" && a.Version == "2.0", code: "saml.version", got: r.Version + " and " + a.Version, want: "2.0",
		fix: "Set the provider to SAML 2.0.",
	}
}

// statusFixes is what to do about the second-level codes of SAML core 3.2.2.2 that say something.
var statusFixes = map[string]string{
	"AuthnFailed":          "The person could not sign in at the provider; its log says why.",
	"InvalidNameIDPolicy":  "The provider cannot send a NameID for this application: choose a NameID format for it there, best a persistent one.",
	"NoAuthnContext":       "The provider cannot sign people in as strongly as we asked; compare what this connection asks for with its methods.",
	"NoPassive":            "The provider would have had to ask the person something; let them start at our sign-in page.",
	"RequestDenied":        "The provider does not let this person use this application: assign the application to them, or to one of their groups, there.",
	"RequestUnsupported":   "The provider does not take such requests; compare its settings for this application with our metadata.",
	"UnknownPrincipal":     "The provider does not know this person for this application: assign the application to them there.",
	"RequestVersionTooLow": "Set the provider to SAML 2.0.", "VersionMismatch": "Set the provider to SAML 2.0.",
}

func statusCheck(r response) check {
	c := check{name: "status", code: "saml.status", want: "Success", got: fmt.Sprintf("%d statuses", len(r.Statuses))}
	c.fix = "The provider itself refused this sign-in; its log says why."
	if len(r.Statuses) != 1 {
		return c
	}
	s := r.Statuses[0]
	c.ok = len(s.Codes) > 0 && s.Codes[0] == statusSuccess
	var words []string
	for _, code := range s.Codes {
		words = append(words, lastWord(code))
		c.fix = cmp.Or(statusFixes[lastWord(code)], c.fix)
	}
	c.got = strings.Join(words, " / ")
	if s.Message != "" {
		c.got += ": " + strings.TrimSpace(s.Message)
	}
	return c
}

func lastWord(urn string) string { return urn[strings.LastIndexByte(urn, ':')+1:] }

// destinationCheck: a signed response must say where it goes (SAML bindings 3.5.5.2); an unsigned one must not say something else.
func destinationCheck(r response, want expectation) check {
	return check{
		name: "destination", ok: r.Destination == want.acs || r.Destination == "" && !r.signed, code: "saml.wrong_destination",
		got: r.Destination, want: want.acs, fix: "Enter our ACS URL at the provider exactly as in our metadata.",
	}
}

const issuerFix = "The message comes from another provider than this connection's: compare the entity id, and import the provider's metadata again if it has changed."

// responseIssuerCheck: the response may leave its issuer out (core 3.2.2), but not name another.
func responseIssuerCheck(r response, c *identity.Connection) check {
	ok := len(r.Issuers) == 0 || len(r.Issuers) == 1 && trimmed(r.Issuers[0]) == c.SAML.EntityID
	return check{name: "issuer of the response", ok: ok, code: "saml.wrong_issuer", got: strings.Join(r.Issuers, ", "), want: c.SAML.EntityID, fix: issuerFix}
}

func assertionIssuerCheck(a assertion, c *identity.Connection) check {
	ok := len(a.Issuers) == 1 && c.SAML.EntityID != "" && trimmed(a.Issuers[0]) == c.SAML.EntityID
	return check{name: "issuer of the assertion", ok: ok, code: "saml.wrong_issuer", got: strings.Join(a.Issuers, ", "), want: c.SAML.EntityID, fix: issuerFix}
}

func idCheck(r response, a assertion) check {
	return check{
		name: "ids", ok: a.ID != "" && a.ID != r.ID, code: "saml.duplicate_id", got: a.ID,
		fix: "The assertion has no id of its own, so it could not be known when it comes a second time.",
	}
}

// audienceCheck: every restriction must name us, and there must be one (core 2.5.1.4: restrictions are and-ed, audiences or-ed).
func audienceCheck(a assertion, want expectation) check {
	var got []string
	ok := false
	for _, c := range a.Conditions {
		for i, restriction := range c.Audiences {
			audiences := make([]string, len(restriction))
			for j, audience := range restriction {
				audiences[j] = trimmed(audience)
			}
			got = append(got, audiences...)
			ok = (ok || i == 0) && slices.Contains(audiences, want.entityID)
		}
	}
	return check{
		name: "audience", ok: ok, code: "saml.wrong_audience", got: strings.Join(got, ", "), want: want.entityID,
		fix: "Enter our entity id at the provider as the audience (also called SP entity id or identifier), exactly as in our metadata.",
	}
}

// clock compares the times of a message with ours.
type clock struct {
	now  time.Time
	skew time.Duration
}

const (
	clockFix   = "Compare the clocks of both machines; a difference of up to five minutes can be allowed for this connection."
	subjectFix = "Set the provider to send one bearer SubjectConfirmation with Recipient, NotOnOrAfter and InResponseTo."
)

// instant reads an xs:dateTime with a time zone; the zero time and false when it is none.
func instant(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(s))
	return t, err == nil
}

// past reports whether s, a last moment, is over. Without a readable time it is.
func (k clock) past(s string) bool {
	t, ok := instant(s)
	return !ok || !k.now.Before(t.Add(k.skew))
}

// future reports whether s, a first moment, is still to come. Without a readable time it is.
func (k clock) future(s string) bool {
	t, ok := instant(s)
	return !ok || k.now.Add(k.skew).Before(t)
}

func (k clock) issued(name, s string) check {
	return check{name: name, ok: !k.future(s), code: "saml.from_the_future", got: s, want: "not after " + k.String(), fix: clockFix}
}

// String is the time now, as traces show it.
func (k clock) String() string { return k.now.UTC().Format(time.RFC3339) }

func (k clock) validity(a assertion) []check {
	if len(a.Conditions) != 1 {
		return []check{{
			name: "conditions", code: "saml.no_conditions", got: fmt.Sprintf("%d Conditions", len(a.Conditions)), want: "one",
			fix: "The assertion says neither for whom nor how long it is valid; the provider must send Conditions.",
		}}
	}
	c := a.Conditions[0]
	return []check{
		{
			name: "not before", ok: c.NotBefore == "" || !k.future(c.NotBefore), code: "saml.not_yet_valid",
			got: c.NotBefore, want: "not after " + k.String(), fix: clockFix,
		},
		{
			name: "not on or after", ok: c.NotOnOrAfter == "" || !k.past(c.NotOnOrAfter), code: "saml.expired",
			got: c.NotOnOrAfter, want: "after " + k.String(), fix: clockFix,
		},
	}
}

// confirmation: one bearer confirmation must fit entirely (profiles 4.1.4.3); other methods need proofs that a browser does not bring.
func (k clock) confirmation(r response, a assertion, want expectation) check {
	c := check{name: "subject confirmation", code: "saml.no_confirmation", got: "no bearer confirmation", fix: subjectFix}
	if len(a.Subjects) != 1 {
		return c
	}
	for _, confirmation := range a.Subjects[0].Confirmations {
		if confirmation.Method != bearer || len(confirmation.Data) != 1 {
			continue
		}
		if c = k.bearer(r, confirmation.Data[0], want); c.ok {
			return c
		}
	}
	return c
}

func (k clock) bearer(r response, d subjectConfirmationData, want expectation) check {
	c := check{name: "subject confirmation", fix: subjectFix}
	switch {
	case d.Recipient != want.acs:
		c.code, c.got, c.want = "saml.wrong_recipient", cmp.Or(d.Recipient, "no Recipient"), want.acs
		c.fix = "Enter our ACS URL at the provider exactly as in our metadata, as the Recipient too."
	case d.NotOnOrAfter == "" || k.past(d.NotOnOrAfter):
		c.code, c.got, c.want, c.fix = "saml.confirmation_expired", d.NotOnOrAfter, "after "+k.String(), clockFix
	case d.NotBefore != "" && k.future(d.NotBefore):
		c.code, c.got, c.want, c.fix = "saml.not_yet_valid", d.NotBefore, "not after "+k.String(), clockFix
	case d.InResponseTo == "" && r.InResponseTo == "" && !want.unsolicited:
		c.code, c.got, c.want = "saml.unsolicited", "no InResponseTo", "the answer to our request"
		c.fix = "The provider started this sign-in by itself; start it at our sign-in page instead."
	case d.InResponseTo != r.InResponseTo:
		c.code, c.got, c.want = "saml.wrong_request", d.InResponseTo, r.InResponseTo
	default:
		c.ok, c.got = true, "bearer, until "+d.NotOnOrAfter
	}
	return c
}

func (k clock) statements(a assertion) []check {
	checks := []check{{
		name: "authentication statement", ok: len(a.Statements) > 0, code: "saml.no_authn_statement", got: fmt.Sprint(len(a.Statements)), want: "at least one",
		fix: "The assertion does not say that somebody signed in; the provider must send an AuthnStatement.",
	}}
	for _, s := range a.Statements {
		checks = append(checks,
			check{
				name: "session end", ok: s.SessionNotOnOrAfter == "" || !k.past(s.SessionNotOnOrAfter), code: "saml.session_over",
				got: s.SessionNotOnOrAfter, want: "after " + k.String(), fix: "The person's session at the provider is over; they must sign in there again.",
			},
			check{name: "authentication instant", ok: !k.future(s.AuthnInstant), code: "saml.from_the_future", got: s.AuthnInstant, want: "not after " + k.String(), fix: clockFix},
		)
	}
	return checks
}

func trimmed(s string) string { return strings.TrimSpace(s) }
