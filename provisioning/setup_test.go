package provisioning_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// setupLink makes a setup link of a tenant, changed as the test likes.
func (h *house) setupLink(tenant identity.TenantID, change func(*identity.SetupLink)) (identity.SetupLink, string) {
	h.t.Helper()
	l := identity.SetupLink{TenantID: tenant, Name: "Provider " + identity.NewSecret("")[:8], Domains: []string{"acme.example"}}
	if change != nil {
		change(&l)
	}
	l, token, err := h.CreateSetupLink(h.ctx, h.op, l, identity.DefaultSetupAge)
	if err != nil {
		h.t.Fatal(err)
	}
	return l, token
}

// provider is what a customer's administrator enters; what is not theirs to say is said too.
func provider() identity.Connection {
	return identity.Connection{
		Kind: identity.OIDC, Name: "mine", Enabled: true, Domains: []string{"*"}, Unknown: identity.UnknownTenant, UnknownRole: "administrator",
		OIDC: identity.OIDCSettings{Issuer: "https://idp.acme.example", ClientID: "id", ClientSecret: "secret"},
	}
}

func TestASetupLinkMakesOneConnectionThatIsSwitchedOff(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.admin("root@example.com")
		acme := h.tenant("Acme")
		l, token := h.setupLink(acme.ID, nil)
		setup := must[provisioning.Setup](t)(h.OpenSetup(h.ctx, token))
		if setup.Tenant != "Acme" || setup.Connection != nil || setup.Link.ID != l.ID {
			t.Fatalf("the link opens %+v", setup)
		}
		c := must[identity.Connection](t)(h.SetUpConnection(h.ctx, setup.Actor, provider()))
		if c.ID != l.ConnectionID || c.TenantID != acme.ID || c.Name != l.Name || c.Enabled || c.Unknown != identity.UnknownLanding || c.UnknownRole != "" || len(c.Domains) != 1 || c.Domains[0] != "acme.example" {
			t.Errorf("the connection is %+v: the link decides about it, not whoever has it", c)
		}
		if c.OIDC.ClientSecret != "" {
			t.Error("the secret comes back")
		}
		changed := provider()
		changed.OIDC.ClientID, changed.OIDC.ClientSecret = "other", ""
		if c = must[identity.Connection](t)(h.SetUpConnection(h.ctx, setup.Actor, changed)); c.OIDC.ClientID != "other" {
			t.Errorf("the change is not there: %+v", c.OIDC)
		}
		if kept := must[identity.Connection](t)(h.Connection(h.ctx, identity.System(), c.ID)); kept.OIDC.ClientSecret != "secret" {
			t.Error("a change without a secret lost the one that was there")
		}
		if c = must[identity.Connection](t)(h.FinishSetup(h.ctx, setup.Actor)); c.Enabled {
			t.Error("a connection is switched on although nobody chose that")
		}
		events := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{Type: identity.SetupLinkFinished, Limit: 1}))
		mails := must[[]identity.Mail](t)(h.Mails(h.ctx, h.op, 10))
		if len(events.Items) != 1 || len(mails) != 1 || mails[0].To != "root@example.com" || !strings.Contains(mails[0].Subject, l.Name) {
			t.Errorf("nobody is told: %+v %+v", events.Items, mails)
		}
	})
}

func TestASetupLinkThatOpensNothingIsAlwaysTheSame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		revoked, revokedToken := h.setupLink(acme.ID, nil)
		setup := must[provisioning.Setup](t)(h.OpenSetup(h.ctx, revokedToken))
		if err := h.RevokeSetupLink(h.ctx, h.op, revoked.ID); err != nil {
			t.Fatal(err)
		}
		_, usedToken := h.setupLink(acme.ID, nil)
		used := must[provisioning.Setup](t)(h.OpenSetup(h.ctx, usedToken))
		must[identity.Connection](t)(h.SetUpConnection(h.ctx, used.Actor, provider()))
		must[identity.Connection](t)(h.FinishSetup(h.ctx, used.Actor))
		var first string
		for name, token := range map[string]string{"wrong": identity.NewSecret(identity.SetupLinkPrefix), "empty": "", "revoked": revokedToken, "used": usedToken} {
			_, err := h.OpenSetup(h.ctx, token)
			wantKind(t, err, identity.NotFound, "setup.unknown")
			if first == "" {
				first = err.Error()
			}
			if err.Error() != first {
				t.Errorf("a %s token says %q, another one %q", name, err, first)
			}
		}
		for _, by := range []identity.Actor{setup.Actor, used.Actor} {
			_, err := h.SetUpConnection(h.ctx, by, provider())
			wantKind(t, err, identity.NotFound, "setup.unknown")
			_, err = h.FinishSetup(h.ctx, by)
			wantKind(t, err, identity.NotFound, "setup.unknown")
			_, err = h.Connection(h.ctx, by, used.Link.ConnectionID)
			wantKind(t, err, identity.NotFound, "")
			_, _, err = h.BeginTrial(h.ctx, by, used.Link.ConnectionID)
			wantKind(t, err, identity.NotFound, "")
		}
		wantKind(t, h.RevokeSetupLink(h.ctx, h.op, used.Link.ID), identity.NotFound, "")
	})
}

func TestASetupLinkSwitchesOnOnlyWhatWasTestedAsItIs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		for _, tc := range []struct {
			name                    string
			chosen, ok, changedLast bool
			want                    bool
		}{
			{name: "chosen and tested", chosen: true, ok: true, want: true},
			{name: "tested, not chosen", ok: true},
			{name: "chosen, the test failed", chosen: true},
			{name: "chosen, changed after the test", chosen: true, ok: true, changedLast: true},
		} {
			_, token := h.setupLink(acme.ID, func(l *identity.SetupLink) { l.SwitchOn = tc.chosen })
			setup := must[provisioning.Setup](t)(h.OpenSetup(h.ctx, token))
			c := must[identity.Connection](t)(h.SetUpConnection(h.ctx, setup.Actor, provider()))
			trial, _, err := h.BeginTrial(h.ctx, setup.Actor, c.ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.FinishTrial(h.ctx, trial.ID, identity.Trace{ID: identity.NewID[identity.TraceID](), ConnectionID: c.ID, TenantID: acme.ID, OK: tc.ok}); err != nil {
				t.Fatal(err)
			}
			if tc.changedLast {
				changed := provider()
				changed.OIDC.ClientID = "later"
				must[identity.Connection](t)(h.SetUpConnection(h.ctx, setup.Actor, changed))
			}
			if c = must[identity.Connection](t)(h.FinishSetup(h.ctx, setup.Actor)); c.Enabled != tc.want {
				t.Errorf("%s: switched on is %v", tc.name, c.Enabled)
			}
		}
	})
}

// Whoever has a setup link sees the tenant's name and the one connection. Everything else that provisioning can do is refused.
func TestASetupLinkReadsNothingElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, other := h.tenant("Acme"), h.tenant("Other")
		mine := h.connection("A connection of Acme", func(c *identity.Connection) { c.TenantID, c.Domains = acme.ID, []string{"acme.example"} })
		theirs := h.connection("A secret name", func(c *identity.Connection) { c.TenantID, c.Domains = other.ID, []string{"other.example"} })
		l, token := h.setupLink(acme.ID, nil)
		by := must[provisioning.Setup](t)(h.OpenSetup(h.ctx, token)).Actor
		for _, id := range []identity.ConnectionID{mine.ID, theirs.ID} {
			_, err := h.Connection(h.ctx, by, id)
			wantKind(t, err, identity.NotFound, "")
			_, _, err = h.BeginTrial(h.ctx, by, id)
			wantKind(t, err, identity.NotFound, "")
			_, err = h.UpdateConnection(h.ctx, by, id, func(*identity.Connection) error { return nil })
			wantKind(t, err, identity.Forbidden, "")
		}
		for name, err := range h.everythingAs(by, l) {
			if identity.KindOf(err) != identity.Forbidden {
				t.Errorf("%s is %v, not refused", name, err)
			}
		}
		_, _, err := h.CreateSetupLink(h.ctx, h.op, identity.SetupLink{TenantID: acme.ID, Name: "x", Domains: []string{"other.example"}}, time.Hour)
		wantKind(t, err, identity.Conflict, "domain_taken")
	})
}

func (h *house) everythingAs(by identity.Actor, l identity.SetupLink) map[string]error {
	q := identity.Query{Limit: 10}
	out := map[string]error{}
	_, out["connections"] = h.Connections(h.ctx, by, q)
	_, out["users"] = h.Users(h.ctx, by, q)
	_, out["tenants"] = h.Tenants(h.ctx, by, q)
	_, out["directories"] = h.Directories(h.ctx, by, q)
	_, out["events"] = h.Events(h.ctx, by, provisioning.EventQuery{Limit: 1})
	_, out["traces"] = h.Traces(h.ctx, by, provisioning.TraceQuery{Limit: 1})
	_, out["setup links"] = h.SetupLinks(h.ctx, by, q)
	_, out["a setup link"] = h.SetupLink(h.ctx, by, l.ID)
	out["revoking"] = h.RevokeSetupLink(h.ctx, by, l.ID)
	out["deleting"] = h.DeleteConnection(h.ctx, by, l.ConnectionID, true)
	_, out["creating"] = h.CreateConnection(h.ctx, by, provider())
	_, out["health"] = h.ConnectionHealth(h.ctx, by, l.ConnectionID)
	_, _, out["use"] = h.ConnectionUse(h.ctx, by, l.ConnectionID)
	_, out["verified domains"] = h.VerifiedDomains(h.ctx, by, l.TenantID)
	_, out["domains"] = h.Domains(h.ctx, by, q)
	_, out["mails"] = h.Mails(h.ctx, by, 1)
	_, out["warnings"] = h.ConnectionWarnings(h.ctx, by)
	_, out["pending metadata"] = h.PendingMetadata(h.ctx, by, l.ConnectionID)
	_, out["a new key"] = h.RotateConnectionKey(h.ctx, by, l.ConnectionID, provisioning.AddKey)
	out["a plan"] = h.CheckConnectionPlan(h.ctx, by, provider())
	_, _, out["a new link"] = h.CreateSetupLink(h.ctx, by, l, time.Hour)
	return out
}

func TestASetupLinkIsOnlyMadeAsItMayBe(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		good := identity.SetupLink{TenantID: acme.ID, Name: "Acme", Domains: []string{"acme.example"}}
		for name, tc := range map[string]struct {
			change func(*identity.SetupLink)
			age    time.Duration
			field  string
		}{
			"no tenant":        {func(l *identity.SetupLink) { l.TenantID = "" }, time.Hour, "tenant"},
			"no name":          {func(l *identity.SetupLink) { l.Name = " " }, time.Hour, "name"},
			"no domain":        {func(l *identity.SetupLink) { l.Domains = nil }, time.Hour, "domains"},
			"every domain":     {func(l *identity.SetupLink) { l.Domains = []string{"*"} }, time.Hour, "domains"},
			"another protocol": {func(l *identity.SetupLink) { l.Kind = "ldap" }, time.Hour, "kind"},
			"too short":        {func(*identity.SetupLink) {}, 59 * time.Minute, "expires"},
			"too long":         {func(*identity.SetupLink) {}, 31 * 24 * time.Hour, "expires"},
		} {
			l := good
			tc.change(&l)
			_, _, err := h.CreateSetupLink(h.ctx, h.op, l, tc.age)
			if identity.KindOf(err) != identity.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		boss := identity.Actor{Kind: identity.ActorUser, TenantID: acme.ID, Roles: []identity.RoleID{"administrator"}}
		_, _, err := h.CreateSetupLink(h.ctx, boss, good, time.Hour)
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestAConnectionIsDeletedWithItsLinksOnlyWhenThatIsSaid(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.connection("IdP", nil)
		u := must[identity.User](t)(h.signIn(c, claims("s1", "new@example.com")))
		wantKind(t, h.DeleteConnection(h.ctx, h.op, c.ID, false), identity.Conflict, "connection.in_use")
		if err := h.DeleteConnection(h.ctx, h.op, c.ID, true); err != nil {
			t.Fatal(err)
		}
		_, err := h.Connection(h.ctx, h.op, c.ID)
		wantKind(t, err, identity.NotFound, "")
		detail := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, u.ID))
		if len(detail.Links) != 0 {
			t.Errorf("the links stay: %+v", detail.Links)
		}
		events := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{Type: identity.ConnectionDeleted, Limit: 1}))
		if len(events.Items) != 1 || events.Items[0].ObjectLabel != "IdP" {
			t.Errorf("the audit says %+v", events.Items)
		}
		wantKind(t, h.DeleteConnection(h.ctx, h.op, c.ID, true), identity.NotFound, "")
	})
}
