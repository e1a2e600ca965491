package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// together carries out at once the steps that create plain people, as far as all is still as the plan saw it. Those that it did are done; the others are as they were.
func (a *applying) together(ctx context.Context, tx *store.Tx, steps []identity.PlanStep, data []stepData, rows []importRow) error {
	var open []int
	for i, step := range steps {
		if step.UserID == "" && step.Action == identity.StepCreate && rows[i].made == "" && a.plain(rows[i]) {
			open = append(open, i)
		}
	}
	if len(open) < 2 || collide(rows) {
		return nil
	}
	if err := a.lockAddresses(ctx, tx, pick(rows, open)); err != nil {
		return err
	}
	some := pick(rows, open)
	known, err := a.match.look(ctx, tx, some)
	if err != nil {
		return err
	}
	who := make([]identity.UserID, len(some))
	for k := range some {
		id, err := a.match.match(some[k], known)
		if err != nil && refusalOf(err) == nil {
			return err
		}
		if who[k] = id; err != nil {
			some[k].wrong = refusalOf(err)
		}
	}
	list, err := a.newcomers(ctx, tx, some, who, known)
	if err != nil {
		return err
	}
	var done []int
	var users []*newcomer
	for k, n := range list {
		if n != nil && data[open[k]].leaves(n.after) {
			done, users = append(done, open[k]), append(users, n)
		}
	}
	return a.addAll(ctx, tx, steps, data, done, users)
}

// addAll writes new people and marks their steps as done; when anything is in the way nobody is written.
func (a *applying) addAll(ctx context.Context, tx *store.Tx, steps []identity.PlanStep, data []stepData, which []int, people []*newcomer) error {
	if len(people) == 0 {
		return nil
	}
	list := make([]NewUser, len(people))
	for k, n := range people {
		list[k] = n.user
	}
	var users []identity.User
	refused, err := tx.Try(ctx, func() (err error) {
		if users, err = a.s.insertUsers(ctx, tx, a.by, list, identity.SourceImport); err != nil {
			return err
		}
		var known []store.SourceUser
		for k, u := range users {
			for _, by := range people[k].known {
				by.UserID = u.ID
				known = append(known, by)
			}
			if list[k].PasswordHash == "" {
				continue
			}
			if err := a.s.putPassword(ctx, tx, u, list[k].PasswordHash, list[k].PasswordTerms); err != nil {
				return err
			}
		}
		return tx.PutSourceUser(ctx, known...)
	})
	if err != nil || refused != nil {
		return err
	}
	for k, i := range which {
		done := effect{user: users[k]}
		if data[i].Hash == "" {
			markDone(&steps[i], done)
			steps[i].Data = nil // as it was
			continue
		}
		data[i] = data[i].whole(steps[i])
		done.after = data[i].Left
		if err := a.done(&steps[i], data[i], done); err != nil {
			return err
		}
	}
	return nil
}

// putSteps writes what became of steps. Those without data keep what they have.
func putSteps(ctx context.Context, tx *store.Tx, steps []identity.PlanStep) error {
	var whole, states []identity.PlanStep
	for _, step := range steps {
		if step.Data == nil {
			states = append(states, step)
		} else {
			whole = append(whole, step)
		}
	}
	if err := tx.PutStepState(ctx, states...); err != nil {
		return err
	}
	return tx.PutPlanStep(ctx, whole...)
}

// lockAddresses makes whoever else would give the addresses to somebody wait, where people sign in with them.
func (a *applying) lockAddresses(ctx context.Context, tx *store.Tx, rows []importRow) error {
	if a.s.model.Identifier() != access.IdentifierEmail {
		return nil
	}
	var names []string
	for i := range rows {
		if key := rows[i].addressKey(); key != "" {
			names = append(names, emailLock(rows[i].tenant, key))
		}
	}
	return tx.LockAll(ctx, names)
}

func emailLock(tenant identity.TenantID, key string) string {
	return "email/" + string(tenant) + "/" + key
}

func pick[T any](list []T, which []int) []T {
	out := make([]T, len(which))
	for k, i := range which {
		out[k] = list[i]
	}
	return out
}
