package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// How far a page looks back for what happened lately, and how much of it is counted at most.
const (
	latelyAge      = 24 * time.Hour
	latelyEvents   = 10_000 // of sign-ins, and of refused ones
	latelyRequests = 10_000
)

// Lately is what happened in the last 24 hours. Counts end at 10,000, then the field of the same name with More is set.
type Lately struct {
	Since       time.Time
	SignIns     int64
	Refused     int64 // sign-ins
	MoreSignIns bool
	MoreRefused bool
	Directories []DirectoryCount // that sent something, those that sent most first; only for whoever runs the installation
	MoreSent    bool
}

// DirectoryCount is how many requests of a directory the journal has, and how many of them failed.
type DirectoryCount = store.DirectoryCount

// Lately returns what happened in the last 24 hours, as far as the actor may read the audit.
func (s *Service) Lately(ctx context.Context, by identity.Actor) (Lately, error) {
	var l Lately
	scope, err := s.scopeFor(by, auditRead)
	if err != nil {
		return l, err
	}
	requests := s.platform(by) == nil
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		l.Since = tx.Now().Add(-latelyAge)
		if l.SignIns, err = tx.CountEventsSince(ctx, scope, identity.SessionStarted, l.Since, latelyEvents); err != nil {
			return err
		}
		l.Refused, err = tx.CountRefusedSince(ctx, scope, l.Since, latelyEvents)
		l.MoreSignIns, l.MoreRefused = l.SignIns >= latelyEvents, l.Refused >= latelyEvents
		if err != nil || !requests {
			return err
		}
		l.Directories, err = tx.CountRequestsSince(ctx, scope, l.Since, latelyRequests)
		var sent int64
		for _, d := range l.Directories {
			sent += d.All
		}
		l.MoreSent = sent >= latelyRequests
		return err
	})
	return l, err
}
