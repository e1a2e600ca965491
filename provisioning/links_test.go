package provisioning_test

import (
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

func (h *house) userIn(tenant identity.TenantID, name string, role identity.RoleID) identity.User {
	h.t.Helper()
	return must[identity.User](h.t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person(name), tenant), Role: role}))
}

// sessionThrough puts a session of a user into the database that a provider's subject began.
func (h *house) sessionThrough(c identity.Connection, subject string, id identity.UserID) {
	h.t.Helper()
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		s := identity.Session{
			ID: identity.NewID[identity.SessionID](), UserID: id, ConnectionID: c.ID, Issuer: "https://idp.example.com", Subject: subject,
			CreatedAt: tx.Now(), LastSeenAt: tx.Now(), ExpiresAt: tx.Now().AddDate(0, 0, 1),
		}
		return tx.InsertSession(h.ctx, s, identity.HashSecret(string(s.ID)), "")
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestALinkByHandIsFollowedAndItsEndEndsWhatItBegan(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		u, other := h.userIn(acme.ID, "ada@example.com", "viewer"), h.userIn(acme.ID, "bob@example.com", "viewer")
		c := h.connection("IdP", func(c *identity.Connection) {
			c.Unknown = identity.UnknownRefuse
			c.Options.Ceiling = []identity.RoleID{"editor"}
			c.Options.Rules = []identity.Rule{{Attribute: "groups", Value: "eng", Role: "editor"}}
		})
		l := identity.Link{ConnectionID: c.ID, Subject: "s1"} // the issuer is the connection's
		if err := h.LinkUser(h.ctx, h.op, u.ID, l, "asked her"); err != nil {
			t.Fatal(err)
		}
		wantKind(t, h.LinkUser(h.ctx, h.op, other.ID, l, ""), identity.Conflict, "link.taken")
		wantKind(t, h.LinkUser(h.ctx, h.op, u.ID, identity.Link{ConnectionID: c.ID, Subject: "s2"}, ""), identity.Conflict, "link.conflict")
		wantKind(t, h.LinkUser(h.ctx, h.op, u.ID, identity.Link{ConnectionID: c.ID}, ""), identity.Invalid, "")
		cl := claims("s1", "whatever@elsewhere.test")
		cl.Groups = []string{"eng"}
		if in := must[identity.User](t)(h.signIn(c, cl)); in.ID != u.ID || h.roles(u.ID) != "viewer editor " {
			t.Errorf("signed in as %s with %s", in.UserName, h.roles(u.ID))
		}
		h.sessionThrough(c, "s1", u.ID)
		h.session(u.ID)
		found := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, u.ID)).Links[0]
		if err := h.UnlinkUser(h.ctx, h.op, u.ID, found, "left that provider"); err != nil {
			t.Fatal(err)
		}
		if h.sessions(u.ID) != 1 || h.roles(u.ID) != "viewer " {
			t.Errorf("%d sessions, roles %s", h.sessions(u.ID), h.roles(u.ID))
		}
		wantKind(t, h.UnlinkUser(h.ctx, h.op, u.ID, found, ""), identity.NotFound, "")
		_, err := h.signIn(c, cl)
		wantKind(t, err, identity.Forbidden, "email.domain_not_allowed")
	})
}

func TestWhoMayLinkWhom(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		root, boss := h.admin("root@example.com"), h.userIn(acme.ID, "boss@acme.test", "administrator")
		viewer, theirs := h.userIn(acme.ID, "v@acme.test", "viewer"), h.userIn(beta.ID, "v@beta.test", "viewer")
		of := func(name string, tenant identity.TenantID, domain string) identity.Link {
			c := h.connection(name, func(c *identity.Connection) { c.TenantID, c.Domains = tenant, []string{domain} })
			return identity.Link{ConnectionID: c.ID, Subject: "s-" + name}
		}
		ours, mine, foreign := of("Ours", "", "example.com"), of("Acme", acme.ID, "acme.test"), of("Beta", beta.ID, "beta.test")
		for _, tt := range []struct {
			name string
			by   identity.UserID
			user identity.UserID
			link identity.Link
			kind identity.Kind
		}{
			{"a viewer", viewer.ID, viewer.ID, mine, identity.Forbidden},
			{"an administrator, somebody of another tenant", boss.ID, theirs.ID, mine, identity.NotFound},
			{"an administrator, another tenant's provider", boss.ID, viewer.ID, foreign, identity.NotFound},
			{"an administrator, the installation's provider", boss.ID, viewer.ID, ours, identity.NotFound},
			{"a Super Admin, herself at a tenant's provider", root.ID, root.ID, mine, identity.Forbidden},
		} {
			if err := h.LinkUser(h.ctx, h.as(tt.by), tt.user, tt.link, ""); identity.KindOf(err) != tt.kind {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		second := h.userIn(acme.ID, "second@acme.test", "administrator")
		wantKind(t, h.LinkUser(h.ctx, h.as(boss.ID), second.ID, mine, ""), identity.Forbidden, "link.requires_admin")
		for name, err := range map[string]error{
			"an administrator, a viewer of the own tenant": h.LinkUser(h.ctx, h.as(boss.ID), viewer.ID, mine, ""),
			"a Super Admin, an administrator":              h.LinkUser(h.ctx, h.as(root.ID), second.ID, ours, ""),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		l := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, second.ID)).Links[0]
		wantKind(t, h.UnlinkUser(h.ctx, h.as(viewer.ID), second.ID, l, ""), identity.Forbidden, "")
		wantKind(t, h.UnlinkUser(h.ctx, h.as(second.ID), second.ID, l, ""), identity.Forbidden, "link.last")
		if err := h.LinkUser(h.ctx, h.as(root.ID), second.ID, identity.Link{ConnectionID: mine.ConnectionID, Subject: "another"}, ""); err != nil {
			t.Fatal(err)
		}
		if err := h.UnlinkUser(h.ctx, h.as(second.ID), second.ID, l, ""); err != nil {
			t.Errorf("one of two ways in is not removed: %v", err)
		}
	})
}

func TestAPendingLinkIsForItsOwnerInItsBrowserAndForTenMinutes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		u, other := h.userIn(acme.ID, "ada@example.com", "viewer"), h.userIn(acme.ID, "bob@example.com", "viewer")
		c := h.connection("IdP", nil)
		browser, elsewhere := identity.HashSecret("this"), identity.HashSecret("another")
		cl := claims("s1", "ada@example.com")
		if err := h.SavePendingLink(h.ctx, c, cl, u.ID, browser, true); err != nil {
			t.Fatal(err)
		}
		for name, seen := range map[string][]identity.PendingLink{
			"somebody else":   must[[]identity.PendingLink](t)(h.PendingLinks(h.ctx, h.as(other.ID), browser)),
			"another browser": must[[]identity.PendingLink](t)(h.PendingLinks(h.ctx, h.as(u.ID), elsewhere)),
			"no browser":      must[[]identity.PendingLink](t)(h.PendingLinks(h.ctx, h.as(u.ID), nil)),
			"the operator":    must[[]identity.PendingLink](t)(h.PendingLinks(h.ctx, h.op, browser)),
		} {
			if len(seen) != 0 {
				t.Errorf("%s sees %+v", name, seen)
			}
		}
		l := must[[]identity.PendingLink](t)(h.PendingLinks(h.ctx, h.as(u.ID), browser))[0]
		for name, by := range map[string]identity.Actor{"somebody else": h.as(other.ID), "the operator": h.op} {
			if _, err := h.ConfirmLink(h.ctx, by, provisioning.Confirmation{ID: l.ID, Browser: browser, Proven: true}); identity.KindOf(err) != identity.NotFound {
				t.Errorf("%s confirmed it: %v", name, err)
			}
		}
		_, err := h.ConfirmLink(h.ctx, h.as(u.ID), provisioning.Confirmation{ID: l.ID, Browser: elsewhere, Proven: true})
		wantKind(t, err, identity.NotFound, "")
		must[identity.PendingLink](t)(h.ConfirmLink(h.ctx, h.as(u.ID), provisioning.Confirmation{ID: l.ID, Browser: browser}))
		_, err = h.ConfirmLink(h.ctx, h.as(u.ID), provisioning.Confirmation{ID: l.ID, Browser: browser})
		wantKind(t, err, identity.NotFound, "")

		if err := h.SavePendingLink(h.ctx, c, cl, other.ID, browser, true); err != nil {
			t.Fatal(err)
		}
		l = must[[]identity.PendingLink](t)(h.PendingLinks(h.ctx, h.as(other.ID), browser))[0]
		_, err = h.ConfirmLink(h.ctx, h.as(other.ID), provisioning.Confirmation{ID: l.ID, Browser: browser})
		wantKind(t, err, identity.Conflict, "link.taken")
		if err := h.DropPendingLink(h.ctx, h.as(other.ID), l.ID, browser); err != nil {
			t.Fatal(err)
		}
		if left := must[[]identity.PendingLink](t)(h.PendingLinks(h.ctx, h.as(other.ID), browser)); len(left) != 0 {
			t.Errorf("it still waits: %+v", left)
		}
		h.expired(t, c, u, browser)
	})
}

// expired: what is older than ten minutes is not offered, and is swept.
func (h *house) expired(t *testing.T, c identity.Connection, u identity.User, browser []byte) {
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		then := tx.Now().Add(-identity.PendingLinkAge)
		return tx.InsertPendingLink(h.ctx, identity.PendingLink{
			ID: identity.NewID[identity.PendingLinkID](), ConnectionID: c.ID, Issuer: "i", Subject: "s9", UserID: u.ID, BrowserHash: browser, CreatedAt: then, ExpiresAt: then.Add(identity.PendingLinkAge),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if left := must[[]identity.PendingLink](t)(h.PendingLinks(h.ctx, h.as(u.ID), browser)); len(left) != 0 {
		t.Errorf("what has expired is offered: %+v", left)
	}
}

func TestATenantsProviderGivesNothingInAnotherTenant(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		c := h.connection("Acme's", func(c *identity.Connection) {
			c.TenantID = acme.ID
			c.Options.Ceiling = []identity.RoleID{"administrator"}
			c.Options.Rules = []identity.Rule{{Attribute: "groups", Value: "admins", Role: "administrator"}}
		})
		cl := claims("s1", "ada@example.com")
		cl.Groups = []string{"admins"}
		u := must[identity.User](t)(h.signIn(c, cl))
		if h.roles(u.ID) != "viewer " {
			t.Errorf("in SSO Landing it gave %s", h.roles(u.ID))
		}
		must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: u.ID}}, Tenant: beta.ID, Role: "viewer"}))
		must[identity.User](t)(h.signIn(c, cl))
		if h.roles(u.ID) != "viewer " {
			t.Errorf("in another tenant it gave %s", h.roles(u.ID))
		}
		must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: u.ID}}, Tenant: acme.ID, Role: "viewer"}))
		must[identity.User](t)(h.signIn(c, cl))
		if h.roles(u.ID) != "viewer administrator " {
			t.Errorf("at home it gave %s", h.roles(u.ID))
		}
	})
}
