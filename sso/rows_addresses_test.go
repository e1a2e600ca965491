package sso_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// addressCase is what a provider says about the address of somebody who is not the known person, with the code of the refusal through SAML and through OIDC.
type addressCase struct {
	name, email string
	saml, oidc  string // empty: somebody new comes in
}

// addresses signs in with each address where somebody is known under the other one, and wants that person untouched.
func addresses(t *testing.T, known string, cases ...addressCase) {
	t.Helper()
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		if kind == identity.SAML {
			h.person(known)
		}
		u := h.users()[slices.IndexFunc(h.users(), func(u identity.User) bool { return u.Email() == known })]
		for i, tt := range cases {
			t.Run(string(kind)+" "+tt.name, func(t *testing.T) {
				h.t = t
				h.says(string(kind)+string(rune('a'+i)), tt.email)
				b, before := h.browser(), len(h.users())
				res := b.signIn(kind, known)
				code := map[identity.ConnectionKind]string{identity.SAML: tt.saml, identity.OIDC: tt.oidc}[kind]
				if code != "" {
					b.wantRefusal(res, http.StatusForbidden, code)
					if len(h.users()) != before {
						t.Error("somebody was made")
					}
				} else if visit := b.wantSession(res, ""); visit.User.ID == u.ID {
					t.Error("signed in as the person with the other address")
				}
				if links := h.detail(u.ID).Links; len(links) != 0 {
					t.Errorf("linked to the person with the other address: %+v", links)
				}
			})
		}
		h.t = t
	})
}

// never is an address that is refused by both protocols.
func never(name, email string) addressCase {
	return addressCase{name, email, "saml.bad_email", "email.invalid"}
}

func TestE17AnAddressThatNormalisationWouldChangeIsRefused(t *testing.T) {
	addresses(
		t, "zoé@example.com",
		never("a decomposed accent", "zoe\u0301@example.com"),
		never("a full-width at sign", "zoé\uff20example.com"),
		never("a full-width letter", "\uff5aoé@example.com"),
		never("a zero-width space", "zoé\u200b@example.com"),
		never("a zero-width joiner", "zo\u200dé@example.com"),
		never("a right-to-left mark", "zoé\u200f@example.com"),
		never("a right-to-left override", "\u202ezoé@example.com"),
		never("a trailing dot in the domain", "zoé@example.com."),
		never("a ligature", "o\ufb03ce@example.com"),
	)
}

func TestE18AHomographIsSomebodyElseAndIsFlagged(t *testing.T) {
	addresses(
		t, "alan@example.com",
		addressCase{name: "a Cyrillic a in the local part", email: "\u0430lan@example.com"},
		addressCase{"a Cyrillic a in the domain", "alan@ex\u0430mple.com", "email.domain_not_allowed", "email.domain_not_allowed"},
		addressCase{"the same domain as an A-label", "alan@xn--exmple-4nf.com", "email.domain_not_allowed", "email.domain_not_allowed"},
	)
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		c := h.via(kind)
		h.says("cyrillic-"+string(kind), "\u0430lan-"+string(kind)+"@example.com")
		b := h.browser()
		visit := b.wantSession(b.signIn(kind, ada.Email), "")
		if !slices.ContainsFunc(h.lastTrace().Checks, func(c identity.Check) bool { return c.Name == "email.mixed_scripts" }) {
			t.Errorf("the trace does not flag it: %s", h.traceText())
		}
		if waiting := h.reviews(); len(waiting) == 0 || waiting[0].Code != "email.mixed_scripts" || waiting[0].UserID != visit.User.ID {
			t.Errorf("the inbox has %+v", waiting)
		}
		// A domain of another script is compared as its A-label, however it is written.
		h.edit(c, func(c *identity.Connection) { c.Domains = []string{"b\u00fccher.example"} })
		u := h.person("ada-" + string(kind) + "@xn--bcher-kva.example")
		h.says("umlaut-"+string(kind), "ada-"+string(kind)+"@B\u00fccher.example")
		b = h.browser()
		b.wantSession(b.signIn(kind, ada.Email), u.ID)
	})
}

func TestE19PlusTagsAndDotsAreOtherPeople(t *testing.T) {
	addresses(
		t, "ab@example.com",
		addressCase{name: "a dot", email: "a.b@example.com"},
		addressCase{name: "a plus tag", email: "ab+x@example.com"},
		addressCase{name: "an empty tag", email: "ab+@example.com"},
		addressCase{name: "both", email: "a.b+x@example.com"},
	)
}

func TestE20WhatIsNoPlainAddressIsRefused(t *testing.T) {
	addresses(
		t, "ada@example.com",
		never("a quoted local part", `"ada"@example.com`),
		never("a quoted local part with a space", `"ada "@example.com`),
		never("two at signs", "ada@example.com@evil.test"),
		never("two at signs, the trusted domain last", "mallory@evil.test@example.com"),
		never("a quoted at sign", `"mallory@evil.test"@example.com`),
		never("a display name", "Ada <ada@example.com>"),
		never("a comment", "ada(comment)@example.com"),
		never("a comment in the domain", "ada@example.com(evil.test)"),
		never("a list", "ada@example.com,mallory@evil.test"),
		never("no domain", "ada@"),
		never("no local part", "@example.com"),
	)
}
