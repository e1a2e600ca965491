package provisioning

import (
	"context"
	"fmt"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// leaversStep is how many leavers are looked up at once.
const leaversStep = 50

// OpenOffboardings opens an offboarding for everybody whom a directory, an HR system or a rule let go and who still owns something or has to do it, and returns how many. What they
// pushed was carried out at once and waited for nothing; this may run at any time and on every replica.
func (s *Service) OpenOffboardings(ctx context.Context, by identity.Actor) (int, error) {
	if err := s.platform(by); err != nil {
		return 0, err
	}
	total := 0
	for after := identity.UserID(""); ; {
		var ids []identity.UserID
		err := s.db.View(ctx, func(tx *store.Tx) (err error) {
			ids, err = tx.Leavers(ctx, after, leaversStep)
			return err
		})
		if err != nil || len(ids) == 0 {
			return total, err
		}
		after = ids[len(ids)-1]
		for _, id := range ids {
			opened, err := s.openFor(ctx, by, id)
			if err != nil {
				return total, fmt.Errorf("the offboarding of %s: %w", id, err)
			}
			if opened {
				total++
			}
		}
	}
}

// openFor opens an offboarding for a leaver, unless the person came back or another replica was faster.
func (s *Service) openFor(ctx context.Context, by identity.Actor, id identity.UserID) (bool, error) {
	opened := false
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		opened = false
		u, err := tx.AnyUserForUpdate(ctx, store.Everything(), id)
		if identity.KindOf(err) == identity.NotFound || err == nil && u.Enabled && u.DeletedAt == nil {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.OpenOffboarding(ctx, id); identity.KindOf(err) != identity.NotFound {
			return err
		}
		o := identity.Offboarding{
			ID: identity.NewID[identity.OffboardingID](), UserID: id, TenantID: u.TenantID, State: identity.OffboardOpen, BegunBy: by.Label, BegunAt: tx.Now(),
			Reason: "the person may not come in any more and still has something", Facts: identity.OffboardingFacts{Automatic: true},
		}
		if err := accessEnded(ctx, tx, u, &o.Facts); err != nil {
			return err
		}
		held, err := allHoldings(ctx, tx, store.HoldingQuery{UserID: id}, (*store.Tx).Holdings)
		if err != nil {
			return err
		}
		o.Facts.Things = addThings(nil, held)
		opened = true
		return s.openOffboarding(ctx, tx, by, u, identity.User{}, o, false)
	})
	return opened && err == nil, err
}
