package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// leadersStep is how many open managers are looked for in one transaction.
const leadersStep = 200

// leadOpen finds the managers whom the source named before they were there: those who came with this plan, and those whom earlier files had named in vain.
func (a *applying) leadOpen(ctx context.Context) error {
	if !a.fromSource() {
		return nil
	}
	p := a.s.planner(a.by, a.scope, a.plan) // who is there now, not who was when the plan began
	var after identity.UserID
	for {
		var open []store.OpenManager
		err := a.s.db.Update(ctx, func(tx *store.Tx) (err error) {
			if open, err = tx.OpenManagers(ctx, p.plan.TenantID, p.plan.Source, p.by.Kind == identity.ActorDirectory, after, leadersStep); err != nil || len(open) == 0 {
				return err
			}
			return p.leadSome(ctx, tx, open)
		})
		if err != nil || len(open) < leadersStep {
			return err
		}
		after = open[len(open)-1].UserID
	}
}

// leadSome gives people the managers who are found by now, all at once.
func (p *planner) leadSome(ctx context.Context, tx *store.Tx, open []store.OpenManager) error {
	words, ids := map[identity.UserID]string{}, make([]identity.UserID, len(open))
	var list []string
	for i, o := range open {
		ids[i], words[o.UserID] = o.UserID, o.Word
		if !slices.Contains(list, o.Word) {
			list = append(list, o.Word)
		}
	}
	found, err := p.findLeaders(ctx, tx, list)
	if err != nil {
		return err
	}
	users, err := tx.UsersForUpdate(ctx, ids)
	if err != nil {
		return err
	}
	leaders := map[identity.UserID]identity.UserID{}
	for _, u := range users {
		if id := found.among(words[u.ID], u.TenantID); id != "" && id != u.ID {
			leaders[u.ID] = id
		}
	}
	if len(leaders) == 0 {
		return nil
	}
	return p.lead(ctx, tx, users, leaders)
}

// lead writes managers with an event for each person, and keeps with the steps of the plan that they are its doing.
func (p *planner) lead(ctx context.Context, tx *store.Tx, users []identity.User, leaders map[identity.UserID]identity.UserID) error {
	var ids []identity.UserID
	for _, id := range leaders {
		ids = append(ids, id)
	}
	names, err := tx.NamesOfUsers(ctx, ids)
	if err != nil {
		return err
	}
	var led []identity.User
	var events []identity.Event
	for _, u := range users {
		n, ok := names[leaders[u.ID]]
		if !ok || n.Deleted {
			continue
		}
		after := u
		if err = (importRow{manager: leaders[u.ID], leader: n.Label}).applyTo(&after, false); err != nil {
			return err
		}
		e := about(p.by, identity.UserUpdated, u)
		e.Reason, e.Changes = "manager of source "+p.plan.Source, diffUsers(u, after)
		if len(e.Changes) > 0 {
			events = append(events, e)
			after.Version++
		}
		led = append(led, after)
	}
	if err := tx.PutAttributes(ctx, led); err != nil {
		return err
	}
	if err := p.noteLed(ctx, tx, led, func(id identity.UserID) string { return names[leaders[id]].UserName }); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, events...)
}

// noteLed closes what was open, and brings the steps of the plan up to how the people are now, so that they can be undone.
func (p *planner) noteLed(ctx context.Context, tx *store.Tx, led []identity.User, leader func(identity.UserID) string) error {
	ids, now := make([]identity.UserID, len(led)), map[identity.UserID]int64{}
	for i, u := range led {
		ids[i], now[u.ID] = u.ID, u.Version
	}
	if err := tx.CloseManagers(ctx, p.plan.TenantID, p.plan.Source, ids); err != nil {
		return err
	}
	steps, err := tx.DoneStepsOf(ctx, p.plan.ID, ids)
	if err != nil {
		return err
	}
	var known []identity.PlanStep
	for _, step := range steps {
		d, err := readStep(step)
		if err != nil {
			return err
		}
		if step.Version != now[step.UserID]-1 || d.Left == nil {
			continue // changed by somebody else since
		}
		d.Left[fieldManager], step.Version = leader(step.UserID), now[step.UserID]
		notes := slices.DeleteFunc(strings.Split(step.Detail, "; "), func(note string) bool { return note == managerOpen })
		step.Detail = strings.Join(notes, "; ")
		if err := writeStep(&step, d); err != nil {
			return err
		}
		known = append(known, step)
	}
	return tx.PutPlanStep(ctx, known...)
}
