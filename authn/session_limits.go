package authn

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxSessions is how many sessions one user has at most where nobody says fewer: whoever signs in once more ends the oldest.
const maxSessions = 100

// limits are how long and how many sessions of a tenant's people live.
type limits struct {
	idle, age time.Duration
	most      int
	settings  identity.TenantSettings
}

// limits reads them: the tenant's word before the installation's, that before the access model's.
func (s *Service) limits(ctx context.Context, tx *store.Tx, tenant identity.TenantID) (limits, error) {
	t, err := tx.TenantSettings(ctx, tenant)
	p := s.policy()
	return limits{idle: cmp.Or(t.SessionIdle, p.SessionIdle), age: cmp.Or(t.SessionAge, p.SessionAge), most: cmp.Or(t.SessionMost, maxSessions), settings: t}, err
}

// expiry is when a session ends however much it is used: as it was said when it began, or earlier when sessions live shorter since.
func (l limits) expiry(session identity.Session) time.Time {
	if ends := session.CreatedAt.Add(l.age); ends.Before(session.ExpiresAt) {
		return ends
	}
	return session.ExpiresAt
}

// ended says why a session is over, nil while it is not.
func (l limits) ended(session identity.Session, now time.Time) error {
	ends := l.expiry(session)
	switch {
	case !now.Before(ends):
		return fmt.Errorf("session %s: it ended at %s", session.ID, ends.Format(time.RFC3339))
	case now.Sub(session.LastSeenAt) >= l.idle:
		return fmt.Errorf("session %s: unused since %s", session.ID, session.LastSeenAt.Format(time.RFC3339))
	}
	return nil
}
