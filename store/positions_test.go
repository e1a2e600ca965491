package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func inTx(t *testing.T, db *store.DB, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx *store.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func TestAModelWithUnitsHasARootInEveryTenantAndOneMainTenantWhereItIsSingle(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := storetest.Preset(t, db, "fintechos")
		inTx(t, db, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.SeedOrganisation(ctx, m); err != nil { // again: it is there already
				return err
			}
			main, err := tx.MainTenant(ctx)
			if err != nil {
				return err
			}
			landing, err := tx.LandingTenant(ctx)
			if err != nil {
				return err
			}
			for _, tenant := range []identity.Tenant{main, landing} {
				root, err := tx.RootUnit(ctx, tenant.ID)
				if err != nil || root.Name != "Root" || root.ParentID != "" || root.Kind != identity.KindUnit {
					t.Errorf("%s: %+v %v", tenant.Name, root, err)
				}
			}
			if main.Name != "Main" || main.Landing || !main.Main || landing.Main {
				t.Errorf("%+v, %+v", main, landing)
			}
			types, err := tx.UserTypes(ctx, identity.DefaultApplication)
			if len(types) != 3 || types[1].ID != "guest" || types[1].MaxUsers != 1 || !types[1].Shipped {
				t.Errorf("%+v", types)
			}
			return err
		})
	})
}

func TestAnInstallationOfManyTenantsGetsNoMainTenant(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		inTx(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.MainTenant(ctx)
			if identity.KindOf(err) != identity.NotFound {
				t.Error(err)
			}
			_, err = tx.LandingTenant(ctx)
			return err
		})
	})
}

func TestAnotherModelTakesItsUnusedTypesAlongAndKeepsWhatPeopleHaveOrAdded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Preset(t, db, "fintechos")
		inTx(t, db, func(ctx context.Context, tx *store.Tx) error {
			landing, err := tx.LandingTenant(ctx)
			if err != nil {
				return err
			}
			u := identity.User{ID: identity.NewID[identity.UserID](), TenantID: landing.ID, UserName: "a", Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
			if err := tx.InsertUser(ctx, u); err != nil {
				return err
			}
			if err := tx.PutPosition(ctx, identity.Position{UserID: u.ID, Type: "dnn_portal"}); err != nil {
				return err
			}
			return tx.PutUserType(ctx, identity.UserType{Application: identity.DefaultApplication, ID: "partner", Title: "Partner", Position: 9})
		})
		inTx(t, db, func(ctx context.Context, tx *store.Tx) error {
			err := tx.SeedUserTypes(ctx, identity.DefaultApplication, []identity.UserType{{ID: "clerk", Title: "Clerk"}})
			if err != nil {
				return err
			}
			types, err := tx.UserTypes(ctx, identity.DefaultApplication)
			var ids []identity.UserTypeID
			for _, ut := range types {
				ids = append(ids, ut.ID)
			}
			slices.Sort(ids)
			if !slices.Equal(ids, []identity.UserTypeID{"clerk", "dnn_portal", "partner"}) {
				t.Errorf("left: %v", ids)
			}
			return err
		})
	})
}
