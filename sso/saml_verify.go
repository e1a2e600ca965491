package sso

import (
	"errors"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// expectation is what a response must fit: our own addresses at this connection, and the time.
type expectation struct {
	entityID string
	acs      string
	slo      string
	now      time.Time

	unsolicited bool // a response that answers no request is read too
}

// verdict is what a verified response says. When verify refuses it, it has what was read under a good signature until then, for the trace.
type verdict struct {
	claims       identity.Claims
	facts        []identity.Fact
	assertionID  string
	inResponseTo string
	replayUntil  time.Time // until then the same assertion could be presented again
}

// verify decides whether raw is a response of the connection's provider for us and now, in this order: strict scan of the tokens,
// signature with the pinned certificates (and decryption), reading of what was signed and nothing else, conditions. It has no state:
// whether the request was ours and whether the assertion was seen before is for the caller to ask.
func verify(raw []byte, c *identity.Connection, want expectation, t *trail) (verdict, error) {
	root, err := parse(raw, responseDocument)
	if err := t.require(documentCheck(err)); err != nil {
		return verdict{}, err
	}
	keys, err := pin(&c.SAML)
	if err != nil {
		return verdict{}, t.require(failed("certificates", err))
	}
	r, a, err := signedParts(root, c, keys, t)
	if err != nil {
		return verdict{}, err
	}
	if err := t.require(conditionsOf(r, a, c, want)...); err != nil {
		return said(r, a), err
	}
	return conclude(r, a, c, want, t)
}

func documentCheck(err error) check {
	if err == nil {
		return check{name: "document", ok: true}
	}
	return failed("document", err)
}

// failed makes a check of an error that says itself what is wrong.
func failed(name string, err error) check {
	c := check{name: name, code: identity.CodeOf(err), kind: identity.KindOf(err), fix: "The message could not be understood."}
	var e *identity.Error
	if errors.As(err, &e) {
		c.fix, c.got = e.Message, anyCause(e.Cause)
	}
	return c
}

// signedParts returns the response and its assertion as they were signed. One of the two must be; a signature that is there must be right.
func signedParts(root *node, c *identity.Connection, keys pinned, t *trail) (response, assertion, error) {
	var r response
	outer := root
	if signature := signatureOf(root); signature != nil {
		signed, err := keys.verify(root, signature, t)
		if err != nil {
			return r, assertion{}, err
		}
		outer, r.signed = signed, true
	}
	readResponse(outer, &r)
	if err := t.require(statusCheck(r)); err != nil {
		return r, assertion{}, err
	}
	a, err := signedAssertion(root, outer, r.signed, c, keys, t)
	return r, a, err
}

// signedAssertion finds the one assertion. root is the document as received, outer the same as signed (or as received, when only the assertion is signed).
func signedAssertion(root, outer *node, trusted bool, c *identity.Connection, keys pinned, t *trail) (assertion, error) {
	var a assertion
	el, covered, err := theAssertion(root, outer, c, t)
	if err != nil {
		return a, err
	}
	switch signature := signatureOf(el); {
	case signature != nil:
		if covered, err = keys.verify(el, signature, t); err != nil {
			return a, err
		}
	case !trusted:
		return a, t.require(check{
			name: "signature", code: "saml.unsigned", got: "neither the response nor the assertion is signed", want: "one of them signed",
			fix: "Set the provider to sign the assertion (or the response).",
		})
	}
	return readAssertion(covered), nil
}

// theAssertion returns the assertion as received, for its own signature, and as the signature of the response covers it. An encrypted one is both.
func theAssertion(root, outer *node, c *identity.Connection, t *trail) (received, covered *node, err error) {
	if encrypted := childrenOf(outer, nsAssertion, "EncryptedAssertion"); len(encrypted) == 1 {
		el, err := decryptAssertion(encrypted[0], c, t)
		return el, el, err
	}
	plain, inner := childrenOf(root, nsAssertion, "Assertion"), childrenOf(outer, nsAssertion, "Assertion")
	if len(plain) == 1 && len(inner) == 1 {
		return plain[0], inner[0], nil
	}
	return nil, nil, t.require(check{
		name: "assertion", code: "saml.no_assertion", got: "none", want: "exactly one",
		fix: "The response has no assertion: see the provider's log for this sign-in.",
	})
}

// signatureOf returns the signature that is a direct child, or nil; scan has made sure that there are not two.
func signatureOf(el *node) *node {
	if found := childrenOf(el, nsSignature, "Signature"); len(found) > 0 {
		return found[0]
	}
	return nil
}
