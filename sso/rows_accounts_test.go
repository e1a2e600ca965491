package sso_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
)

// account creates somebody in a tenant (none: above all tenants) with a role.
func (h *house) account(tenant identity.TenantID, email string, role identity.RoleID) identity.User {
	h.t.Helper()
	u, err := h.people.CreateUser(h.t.Context(), h.operator, provisioning.NewUser{
		User: identity.User{TenantID: tenant, UserName: email, Enabled: true, Emails: []identity.Email{{Value: email, Primary: true}}}, Role: role,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

func (h *house) tenant(name string) identity.Tenant {
	h.t.Helper()
	tenant, err := h.people.CreateTenant(h.t.Context(), h.operator, name)
	if err != nil {
		h.t.Fatal(err)
	}
	return tenant
}

// directory creates a directory and returns the actor that its token stands for.
func (h *house) directory(name string) identity.Actor {
	h.t.Helper()
	d, _, err := h.people.CreateDirectory(h.t.Context(), h.operator, identity.Directory{Name: name, Dialect: identity.DialectStandard})
	if err != nil {
		h.t.Fatal(err)
	}
	return identity.Actor{Kind: identity.ActorDirectory, ID: string(d.ID), Label: d.Name, Door: "scim"}
}

func (h *house) push(by identity.Actor, email, externalID string) identity.User {
	h.t.Helper()
	u, err := h.people.CreateUser(h.t.Context(), by, provisioning.NewUser{User: identity.User{
		UserName: email, Enabled: true, ExternalID: externalID, Emails: []identity.Email{{Value: email, Primary: true}},
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

// reviews returns what waits for an administrator.
func (h *house) reviews() []identity.Review {
	h.t.Helper()
	page, err := h.people.Reviews(h.t.Context(), h.operator, provisioning.ReviewQuery{State: identity.ReviewOpen, Limit: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Items
}

func TestE10APrivilegedAccountIsNeverLinkedByItself(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		acme := h.tenant("Acme " + string(kind))
		dir := h.directory("Directory " + string(kind))
		h.edit(h.via(kind), func(c *identity.Connection) { c.DirectoryID = dir.DirectoryID() })
		managed := h.push(dir, "managed-"+string(kind)+"@example.com", "ext-"+string(kind))
		if _, err := h.people.PlaceUsers(t.Context(), h.operator, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: managed.ID}}, Tenant: acme.ID, Role: "administrator"}); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name    string
			subject string
			user    identity.User
		}{
			{"a Super Admin by address", "s1-" + string(kind), h.account("", "root-"+string(kind)+"@example.com", "superadmin")},
			{"a tenant's administrator by address", "s2-" + string(kind), h.account(acme.ID, "boss-"+string(kind)+"@example.com", "administrator")},
			{"a tenant's administrator by the directory's id", "ext-" + string(kind), managed},
		} {
			h.says(tt.subject, tt.user.Email())
			b := h.browser()
			b.wantRefusal(b.signIn(kind, tt.user.Email()), http.StatusForbidden, "link.requires_admin")
			if links := h.detail(tt.user.ID).Links; len(links) != 0 {
				t.Errorf("%s was linked: %+v", tt.name, links)
			}
			waiting := h.reviews()
			if len(waiting) != 1 || waiting[0].Subject != tt.subject || waiting[0].UserID != tt.user.ID {
				t.Fatalf("the inbox has %+v", waiting)
			}
			if err := h.people.LinkFromReview(t.Context(), h.operator, waiting[0].ID, provisioning.Settlement{User: tt.user.ID}); err != nil {
				t.Fatal(err)
			}
			b = h.browser()
			b.wantSession(b.signIn(kind, tt.user.Email()), tt.user.ID)
		}
	})
}

func TestE12WhoIsOutStaysOut(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		dir := h.directory("Directory " + string(kind))
		ways := map[string]func(identity.User) error{
			"deactivated": func(u identity.User) error {
				_, err := h.people.DeactivateUser(t.Context(), h.operator, u.ID, "left")
				return err
			},
			"deprovisioned": func(u identity.User) error {
				_, err := h.people.UpdateUser(t.Context(), dir, u.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil })
				return err
			},
			"locked": func(u identity.User) error { return h.lock(u.ID) },
		}
		codes := map[string]string{"deactivated": "user.inactive", "deprovisioned": "user.inactive", "locked": "user.locked"}
		for name, out := range ways {
			for _, linked := range []bool{true, false} {
				email := name + map[bool]string{true: "-linked-", false: "-new-"}[linked] + string(kind) + "@example.com"
				u := h.push(dir, email, email)
				var old *browser
				if linked {
					old = h.browser()
					old.wantSession(old.signIn(kind, email), u.ID)
				}
				if err := out(u); err != nil {
					t.Fatal(err)
				}
				if old != nil {
					if _, err := old.session(); err == nil {
						t.Error("the old session still works")
					}
				}
				before := len(h.users())
				b := h.browser()
				b.wantRefusal(b.signIn(kind, email), http.StatusForbidden, codes[name])
				if after := h.detail(u.ID).User; after.Status() == identity.StatusActive || len(h.users()) != before {
					t.Errorf("%s: enabled %v, %d users, there were %d", email, after.Enabled, len(h.users()), before)
				}
			}
		}
	})
}

// lock locks an account, which no door can do.
func (h *house) lock(id identity.UserID) error {
	ctx := h.t.Context()
	return h.db.Update(ctx, func(tx *store.Tx) error {
		before, err := tx.UserForUpdate(ctx, store.Everything(), id)
		if err != nil {
			return err
		}
		after, at := before, tx.Now()
		after.LockedAt, after.Version = &at, before.Version+1
		return tx.UpdateUser(ctx, before, after)
	})
}

func TestE13SomebodyDeletedIsNotResurrected(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		email := "gone-" + string(kind) + "@example.com"
		u := h.person(email)
		b := h.browser()
		b.wantSession(b.signIn(kind, email), u.ID)
		if err := h.people.DeleteUser(t.Context(), h.operator, u.ID, 0); err != nil {
			t.Fatal(err)
		}
		before := len(h.users())
		b = h.browser()
		b.wantRefusal(b.signIn(kind, email), http.StatusForbidden, "user.deleted")
		if len(h.users()) != before {
			t.Error("the person was made again without a word of the connection")
		}
		h.edit(h.via(kind), func(c *identity.Connection) { c.Options.DeletedAsNew = true })
		b = h.browser()
		visit := b.wantSession(b.signIn(kind, email), "")
		landing, err := h.people.Landing(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if visit.User.ID == u.ID || visit.User.TenantID != landing.ID || len(visit.Actor.Roles) != 1 || visit.Actor.Roles[0] != "viewer" {
			t.Errorf("signed in as %+v with %v", visit.User, visit.Actor.Roles)
		}
		if len(h.events(u.ID, identity.UserUnlinked)) != 1 || len(h.events(u.ID, identity.UserRestored)) != 0 || len(h.events(visit.User.ID, identity.UserCreated)) != 1 {
			t.Error("the audit does not say what happened")
		}
	})
}

func TestE14AnAddressThatWasGivenToSomebodyElseIsAConflict(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		email := "reused-" + string(kind) + "@example.com"
		u := h.person(email)
		h.says("first-"+string(kind), email)
		b := h.browser()
		b.wantSession(b.signIn(kind, email), u.ID)
		h.says("second-"+string(kind), email)
		before := len(h.users())
		b = h.browser()
		b.wantRefusal(b.signIn(kind, email), http.StatusForbidden, "link.conflict")
		if links := h.detail(u.ID).Links; len(links) != 1 || links[0].Subject != "first-"+string(kind) || len(h.users()) != before {
			t.Errorf("links %+v, %d users", links, len(h.users()))
		}
	})
}

func TestE15TwoPeopleWithOneAddressAreNeverGuessed(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		h.person("Twin-" + string(kind) + "@Example.com")
		h.person("twin-" + string(kind) + "@example.com")
		before := len(h.users())
		b := h.browser()
		trace := b.wantRefusal(b.signIn(kind, "TWIN-"+string(kind)+"@example.com"), http.StatusForbidden, "email.ambiguous")
		if trace.UserID != "" {
			t.Error("the trace picked one of them")
		}
		for _, u := range h.users() {
			if len(h.detail(u.ID).Links) != 0 {
				t.Errorf("%s was linked", u.UserName)
			}
		}
		if len(h.users()) != before {
			t.Error("a third one was made")
		}
	})
}

func TestE21ADirectorysPersonIsLinkedByItsIDElseByAddress(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		dir, k := h.directory("Directory "+string(kind)), string(kind)
		h.edit(h.via(kind), func(c *identity.Connection) { c.DirectoryID = dir.DirectoryID() })
		bySubject := h.push(dir, "subject-"+k+"@example.com", "ext-"+k)
		h.says("ext-"+k, "renamed-"+k+"@example.com")
		b := h.browser()
		b.wantSession(b.signIn(kind, "x@example.com"), bySubject.ID)

		byAddress := h.push(dir, "address-"+k+"@example.com", "not-the-subject-"+k)
		h.says("s-"+k, "address-"+k+"@example.com")
		b = h.browser()
		b.wantSession(b.signIn(kind, "x@example.com"), byAddress.ID)
		if len(h.users()) != 2 && kind == identity.SAML {
			t.Errorf("%d users", len(h.users()))
		}
	})
	eachDatabase(t, func(t *testing.T, h *house) {
		dir := h.directory("Entra")
		h.edit(h.viaOIDC, func(c *identity.Connection) { c.DirectoryID, c.Options.DirectoryKey = dir.DirectoryID(), "oid" })
		byClaim := h.push(dir, "oid@example.com", "oid-1")
		trap := h.push(dir, "trap@example.com", "s-1") // the subject is not what this connection compares
		h.oidc.Change(func(id *ssotest.IDToken) { id.Claims["sub"], id.Claims["oid"] = "s-1", "oid-1" })
		b := h.browser()
		b.wantSession(b.oidcSignIn("somebody@example.com"), byClaim.ID)
		h.oidc.Change(func(id *ssotest.IDToken) { id.Claims["sub"], id.Claims["oid"] = "s-1", []string{"oid-1", "s-1"} })
		b = h.browser()
		b.wantSession(b.oidcSignIn("somebody@example.com"), byClaim.ID) // linked now
		if len(h.detail(trap.ID).Links) != 0 || len(h.users()) != 2 {
			t.Errorf("%d users", len(h.users()))
		}
	})
}

func TestE23AnUnknownAddressLandsAsAViewer(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		b := h.browser()
		visit := b.wantSession(b.signIn(kind, "new-"+string(kind)+"@example.com"), "")
		landing, err := h.people.Landing(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if visit.User.TenantID != landing.ID || len(visit.Actor.Roles) != 1 || visit.Actor.Roles[0] != "viewer" {
			t.Errorf("landed in %s with %v", visit.User.TenantID, visit.Actor.Roles)
		}
		if visit.Session.ConnectionID == "" || visit.Session.IP == "" {
			t.Errorf("the session says too little: %+v", visit.Session)
		}
		created := h.events(visit.User.ID, identity.UserCreated)
		if len(created) != 1 || created[0].ActorID != string(h.via(kind).ID) || !h.passed("jit.created") {
			t.Errorf("audited as %+v\n%s", created, h.traceText())
		}
	})
}

// passed reports whether the newest trace has a check that passed.
func (h *house) passed(name string) bool {
	for _, c := range h.lastTrace().Checks {
		if c.Name == name && c.Result == identity.Passed {
			return true
		}
	}
	return false
}

func TestE24AnUnknownAddressIsRefusedWhereNobodyIsCreated(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		h.edit(h.via(kind), func(c *identity.Connection) { c.Unknown = identity.UnknownRefuse })
		before := len(h.users())
		b := h.browser()
		trace := b.wantRefusal(b.signIn(kind, "new@example.com"), http.StatusForbidden, "jit.off")
		if trace.Message == "" || len(h.users()) != before {
			t.Errorf("%d users, the help is %q", len(h.users()), trace.Message)
		}
	})
}

func TestE25TwentyFirstSignInsOfOnePersonMakeOneUser(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		email := "crowd-" + string(kind) + "@example.com"
		var wg sync.WaitGroup
		replies := make([]reply, 20)
		browsers := make([]*browser, 20)
		for i := range replies {
			browsers[i] = h.browser()
			wg.Go(func() { replies[i] = browsers[i].signIn(kind, email) })
		}
		wg.Wait()
		for i, res := range replies {
			if res.StatusCode != http.StatusSeeOther {
				t.Errorf("browser %d: %d\n%s", i, res.StatusCode, h.traceText())
			}
		}
		var same []identity.User
		for _, u := range h.users() {
			if u.Email() == email {
				same = append(same, u)
			}
		}
		if len(same) != 1 {
			t.Fatalf("%d users", len(same))
		}
		if links := h.detail(same[0].ID).Links; len(links) != 1 {
			t.Errorf("%d links", len(links))
		}
	})
}

func TestE27WhoWasPlacedStaysWhereTheyWerePut(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		email := "placed-" + string(kind) + "@example.com"
		acme := h.tenant("Acme " + string(kind))
		b := h.browser()
		u := b.wantSession(b.signIn(kind, email), "").User
		if _, err := h.people.PlaceUsers(t.Context(), h.operator, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: u.ID}}, Tenant: acme.ID, Role: "operator"}); err != nil {
			t.Fatal(err)
		}
		b = h.browser()
		visit := b.wantSession(b.signIn(kind, email), u.ID)
		if visit.User.TenantID != acme.ID || len(visit.Actor.Roles) != 1 || visit.Actor.Roles[0] != "operator" {
			t.Errorf("in %s with %v", visit.User.TenantID, visit.Actor.Roles)
		}
	})
}

func TestE35AConnectionThatIsSwitchedOffOrDeletedRefusesAlsoWhoIsOnTheWay(t *testing.T) {
	everyDoor(t, func(t *testing.T, h *house, kind identity.ConnectionKind) {
		c, b := h.via(kind), h.browser()
		known := h.browser()
		known.wantSession(known.signIn(kind, ada.Email), "")
		onTheWay := func() func() reply {
			if kind == identity.OIDC {
				callback := b.callbackURL(ada.Email)
				return func() reply { return b.get(callback) }
			}
			response := b.samlResponse(ada.Email, "/console")
			return func() reply { return b.postResponse(response) }
		}
		finish, later := onTheWay(), onTheWay()
		h.edit(c, func(c *identity.Connection) { c.Enabled = false })
		b.wantRefusal(finish(), http.StatusForbidden, "connection.disabled")
		b.wantRefusal(b.get(h.at(c, "login")), http.StatusForbidden, "connection.disabled")
		if kind == identity.SAML { // a response that no request of ours asked for
			b.wantRefusal(b.postResponse(h.answer("", nil)), http.StatusForbidden, "connection.disabled")
		}
		h.edit(c, func(c *identity.Connection) { c.Enabled = true })
		if err := h.people.DeleteConnection(t.Context(), h.operator, c.ID, true); err != nil {
			t.Fatal(err)
		}
		if res := later(); res.StatusCode != http.StatusNotFound {
			t.Errorf("the deleted connection answered %d", res.StatusCode)
		}
		if _, err := b.session(); err == nil {
			t.Error("somebody came in through a deleted connection")
		}
	})
}
