package sso

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// logoutMessage is what a LogoutRequest and a LogoutResponse have both (SAML core 3.2). What must be there once is a slice, so that twice is seen.
type logoutMessage struct {
	ID, Version, IssueInstant, Destination string
	Issuers                                []string
}

// logoutRequest is a LogoutRequest as far as we read it (SAML core 3.7.1).
type logoutRequest struct {
	logoutMessage
	NotOnOrAfter   string
	NameIDs        []string
	Encrypted      bool
	SessionIndexes []string

	until time.Time // then it could not be presented again anyway
}

// logoutResponse is a LogoutResponse as far as we read it (SAML core 3.7.2).
type logoutResponse struct {
	logoutMessage
	InResponseTo string
	Statuses     []status
}

func readLogout(n *node) logoutMessage {
	return logoutMessage{
		ID: attribute(n, "ID"), Version: attribute(n, "Version"), IssueInstant: attribute(n, "IssueInstant"), Destination: attribute(n, "Destination"),
		Issuers: contents(n, nsAssertion, "Issuer"),
	}
}

// name returns the NameID as sessions keep it; verifyLogoutRequest has made sure that there is one.
func (q *logoutRequest) name() string { return trimmed(q.NameIDs[0]) }

// maxIndexes is how many sessions one LogoutRequest may name.
const maxIndexes = 100

// verifyLogoutRequest decides whether a message is a log-out by the connection's provider for us and now. It has no state: whether it came before is for
// the caller to ask.
func verifyLogoutRequest(m message, c *identity.Connection, want expectation, t *trail) (logoutRequest, error) {
	root, err := readSigned(m, logoutRequestDocument, c, t)
	if err != nil {
		return logoutRequest{}, err
	}
	request := logoutRequest{
		logoutMessage: readLogout(root), NotOnOrAfter: attribute(root, "NotOnOrAfter"), NameIDs: contents(root, nsAssertion, "NameID"),
		Encrypted: len(childrenOf(root, nsAssertion, "EncryptedID")) > 0, SessionIndexes: contents(root, nsProtocol, "SessionIndex"),
	}
	k := clock{now: want.now, skew: skewOf(c)}
	checks := k.message(request.logoutMessage, c, want)
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
	root, err := readSigned(m, logoutResponseDocument, c, t)
	if err != nil {
		return logoutResponse{}, err
	}
	answer := logoutResponse{logoutMessage: readLogout(root), InResponseTo: attribute(root, "InResponseTo")}
	for _, el := range childrenOf(root, nsProtocol, "Status") {
		answer.Statuses = append(answer.Statuses, readStatus(el))
	}
	k := clock{now: want.now, skew: skewOf(c)}
	return answer, t.require(k.message(answer.logoutMessage, c, want)...)
}

// readSigned reads what a signature of the connection's provider covers, and nothing else.
func readSigned(m message, doc document, c *identity.Connection, t *trail) (*node, error) {
	keys, err := pin(&c.SAML)
	if err != nil {
		return nil, t.require(failed("certificates", err))
	}
	return signedMessage(m, doc, keys, t)
}

// message returns the checks that every log-out message must pass.
func (k clock) message(m logoutMessage, c *identity.Connection, want expectation) []check {
	at, ok := instant(m.IssueInstant)
	return []check{
		{name: "version", ok: m.Version == "2.0", code: "saml.version", got: m.Version, want: "2.0", fix: "Set the provider to SAML 2.0."},
		{
			name: "destination", ok: m.Destination == want.slo, code: "saml.wrong_destination", got: cmp.Or(m.Destination, "no Destination"), want: want.slo,
			fix: "Enter our single logout URL at the provider exactly as in our metadata.",
		},
		{
			name: "issuer", ok: len(m.Issuers) == 1 && c.SAML.EntityID != "" && trimmed(m.Issuers[0]) == c.SAML.EntityID, code: "saml.wrong_issuer",
			got: strings.Join(m.Issuers, ", "), want: c.SAML.EntityID, fix: issuerFix,
		},
		k.issued("issue instant", m.IssueInstant),
		{
			name: "age of the message", ok: ok && k.now.Before(at.Add(logoutAge+k.skew)), code: "saml.expired", got: m.IssueInstant,
			want: "after " + k.now.Add(-logoutAge).UTC().Format(time.RFC3339), fix: clockFix,
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
	if request.Encrypted {
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
