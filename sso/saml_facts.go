package sso

import (
	"cmp"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// factsOf are what a response says, redacted, for people: for whom, how long, about whom, and every attribute.
func factsOf(r *response, a *assertion) []identity.Fact {
	var out []identity.Fact
	add := func(name string, values ...string) {
		if text := strings.TrimSpace(strings.Join(values, ", ")); text != "" {
			out = append(out, fact(name, text))
		}
	}
	g := glimpse{response: *r, assertion: *a}
	add("issuer", g.issuer())
	add("destination", r.Destination)
	add("in response to", r.InResponseTo)
	add("issued", cmp.Or(a.IssueInstant, r.IssueInstant))
	add("audience", g.audiences()...)
	add("recipient", g.recipients()...)
	for _, c := range a.Conditions {
		add("valid from", c.NotBefore)
		add("valid until", c.NotOnOrAfter)
	}
	for _, s := range a.Subjects {
		for _, n := range s.NameIDs {
			add("name id", n.Value)
			add("format of the name id", n.Format)
		}
	}
	for _, s := range a.Statements {
		add("authenticated", s.AuthnInstant)
		add("by", s.Class)
		add("session ends", s.SessionNotOnOrAfter)
	}
	return append(out[:min(len(out), maxFacts)], attributeFacts(a.byName())...)
}

// byName returns the attributes as they came.
func (a *assertion) byName() map[string][]string {
	out := map[string][]string{}
	for _, at := range a.Attributes {
		out[trimmed(at.Name)] = append(out[trimmed(at.Name)], at.Values...)
	}
	return out
}
