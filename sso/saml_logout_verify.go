package sso

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// logoutRequest is a LogoutRequest as far as we read it (SAML core 3.7.1). What must be there once is a slice, so that twice is seen.
type logoutRequest struct {
	ID, Version, IssueInstant, Destination, NotOnOrAfter string

	Issuers        []string
	NameIDs        []nameID
	EncryptedIDs   int
	SessionIndexes []string

	until time.Time // then it could not be presented again anyway
}

// logoutResponse is a LogoutResponse as far as we read it (SAML core 3.7.2).
type logoutResponse struct {
	ID, Version, IssueInstant, Destination, InResponseTo string

	Issuers  []string
	Statuses []status
}

// name returns the NameID as sessions keep it; verifyLogoutRequest has made sure that there is one.
func (q *logoutRequest) name() string { return trimmed(q.NameIDs[0].Value) }

// maxIndexes is how many sessions one LogoutRequest may name.
const maxIndexes = 100

// verifyLogoutRequest decides whether a message is a log-out by the connection's provider for us and now. It has no state: whether it came before is for
// the caller to ask.
func verifyLogoutRequest(m message, c *identity.Connection, want expectation, t *trail) (logoutRequest, error) {
	el, err := readSigned(m, logoutRequestDocument, c, t)
	if err != nil {
		return logoutRequest{}, err
	}
	request := logoutRequest{
		ID: attribute(el, "ID"), Version: attribute(el, "Version"), IssueInstant: attribute(el, "IssueInstant"), Destination: attribute(el, "Destination"),
		NotOnOrAfter: attribute(el, "NotOnOrAfter"), Issuers: contents(el, nsAssertion, "Issuer"), NameIDs: readNameIDs(el),
		EncryptedIDs: len(childrenOf(el, nsAssertion, "EncryptedID")), SessionIndexes: contents(el, nsProtocol, "SessionIndex"),
	}
	k := clock{now: want.now, skew: skewOf(c)}
	checks := k.message(request.Version, request.Destination, request.IssueInstant, request.Issuers, c, want)
	checks = append(checks, idOfLogout(request), logoutName(request))
	if request.NotOnOrAfter != "" {
		checks = append(checks, check{
			name: "not on or after", ok: !k.past(request.NotOnOrAfter), code: "saml.expired", got: request.NotOnOrAfter, want: "after " + k.String(), fix: clockFix,
		})
	}
	request.until = k.now.Add(logoutAge + 2*k.skew) // an IssueInstant may be ahead by the skew, and is believed for as long after its end
	return request, t.require(checks...)
}

// verifyLogoutResponse decides whether a message is an answer of the connection's provider for us and now; whether we asked is for the caller.
func verifyLogoutResponse(m message, c *identity.Connection, want expectation, t *trail) (logoutResponse, error) {
	el, err := readSigned(m, logoutResponseDocument, c, t)
	if err != nil {
		return logoutResponse{}, err
	}
	answer := logoutResponse{
		ID: attribute(el, "ID"), Version: attribute(el, "Version"), IssueInstant: attribute(el, "IssueInstant"), Destination: attribute(el, "Destination"),
		InResponseTo: attribute(el, "InResponseTo"), Issuers: contents(el, nsAssertion, "Issuer"), Statuses: readStatuses(el),
	}
	k := clock{now: want.now, skew: skewOf(c)}
	return answer, t.require(k.message(answer.Version, answer.Destination, answer.IssueInstant, answer.Issuers, c, want)...)
}

// readSigned returns what a signature of the connection's provider covers, and nothing else.
func readSigned(m message, doc document, c *identity.Connection, t *trail) (*node, error) {
	keys, err := pin(&c.SAML)
	if err != nil {
		return nil, t.require(failed("certificates", err))
	}
	return signedMessage(m, doc, keys, t)
}

// message returns the checks that every log-out message must pass.
func (k clock) message(version, destination, issued string, issuers []string, c *identity.Connection, want expectation) []check {
	at, ok := instant(issued)
	return []check{
		{name: "version", ok: version == "2.0", code: "saml.version", got: version, want: "2.0", fix: "Set the provider to SAML 2.0."},
		{
			name: "destination", ok: destination == want.slo, code: "saml.wrong_destination", got: cmp.Or(destination, "no Destination"), want: want.slo,
			fix: "Enter our single logout URL at the provider exactly as in our metadata.",
		},
		{
			name: "issuer", ok: len(issuers) == 1 && c.SAML.EntityID != "" && trimmed(issuers[0]) == c.SAML.EntityID, code: "saml.wrong_issuer",
			got: strings.Join(issuers, ", "), want: c.SAML.EntityID, fix: issuerFix,
		},
		k.issued("issue instant", issued),
		{
			name: "age of the message", ok: ok && k.now.Before(at.Add(logoutAge+k.skew)), code: "saml.expired", got: issued, want: "after " + k.now.Add(-logoutAge).UTC().Format(time.RFC3339),
			fix: clockFix,
		},
	}
}

func idOfLogout(request logoutRequest) check {
	return check{
		name: "id", ok: request.ID != "" && len(request.ID) <= 512, code: "saml.duplicate_id", got: request.ID, want: "an id",
		fix: "The log-out has no id of its own, so it could not be known when it comes a second time.",
	}
}

func logoutName(request logoutRequest) check {
	c := check{
		name: "name id", code: "saml.no_identity", got: fmt.Sprintf("%d names, %d sessions", len(request.NameIDs), len(request.SessionIndexes)), want: "one NameID",
		fix: "The log-out does not say whose sessions are meant: the provider must send the NameID that it sent at sign-in.",
	}
	if request.EncryptedIDs > 0 {
		c.code, c.fix = "saml.encrypted_nameid_unsupported", "The NameID of the log-out is encrypted, which is not supported: send it in clear; the message is signed."
		return c
	}
	c.ok = len(request.NameIDs) == 1 && request.name() != "" && len(request.SessionIndexes) <= maxIndexes
	return c
}

// logoutStatusCheck: a provider that could not sign somebody out everywhere else has still done what we asked for (core 3.7.3.2).
func logoutStatusCheck(answer logoutResponse) check {
	c := statusCheck(response{Statuses: answer.Statuses})
	c.code, c.fix = "saml.logout_incomplete", "The provider did not end its own session; its log says why. Ours is over."
	return c
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
