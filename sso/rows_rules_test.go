package sso_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// inGroups makes both providers say that whoever signs in is in these groups.
func (h *house) inGroups(groups ...string) {
	h.oidc.Change(func(id *ssotest.IDToken) { id.Claims["groups"] = groups })
	h.saml.Change(func(a *ssotest.Answer) {
		a.Attributes = slices.DeleteFunc(a.Attributes, func(at ssotest.Attribute) bool { return at.Name == "groups" })
		if len(groups) > 0 {
			a.Attributes = append(a.Attributes, ssotest.Attribute{Name: "groups", Values: groups})
		}
	})
}

// rolesOf returns somebody's roles as "source:role", sorted.
func (h *house) rolesOf(id identity.UserID) string {
	h.t.Helper()
	var out []string
	for _, a := range h.detail(id).Assignments {
		out = append(out, string(a.Source)+":"+string(a.RoleID))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (h *house) wantRoles(id identity.UserID, want string) {
	h.t.Helper()
	if got := h.rolesOf(id); got != want {
		h.t.Errorf("the roles are %q, want %q\n%s", got, want, h.traceText())
	}
}

func TestE28MappedRolesFollowTheGroupsUnderTheCeiling(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		k, c := string(kind), h.via(kind)
		acme, beta := h.tenant("Acme "+k), h.tenant("Beta "+k)
		h.edit(c, func(c *identity.Connection) {
			c.Options.Ceiling = []identity.RoleID{"operator", "editor"}
			c.Options.Rules = []identity.Rule{
				{Attribute: "groups", Value: "engineers", Role: "editor"},
				{Attribute: "groups", Value: "night shift", Role: "operator"},
				{Attribute: "groups", Value: "acme", Role: "operator", Tenant: acme.ID},
				{Attribute: "groups", Value: "beta", Role: "operator", Tenant: beta.ID},
			}
		})
		in := func(email string, groups ...string) identity.User {
			t.Helper()
			h.inGroups(groups...)
			b := h.browser()
			b.wantSession(b.signIn(kind, email), "")
			return h.userOf(email)
		}
		email := "engineer-" + k + "@example.com"
		u := h.account(acme.ID, email, "viewer")
		in(email, "engineers", "night shift", "unmapped")
		h.wantRoles(u.ID, "claim:editor claim:operator manual:viewer")
		given := h.events(u.ID, identity.RoleAssigned)
		if len(given) != 2 || given[1].Reason != "rule groups = engineers of the connection "+c.Name || given[1].ActorID != string(c.ID) {
			t.Errorf("audited as %+v", given)
		}
		in(email, "night shift")
		h.wantRoles(u.ID, "claim:operator manual:viewer")
		if taken := h.events(u.ID, identity.RoleRemoved); len(taken) != 1 || !strings.Contains(taken[0].Reason, "rule groups = engineers") {
			t.Errorf("audited as %+v", taken)
		}
		in(email, "night shift")
		if n := len(h.events(u.ID, identity.RoleAssigned)) + len(h.events(u.ID, identity.RoleRemoved)); n != 3 {
			t.Errorf("a sign-in that changes nothing wrote events: %d", n)
		}
		in(email)
		h.wantRoles(u.ID, "manual:viewer")

		arrived := in("new-"+k+"@example.com", "acme") // straight where the rule says, without the default role
		if arrived.TenantID != acme.ID {
			t.Errorf("the new person is in %s", arrived.TenantID)
		}
		h.wantRoles(arrived.ID, "claim:operator")

		waiting := in("waiting-"+k+"@example.com", "engineers") // nobody is above others who wait
		h.wantRoles(waiting.ID, "default:viewer")
		waiting = in("waiting-"+k+"@example.com", "engineers", "beta")
		if waiting.TenantID != beta.ID {
			t.Errorf("the person who waited is in %s", waiting.TenantID)
		}
		h.wantRoles(waiting.ID, "claim:editor claim:operator")
		if waiting = in("waiting-"+k+"@example.com", "engineers", "acme"); waiting.TenantID != beta.ID {
			t.Error("a rule moved somebody out of a tenant")
		}
		h.wantRoles(waiting.ID, "claim:editor")

		landing, err := h.people.Landing(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		placed := h.account(landing.ID, "placed-"+k+"@example.com", "viewer") // an administrator's word
		if got := in("placed-"+k+"@example.com", "acme"); got.ID != placed.ID || got.TenantID != landing.ID {
			t.Error("a rule moved somebody whom an administrator placed")
		}
	})
	attributes(t)
	ceilings(t)
	noInteractiveRoleLeft(t)
}

// attributes shows that a rule may ask for any attribute, by its exact name and value.
func attributes(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		k, acme := string(kind), h.tenant("Acme "+string(kind))
		h.edit(h.via(kind), func(c *identity.Connection) {
			c.Options.Ceiling = []identity.RoleID{"editor"}
			c.Options.Rules = []identity.Rule{{Attribute: "department", Value: "R&D", Role: "editor"}}
		})
		u := h.account(acme.ID, "dep-"+k+"@example.com", "viewer")
		for value, want := range map[string]string{"R&D": "claim:editor manual:viewer", "r&d": "manual:viewer", "R&D Berlin": "manual:viewer"} {
			h.oidc.Change(func(id *ssotest.IDToken) { id.Claims["department"] = value })
			h.saml.Change(func(a *ssotest.Answer) {
				a.Attributes = append(a.Attributes, ssotest.Attribute{Name: "department", Values: []string{value}})
			})
			b := h.browser()
			b.wantSession(b.signIn(kind, u.Email()), u.ID)
			h.wantRoles(u.ID, want)
		}
	})
}

func (h *house) userOf(email string) identity.User {
	h.t.Helper()
	users := h.users()
	i := slices.IndexFunc(users, func(u identity.User) bool { return u.Email() == email })
	if i < 0 {
		h.t.Fatalf("nobody has the address %s", email)
	}
	return users[i]
}

// ceilings shows that no connection can be told to give more than its ceiling, or a role of the platform, whatever says so.
func ceilings(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		acme, other := h.tenant("Acme"), h.tenant("Other")
		landing, err := h.people.Landing(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		own, err := h.people.CreateConnection(t.Context(), h.operator, identity.Connection{
			Name: "Acme's own", TenantID: acme.ID, Kind: identity.OIDC, Domains: []string{"acme.test"},
			OIDC: identity.OIDCSettings{Issuer: "https://idp.acme.test", ClientID: "c", ClientSecret: "s"},
		})
		if err != nil {
			t.Fatal(err)
		}
		rule := identity.Rule{Attribute: "groups", Value: "admins", Role: "operator"}
		for name, o := range map[string]identity.ConnectionOptions{
			"a role beyond the ceiling":      {Ceiling: []identity.RoleID{"viewer"}, Rules: []identity.Rule{rule}},
			"no ceiling":                     {Rules: []identity.Rule{rule}},
			"SuperAdmin in the ceiling":      {Ceiling: []identity.RoleID{"superadmin"}},
			"a role that there is not":       {Ceiling: []identity.RoleID{"emperor"}},
			"a rule without a value":         {Ceiling: []identity.RoleID{"operator"}, Rules: []identity.Rule{{Attribute: "groups", Role: "operator"}}},
			"another tenant":                 {Ceiling: []identity.RoleID{"operator"}, Rules: []identity.Rule{{Attribute: "groups", Value: "x", Role: "operator", Tenant: other.ID}}},
			"the tenant in which one waits":  {Ceiling: []identity.RoleID{"operator"}, Rules: []identity.Rule{{Attribute: "groups", Value: "x", Role: "operator", Tenant: landing.ID}}},
			"a policy that there is not":     {LinkProof: "sometimes"},
			"a tenant that there is not":     {Ceiling: []identity.RoleID{"operator"}, Rules: []identity.Rule{{Attribute: "groups", Value: "x", Role: "operator", Tenant: identity.NewID[identity.TenantID]()}}},
			"more rules than one can review": {Ceiling: []identity.RoleID{"operator"}, Rules: slices.Repeat([]identity.Rule{rule}, identity.MaxRules+1)},
		} {
			_, err := h.people.UpdateConnection(t.Context(), h.operator, own.ID, func(c *identity.Connection) error { c.Options = o; return nil })
			if err == nil {
				t.Errorf("%s was accepted", name)
			}
		}
	})
}

// noInteractiveRoleLeft shows that whoever loses the last role is refused, and that the inbox says so.
func noInteractiveRoleLeft(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		h.edit(h.viaOIDC, func(c *identity.Connection) {
			c.Options.Ceiling = []identity.RoleID{"operator"}
			c.Options.Rules = []identity.Rule{{Attribute: "groups", Value: "acme", Role: "operator", Tenant: acme.ID}}
		})
		h.inGroups("acme")
		b := h.browser()
		u := b.wantSession(b.oidcSignIn("leaver@example.com"), "").User
		h.inGroups()
		b = h.browser()
		b.wantRefusal(b.oidcSignIn("leaver@example.com"), http.StatusForbidden, "user.no_role")
		h.wantRoles(u.ID, "")
		if waiting := h.reviews(); len(waiting) != 1 || waiting[0].Code != "user.no_role" || waiting[0].UserID != u.ID {
			t.Errorf("the inbox has %+v", waiting)
		}
	})
}

func TestE29AnAttributeWithoutAMappingIsIgnored(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		h.edit(h.via(kind), func(c *identity.Connection) {
			c.Options.Ceiling = []identity.RoleID{"editor"}
			c.Options.Rules = []identity.Rule{{Attribute: "department", Value: "R&D", Role: "editor"}}
		})
		h.oidc.Change(func(id *ssotest.IDToken) {
			id.Claims["role"], id.Claims["roles"], id.Claims["groups"] = "superadmin", []string{"superadmin", "administrator"}, []string{"superadmin", "R&D"}
		})
		h.saml.Change(func(a *ssotest.Answer) {
			for _, name := range []string{"role", "roles", "groups", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"} {
				a.Attributes = append(a.Attributes, ssotest.Attribute{Name: name, Values: []string{"superadmin", "R&D"}})
			}
		})
		b := h.browser()
		visit := b.wantSession(b.signIn(kind, "eve-"+string(kind)+"@example.com"), "")
		h.wantRoles(visit.User.ID, "default:viewer")
		acme := h.tenant("Acme " + string(kind))
		placed := h.account(acme.ID, "placed-"+string(kind)+"@example.com", "viewer")
		b = h.browser()
		b.wantSession(b.signIn(kind, "placed-"+string(kind)+"@example.com"), placed.ID)
		h.wantRoles(placed.ID, "manual:viewer")
	})
}

func TestE30MoreGroupsThanTheProviderSendsLeaveTheRolesAsTheyAre(t *testing.T) {
	oidc := func(name string, value any) func(*house) {
		return func(h *house) {
			h.oidc.Change(func(id *ssotest.IDToken) {
				id.Claims[name], id.Claims["_claim_sources"] = value, map[string]any{"src1": map[string]string{"endpoint": "https://graph.example/me"}}
			})
		}
	}
	saml := func(h *house) {
		h.saml.Change(func(a *ssotest.Answer) {
			a.Attributes = append(a.Attributes, ssotest.Attribute{Name: "http://schemas.microsoft.com/claims/groups.link", Values: []string{"https://graph.example/me"}})
		})
	}
	overages := map[identity.ConnectionKind][]func(*house){
		identity.OIDC: {oidc("hasgroups", true), oidc("groups.link", "https://graph.example/me"), oidc("_claim_names", map[string]string{"groups": "src1"})},
		identity.SAML: {saml},
	}
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		k, acme := string(kind), h.tenant("Acme "+string(kind))
		u := h.account(acme.ID, "ada-"+k+"@example.com", "viewer")
		h.edit(h.via(kind), func(c *identity.Connection) {
			c.Options.Ceiling = []identity.RoleID{"editor", "operator"}
			c.Options.Rules = []identity.Rule{{Attribute: "groups", Value: "engineers", Role: "editor"}, {Attribute: "groups", Value: "ops", Role: "operator", Tenant: acme.ID}}
		})
		h.inGroups("engineers")
		b := h.browser()
		b.wantSession(b.signIn(kind, u.Email()), u.ID)
		h.wantRoles(u.ID, "claim:editor manual:viewer")
		for i, overage := range overages[kind] {
			overage(h)
			b := h.browser()
			b.wantSession(b.signIn(kind, u.Email()), u.ID)
			h.wantRoles(u.ID, "claim:editor manual:viewer")
			warned := slices.ContainsFunc(h.lastTrace().Checks, func(c identity.Check) bool {
				return c.Name == "rules" && c.Result == identity.Skipped && strings.Contains(c.Got, "more groups than it sends") && c.Fix != ""
			})
			if !warned {
				t.Errorf("%s %d: no warning in the trace: %s", kind, i, h.traceText())
			}
			b = h.browser()
			visit := b.wantSession(b.signIn(kind, "new"+string(rune('a'+i))+"-"+k+"@example.com"), "")
			h.wantRoles(visit.User.ID, "default:viewer")
		}
	})
}
