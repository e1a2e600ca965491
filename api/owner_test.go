package api_test

import (
	"testing"

	"github.com/drawbridge-id/drawbridge/api"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestNobodyOfATenantTakesTheAccountOfItsOwner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := buildOn(t, db, storetest.Preset(t, db, "fluentpro-backup"), api.Options{})
		owner, admin := h.person("olga@acme.example", h.acme.ID, "admin"), h.person("adam@acme.example", h.acme.ID, "admin")
		_, err := h.prov.TransferOwnership(t.Context(), identity.Operator(), provisioning.Ownership{Tenant: h.acme.ID, User: owner.ID, Reason: "registered it"})
		must(t, err)
		by := identity.Actor{Kind: identity.ActorUser, ID: string(admin.ID), TenantID: h.acme.ID, Roles: []identity.RoleID{"admin"}}
		hash, err := h.authn.HashPassword(t.Context(), "another Long 1 passphrase")
		must(t, err)
		t.Run("FP-10 the owner cannot be changed: no password, key or session of an owner is an administrator's", func(t *testing.T) {
			for what, err := range map[string]error{
				"password": h.authn.SetPassword(t.Context(), by, owner.ID, hash), "second factor": h.authn.ResetSecondFactor(t.Context(), by, owner.ID, "lost"),
				"sessions": second(h.authn.EndSessions(t.Context(), by, owner.ID, "")),
			} {
				if identity.CodeOf(err) != "tenant_owner" {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
		t.Run("other people's are", func(t *testing.T) {
			must(t, h.authn.SetPassword(t.Context(), by, h.person("mia@acme.example", h.acme.ID, "member").ID, hash))
			must(t, h.authn.SetPassword(t.Context(), identity.Operator(), owner.ID, hash))
		})
	})
}
