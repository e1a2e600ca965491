package sso_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// edit changes a connection.
func (h *house) edit(c identity.Connection, change func(*identity.Connection)) {
	h.t.Helper()
	_, err := h.people.UpdateConnection(h.t.Context(), h.operator, c.ID, func(c *identity.Connection) error { change(c); return nil })
	if err != nil {
		h.t.Fatal(err)
	}
}

// email is a person's address at both providers, with a subject of its own.
func (h *house) says(subject, email string) {
	h.oidc.Change(func(id *ssotest.IDToken) { id.Claims["sub"], id.Claims["email"] = subject, email })
	h.saml.Change(func(a *ssotest.Answer) {
		a.NameID = subject
		for i := range a.Attributes {
			if a.Attributes[i].Name == "email" {
				a.Attributes[i].Values = []string{email}
			}
		}
	})
}

// via returns the connection of a kind.
func (h *house) via(kind identity.ConnectionKind) identity.Connection {
	if kind == identity.OIDC {
		return h.viaOIDC
	}
	return h.viaSAML
}

func (h *house) detail(id identity.UserID) provisioning.UserDetail {
	h.t.Helper()
	d, err := h.people.UserDetail(h.t.Context(), h.operator, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// events returns what happened to a user, newest first.
func (h *house) events(id identity.UserID, kind identity.EventType) []identity.Event {
	h.t.Helper()
	page, err := h.people.Events(h.t.Context(), h.operator, provisioning.EventQuery{UserID: id, Limit: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	return slices.DeleteFunc(page.Items, func(e identity.Event) bool { return e.Type != kind })
}

// wantNobodyNew fails when the refused sign-in made somebody or linked somebody.
func (h *house) wantNobodyNew(before int) {
	h.t.Helper()
	users := h.users()
	if len(users) != before {
		h.t.Errorf("%d users, there were %d", len(users), before)
	}
	for _, u := range users {
		if links := h.detail(u.ID).Links; len(links) > 0 {
			h.t.Errorf("%s is linked: %+v", u.UserName, links)
		}
	}
}

func TestE01TheLinkDecidesWhateverTheAddressSays(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		first, second := string(kind)+"@example.com", string(kind)+"-other@example.com"
		u, other := h.person(first), h.person(second)
		h.says("s-"+string(kind), first)
		b := h.browser()
		b.wantSession(b.signIn(kind, first), u.ID)
		h.says("s-"+string(kind), second)
		b = h.browser()
		b.wantSession(b.signIn(kind, first), u.ID)
		b = h.browser()
		b.wantSession(b.signIn(kind, first), u.ID) // the same address again is no news
		said := h.events(u.ID, identity.UserEmailSaid)
		if len(said) != 1 || said[0].Changes[0].Before != first || said[0].Changes[0].After != second {
			t.Errorf("the change of the address is audited as %+v", said)
		}
		if d := h.detail(u.ID); d.User.Email() != first || d.Links[0].Email != second {
			t.Errorf("the account has %q, the link %q", d.User.Email(), d.Links[0].Email)
		}
		if d := h.detail(other.ID); len(d.Links) != 0 || len(h.events(other.ID, identity.UserEmailSaid)) != 0 {
			t.Error("the owner of the other address was touched")
		}
	})
}

func TestE02AProvenAddressIsLinkedOnceAndAudited(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		email := string(kind) + "@example.com"
		u := h.person(email)
		for range 2 {
			b := h.browser()
			b.wantSession(b.signIn(kind, email), u.ID)
			if trace := h.lastTrace(); !trace.OK || trace.UserID != u.ID || trace.Code != "" || len(trace.Checks) < 8 {
				t.Errorf("the trace of a good sign-in: %s", h.traceText())
			}
		}
		d := h.detail(u.ID)
		if linked := h.events(u.ID, identity.UserLinked); len(d.Links) != 1 || len(linked) != 1 || d.User.TenantID != u.TenantID {
			t.Errorf("%d links, %d events, tenant %s", len(d.Links), len(linked), d.User.TenantID)
		}
	})
}

func TestE03ADomainThatIsNotTheConnectionsIsRefused(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		victim := string(kind) + "@victim.test"
		h.person(victim)
		h.person(string(kind) + "@sub.example.com")
		before := len(h.users())
		for _, email := range []string{victim, "stranger@victim.test", string(kind) + "@sub.example.com"} {
			b := h.browser()
			b.wantRefusal(b.signIn(kind, email), http.StatusForbidden, "email.domain_not_allowed")
		}
		h.wantNobodyNew(before)
	})
}

// verified is a case of email_verified; nil leaves the claim out.
type verified struct {
	name  string
	value any
	email string
	code  string // empty: signed in
}

func emailVerified(t *testing.T, cases ...verified) {
	t.Helper()
	eachDatabase(t, func(t *testing.T, h *house) {
		u := h.person("ada@example.com")
		h.person("ada@victim.test")
		for _, tt := range cases {
			t.Run(tt.name, func(t *testing.T) {
				h.t = t
				h.oidc.Change(func(id *ssotest.IDToken) {
					delete(id.Claims, "email_verified")
					if tt.value != nil {
						id.Claims["email_verified"] = tt.value
					}
				})
				b := h.browser()
				if tt.code == "" {
					b.wantSession(b.oidcSignIn(tt.email), u.ID)
					return
				}
				b.wantRefusal(b.oidcSignIn(tt.email), http.StatusForbidden, tt.code)
				h.wantNobodyNew(2)
			})
		}
		h.t = t
	})
}

func TestE04AnAddressThatTheProviderDidNotVerifyIsRefused(t *testing.T) {
	emailVerified(t, verified{"false", false, "ada@example.com", "email.not_verified"})
}

func TestE05AnAddressOfAVerifiedDomainNeedsNoWordOfTheProvider(t *testing.T) {
	emailVerified(t, verified{"absent", nil, "ada@example.com", ""})
}

func TestE06AnAddressOfAnotherDomainIsRefusedWithoutAWordOfTheProvider(t *testing.T) {
	emailVerified(t, verified{"absent", nil, "ada@victim.test", "email.domain_not_allowed"})
}

func TestE07OnlyTrueCountsAsVerified(t *testing.T) {
	emailVerified(
		t,
		verified{`"false"`, "false", "ada@example.com", "email.not_verified"},
		verified{"1", 1, "ada@example.com", "email.not_verified"},
		verified{`"yes"`, "yes", "ada@example.com", "email.not_verified"},
		verified{`"true"`, "true", "ada@example.com", ""},
		verified{"true", true, "ada@example.com", ""},
	)
}

// entra is a provider that speaks for many organisations, with a connection that trusts one of them.
func (h *house) entra(t *testing.T, tenant string) identity.Connection {
	t.Helper()
	idp := h.anotherProvider(t)
	idp.Publish("issuer", idp.Issuer()+"/{tenantid}/v2.0")
	h.oidc = idp
	c := h.create(identity.Connection{Name: "Entra", Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: idp.Issuer(), ClientID: "entra", ClientSecret: "s3cret", TenantIDs: []string{tenant}}})
	idp.Register(ssotest.OIDCClient{ID: "entra", Secret: "s3cret", RedirectURI: h.at(c, "callback")})
	return c
}

const (
	ourEntra     = "11111111-2222-3333-4444-555555555555"
	foreignEntra = "99999999-2222-3333-4444-555555555555"
)

func TestE08AMultiTenantEntraMustOwnTheAddress(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		u := h.person("ada@example.com")
		c := h.entra(t, ourEntra)
		for _, tt := range []struct {
			name  string
			value any
			code  string
		}{
			{"absent", nil, "email.not_verified"},
			{"0", 0, "email.not_verified"},
			{`"0"`, "0", "email.not_verified"},
			{"false", false, "email.not_verified"},
			{"1", 1, ""},
			{`"1"`, "1", ""},
			{"true", true, ""},
			{`"true"`, "true", ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h.t = t
				h.oidc.Change(func(id *ssotest.IDToken) {
					id.Claims["tid"], id.Claims["iss"] = ourEntra, h.oidc.Issuer()+"/"+ourEntra+"/v2.0"
					delete(id.Claims, "email_verified")
					if tt.value != nil {
						id.Claims["xms_edov"] = tt.value
					}
				})
				b := h.browser()
				if tt.code == "" {
					b.wantSession(b.signInAt(c, "ada@example.com"), u.ID)
					return
				}
				trace := b.wantRefusal(b.signInAt(c, "ada@example.com"), http.StatusForbidden, tt.code)
				if last := trace.Checks[len(trace.Checks)-1]; !strings.Contains(last.Fix, "xms_edov") {
					t.Errorf("the advice is %q", last.Fix)
				}
				h.wantNobodyNew(1)
			})
		}
		h.t = t
	})
}

func TestE09AnUnverifiedMailOfAnotherTenantOpensNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		h.person("ceo@example.com")
		c := h.entra(t, ourEntra)
		for _, tt := range []struct {
			name, tenant, email string
			owner               any
			status              int
			code                string
		}{
			{"an attacker's own tenant", foreignEntra, "ceo@example.com", true, http.StatusUnauthorized, "oidc.wrong_issuer"},
			{"our tenant, an address that it does not own", ourEntra, "ceo@example.com", false, http.StatusForbidden, "email.not_verified"},
			{"our tenant, a domain that is not the connection's", ourEntra, "ceo@victim.test", true, http.StatusForbidden, "email.domain_not_allowed"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h.t = t
				h.oidc.Change(func(id *ssotest.IDToken) {
					id.Claims["tid"], id.Claims["iss"], id.Claims["xms_edov"] = tt.tenant, h.oidc.Issuer()+"/"+tt.tenant+"/v2.0", tt.owner
					id.Claims["email"], id.Claims["preferred_username"], id.Claims["upn"] = tt.email, "mallory@evil.test", "mallory@evil.test"
				})
				b := h.browser()
				b.wantRefusal(b.signInAt(c, "mallory@evil.test"), tt.status, tt.code)
				h.wantNobodyNew(1)
			})
		}
		h.t = t
	})
}
