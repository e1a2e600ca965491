package provisioning

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The limits of guards of which a source says nothing, as identity.Guards names them.
const (
	guardMost    = 10
	guardPercent = 10.0
	guardRenames = 20.0
	guardFewer   = 20.0
	guardErrors  = 5.0

	leastRenamed = 5 // so many people have other names now and then
	leastFewer   = 2
	leastHeld    = 2 // who is alone in a group or a role empties it by leaving
)

// guardSeen is how many people who would be kept out a plan remembers by their ids, to look at the groups and roles that they leave.
const guardSeen = 20_000

// planWatch gathers what the guards of a plan ask about while its steps are computed. It does not grow with the rows, but for guardSeen.
type planWatch struct {
	out       []identity.UserID // who would be kept out, the first of them
	outs      labels
	admins    labels
	stay      labels // whom the rules do not let go at all: owners, last administrators
	renamed   labels // another address or user name
	named     labels // other names for the person
	numbered  labels // another employee number
	swaps     map[string]int
	lost      map[identity.RoleID]int // by somebody who stays
	gained    map[identity.RoleID]int
	unmatched int // rows that cannot be used and of which nobody knows whom they mean
}

// labels counts people and remembers the first of them by name.
type labels struct {
	n     int
	first []string
}

func (l *labels) add(who string) {
	l.n++
	if len(l.first) < mostLabels {
		l.first = append(l.first, who)
	}
}

// mostLabels is how many people a sentence names.
const mostLabels = 5

func (l *labels) String() string {
	if l.n > len(l.first) {
		return fmt.Sprintf("%s and %d more", strings.Join(l.first, ", "), l.n-len(l.first))
	}
	return strings.Join(l.first, ", ")
}

// see takes note of one step.
func (w *planWatch) see(step identity.PlanStep, d stepData) {
	if step.Action == identity.StepError || step.Action == identity.StepConflict {
		switch {
		case d.Code == "tenant_owner" || d.Code == "last_administrator":
			w.stay.add(d.Who)
		case step.UserID == "" && step.Action == identity.StepError:
			w.unmatched++
		}
		return
	}
	if d.Demoted {
		w.admins.add(d.Who)
	}
	if d.Outside && !d.created() {
		w.outs.add(d.Who)
		if len(w.out) < guardSeen {
			w.out = append(w.out, step.UserID)
		}
	}
	if len(d.Changes) == 0 && d.Left[fieldRole] != "" { // somebody new who comes with others
		w.roles(identity.Change{Field: fieldRole, After: d.Left[fieldRole]})
	}
	w.changes(d)
}

// changes takes note of what becomes of somebody. Of somebody new nothing has a value before.
func (w *planWatch) changes(d stepData) {
	by := map[string]identity.Change{}
	names := 0
	for _, c := range d.Changes {
		by[c.Field] = c
		if c.Before != nil && (c.Field == fieldDisplayName || c.Field == fieldGivenName || c.Field == fieldFamilyName) {
			names++
		}
	}
	if by[fieldEmail].Before != nil || by[fieldUserName].Before != nil {
		w.renamed.add(d.Who)
	}
	if names > 1 {
		w.named.add(d.Who)
	}
	if c := by[fieldEmployeeNumber]; c.Before != nil && c.After != nil {
		w.numbered.add(d.Who)
	}
	w.swapped(d.Changes)
	if c, ok := by[fieldRole]; ok && !d.Outside {
		w.roles(c)
	}
}

// swapped counts fields that have changed places: each says what the other said.
func (w *planWatch) swapped(changes []identity.Change) {
	for i, a := range changes {
		for _, b := range changes[i+1:] {
			if a.Before != nil && a.After != nil && a.Before == b.After && a.After == b.Before {
				if w.swaps == nil {
					w.swaps = map[string]int{}
				}
				w.swaps[a.Field+" and "+b.Field]++
			}
		}
	}
}

func (w *planWatch) roles(c identity.Change) {
	before, after := rolesOfCell(c.Before), rolesOfCell(c.After)
	if w.lost == nil {
		w.lost, w.gained = map[identity.RoleID]int{}, map[identity.RoleID]int{}
	}
	for _, id := range lacking(before, after) {
		w.lost[id]++
	}
	for _, id := range lacking(after, before) {
		w.gained[id]++
	}
}

// rolesOfCell reads what joinRoles wrote.
func rolesOfCell(v any) []identity.RoleID {
	text, _ := v.(string)
	var out []identity.RoleID
	for _, word := range strings.Split(text, ", ") {
		if word != "" {
			out = append(out, identity.RoleID(word))
		}
	}
	return out
}

// percentOf reports whether a part is more than some per cent of a whole; a negative limit is none.
func percentOf(part, whole int64, limit float64) bool {
	return limit >= 0 && float64(part)*100 > limit*float64(whole)
}

// guards says why a plan waits until somebody approves it, one sentence each.
func (w *importing) guards(ctx context.Context, tx *store.Tx) ([]string, error) {
	g := w.plan.Options.Guards
	out := append(w.guardPeople(), w.guardRows(g)...)
	people, err := tx.Users(ctx, w.scope, identity.Query{Tenant: w.plan.TenantID, Total: true})
	if err != nil {
		return nil, err
	}
	n, most := w.watch.outs.n, cmp.Or(g.Most, guardMost)
	if most >= 0 && n > most || n > 1 && percentOf(int64(n), people.Total, cmp.Or(g.Percent, guardPercent)) {
		out = append([]string{fmt.Sprintf("%d of %d people would no longer be let in: %s.", n, people.Total, &w.watch.outs)}, out...)
	}
	for _, guard := range []func(context.Context, *store.Tx, identity.Guards) ([]string, error){w.guardOwners, w.guardFewer, w.guardEmptied} {
		more, err := guard(ctx, tx, g)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// guardPeople are the guards of single people who matter.
func (w *importing) guardPeople() []string {
	var out []string
	if w.watch.admins.n > 0 {
		out = append(out, "It would take an administrator away: "+w.watch.admins.String()+".")
	}
	if w.watch.stay.n > 0 {
		out = append(out, "It speaks of letting people go who must stay, owners or last administrators: "+w.watch.stay.String()+".")
	}
	return out
}

// guardRows are the guards of files that are not what they seem.
func (w *importing) guardRows(g identity.Guards) []string {
	if w.plan.Kind == identity.PlanUndo {
		return nil // it has no file: it puts back what was
	}
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	sum, limit := w.plan.Summary, cmp.Or(g.Renames, guardRenames)
	rows, errors := int64(sum.Rows), cmp.Or(g.Errors, guardErrors)
	switch {
	case sum.Rows == 0:
		add("The source has no rows.")
	case errors >= 0 && sum.Errors > leastHeld && sum.Errors == sum.Rows:
		add("None of the %d rows can be used; columns may have changed places.", sum.Rows)
	case w.plan.Options.Missing && percentOf(int64(sum.Errors), rows, errors):
		add("%d of %d rows cannot be used, in a list that is to be the whole one.", sum.Errors, sum.Rows)
	case w.plan.Options.Missing && w.watch.unmatched > 0 && sum.Deactivate > 0 && errors >= 0:
		add("%d rows cannot be used; somebody who seems to be missing may be in one of them.", w.watch.unmatched)
	}
	if n := w.watch.renamed; n.n >= leastRenamed && percentOf(int64(n.n), rows, limit) {
		add("%d of %d people would get another e-mail address or user name: %s.", n.n, sum.Rows, &n)
	}
	if n := w.watch.named; n.n >= leastRenamed && percentOf(int64(n.n), rows, limit) {
		add("%d of %d people would get other names: %s.", n.n, sum.Rows, &n)
	}
	if n := w.watch.numbered; n.n >= leastRenamed && percentOf(int64(n.n), rows, limit) {
		add("%d of %d people would get another employee number: %s.", n.n, sum.Rows, &n)
	}
	for _, pair := range slices.Sorted(maps.Keys(w.watch.swaps)) {
		if n := w.watch.swaps[pair]; n > 1 && percentOf(int64(n), rows, limit) {
			add("In %d of %d rows %s have changed places.", n, sum.Rows, pair)
		}
	}
	return out
}

// guardOwners finds owners of tenants among the people whom the plan would keep out or move.
func (w *importing) guardOwners(ctx context.Context, tx *store.Tx, _ identity.Guards) ([]string, error) {
	if _, ok := w.s.model.Owner(); !ok {
		return nil, nil
	}
	steps, err := tx.StepsOfOwners(ctx, w.plan.ID)
	var lost labels
	for _, step := range steps {
		d, err := readStep(step)
		if err != nil {
			return nil, err
		}
		if d.Outside || step.Action == identity.StepMove {
			lost.add(d.Who)
		}
	}
	if err != nil || lost.n == 0 {
		return nil, err
	}
	return []string{"It would take the owner of a tenant away: " + lost.String() + "."}, nil
}

// guardFewer compares a whole list with the last one of the source that was carried out.
func (w *importing) guardFewer(ctx context.Context, tx *store.Tx, g identity.Guards) ([]string, error) {
	limit := cmp.Or(g.Fewer, guardFewer)
	if !w.plan.Options.Missing || limit < 0 || w.plan.Summary.Rows == 0 {
		return nil, nil
	}
	const back = 50
	before, err := tx.Plans(ctx, w.scope, store.PlanQuery{
		Query: identity.Query{Tenant: w.plan.TenantID, Limit: back}, Source: w.plan.Source, States: []identity.PlanState{identity.PlanDone, identity.PlanReady},
	})
	if err != nil {
		return nil, err
	}
	for _, p := range before.Items {
		if !p.Options.Missing || p.AppliedAt == nil || p.ID == w.plan.ID || p.TenantID != w.plan.TenantID {
			continue
		}
		fewer := p.Summary.Rows - w.plan.Summary.Rows
		if fewer < leastFewer || !percentOf(int64(fewer), int64(p.Summary.Rows), limit) {
			return nil, nil
		}
		return []string{fmt.Sprintf("It has %d rows; the last whole list of %s, of %s, had %d.", w.plan.Summary.Rows, w.plan.Source, p.CreatedAt.UTC().Format("2 January 2006"), p.Summary.Rows)}, nil
	}
	return nil, nil
}

// guardEmptied finds groups and roles that the plan leaves without anybody who may come in.
func (w *importing) guardEmptied(ctx context.Context, tx *store.Tx, g identity.Guards) ([]string, error) {
	if g.NoGroups || len(w.watch.out) == 0 && len(w.watch.lost) == 0 {
		return nil, nil
	}
	var out []string
	if w.watch.outs.n > len(w.watch.out) {
		out = append(out, fmt.Sprintf("More than %d people would no longer be let in; whether that leaves groups or roles without anybody was looked at for the first %d alone.", guardSeen, guardSeen))
	}
	var groups, roles labels
	names, err := tx.GroupsEmptiedBy(ctx, w.scope, w.watch.out, leastHeld)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		groups.add(name)
	}
	held, err := tx.RolesHeld(ctx, w.scope, w.watch.out)
	if err != nil {
		return nil, err
	}
	for _, r := range held {
		if r.All >= leastHeld && r.Others-w.watch.lost[r.RoleID]+w.watch.gained[r.RoleID] <= 0 {
			roles.add(w.s.roleTitle(r.RoleID))
		}
	}
	if groups.n > 0 {
		out = append(out, "It would leave nobody in the groups "+groups.String()+".")
	}
	if roles.n > 0 {
		out = append(out, "It would leave nobody with the roles "+roles.String()+".")
	}
	return out, nil
}

// hold makes a plan wait where a guard says so, and tells those who may decide. Otherwise the plan is ready.
func (w *importing) hold(ctx context.Context, tx *store.Tx) error {
	holds, err := w.guards(ctx, tx)
	if err != nil {
		return err
	}
	w.plan.State, w.plan.Summary.Holds = identity.PlanReady, holds
	if w.plan.Kind == identity.PlanDrift { // a report: nobody's session ends by it, and nobody gets mail
		w.plan.State, w.plan.Summary.Holds = identity.PlanHeld, append([]string{driftHold}, holds...)
		return nil
	}
	if len(holds) == 0 {
		return nil
	}
	w.plan.State = identity.PlanHeld
	if w.plan.Options.Guards.EndSession {
		if err := endSessions(ctx, tx, w.by, w.watch.out, "a plan that is held would keep the person out"); err != nil {
			return err
		}
	}
	return w.s.tell(ctx, tx, w.plan.TenantID, w.s.noteHeld(w.plan))
}

// noteHeld is the mail about a plan that waits.
func (s *Service) noteHeld(plan identity.Plan) note {
	text := fmt.Sprintf("A plan of the source %s waits until somebody approves or rejects it. Nothing was changed.\n\n- %s\n\nLook at it and decide: %s/console/plans/%s\n",
		plan.Source, strings.Join(plan.Summary.Holds, "\n- "), s.origin, plan.ID)
	return note{"plan_held", fmt.Sprintf("A plan of %s waits for you: %s", plan.Source, plan.Summary.Holds[0]), text}
}

// endSessions ends all sessions of some people, with an event for each.
func endSessions(ctx context.Context, tx *store.Tx, by identity.Actor, ids []identity.UserID, reason string) error {
	const together = 500
	for part := range slices.Chunk(ids, together) {
		sessions, err := tx.EndSessions(ctx, part)
		if err != nil {
			return err
		}
		events := make([]identity.Event, len(sessions))
		for i, session := range sessions {
			e := event(by, identity.SessionEnded)
			e.TenantID, e.UserID, e.ObjectKind, e.ObjectID, e.Reason = session.TenantID, session.UserID, "session", string(session.ID), reason
			events[i] = e
		}
		if len(events) > 0 {
			if err := tx.InsertEvent(ctx, events...); err != nil {
				return err
			}
		}
	}
	return nil
}
