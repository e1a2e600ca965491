package provisioning

import (
	"context"
	"fmt"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// remindDays are how many days before its end reviewers are reminded of a review, the soonest first. Afterwards they are reminded at once and then each week.
var remindDays = []int{1, 7}

// KeepAccessReviews begins the reviews that the access model asks for, and reminds of those that are open: once for each occasion, whichever replica is first. It returns how
// many began and how many reminders were written.
func (s *Service) KeepAccessReviews(ctx context.Context, by identity.Actor) (began, reminded int, err error) {
	if err := s.platform(by); err != nil {
		return 0, 0, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) (err error) {
		began, err = s.beginReviews(ctx, tx, by)
		return err
	})
	if err != nil {
		return began, 0, err
	}
	open, err := s.openReviews(ctx)
	for _, r := range open {
		fresh, err := s.remind(ctx, r)
		if err != nil {
			return began, reminded, err
		}
		if fresh {
			reminded++
		}
	}
	return began, reminded, err
}

func (s *Service) openReviews(ctx context.Context) ([]identity.AccessReview, error) {
	var open []identity.AccessReview
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		open, err = allOf(func(q identity.Query) (identity.Page[identity.AccessReview], error) {
			return tx.AccessReviews(ctx, store.Everything(), AccessReviewQuery{Open: true, After: q.After, Limit: q.Limit})
		}, func(r identity.AccessReview) string { return string(r.ID) })
		return err
	})
	return open, err
}

// beginReviews begins the review of administrators when it is time: so long after the last one, or after the installation began. While the last one is open no other begins.
func (s *Service) beginReviews(ctx context.Context, tx *store.Tx, by identity.Actor) (int, error) {
	every := s.model.ReviewAdminsEvery()
	if every == 0 {
		return 0, nil
	}
	if err := tx.Lock(ctx, "access reviews"); err != nil {
		return 0, err
	}
	n := NewAccessReview{Scope: identity.AccessReviewScope{Kind: identity.ReviewAdministrators}}
	landing, err := tx.LandingTenant(ctx)
	if err != nil {
		return 0, err
	}
	since := landing.CreatedAt // of the installation
	if s.model.Single() {
		home, err := tx.TenantByName(ctx, store.Everything(), s.model.MainTenant())
		if identity.KindOf(err) == identity.NotFound {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		n.Tenant, since = home.ID, home.CreatedAt
	}
	last, open, err := tx.LastAccessReview(ctx, n.Tenant, n.Scope)
	if err != nil || open {
		return 0, err
	}
	if last.After(since) {
		since = last
	}
	if tx.Now().Sub(since) < every {
		return 0, nil
	}
	_, err = s.startReview(ctx, tx, by, n)
	return 1, err
}

// remind writes to the reviewers of an open review, unless that was done for this occasion.
func (s *Service) remind(ctx context.Context, r identity.AccessReview) (bool, error) {
	fresh := false
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		occasion := reminder(r.DueAt.Sub(tx.Now()))
		if occasion == 0 || r.Undecided == 0 && r.DueAt.After(tx.Now()) {
			return nil
		}
		if fresh, err = tx.PutWarning(ctx, "access review/"+string(r.ID), occasion, r.DueAt); err != nil || !fresh {
			return err
		}
		headline := "A review of access is due on " + r.DueAt.UTC().Format("2 January 2006")
		if occasion < 0 {
			headline = "A review of access is overdue since " + r.DueAt.UTC().Format("2 January 2006")
		}
		return s.tell(ctx, tx, r.TenantID, mailReview(r, headline))
	})
	return fresh && err == nil, err
}

// reminder names the occasion of a reminder when so much time is left: the least of remindDays that has been reached, or the week since the end as a negative
// number; 0 when it is too early.
func reminder(left time.Duration) int {
	if left <= 0 {
		return -1 - int(-left/(7*24*time.Hour))
	}
	for _, days := range remindDays {
		if left < time.Duration(days)*24*time.Hour {
			return days
		}
	}
	return 0
}

func mailReview(r identity.AccessReview, headline string) note {
	return note{"access_review", headline + ": " + r.Name, fmt.Sprintf(`%s.

%s: %d to look at, %d of them not decided yet. Due on %s.

Keep what somebody still needs, and take away the rest: in the console, or with
  drawbridge access review show %s
  drawbridge access review decide %s --item ITEM --keep

Close the review when you are done; what was left undecided stays as it is and is listed in the evidence.
`, headline, r.Name, r.Items, r.Undecided, r.DueAt.UTC().Format("2 January 2006"), r.ID, r.ID)}
}
