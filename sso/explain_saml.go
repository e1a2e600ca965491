package sso

import (
	"context"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// glimpse is what a response says, whoever wrote it. It is shown and chooses the connection; nothing is believed of it.
type glimpse struct {
	response  response
	assertion assertion
	opened    bool // the assertion could be read
}

// look reads a document that parse has accepted. c may be nil: then an encrypted assertion stays closed.
func look(root *node, c *identity.Connection) glimpse {
	var g glimpse
	readResponse(root, &g.response)
	switch plain, encrypted := childrenOf(root, nsAssertion, "Assertion"), childrenOf(root, nsAssertion, "EncryptedAssertion"); {
	case len(plain) == 1:
		g.assertion, g.opened = readAssertion(plain[0]), true
	case len(encrypted) == 1 && c != nil && len(c.SAML.Key) > 0:
		var unseen trail
		if inner, err := decryptAssertion(encrypted[0], c, &unseen); err == nil {
			g.assertion, g.opened = readAssertion(inner), true
		}
	}
	return g
}

func (g *glimpse) issuer() string {
	for _, issuers := range [][]string{g.assertion.Issuers, g.response.Issuers} {
		if len(issuers) > 0 {
			return trimmed(issuers[0])
		}
	}
	return ""
}

func (g *glimpse) issued() (time.Time, bool) {
	if at, ok := instant(g.assertion.IssueInstant); ok {
		return at, true
	}
	return instant(g.response.IssueInstant)
}

func (g *glimpse) audiences() []string {
	var out []string
	for _, c := range g.assertion.Conditions {
		for _, restriction := range c.Audiences {
			for _, audience := range restriction {
				out = append(out, trimmed(audience))
			}
		}
	}
	return out
}

func (g *glimpse) recipients() []string {
	out := []string{g.response.Destination}
	for _, s := range g.assertion.Subjects {
		for _, confirmation := range s.Confirmations {
			for _, d := range confirmation.Data {
				out = append(out, d.Recipient)
			}
		}
	}
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == "" })
}

// saml explains a response.
func (x *explanation) saml(ctx context.Context) error {
	raw := x.message.xml
	root, err := parse(raw, responseDocument)
	scanned := documentCheck(err)
	if other := otherMessage(raw); !scanned.ok && other != "" {
		scanned.fix = other
	}
	if x.message.typed {
		x.trail.note("pasted", "XML", "It was pasted as XML: when a program has indented it, its signature is broken by that alone. The base64 of SAMLResponse is certain.")
	}
	if !scanned.ok {
		return x.stop(x.trail.require(scanned))
	}
	seen := look(root, nil)
	c, several, err := x.samlConnection(&seen)
	if err != nil {
		return err
	}
	if c == nil {
		return x.withoutConnection(&seen, several)
	}
	if err := x.use(ctx, c, identity.SAML); err != nil {
		return x.stop(err)
	}
	seen = look(root, &x.connection)
	return x.verified(ctx, &seen)
}

// stop ends the explanation of a message of which no more can be said.
func (x *explanation) stop(err error) error {
	x.trace.Checks = x.trail.checks
	return err
}

// samlConnection returns the connection that was named, or the one of the provider that the message is addressed to, or the only one of the provider; nil,
// and how many of the provider there are.
func (x *explanation) samlConnection(g *glimpse) (*identity.Connection, int, error) {
	if c, err := x.named(); c != nil || err != nil {
		return c, 1, err
	}
	issuer, audiences, recipients := g.issuer(), g.audiences(), g.recipients()
	var ofProvider, addressed []*identity.Connection
	for i := range x.known {
		c := &x.known[i]
		want := x.door.expectation(c.ID)
		if c.Kind != identity.SAML {
			continue
		}
		mine := c.SAML.EntityID == issuer && issuer != ""
		if mine {
			ofProvider = append(ofProvider, c)
		}
		if slices.Contains(audiences, want.entityID) || slices.Contains(recipients, want.acs) {
			addressed = append(addressed, c)
			if mine {
				return c, 1, nil
			}
		}
	}
	switch {
	case len(ofProvider) == 1:
		return ofProvider[0], 1, nil
	case len(ofProvider) == 0 && len(addressed) == 1:
		return addressed[0], 1, nil
	}
	return nil, len(ofProvider), nil
}

// withoutConnection says what can be said when nobody knows who should have signed this, and for whom: what is in it, and whether its times are sound.
func (x *explanation) withoutConnection(g *glimpse, several int) error {
	err := x.unknown(g.issuer(), "a connection of that provider", several)
	x.judgedAt(g.issued())
	x.trail.note("signature", "", "It was not checked: without a connection there is no certificate to check it with.")
	pretend := &identity.Connection{SAML: identity.SAMLSettings{EntityID: g.issuer()}}
	want := expectation{acs: g.response.Destination, now: x.at}
	if g.opened {
		if all := g.audiences(); len(all) > 0 {
			want.entityID = all[0]
		}
		x.wouldFail(conditionsOf(g.response, g.assertion, pretend, want)...)
	} else {
		x.trail.note("assertion", "", "It is encrypted, or there is none: without a connection there is no key to open it with.")
	}
	x.trace.Facts = g.facts(false)
	return x.stop(err)
}

// verified makes the checks of the ACS at the time to judge at, then says what is different now.
func (x *explanation) verified(ctx context.Context, g *glimpse) error {
	x.judgedAt(g.issued())
	x.trail.note("time", stamp(x.at, true), "All times are judged as of this moment.")
	want := x.door.expectation(x.connection.ID)
	want.now = x.at
	v, err := verify(x.message.xml, &x.connection, want, &x.trail)
	x.trace.Facts = g.facts(err == nil)
	if err == nil {
		err = x.preview(ctx, v.claims)
		x.trail.checks = x.trace.Checks
	}
	if identity.CodeOf(err) == "" && err != nil {
		return err
	}
	x.unproven(g, want)
	return x.stop(err)
}

// unproven adds the conditions where verify did not come to them, and those that have passed since.
func (x *explanation) unproven(g *glimpse, want expectation) {
	if !g.opened {
		return
	}
	then := conditionsOf(g.response, g.assertion, &x.connection, want)
	reached := slices.ContainsFunc(x.trail.checks, func(c identity.Check) bool { return c.Name == "audience" })
	if !reached {
		x.trail.note("not proven", "", "What follows is read from a message that could not be proven to be the provider's.")
		x.wouldFail(then...)
	}
	want.now = x.now
	x.overNow(then, conditionsOf(g.response, g.assertion, &x.connection, want))
}

// facts are what the response says, and whether anybody has proven it.
func (g *glimpse) facts(proven bool) []identity.Fact {
	all := said(g.response, g.assertion).facts
	if proven {
		return all
	}
	return append([]identity.Fact{fact("proven", "no: anybody could have written this")}, all...)
}
