package sso

import (
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// said returns what a trace shows of an assertion whose signature was right, whether its conditions fit or not: who it means, as it says so itself, and
// everything that decides about it. Values are cut, and hidden where they could be used to come in.
func said(r response, a assertion) verdict {
	claims := identity.Claims{Issuer: strings.Join(a.Issuers, ", "), Attributes: a.all()}
	if emails := a.values(emailNames); len(emails) > 0 {
		claims.Email = emails[0]
	}
	var facts facts
	facts.add("issuer", claims.Issuer)
	facts.add("destination", r.Destination)
	for _, s := range a.Subjects {
		for _, n := range s.NameIDs {
			claims.Subject = trimmed(n.Value)
		}
		facts.subject(s)
	}
	for _, c := range a.Conditions {
		facts.add("not before", c.NotBefore)
		facts.add("not on or after", c.NotOnOrAfter)
		for _, restriction := range c.Audiences {
			facts.add("audience", joined(restriction))
		}
	}
	for _, s := range a.Statements {
		facts.add("authenticated at", s.AuthnInstant)
		facts.add("authentication context", s.Class)
		facts.add("session index", s.SessionIndex)
		facts.add("session ends", s.SessionNotOnOrAfter)
	}
	return verdict{claims: claims, facts: append(facts, attributeFacts(claims.Attributes)...)}
}

// facts are what an assertion says beside its attributes, at most maxFacts.
type facts []identity.Fact

func (f *facts) add(name, value string) {
	if value = trimmed(value); value != "" && len(*f) < maxFacts {
		*f = append(*f, fact(name, value))
	}
}

func (f *facts) subject(s subject) {
	for _, n := range s.NameIDs {
		f.add("name id", n.Value)
		f.add("name id format", n.Format)
		f.add("name qualifier", n.NameQualifier)
		f.add("our name qualifier", n.SPNameQualifier)
	}
	for _, c := range s.Confirmations {
		f.add("subject confirmation", lastWord(c.Method))
		for _, d := range c.Data {
			f.add("recipient", d.Recipient)
			f.add("answers request", d.InResponseTo)
			f.add("confirmed until", d.NotOnOrAfter)
		}
	}
}
