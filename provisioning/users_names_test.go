package provisioning_test

import (
	"slices"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

func TestUserNamesOfTheFieldServiceSystem(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		addressed := func(name, email string) identity.User {
			return identity.User{UserName: name, DisplayName: "Ada Lovelace", Emails: []identity.Email{{Value: email, Primary: true}}}
		}
		create := func(u identity.User) (identity.User, error) {
			return h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: u, Role: "read_only", Reason: "joined"})
		}
		t.Run("FSM-05 an administrator creates accounts", func(t *testing.T) {
			admin := h.actor(h.clerk("admin", "administrator", identity.Position{}).ID)
			u := must[identity.User](t)(h.CreateUser(h.ctx, admin, provisioning.NewUser{User: withTenant(named("made"), admin.TenantID), Role: "dispatcher", Reason: "joined"}))
			if e := h.lastAbout(u.ID); e.Type != identity.UserCreated || e.ActorID != admin.ID || e.Reason != "joined" {
				t.Errorf("%+v", e)
			}
			_, err := h.CreateUser(h.ctx, h.actor(u.ID), provisioning.NewUser{User: withTenant(named("more"), admin.TenantID), Role: "dispatcher", Reason: "joined"})
			wantKind(t, err, identity.Forbidden, "")
		})
		t.Run("FSM-56 the user name is the e-mail address unless somebody says otherwise", func(t *testing.T) {
			u := must[identity.User](t)(create(addressed("", "ada@example.com")))
			if u.UserName != "ada@example.com" {
				t.Errorf("%+v", u)
			}
			_, err := create(addressed(" ", ""))
			wantKind(t, err, identity.Invalid, "")
		})
		t.Run("FSM-56 a user name is unique", func(t *testing.T) {
			_, err := create(addressed("", "Ada@Example.com"))
			wantKind(t, err, identity.Conflict, "uniqueness")
		})
		t.Run("FSM-10 in any case", func(t *testing.T) {
			must[identity.User](t)(create(addressed("countess", "c@example.com")))
			_, err := create(addressed("COUNTESS", "d@example.com"))
			wantKind(t, err, identity.Conflict, "uniqueness")
			wantSaid(t, err, `The user name "COUNTESS" is taken; choose another.`)
		})
		t.Run("FSM-11 the e-mail address is a field of its own", func(t *testing.T) {
			u := must[identity.User](t)(create(addressed("apart", "contact@example.com")))
			if u.UserName != "apart" || u.Email() != "contact@example.com" {
				t.Errorf("%+v", u)
			}
		})
		t.Run("FSM-12 the full name is what people see", func(t *testing.T) {
			u := must[identity.User](t)(create(addressed("full", "full@example.com")))
			if u.Label() != "Ada Lovelace" {
				t.Error(u.Label())
			}
		})
		t.Run("FSM-57 the role that is proposed is the least", func(t *testing.T) {
			if got := must[identity.RoleID](t)(h.ProposedRole(h.ctx, h.op, "")); got != "read_only" {
				t.Error(got)
			}
			if s := h.standing(must[identity.User](t)(create(named("least"))).ID); s.Type != "read_only" || s.DataLevel != "personal" || s.Admin {
				t.Errorf("%+v", s)
			}
		})
	})
}

func TestAUserNameIsChangedByAnAdministratorOnly(t *testing.T) {
	rename := func(u *identity.User) error { u.UserName = "other"; return nil }
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		t.Run("FSM-67 an administrator may, whoever it is about may not", func(t *testing.T) {
			admin := h.actor(h.clerk("admin", "administrator", identity.Position{}).ID)
			u := h.clerk("ada", "dispatcher", identity.Position{})
			_, err := h.UpdateUser(h.ctx, h.actor(u.ID), u.ID, 0, rename)
			wantKind(t, err, identity.Forbidden, "")
			must[identity.User](t)(h.UpdateUser(h.ctx, admin, u.ID, 0, rename))
			e := h.lastAbout(u.ID)
			if e.Type != identity.UserUpdated || e.Changes[0].Field != "userName" || e.Changes[0].Before != "ada" || e.Changes[0].After != "other" {
				t.Errorf("%+v", e)
			}
		})
	})
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		u := h.clerk("ada", "officer", identity.Position{})
		_, err := h.UpdateUser(h.ctx, h.actor(h.clerk("admin", "user_management", identity.Position{}).ID), u.ID, 0, rename)
		wantKind(t, err, identity.Invalid, "mutability")
	})
}

func TestAPersonsPageSaysWhereSomebodyComesFromAndWhenTheyCameIn(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		detail := func(id identity.UserID) provisioning.UserDetail {
			return must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, id))
		}
		by := h.clerk("ada", "dispatcher", identity.Position{})
		pushed := h.push(h.directory("Okta", "", "okta"), "pushed@example.com")
		c := h.connection("IdP", nil)
		yes := true
		came := must[identity.User](t)(h.signIn(c, identity.Claims{Issuer: "https://idp.example.com", Subject: "s1", Email: "came@example.com", EmailVerified: &yes}))
		t.Run("FSM-17 when, and by which way: manual, SCIM, SSO", func(t *testing.T) {
			for id, want := range map[identity.UserID]provisioning.Origin{by.ID: provisioning.OriginManual, pushed.ID: provisioning.OriginSCIM, came.ID: provisioning.OriginSSO} {
				if d := detail(id); d.Origin != want || d.User.CreatedAt.IsZero() {
					t.Errorf("%s %s, want %s", d.User.UserName, d.Origin, want)
				}
			}
		})
		t.Run("FSM-17 import and invitation", func(t *testing.T) {
			err := h.db.Update(h.ctx, func(tx *store.Tx) error {
				a := must[[]identity.Assignment](t)(tx.Assignments(h.ctx, by.ID))[0]
				a.ID, a.Source, a.CreatedAt = identity.NewID[identity.AssignmentID](), identity.SourceImport, a.CreatedAt.Add(-time.Second)
				return tx.InsertAssignment(h.ctx, a)
			})
			if d := detail(by.ID); err != nil || d.Origin != provisioning.OriginImport {
				t.Errorf("%s %v", d.Origin, err)
			}
			i := must[identity.Invitation](t)(h.Invite(h.ctx, h.op, provisioning.NewInvitation{Email: "invited@example.com", Role: "read_only", Reason: "joins", Position: identity.Position{DataLevel: "team"}}))
			if d := detail(i.User.ID); d.Origin != provisioning.OriginInvitation || d.Tenant.Name != "Main" || d.Standing.DataLevel != "team" {
				t.Errorf("%s %+v", d.Origin, d.Standing)
			}
		})
		t.Run("FSM-16 the last login with its method and connection", func(t *testing.T) {
			if d := detail(by.ID); d.LastSignIn != nil {
				t.Errorf("%+v", d.LastSignIn)
			}
			h.came(by, "")
			h.came(came, c.ID)
			if s := detail(by.ID).LastSignIn; s == nil || s.Method != "password" || s.ConnectionID != "" || s.At.IsZero() {
				t.Errorf("%+v", s)
			}
			if s := detail(came.ID).LastSignIn; s == nil || s.Method != string(c.Kind) || s.ConnectionID != c.ID || s.ConnectionName != "IdP" {
				t.Errorf("%+v", s)
			}
		})
		t.Run("FSM-16 it stays when the session is over", func(t *testing.T) {
			err := h.db.Update(h.ctx, func(tx *store.Tx) error { _, err := tx.DeleteSessionsOf(h.ctx, came.ID, ""); return err })
			if s := detail(came.ID).LastSignIn; err != nil || s == nil || s.ConnectionName != "IdP" {
				t.Errorf("%+v %v", s, err)
			}
		})
	})
}

// came notes a sign-in as the sign-in pages do.
func (h *house) came(u identity.User, c identity.ConnectionID) {
	h.t.Helper()
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		e := identity.Event{Type: identity.SessionStarted, UserID: u.ID, TenantID: u.TenantID, Door: "console", Changes: []identity.Change{{Field: "ip", After: "203.0.113.9"}}}
		if c != "" {
			e.Changes = append(slices.Clone(e.Changes), identity.Change{Field: "connection", After: string(c)})
		}
		if err := tx.InsertEvent(h.ctx, e); err != nil {
			return err
		}
		return tx.SetLastLogin(h.ctx, u.ID, tx.Now())
	})
	if err != nil {
		h.t.Fatal(err)
	}
}
