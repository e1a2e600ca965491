package provisioning

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// sourceLease is how long whoever looks into the folder of a source has it alone, unless it is renewed.
const sourceLease = 30 * time.Second

// errSourceTaken says that the lease of a source was lost, as when the machine slept.
var errSourceTaken = identity.Errorf(identity.Precondition, "Another program looks into the folder of this source now.").WithCode("source_taken")

// HoldSource calls work while no other program does the same for the source, on this machine or another, and reports whether it was called: false when somebody else
// has the source. The context of work ends when the source is lost. Somebody of a tenant holds that tenant's sources only.
func (s *Service) HoldSource(ctx context.Context, by identity.Actor, tenant identity.TenantID, source string, work func(ctx context.Context) error) (bool, error) {
	tenant, err := s.sourceTenant(ctx, by, tenant)
	if err != nil {
		return false, err
	}
	holder := identity.NewID[string]()
	held, err := s.leaseSource(ctx, tenant, source, holder)
	if err != nil || !held {
		return false, err
	}
	inner, stop := context.WithCancelCause(ctx)
	var beat sync.WaitGroup
	beat.Go(func() { s.renewSource(inner, tenant, source, holder, stop) })
	err = work(inner)
	lost := errors.Is(context.Cause(inner), errSourceTaken)
	stop(nil)
	beat.Wait()
	if lost && err != nil {
		return true, errSourceTaken
	}
	free := context.WithoutCancel(ctx)
	return true, errors.Join(err, s.db.Update(free, func(tx *store.Tx) error { return tx.FreeSource(free, tenant, source, holder) }))
}

func (s *Service) leaseSource(ctx context.Context, tenant identity.TenantID, source, holder string) (held bool, err error) {
	err = s.db.Update(ctx, func(tx *store.Tx) (err error) {
		held, err = tx.LeaseSource(ctx, tenant, source, holder, tx.Now().Add(sourceLease))
		return err
	})
	return held, err
}

func (s *Service) renewSource(ctx context.Context, tenant identity.TenantID, source, holder string, stop context.CancelCauseFunc) {
	tick := time.NewTicker(sourceLease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if held, err := s.leaseSource(ctx, tenant, source, holder); err == nil && !held { // an error is another try
			stop(errSourceTaken)
			return
		}
	}
}
