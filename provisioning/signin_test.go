package provisioning_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// connection creates an OIDC connection.
func (h *house) connection(name string, change func(*identity.Connection)) identity.Connection {
	h.t.Helper()
	c := identity.Connection{Name: name, Kind: identity.OIDC, Domains: []string{"example.com"}, OIDC: identity.OIDCSettings{Issuer: "https://idp.example.com", ClientID: "id", ClientSecret: "secret"}}
	if change != nil {
		change(&c)
	}
	return must[identity.Connection](h.t)(h.CreateConnection(h.ctx, h.op, c))
}

func claims(subject, email string) identity.Claims {
	return identity.Claims{Issuer: "https://idp.example.com", Subject: subject, Email: email, GivenName: "Ada", FamilyName: "Lovelace"}
}

func (h *house) signIn(c identity.Connection, cl identity.Claims) (identity.User, error) {
	return h.SignIn(h.ctx, c, cl, &identity.Trace{})
}

func TestSignIn(t *testing.T) {
	yes, no := true, false
	with := func(v *bool, c identity.Claims) identity.Claims { c.EmailVerified = v; return c }
	cases := []struct {
		name    string
		prepare func(h *house, c *identity.Connection)
		claims  identity.Claims
		refused string // code; empty: signed in
		landed  bool
	}{
		{name: "an unknown person lands as Viewer", claims: claims("s1", "new@example.com"), landed: true},
		{name: "a known address is linked", claims: claims("s1", "ada@example.com")},
		{name: "the case of the address does not matter", claims: claims("s1", "Ada@EXAMPLE.com")},
		{name: "a domain that is not the connection's", claims: claims("s1", "ada@other.test"), refused: "email.domain_not_allowed"},
		{name: "not a sub-domain either", claims: claims("s1", "ada@sub.example.com"), refused: "email.domain_not_allowed"},
		{name: "the provider says not verified", claims: with(&no, claims("s1", "ada@example.com")), refused: "email.not_verified"},
		{name: "verified by the provider", claims: with(&yes, claims("s1", "ada@example.com"))},
		{name: "no address", claims: claims("s1", ""), refused: "email.missing"},
		{name: "two addresses in one", claims: claims("s1", "ada@example.com,eve@example.com"), refused: "email.invalid"},
		{name: "a zero-width space", claims: claims("s1", "ada\u200b@example.com"), refused: "email.invalid"},
		{name: "a full-width at sign", claims: claims("s1", "ada\uff20example.com"), refused: "email.invalid"},
		{name: "a Cyrillic a is somebody else", claims: claims("s1", "\u0430da@example.com"), landed: true},
		{name: "a plus tag is somebody else", claims: claims("s1", "ada+x@example.com"), landed: true},
		{name: "a NUL in a name", claims: identity.Claims{Issuer: "https://idp.example.com", Subject: "s1", Email: "ada@example.com", GivenName: "A\x00"}, refused: "claims.unreadable"},
		{name: "no subject", claims: claims("", "ada@example.com"), refused: "claims.no_subject"},
		{
			name: "a deactivated person stays outside", claims: claims("s1", "ada@example.com"), refused: "user.inactive",
			prepare: func(h *house, _ *identity.Connection) {
				must[identity.User](h.t)(h.DeactivateUser(h.ctx, h.op, h.find("ada@example.com"), ""))
			},
		},
		{
			name: "a deleted person stays outside", claims: claims("s1", "ada@example.com"), refused: "user.deleted",
			prepare: func(h *house, _ *identity.Connection) {
				if err := h.DeleteUser(h.ctx, h.op, h.find("ada@example.com"), 0); err != nil {
					h.t.Fatal(err)
				}
			},
		},
		{
			name: "a Super Admin is never linked by address", claims: claims("s1", "root@example.com"), refused: "link.requires_admin",
			prepare: func(h *house, _ *identity.Connection) { h.admin("root@example.com") },
		},
		{
			name: "an administrator is never linked by address", claims: claims("s1", "boss@example.com"), refused: "link.requires_admin",
			prepare: func(h *house, _ *identity.Connection) {
				must[identity.User](h.t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("boss@example.com"), h.tenant("Acme").ID), Role: "administrator"}))
			},
		},
		{
			name: "two people with one address", claims: claims("s1", "ada@example.com"), refused: "email.ambiguous",
			prepare: func(h *house, _ *identity.Connection) {
				h.push(h.directory("T", h.tenant("T").ID, "okta"), "ada@example.com")
			},
		},
		{
			name: "the address was given to another subject", claims: claims("s2", "ada@example.com"), refused: "link.conflict",
			prepare: func(h *house, c *identity.Connection) {
				must[identity.User](h.t)(h.signIn(*c, claims("s1", "ada@example.com")))
			},
		},
		{
			name: "a connection that creates nobody", claims: claims("s1", "new@example.com"), refused: "jit.off",
			prepare: func(_ *house, c *identity.Connection) { c.Unknown = identity.UnknownRefuse },
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				okta := h.directory("Okta", "", identity.DialectOkta)
				ada := h.push(okta, "ada@example.com")
				c := h.connection("IdP", nil)
				if tc.prepare != nil {
					tc.prepare(h, &c)
				}
				before := h.count()
				var trace identity.Trace
				u, err := h.SignIn(h.ctx, c, tc.claims, &trace)
				if len(trace.Checks) == 0 {
					t.Error("the trace is empty")
				}
				if tc.refused != "" {
					wantKind(t, err, identity.Forbidden, tc.refused)
					if h.count() != before {
						t.Error("a refusal created somebody")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if tc.landed != (u.ID != ada.ID) {
					t.Errorf("signed in as %s", u.UserName)
				}
				if tc.landed && (u.TenantID != h.landing().ID || h.roles(u.ID) != "viewer ") {
					t.Errorf("in %s as %q", u.TenantID, h.roles(u.ID))
				}
				if !slices.Contains(h.events(u.ID), identity.UserLinked) {
					t.Error("no event of the link")
				}
			})
		})
	}
}

func (h *house) find(name string) identity.UserID {
	h.t.Helper()
	page := must[identity.Page[identity.User]](h.t)(h.Users(h.ctx, h.op, identity.Query{Search: name, Limit: 1}))
	if len(page.Items) == 0 {
		h.t.Fatalf("nobody is called %s", name)
	}
	return page.Items[0].ID
}

func (h *house) count() int64 {
	h.t.Helper()
	return must[identity.Page[identity.User]](h.t)(h.Users(h.ctx, h.op, identity.Query{Total: true})).Total
}

func TestATenantsConnectionReachesItsOwnPeopleOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, other := h.tenant("Acme"), h.tenant("Other")
		mine := h.push(h.directory("A", acme.ID, "okta"), "ada@example.com")
		h.push(h.directory("O", other.ID, "okta"), "bob@example.com")
		c := h.connection("Acme IdP", func(c *identity.Connection) { c.TenantID = acme.ID })
		if u := must[identity.User](t)(h.signIn(c, claims("s1", "ada@example.com"))); u.ID != mine.ID {
			t.Errorf("signed in as %s", u.UserName)
		}
		u := must[identity.User](t)(h.signIn(c, claims("s2", "bob@example.com")))
		if u.TenantID != h.landing().ID {
			t.Error("the other tenant's person was matched")
		}
	})
}

func TestConnectionsAreRefusedWhenTheyCouldLetInTheWrongPeople(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, other := h.tenant("Acme"), h.tenant("Other")
		h.connection("First", func(c *identity.Connection) { c.TenantID = acme.ID })
		good := identity.Connection{Name: "X", Kind: identity.OIDC, TenantID: other.ID, Domains: []string{"other.test"}, OIDC: identity.OIDCSettings{Issuer: "https://i.test", ClientID: "c", ClientSecret: "s"}}
		for name, change := range map[string]func(*identity.Connection){
			"E31 a domain of another tenant":         func(c *identity.Connection) { c.Domains = []string{"Example.com"} },
			"every domain for a tenant":              func(c *identity.Connection) { c.Domains = []string{"*"} },
			"no domain":                              func(c *identity.Connection) { c.Domains = nil },
			"a privileged role for the unknown":      func(c *identity.Connection) { c.Unknown, c.UnknownRole = identity.UnknownTenant, "administrator" },
			"a platform role for the unknown":        func(c *identity.Connection) { c.Unknown, c.UnknownRole = identity.UnknownTenant, "superadmin" },
			"no secret":                              func(c *identity.Connection) { c.OIDC.ClientSecret = "" },
			"O02 a token signed with our own secret": func(c *identity.Connection) { c.OIDC.Algorithms = []string{"HS256"} },
			"O01 a token without a signature":        func(c *identity.Connection) { c.OIDC.Algorithms = []string{"none"} },
			"too much skew":                          func(c *identity.Connection) { c.Skew = 2 * provisioning.MaxSkew },
			"M12 SAML without a certificate": func(c *identity.Connection) {
				c.Kind, c.SAML = identity.SAML, identity.SAMLSettings{EntityID: "e", SSOURL: "https://i.test"}
			},
		} {
			c := good
			change(&c)
			if _, err := h.CreateConnection(h.ctx, h.op, c); err == nil {
				t.Errorf("%s was accepted", name)
			}
		}
		saved := must[identity.Connection](t)(h.CreateConnection(h.ctx, h.op, good))
		if saved.OIDC.ClientSecret != "" {
			t.Error("the secret was shown to the operator")
		}
		inner := must[identity.Connection](t)(h.Connection(h.ctx, identity.System(), saved.ID))
		if inner.OIDC.ClientSecret != "s" {
			t.Error("the secret was lost")
		}
		if id := must[identity.ConnectionID](t)(h.ConnectionForEmail(h.ctx, "Anybody@OTHER.test")); id != saved.ID {
			t.Error("the domain does not lead to its connection")
		}
	})
}

func TestWhoseTimeHasNotComeOrIsOverIsToldApartFromWhoWasDeactivated(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.connection("IdP", nil)
		ada := h.userIn(h.tenant("Acme").ID, "ada@example.com", "viewer")
		day := time.Now().UTC().Truncate(24 * time.Hour)
		later, over := day.AddDate(0, 1, 0), day.AddDate(0, 0, -1)
		for _, tt := range []struct {
			starts, ends *time.Time
			want         string
		}{
			{starts: &later, want: "starts on " + later.Format(time.DateOnly) + " only"},
			{ends: &over, want: "was over at the end date " + over.AddDate(0, 0, -1).Format(time.DateOnly)},
		} {
			must[identity.User](t)(h.SetTerms(h.ctx, h.op, ada.ID, tt.starts, tt.ends, ""))
			var trace identity.Trace
			_, err := h.SignIn(h.ctx, c, claims("s1", "ada@example.com"), &trace)
			wantKind(t, err, identity.Forbidden, "user.inactive")
			if f, _ := trace.Failure(); !strings.Contains(f.Got, tt.want) || !strings.Contains(f.Fix, "the end of the person's time") {
				t.Errorf("%+v", f)
			}
		}
	})
}
