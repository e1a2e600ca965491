package acceptance

import (
	"net/http"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// What the users' side asks of single sign-on, through both protocols: whom an address finds, where unknown people land, and who moves them.
func TestPeopleComeInAreMatchedLandAndAreMoved(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, c := range []identity.Connection{h.viaSAML, h.viaOIDC} {
			t.Run(string(c.Kind), func(t *testing.T) { h.arrivals(t, c) })
		}
	})
}

func (h *house) arrivals(t *testing.T, c identity.Connection) {
	acme, root := h.tenant(), h.person("", "root-"+string(c.Kind)+"@example.org", "superadmin")
	known := string(c.Kind) + "-known@example.com"
	u := h.person(acme.ID, known, "editor")
	t.Run("ETL-36 MIS-03 an internal user is found by the e-mail address", func(t *testing.T) {
		b := h.browser()
		if res := b.signIn(c, known); res.StatusCode != http.StatusSeeOther {
			t.Fatalf("answered %d: %+v", res.StatusCode, h.lastTrace())
		}
		if visit, err := b.session(); err != nil || visit.User.ID != u.ID {
			t.Fatalf("signed in as %q (%v)", visit.User.UserName, err)
		}
		if links := h.linksOf(u.ID); len(links) != 1 || links[0].ConnectionID != c.ID {
			t.Errorf("linked as %+v", links)
		}
	})
	t.Run("ETL-37 an existing user is logged in as usual", func(t *testing.T) {
		b := h.browser()
		b.signIn(c, known)
		visit, err := b.session()
		if err != nil || visit.User.TenantID != acme.ID || len(visit.User.Roles) != 1 || visit.User.Roles[0].ID != "editor" {
			t.Fatalf("%+v, %v", visit.User, err)
		}
		if _, err := h.people.DeactivateUser(t.Context(), identity.Operator(), u.ID, "left"); err != nil {
			t.Fatal(err)
		}
		if res := h.browser().signIn(c, known); res.StatusCode == http.StatusSeeOther || h.lastTrace().OK {
			t.Errorf("whoever was deactivated came in: %d", res.StatusCode)
		}
	})
	var landed identity.User
	t.Run("ETL-38 MIS-04 somebody unknown lands in SSO Landing as Viewer", func(t *testing.T) {
		b := h.browser()
		b.signIn(c, string(c.Kind)+"-new@example.com")
		visit, err := b.session()
		if err != nil {
			t.Fatal(err)
		}
		landed = visit.User
		home, err := h.people.Tenant(t.Context(), identity.Operator(), landed.TenantID)
		if err != nil || home.Name != "SSO Landing" || len(landed.Roles) != 1 || landed.Roles[0].ID != "viewer" {
			t.Errorf("landed in %q as %+v (%v)", home.Name, landed.Roles, err)
		}
	})
	t.Run("ETL-39 MIS-05 a Super Admin moves them to the right tenant with a role", func(t *testing.T) {
		by := identity.Actor{Kind: identity.ActorUser, ID: string(root.ID), Label: root.UserName, Roles: []identity.RoleID{"superadmin"}, Door: "console"}
		local := identity.Actor{Kind: identity.ActorUser, ID: string(u.ID), TenantID: acme.ID, Roles: []identity.RoleID{"administrator"}, Door: "console"}
		p := provisioning.Placement{Users: []provisioning.PlacedUser{{ID: landed.ID}}, Tenant: acme.ID, Role: "operator", Reason: "belongs there"}
		if _, err := h.people.PlaceUsers(t.Context(), local, p); identity.KindOf(err) != identity.Forbidden {
			t.Errorf("an administrator of a tenant moved them: %v", err)
		}
		if _, err := h.people.PlaceUsers(t.Context(), by, p); err != nil {
			t.Fatal(err)
		}
		b := h.browser()
		b.signIn(c, string(c.Kind)+"-new@example.com")
		visit, err := b.session()
		if err != nil || visit.User.ID != landed.ID || visit.User.TenantID != acme.ID || len(visit.User.Roles) != 1 || visit.User.Roles[0].ID != "operator" {
			t.Fatalf("%+v, %v", visit.User, err)
		}
		events, err := h.people.Events(t.Context(), identity.Operator(), provisioning.EventQuery{UserID: landed.ID, Limit: 50})
		if err != nil {
			t.Fatal(err)
		}
		placed := 0
		for _, e := range events.Items {
			if e.Type == identity.UserPlaced && e.ActorID == string(root.ID) && e.Reason == "belongs there" {
				placed++
			}
		}
		if placed != 1 {
			t.Errorf("told %d times", placed)
		}
	})
}
