package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// StartKeptFile is ImportKeptFile for somebody who waits as long as patience only: then the plan is returned as one that is being computed, which goes on in this program. What ends it
// afterwards is kept with the plan as its failure; the file then stays, to be tried again.
func (s *Service) StartKeptFile(ctx context.Context, by identity.Actor, id identity.KeptFileID, o ImportOptions, patience time.Duration) (identity.Plan, error) {
	return s.patiently(ctx, patience, func(ctx context.Context, made func(identity.Plan), read func(int)) (identity.Plan, error) {
		o.Made, o.Progress = after(made, o.Made), after(read, o.Progress)
		return s.ImportKeptFile(ctx, by, id, o)
	})
}
