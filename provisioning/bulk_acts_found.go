package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// MaxFound is how many people one plan of a page may be about; the command line sets no end.
const MaxFound = 100_000

// FoundPeople returns to whom a bulk act with the filters of a list would happen if its plan were computed now: the first of them by name, as many as limit (0: none of them), and how many there are in all. It refuses
// whom PlanBulk refuses, and more people than act.Most.
func (s *Service) FoundPeople(ctx context.Context, by identity.Actor, act BulkAct, limit int) (identity.Page[identity.User], error) {
	if _, err := s.byHand(by); err != nil {
		return identity.Page[identity.User]{}, err
	}
	q := foundBy(act.Filter)
	if q.Deleted {
		return identity.Page[identity.User]{}, deletedPeople()
	}
	q.Total = true
	counted, err := s.peopleOfBulk(ctx, by, act.Act, q)
	if err == nil {
		err = checkFound(act, counted.Total)
	}
	if err != nil || limit == 0 {
		return counted, err
	}
	q.Total, q.Order, q.Limit = false, identity.OrderName, limit // an order counts nobody
	found, err := s.peopleOfBulk(ctx, by, act.Act, q)
	found.Total = counted.Total
	return found, err
}

// StartBulk is PlanBulk for somebody who waits as long as patience only: then the plan is returned as one that is being computed, which goes on in this program.
func (s *Service) StartBulk(ctx context.Context, by identity.Actor, act BulkAct, patience time.Duration) (identity.Plan, error) {
	return s.patiently(ctx, patience, func(ctx context.Context, made func(identity.Plan), read func(int)) (identity.Plan, error) {
		act.made, act.Progress = made, after(read, act.Progress)
		return s.PlanBulk(ctx, by, act)
	})
}

// countFound refuses a filter that finds nobody, or more people than may be; where there is no such end it looks at nobody.
func (s *Service) countFound(ctx context.Context, by identity.Actor, act BulkAct) error {
	if act.Most == 0 || len(act.Users) > 0 {
		return nil
	}
	_, err := s.FoundPeople(ctx, by, act, 0)
	return err
}

func deletedPeople() *identity.Error {
	return identity.Errorf(identity.Invalid, "People who were deleted are changed by nothing but restoring them. Choose another status.").WithField("status")
}

func checkFound(act BulkAct, total int64) error {
	switch {
	case total == 0:
		return identity.Errorf(identity.Invalid, "The list finds nobody any more. Go back and change what narrows it.")
	case act.Most > 0 && total > int64(act.Most):
		return identity.Errorf(identity.TooLarge, "The list finds %d people, and one plan is about at most %d. Narrow the list, and make a plan of each part.", total, act.Most)
	}
	return nil
}

// foundBy returns a list's filters as the query of all whom they find, from the start.
func foundBy(filter *identity.Query) identity.Query {
	var q identity.Query
	if filter != nil {
		q = *filter
	}
	q.After, q.AfterKey, q.Offset, q.Sort, q.Order, q.Descending, q.Newest, q.Total, q.Lean = "", nil, 0, nil, "", false, false, false, false
	return q
}
