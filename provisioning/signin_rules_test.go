package provisioning_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// ruled is a small world of people, groups and rules, and what must be true of it.
type ruled struct {
	t       *rapid.T
	h       *house
	run     string
	acme    identity.Tenant
	beta    identity.Tenant
	landing identity.Tenant
	conns   []identity.Connection
	people  []*subject
}

// subject is one person at one connection, with what is expected.
type subject struct {
	at     int // which connection
	email  string
	id     identity.UserID // empty before the first sign-in
	groups []string        // of the last sign-in whose groups were known
	signed bool            // with known groups since the last change of rules or place
	placed bool            // by an administrator, with this role, there
	role   identity.RoleID
	tenant identity.TenantID
}

var groupNames = []string{"a", "b", "c", "superadmin"}

// newRuled makes a connection of the installation and one of Acme's own, each with a ceiling, and two people at each.
func newRuled(t *rapid.T, h *house, n int, acme, beta identity.Tenant) *ruled {
	w := &ruled{t: t, h: h, run: fmt.Sprint(n), acme: acme, beta: beta, landing: h.landing()}
	for i, tenant := range []identity.TenantID{"", acme.ID} {
		w.conns = append(w.conns, h.connection(fmt.Sprintf("IdP %d-%d", n, i), func(c *identity.Connection) {
			c.TenantID, c.Domains = tenant, []string{fmt.Sprintf("d%d-%d.test", n, i)}
			c.Options.Ceiling = []identity.RoleID{"editor", "operator"}
		}))
		for p := range 2 {
			w.people = append(w.people, &subject{at: i, email: fmt.Sprintf("p%d@d%d-%d.test", p, n, i)})
		}
	}
	return w
}

// someRules are rules that a connection may have.
func (w *ruled) someRules(c identity.Connection) []identity.Rule {
	tenants := []identity.TenantID{"", w.acme.ID}
	if c.TenantID == "" {
		tenants = append(tenants, w.beta.ID)
	}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) identity.Rule {
		return identity.Rule{
			Attribute: identity.RuleGroups, Value: rapid.SampledFrom(groupNames).Draw(t, "group"),
			Role: rapid.SampledFrom([]identity.RoleID{"editor", "operator"}).Draw(t, "role"), Tenant: rapid.SampledFrom(tenants).Draw(t, "tenant"),
		}
	}), 1, 5).Draw(w.t, "rules")
}

func (w *ruled) changeRules() {
	w.setRules(rapid.IntRange(0, 1).Draw(w.t, "connection"))
}

func (w *ruled) setRules(i int) {
	rules := w.someRules(w.conns[i])
	c := must[identity.Connection](w.h.t)(w.h.UpdateConnection(w.h.ctx, w.h.op, w.conns[i].ID, func(c *identity.Connection) error { c.Options.Rules = rules; return nil }))
	w.conns[i] = c
	for _, p := range w.people {
		if p.at == i {
			p.signed = false
		}
	}
}

func (w *ruled) signIn() {
	p := rapid.SampledFrom(w.people).Draw(w.t, "person")
	groups := rapid.SliceOfDistinct(rapid.SampledFrom(groupNames), rapid.ID).Draw(w.t, "groups")
	elsewhere := rapid.IntRange(0, 4).Draw(w.t, "more groups than are sent") == 0
	c := w.conns[p.at]
	u, err := w.h.SignIn(w.h.ctx, c, identity.Claims{
		Issuer: "https://idp.example.com", Subject: p.email, Email: p.email, Groups: groups, GroupsElsewhere: elsewhere, Attributes: map[string][]string{"role": {"superadmin"}},
	}, &identity.Trace{})
	if err != nil {
		w.t.Fatalf("%s: %v", p.email, err)
	}
	if p.id != "" && p.id != u.ID {
		w.t.Fatalf("%s became another user", p.email)
	}
	p.id = u.ID
	if !elsewhere || len(c.Options.Rules) == 0 {
		p.groups, p.signed = groups, true
	}
}

func (w *ruled) place() {
	p := rapid.SampledFrom(w.people).Draw(w.t, "person")
	if p.id == "" {
		return
	}
	tenant := rapid.SampledFrom([]identity.TenantID{w.acme.ID, w.beta.ID, w.landing.ID}).Draw(w.t, "tenant")
	role := rapid.SampledFrom([]identity.RoleID{"viewer", "operator", "administrator"}).Draw(w.t, "role")
	_, err := w.h.PlaceUsers(w.h.ctx, w.h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: p.id}}, Tenant: tenant, Role: role})
	if identity.CodeOf(err) == "placement_refused" {
		return // already there with this role
	}
	if err != nil {
		w.t.Fatal(err)
	}
	p.placed, p.tenant, p.role, p.signed = true, tenant, role, false
}

// check holds after every step.
func (w *ruled) check() {
	for _, p := range w.people {
		if p.id == "" {
			continue
		}
		d := must[provisioning.UserDetail](w.h.t)(w.h.UserDetail(w.h.ctx, w.h.op, p.id))
		var claimed []string
		manual := false
		for _, a := range d.Assignments {
			switch {
			case a.RoleID == "superadmin":
				w.t.Fatalf("%s is a Super Admin", p.email)
			case a.Source == identity.SourceClaim:
				if !slices.Contains([]identity.RoleID{"editor", "operator"}, a.RoleID) || a.SourceID != string(w.conns[p.at].ID) {
					w.t.Fatalf("%s has %+v, above the ceiling", p.email, a)
				}
				claimed = append(claimed, string(a.RoleID))
			case a.Source == identity.SourceManual:
				manual = manual || a.RoleID == p.role
			}
		}
		if p.placed && (!manual || d.User.TenantID != p.tenant) {
			w.t.Fatalf("%s was placed as %s in %s and is now in %s with %+v", p.email, p.role, p.tenant, d.User.TenantID, d.Assignments)
		}
		slices.Sort(claimed)
		if want := w.expected(p, d.User.TenantID); p.signed && strings.Join(claimed, " ") != want {
			w.t.Fatalf("%s in %s has %v by rules, want %s; groups %v, rules %+v", p.email, d.User.TenantID, claimed, want, p.groups, w.conns[p.at].Options.Rules)
		}
		same := must[identity.Page[identity.User]](w.h.t)(w.h.Users(w.h.ctx, w.h.op, identity.Query{Search: p.email, Limit: 5}))
		if len(same.Items) != 1 {
			w.t.Fatalf("%s is %d users", p.email, len(same.Items))
		}
	}
}

// expected is what the rules give somebody who lives in a tenant.
func (w *ruled) expected(p *subject, home identity.TenantID) string {
	c := w.conns[p.at]
	if home == w.landing.ID || c.TenantID != "" && home != c.TenantID {
		return ""
	}
	roles := map[string]bool{}
	for _, r := range c.Options.Rules {
		if slices.Contains(p.groups, r.Value) && (r.Tenant == "" || r.Tenant == home) {
			roles[string(r.Role)] = true
		}
	}
	var out []string
	for _, role := range []string{"editor", "operator"} {
		if roles[role] {
			out = append(out, role)
		}
	}
	return strings.Join(out, " ")
}

func TestNoSequenceOfSignInsGetsAboveTheCeilingOrUndoesAnAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		n, acme, beta := 0, h.tenant("Acme"), h.tenant("Beta")
		rapid.Check(t, func(rt *rapid.T) {
			n++
			w := newRuled(rt, h, n, acme, beta)
			steps := []func(){w.changeRules, w.signIn, w.signIn, w.signIn, w.place}
			w.setRules(0)
			w.setRules(1)
			for range rapid.IntRange(5, 20).Draw(rt, "steps") {
				rapid.SampledFrom(steps).Draw(rt, "step")()
				w.check()
			}
		})
	})
}

func TestTheRulesOfAConnectionGiveAnOwnerNoOtherRole(t *testing.T) {
	eachOn(t, "fluentpro-backup", func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		c := h.connection("IdP", func(c *identity.Connection) {
			c.TenantID, c.Domains = acme.ID, []string{"acme.test"}
			c.Options.Ceiling = []identity.RoleID{"viewer"}
			c.Options.Rules = []identity.Rule{{Attribute: identity.RuleGroups, Value: "all", Role: "viewer"}}
		})
		claims := func(name string, groups ...string) identity.Claims {
			return identity.Claims{Issuer: "https://idp.example.com", Subject: name, Email: name + "@acme.test", Groups: groups}
		}
		owner, other := h.userIn(acme.ID, "olga@acme.test", "member"), h.userIn(acme.ID, "otto@acme.test", "member")
		must[identity.User](t)(h.signIn(c, claims("olga")))
		must[identity.User](t)(h.TransferOwnership(h.ctx, h.op, provisioning.Ownership{Tenant: acme.ID, User: owner.ID, Reason: "a test"}))
		var trace identity.Trace
		for _, name := range []string{"olga", "otto"} {
			if _, err := h.SignIn(h.ctx, c, claims(name, "all"), &trace); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if name == "olga" && !slices.ContainsFunc(trace.Checks, func(c identity.Check) bool {
				return c.Name == "rules.kept" && strings.Contains(c.Got, "owns the tenant")
			}) {
				t.Errorf("the trace does not say why: %+v", trace.Checks)
			}
		}
		if got := h.roles(owner.ID); got != "owner " {
			t.Errorf("the owner has %s", got)
		}
		if got := h.roles(other.ID); !strings.Contains(got, "viewer") {
			t.Errorf("the rule gave nothing to somebody else: %s", got)
		}
	})
}
