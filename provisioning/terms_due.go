package provisioning

import (
	"context"
	"fmt"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

const (
	termsStep  = 100       // people are looked up at once
	termsAgain = time.Hour // after that what a rule refused is tried again
)

// RunTerms lets in whose start has come and keeps out whose end is over, each in a transaction of their own, and returns how many that were. What a rule refuses, such as keeping
// out the last administrator, is told to the administrators once and tried again every hour. It may run at any time and on every replica.
func (s *Service) RunTerms(ctx context.Context, by identity.Actor) (int, error) {
	if err := s.platform(by); err != nil {
		return 0, err
	}
	total := 0
	var after identity.UserID
	for {
		var ids []identity.UserID
		err := s.db.View(ctx, func(tx *store.Tx) (err error) {
			ids, err = tx.TermsDue(ctx, tx.Now().Add(-termsAgain), after, termsStep)
			return err
		})
		if err != nil || len(ids) == 0 {
			return total, err
		}
		for _, id := range ids {
			done, err := s.runTerms(ctx, by, id)
			if err != nil {
				return total, err
			}
			if done {
				total++
			}
			after = id
		}
	}
}

// runTerms does what is due for one person, unless another replica was faster.
func (s *Service) runTerms(ctx context.Context, by identity.Actor, id identity.UserID) (bool, error) {
	done := false
	err := s.update(ctx, by, func(tx *store.Tx) error {
		done = false
		before, facts, err := tx.UserForChange(ctx, store.Everything(), id)
		if identity.KindOf(err) == identity.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		was, err := tx.Terms(ctx, id)
		is := was.At(tx.Now())
		if err != nil || was.Started == is.Started && was.Ended == is.Ended {
			return err
		}
		refused, err := tx.Try(ctx, func() error {
			_, err := s.writeTerms(ctx, tx, by, before, facts, was, is, termsReason(was, is))
			return err
		})
		if err != nil || refused == nil {
			done = err == nil
			return err
		}
		return s.keepTerms(ctx, tx, before, was, refused)
	})
	return done, err
}

// termsReason is what the event of somebody who starts or ends says.
func termsReason(was, is identity.Terms) string {
	what := "start date"
	if is.Ended && !was.Ended {
		what = "end date"
	}
	if is.Source == "" {
		return what
	}
	return what + " of source " + is.Source
}

// keepTerms notes that a rule refused what was due, and tells the administrators the first time.
func (s *Service) keepTerms(ctx context.Context, tx *store.Tx, u identity.User, was identity.Terms, refused *identity.Error) error {
	first := was.KeptAt == nil
	at := tx.Now()
	was.KeptAt = &at
	if err := tx.PutTerms(ctx, was); err != nil || !first {
		return err
	}
	text := fmt.Sprintf("The time of %s begins or is over (start %s, end %s), but nothing was changed:\n\n  %s\n\nIt is tried again every hour. Change the date, or what stands against it.\n",
		u.Label(), orDash(startCell(was.StartsAt)), orDash(endCell(was.EndsAt)), refused.Message)
	return s.tell(ctx, tx, u.TenantID, note{"terms", "The end of somebody's time could not be carried out", text})
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
