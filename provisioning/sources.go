package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// sourceOrNew returns a source, or an empty one of that name where nobody has said anything about it yet.
func sourceOrNew(ctx context.Context, tx *store.Tx, tenant identity.TenantID, name string) (identity.Source, error) {
	source, err := tx.Source(ctx, tenant, name)
	if identity.KindOf(err) == identity.NotFound {
		return identity.Source{TenantID: tenant, Name: name}, nil
	}
	return source, err
}

// rememberMapping keeps how the file of a plan was read for the next one of its source.
func rememberMapping(ctx context.Context, tx *store.Tx, plan identity.Plan) error {
	if len(plan.Options.Mapping) == 0 {
		return nil
	}
	source, err := sourceOrNew(ctx, tx, plan.TenantID, plan.Source)
	if err != nil {
		return err
	}
	source.Settings.Mapping, source.Settings.Transforms, source.Settings.Form = plan.Options.Mapping, plan.Options.Transforms, plan.Options.Form
	return tx.PutSource(ctx, source)
}
