package main

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The domains of the demo. They end in .example (RFC 2606), so nobody owns them.
const (
	acmeDomain     = "acme.example"
	globexDomain   = "globex.example"
	partnersDomain = "partners.example"
)

// stage is the demo as it stands: the bridge, its two fake directories, its fake provider and the people.
type stage struct {
	b        *bridge
	guide    *guide
	idp      *fakeIdP
	password string // of the Super Admin
	okta     *fakeOkta
	entra    *fakeEntra
	partners []*person
	landing  string // name of the landing tenant
	role     string // title of the role that unknown people get
}

// demoPeople returns who is at Acme and who comes from the partners' provider. Globex signs nobody in during the demo.
func demoPeople() (acme, partners []*person) {
	acme = []*person{
		{given: "Ada", family: "Lovelace", email: "ada@" + acmeDomain, title: "Analyst", key: "00u1ada", note: "pushed by the fake Okta, by SAML"},
		{given: "Grace", family: "Hopper", email: "grace@" + acmeDomain, title: "Rear Admiral", key: "00u2grace", note: "deactivated by the fake Okta: she is refused"},
	}
	partners = []*person{
		{given: "Margaret", family: "Hamilton", email: "margaret@" + partnersDomain, note: "unknown before, by OpenID Connect: she landed"},
		{given: "Annie", family: "Easley", email: "annie@" + partnersDomain, note: "never seen yet, by OpenID Connect: she will land"},
	}
	return acme, partners
}

func globexPeople() []*person {
	return []*person{
		{given: "Katherine", family: "Johnson", email: "katherine@" + globexDomain, title: "Mathematician", key: "6f0c1e1e-0001"},
		{given: "Dorothy", family: "Vaughan", email: "dorothy@" + globexDomain, title: "Supervisor", key: "6f0c1e1e-0002"},
	}
}

// cast is who can sign in.
func (s *stage) cast() []*person { return append(append([]*person{}, s.okta.people...), s.partners...) }

// stage prepares what an administrator would: the Super Admin, two tenants, a directory for each, a SAML and an OIDC connection.
func (b *bridge) stage(ctx context.Context, idp *fakeIdP, g *guide) (*stage, error) {
	acme, partners := demoPeople()
	s := &stage{b: b, guide: g, idp: idp, partners: partners}
	name, role := b.model.Landing()
	r, _ := b.model.Role(role)
	s.landing, s.role = name, r.Title
	var err error
	if s.password, err = b.administrator(ctx); err != nil {
		return nil, err
	}
	okta, acmeID, err := s.directory(ctx, "Acme", "Okta", identity.DialectOkta, acmeDomain, "Okta SCIM Client 1.0.0")
	if err != nil {
		return nil, err
	}
	s.okta = &fakeOkta{pusher: okta, people: acme}
	entra, _, err := s.directory(ctx, "Globex", "Entra", identity.DialectEntra, globexDomain, "Microsoft.Azure.SyncFabric")
	if err != nil {
		return nil, err
	}
	s.entra = &fakeEntra{pusher: entra, people: globexPeople()}
	if err := s.connectSAML(ctx, acmeID); err != nil {
		return nil, err
	}
	if err := s.connectOIDC(ctx); err != nil {
		return nil, err
	}
	home, err := b.people.Tenant(ctx, identity.Operator(), acmeID)
	if err != nil {
		return nil, err
	}
	return s, s.furnish(ctx, home)
}

// directory makes a tenant with a directory, and returns what the fake one pushes with.
func (s *stage) directory(ctx context.Context, tenant, name string, dialect identity.Dialect, domain, agent string) (pusher, identity.TenantID, error) {
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return pusher{}, "", err
	}
	d, token, err := s.b.people.CreateDirectory(ctx, identity.Operator(), identity.Directory{
		TenantID: t.ID, Name: tenant + " " + name, Dialect: dialect, Enabled: true, Domains: []string{domain},
	})
	return pusher{base: viewDirectory(d, "", s.b.settings.URL).BaseURL, token: token, agent: agent, guide: s.guide}, t.ID, err
}

// tenant makes a tenant; where the access model is for one organisation, both are departments of it.
func (s *stage) tenant(ctx context.Context, name string) (identity.Tenant, error) {
	if s.b.model.Single() {
		return s.b.people.MainTenant(ctx)
	}
	return s.b.people.CreateTenant(ctx, identity.Operator(), name)
}

// connectSAML is Acme's own provider.
func (s *stage) connectSAML(ctx context.Context, acme identity.TenantID) error {
	settings, err := s.b.samlSettings(ctx, s.idp.saml.EntityID(), identity.SAMLSettings{})
	if err != nil {
		return err
	}
	c, err := s.b.people.CreateConnection(ctx, identity.Operator(), identity.Connection{
		TenantID: acme, Name: "Acme SAML", Kind: identity.SAML, Enabled: true, Domains: []string{acmeDomain}, Unknown: identity.UnknownLanding, SAML: settings,
	})
	if err != nil {
		return err
	}
	s.idp.trustSAML(c, s.b.settings.URL)
	return nil
}

// connectOIDC is a provider of the whole installation, whose people nobody pushes.
func (s *stage) connectOIDC(ctx context.Context) error {
	secret := identity.NewSecret("")
	c, err := s.b.people.CreateConnection(ctx, identity.Operator(), identity.Connection{
		Name: "Partners", Kind: identity.OIDC, Enabled: true, Domains: []string{partnersDomain}, Unknown: identity.UnknownLanding,
		OIDC: identity.OIDCSettings{Issuer: s.idp.oidc.Issuer(), ClientID: "drawbridge", ClientSecret: secret},
	})
	if err != nil {
		return err
	}
	s.idp.trustOIDC(c, secret, s.b.settings.URL)
	return nil
}

// address is where the bridge listens.
func (b *bridge) address() string { return strings.TrimPrefix(b.settings.URL, "http://") }
