package authn_test

import (
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

func TestPoliciesSayWhoseWordTheyAre(t *testing.T) {
	on(t, "fentu-fsm", func(t *testing.T, h *house) {
		p, err := h.Policies(t.Context(), identity.Operator())
		if err != nil {
			t.Fatal(err)
		}
		if p.MinPassword != 12 || p.Model.PasswordClasses != 3 || p.Default.SessionIdle != 8*time.Hour || p.SessionIdle != 30*time.Minute || p.Idle != 0 || !p.NeverUnlock || !p.KeysByModel {
			t.Errorf("%+v", p)
		}
		if len(p.Enforced) != 1 || p.Enforced[0].ID != "administrator" {
			t.Errorf("a second factor is asked of %v", p.Enforced)
		}
		ada := h.person(h.acme, "ada", "dispatcher")
		_, err = h.Policies(t.Context(), identity.Actor{Kind: identity.ActorUser, ID: string(ada.ID), TenantID: h.acme, Roles: []identity.RoleID{"dispatcher"}})
		if identity.KindOf(err) != identity.Forbidden {
			t.Errorf("who may not see users reads them: %v", err)
		}
	})
}

func TestRulesOfATenantThatSomebodyElseChangedAreNotLost(t *testing.T) {
	on(t, "fentu-fsm", func(t *testing.T, h *house) {
		ctx, seen := t.Context(), authn.TenantRules{}
		mine := authn.TenantRules{SessionRules: authn.SessionRules{Idle: 20 * time.Minute}, SecondFactor: true}
		if _, err := h.ChangeTenantRules(ctx, identity.Operator(), h.acme, seen, mine); err != nil {
			t.Fatal(err)
		}
		now, err := h.ChangeTenantRules(ctx, identity.Operator(), h.acme, seen, authn.TenantRules{})
		if identity.KindOf(err) != identity.Precondition || authn.RulesOf(now) != mine {
			t.Errorf("behind: %v, and it says %+v", err, now)
		}
		if _, err := h.ChangeTenantRules(ctx, identity.Operator(), h.acme, mine, authn.TenantRules{Worth: "sometimes"}); identity.KindOf(err) != identity.Invalid {
			t.Error(err)
		}
		if _, err := h.ChangeTenantRules(ctx, identity.Operator(), h.acme, mine, authn.TenantRules{}); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoSeesWhichKeys(t *testing.T) {
	on(t, "etlworks", func(t *testing.T, h *house) {
		ctx := t.Context()
		ada, eve := h.person(h.acme, "ada", "administrator"), h.person(h.umbr, "eve", "editor")
		bob := h.person(h.acme, "bob", "viewer")
		for _, u := range []identity.User{ada, eve, bob} {
			if _, _, err := h.CreateAPIKey(ctx, identity.Operator(), u.ID, "report", ""); err != nil {
				t.Fatal(err)
			}
		}
		by := func(u identity.User, role identity.RoleID) identity.Actor {
			return identity.Actor{Kind: identity.ActorUser, ID: string(u.ID), TenantID: u.TenantID, Roles: []identity.RoleID{role}}
		}
		mine, err := h.KeysWhere(ctx, by(ada, "administrator"), authn.KeyQuery{})
		if err != nil || len(mine.Items) != 2 {
			t.Fatalf("%d keys, %v", len(mine.Items), err)
		}
		if all, err := h.KeysWhere(ctx, identity.Operator(), authn.KeyQuery{Query: identity.Query{Limit: 2}}); err != nil || len(all.Items) != 2 || !all.More {
			t.Errorf("the first page: %d, more %v, %v", len(all.Items), all.More, err)
		}
		if _, err := h.KeysWhere(ctx, by(bob, "viewer"), authn.KeyQuery{}); identity.KindOf(err) != identity.Forbidden {
			t.Error(err)
		}
		if _, err := h.ChooseKeyRoles(ctx, identity.Operator(), authn.KeyChoice{Roles: []identity.RoleID{"administrator"}}, "fewer"); err != nil {
			t.Fatal(err)
		}
		mine, err = h.KeysWhere(ctx, by(ada, "administrator"), authn.KeyQuery{})
		for _, k := range mine.Items {
			if works := k.Why == ""; err != nil || works != (k.UserID == ada.ID) {
				t.Errorf("the key of %s: %q %v", k.User.Label(), k.Why, err)
			}
		}
		if why, err := h.MayHaveKey(ctx, by(bob, "viewer")); err != nil || why == "" {
			t.Errorf("a viewer is told %q, %v", why, err)
		}
		if why, err := h.MayHaveKey(ctx, by(ada, "administrator")); err != nil || why != "" {
			t.Errorf("an administrator is told %q, %v", why, err)
		}
	})
}
