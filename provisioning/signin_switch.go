package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// SwitchSSO lets a tenant's own providers sign people in, or ends that: whoever runs the installation decides which of its tenants have single sign-on. It is on unless somebody switched it
// off. The connections stay as they are; while it is off they refuse everybody. Precondition with the code "sso.required" while the tenant's people come in through its provider only.
func (s *Service) SwitchSSO(ctx context.Context, by identity.Actor, tenant identity.TenantID, on bool) error {
	if err := s.platform(by); err != nil {
		return err
	}
	if tenant == "" || !validIDs(&tenant) {
		return noTenant()
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		for _, name := range []string{"require_sso", "tenant_settings"} {
			if err := tx.Lock(ctx, name); err != nil {
				return err
			}
		}
		t, err := tx.Tenant(ctx, store.Everything(), tenant)
		if err != nil {
			return err
		}
		settings, err := tx.TenantSettings(ctx, t.ID)
		if err != nil || settings.WithoutSSO == !on {
			return err
		}
		if t.RequireSSO && !on {
			return identity.Errorf(identity.Precondition, "The people of %s come in through its provider only; let them use passwords first.", t.Name).WithCode("sso.required")
		}
		settings.WithoutSSO = !on
		if err := tx.PutTenantSettings(ctx, t.ID, settings); err != nil {
			return err
		}
		e := event(by, identity.TenantUpdated)
		e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = t.ID, "tenant", string(t.ID), t.Name
		e.Changes = []identity.Change{{Field: "single sign-on", Before: !on, After: on}}
		return tx.InsertEvent(ctx, e)
	})
	return sharpen(err, noTenant)
}

// switchedOn refuses everybody who comes through a provider of a tenant that has no single sign-on.
func (a *signIn) switchedOn(ctx context.Context) error {
	if a.c.TenantID == "" {
		return nil
	}
	settings, err := a.tx.TenantSettings(ctx, a.c.TenantID)
	if err == nil && settings.WithoutSSO {
		err = a.refuse("sso.off", "Single sign-on is switched off for this tenant.", "Whoever runs the installation switches it on.")
	}
	return err
}
