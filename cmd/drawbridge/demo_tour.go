package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// tour goes once through the real HTTP doors: pushes, a sign-in that matches, one that lands, and a deactivation that ends a session.
func (s *stage) tour(ctx context.Context) error {
	s.guide.say("Drawbridge is up at %s. The tour goes through its real doors, over HTTP.", s.b.settings.URL)
	s.guide.open("Okta pushes the people of Acme (SCIM, the bearer token says which directory it is)")
	if err := s.okta.push(ctx); err != nil {
		return err
	}
	s.guide.open("Entra pushes the people of Globex (SCIM, in its own dialect)")
	if err := s.entra.push(ctx); err != nil {
		return err
	}
	ada, grace, margaret := s.okta.people[0], s.okta.people[1], s.partners[0]
	s.guide.open("Ada signs in by SAML: Okta pushed her, so it is the same account")
	if _, err := s.signIn(ctx, ada, s.throughSAML); err != nil {
		return err
	}
	if err := s.sameAccount(ctx, ada); err != nil {
		return err
	}
	s.guide.open("Grace is signed in when Okta deactivates her")
	if err := s.deactivation(ctx, grace); err != nil {
		return err
	}
	s.guide.open("Margaret signs in by OpenID Connect: nobody has ever heard of her")
	if _, err := s.signIn(ctx, margaret, s.throughOIDC); err != nil {
		return err
	}
	s.guide.open("A Super Admin finds her in the placement inbox")
	return s.inbox(ctx, margaret)
}

// walk is the way through a provider: from the address that the bridge sent the browser to, until it is back with an answer.
type walk func(ctx context.Context, b *browser, who *person, provider string) (page, error)

// signIn begins where everybody begins, at the page that asks for the e-mail address, and ends at My Account.
func (s *stage) signIn(ctx context.Context, who *person, through walk) (*browser, error) {
	b, err := newBrowser(s.b.settings.URL, s.guide)
	if err != nil {
		return nil, err
	}
	back, err := s.answer(ctx, b, who, through)
	if err != nil {
		return nil, err
	}
	if err := back.expect(http.StatusSeeOther, ""); err != nil {
		return nil, err
	}
	account, err := b.get(ctx, back.next, who.given+" is in, and sees her own account.")
	if err != nil {
		return nil, err
	}
	return b, account.expect(http.StatusOK, who.name())
}

// answer goes from the sign-in page through the provider and returns what the bridge says to the provider's answer.
func (s *stage) answer(ctx context.Context, b *browser, who *person, through walk) (page, error) {
	p, err := b.post(ctx, "/signin", url.Values{"email": {who.email}, "return_to": {"/account"}}, identity.EmailDomain(who.email)+" leads to its connection.")
	if err != nil {
		return p, err
	}
	if err := p.expect(http.StatusSeeOther, ""); err != nil {
		return p, err
	}
	if p, err = b.get(ctx, p.next, "The bridge sends the browser to the provider and remembers what it asked."); err != nil {
		return p, err
	}
	if err := p.expect(http.StatusFound, ""); err != nil {
		return p, err
	}
	return through(ctx, b, who, p.next)
}

// throughSAML chooses who to be at the fake provider, and posts its signed response to our ACS.
func (s *stage) throughSAML(ctx context.Context, b *browser, who *person, provider string) (page, error) {
	p, err := s.choose(ctx, b, who, provider, "The provider answers with a signed response, in a form for us.")
	if err != nil {
		return p, err
	}
	f, err := p.form("SAMLResponse")
	if err != nil {
		return p, err
	}
	return b.post(ctx, f.action, f.values, "Signature, audience, times and replay are checked; then who this is.")
}

// knownWay is throughSAML for somebody whose way was told before: only the answer of the bridge is a step, in the words of what.
func (s *stage) knownWay(what string) walk {
	return func(ctx context.Context, b *browser, who *person, provider string) (page, error) {
		p, err := s.choose(ctx, b, who, provider, "")
		if err != nil {
			return p, err
		}
		f, err := p.form("SAMLResponse")
		if err != nil {
			return p, err
		}
		s.guide.quiet = false
		return b.post(ctx, f.action, f.values, what)
	}
}

// throughOIDC chooses who to be, and brings the code back.
func (s *stage) throughOIDC(ctx context.Context, b *browser, who *person, provider string) (page, error) {
	p, err := s.choose(ctx, b, who, provider, "The provider sends the browser back with a code.")
	if err != nil {
		return p, err
	}
	return b.get(ctx, p.next, fmt.Sprintf("The code is traded for a signed token. Nobody has this address: a new user in %s, as %s.", s.landing, s.role))
}

func (s *stage) choose(ctx context.Context, b *browser, who *person, provider, what string) (page, error) {
	p, err := b.get(ctx, provider, "The fake provider asks who is there; "+who.given+" says so.")
	if err != nil {
		return p, err
	}
	f, err := p.form(ssotest.LoginParameter)
	if err != nil {
		return p, err
	}
	f.values = url.Values{ssotest.LoginParameter: {who.email}}
	return b.post(ctx, f.action, f.values, what)
}

// sameAccount checks that a sign-in led to the account that was pushed, and created nobody.
func (s *stage) sameAccount(ctx context.Context, who *person) error {
	u, err := s.b.findUser(ctx, who.email)
	if err != nil {
		return err
	}
	if string(u.ID) != who.id || u.LastLoginAt == nil {
		return fmt.Errorf("the tour ends: %s was pushed as %s and signed in as %s", who.name(), who.id, u.ID)
	}
	s.guide.say("             One account, %s: the one that Okta pushed.", u.ID)
	return nil
}

// deactivation shows that access ends at once, and that signing in again does not bring it back.
func (s *stage) deactivation(ctx context.Context, who *person) error {
	s.guide.quiet = true
	b, err := s.signIn(ctx, who, s.knownWay(who.given+" came the same way; a session begins."))
	if err != nil {
		return err
	}
	if err := s.okta.deactivate(ctx, who); err != nil {
		return err
	}
	p, err := b.get(ctx, "/account", "The old cookie opens nothing any more: back to the sign-in page.")
	if err != nil {
		return err
	}
	if err := p.expect(http.StatusSeeOther, ""); err != nil {
		return err
	}
	s.guide.quiet = true
	p, err = s.answer(ctx, b, who, s.knownWay("She tries again and is refused, not created again. The page shows a reference; its trace says why."))
	if err != nil {
		return err
	}
	return p.expect(http.StatusForbidden, "Reference")
}

// inbox signs the Super Admin in to the console, looks for the newcomer there and closes the tour.
func (s *stage) inbox(ctx context.Context, who *person) error {
	b, err := newBrowser(s.b.settings.URL, s.guide)
	if err != nil {
		return err
	}
	p, err := b.post(ctx, "/signin", url.Values{"email": {demoAdmin}, "password": {s.password}, "return_to": {"/console/placement"}}, "The Super Admin signs in with a password.")
	if err != nil {
		return err
	}
	if err := p.expect(http.StatusSeeOther, ""); err != nil {
		return err
	}
	if p, err = b.get(ctx, p.next, who.name()+" waits there to be placed."); err != nil {
		return err
	}
	if err := p.expect(http.StatusOK, who.name()); err != nil {
		return err
	}
	return s.landed(ctx, who)
}

// landedView is the end of the tour for programs.
type landedView struct {
	Landed   userView `json:"landed"`
	Page     string   `json:"page"`
	URL      string   `json:"url"`
	Admin    string   `json:"admin"`
	Password string   `json:"password"`
}

// landed tells where the newcomer is, as the database says.
func (s *stage) landed(ctx context.Context, who *person) error {
	u, err := s.b.findUser(ctx, who.email)
	if err != nil {
		return err
	}
	detail, err := s.b.people.UserDetail(ctx, identity.Operator(), u.ID)
	if err != nil {
		return err
	}
	address := s.b.settings.URL + "/console/users/" + string(u.ID)
	if s.guide.p.json {
		v := viewUser(detail.User)
		v.Tenant, v.Roles = detail.Tenant.Name, viewDetail(detail).Roles
		s.guide.line(landedView{Landed: v, Page: address, URL: s.b.settings.URL, Admin: demoAdmin, Password: s.password})
		return nil
	}
	s.guide.say("\n%s is in %s as %s: %s", u.Label(), detail.Tenant.Name, titles(u.Roles), address)
	return nil
}
