package provisioning

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The codes of departures that a directory's guard holds: DepartureHeld is one that the directory asks for again, DepartureQueued one that is done when it is approved,
// DepartureRejected one that an administrator refused.
const (
	DepartureHeld     = "departures_held"
	DepartureQueued   = "departure_queued"
	DepartureRejected = "departures_rejected"
)

// burstAge is how long a burst that nobody decided gathers more people; later ones are another, with another mail.
const burstAge = 24 * time.Hour

// burstAgain is how long a decision about a burst holds for what its directory sends.
const burstAgain = 24 * time.Hour

// bursts says for each directory how many people it may keep out before the database is asked how many there were. It is a tenth of what is left, so that several
// replicas together do not let many more go than the guard allows.
type bursts struct {
	mu   sync.Mutex
	free map[identity.DirectoryID]allowance
}

type allowance struct {
	people int
	until  time.Time
}

// take reports whether one more may go without asking.
func (b *bursts) take(id identity.DirectoryID, g identity.DirectoryGuard, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.free[id]
	if !ok || now.After(a.until) {
		a = allowance{g.Most / burstShare, now.Add(g.Span())}
	}
	a.people--
	if a.people >= 0 {
		b.put(id, a)
	}
	return a.people >= 0
}

// burstShare is the part of what is left that one replica may use without asking.
const burstShare = 10

// grant keeps what a replica may use after it asked.
func (b *bursts) grant(id identity.DirectoryID, g identity.DirectoryGuard, left int, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.put(id, allowance{left / burstShare, now.Add(g.Span())})
}

func (b *bursts) put(id identity.DirectoryID, a allowance) {
	if b.free == nil {
		b.free = map[identity.DirectoryID]allowance{}
	}
	b.free[id] = a
}

// mayDepart refuses that a directory keeps one more person out where that would be more than its guard allows at once. Whoever came a moment ago may go again: they are no
// loss to the house.
func (s *Service) mayDepart(ctx context.Context, tx *store.Tx, by identity.Actor, own identity.DirectoryLink) error {
	g := by.Guard
	if g == nil || g.Off() || !own.CreatedAt.IsZero() && tx.Now().Sub(own.CreatedAt) < g.Span() || s.bursts.take(by.DirectoryID(), *g, tx.Now()) {
		return nil
	}
	left, active, err := tx.KeptOut(ctx, by.DirectoryID(), tx.Now().Add(-g.Span()))
	if err != nil {
		return err
	}
	limit := g.Limit(left + active)
	if left < limit {
		s.bursts.grant(by.DirectoryID(), *g, limit-left, tx.Now())
		return nil
	}
	last, err := tx.LastBurst(ctx, by.DirectoryID())
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return err
	}
	if err == nil && last.AllowedUntil != nil && tx.Now().Before(*last.AllowedUntil) {
		switch last.State {
		case identity.BurstApproved:
			return nil
		case identity.BurstRejected:
			return identity.Errorf(identity.Forbidden, "%s refused to let %s keep out so many people: %s Nothing was changed.", last.DecidedBy, by.Label, asSentence(last.Reason)).WithCode(DepartureRejected)
		}
	}
	return identity.Errorf(identity.TooMany, "%s has kept out %d of %d people within %d minutes, as many as its guard allows. Nothing was changed for this one: an administrator has to approve more "+
		"(drawbridge directory bursts). Ask again later.", by.Label, left, left+active, g.Minutes).WithCode(DepartureHeld)
}

// asSentence ends a text with a full stop.
func asSentence(text string) string {
	if text == "" {
		return "no reason was given."
	}
	if last := text[len(text)-1]; last == '.' || last == '!' || last == '?' {
		return text
	}
	return text + "."
}

// holdDeparture notes that somebody whom a directory would keep out waits, and tells administrators once a burst. It returns what the directory is told.
func (s *Service) holdDeparture(ctx context.Context, by identity.Actor, u identity.User, remove bool, why error) error {
	queue := by.Guard.Answer == identity.AnswerQueue
	hold := func(tx *store.Tx) error {
		if err := tx.Lock(ctx, "burst "+by.ID); err != nil {
			return err
		}
		b, err := s.openBurst(ctx, tx, by)
		if err != nil {
			return err
		}
		fresh, err := tx.HoldDeparture(ctx, b.ID, identity.Departure{UserID: u.ID, RequestID: by.RequestID, Delete: remove, Queued: queue})
		if err != nil || !fresh {
			return err
		}
		b.Count++
		if by.Guard.EndSession {
			if err := endSessions(ctx, tx, by, []identity.UserID{u.ID}, "a directory would keep the person out, with many others"); err != nil {
				return err
			}
		}
		return tx.PutBurst(ctx, b)
	}
	if err := s.db.Update(ctx, hold); err != nil {
		return err
	}
	if queue {
		return identity.Errorf(identity.TooMany, "%s waits to be kept out until an administrator approves that %s keeps out so many people.", u.Label(), by.Label).WithCode(DepartureQueued)
	}
	return why
}

// openBurst returns the burst of a directory that waits for a decision, a new one where there is none.
func (s *Service) openBurst(ctx context.Context, tx *store.Tx, by identity.Actor) (identity.Burst, error) {
	b, err := tx.LastBurst(ctx, by.DirectoryID())
	if err == nil && b.State == identity.BurstHeld && tx.Now().Sub(b.BeganAt) < burstAge {
		return b, nil
	}
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return b, err
	}
	b = identity.Burst{
		ID: identity.NewID[identity.BurstID](), DirectoryID: by.DirectoryID(), Directory: by.Label, TenantID: by.TenantID, BeganAt: tx.Now(), State: identity.BurstHeld,
	}
	if err := tx.PutBurst(ctx, b); err != nil {
		return b, err
	}
	if err := tx.InsertEvent(ctx, burstEvent(by, identity.BurstOpened, b)); err != nil {
		return b, err
	}
	text := fmt.Sprintf("The directory %s would keep out more people at once than its guard allows. Those whom it kept out before stay out; the others are let in until somebody decides.\n\n"+
		"See who waits:  drawbridge directory bursts list\nLet them go:    drawbridge directory bursts approve %s --reason \"...\"\nRefuse it:      drawbridge directory bursts reject %s --reason \"...\"\n\n%s/console/bursts/%s\n",
		by.Label, b.ID, b.ID, s.origin, b.ID)
	return b, s.tell(ctx, tx, by.TenantID, note{"burst", "Many people at once would be kept out by " + by.Label, text})
}

func burstEvent(by identity.Actor, kind identity.EventType, b identity.Burst) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = b.TenantID, "directory", string(b.DirectoryID), b.Directory
	e.Changes = []identity.Change{{Field: "burst", After: string(b.ID)}, {Field: "people", After: b.Count}}
	return e
}

// checkGuard refuses a guard that could not be meant.
func checkGuard(g identity.DirectoryGuard) error {
	switch {
	case g.Percent < 0 || g.Percent > 100:
		return identity.Errorf(identity.Invalid, "The guard's per cent is %v; write 0 to 100.", g.Percent).WithField("guard")
	case g.Minutes < 0 || g.Minutes > 7*24*60:
		return identity.Errorf(identity.Invalid, "The guard looks back %d minutes; write at most a week.", g.Minutes).WithField("guard")
	case !slices.Contains([]identity.BurstAnswer{"", identity.AnswerRetry, identity.AnswerQueue}, g.Answer):
		return identity.Errorf(identity.Invalid, "The guard answers 429 or 202, not %q.", g.Answer).WithField("guard")
	}
	return nil
}
