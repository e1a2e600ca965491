package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// PeopleQuery asks for what belongs to some people, newest first. A zero time does not narrow.
type PeopleQuery struct {
	Users []identity.UserID
	Since time.Time
	Until time.Time // exclusive
	Limit int
}

// mine adds the conditions on the columns of a person and of a time.
func (q PeopleQuery) mine(b *builder, user, at string) {
	if user != "" {
		in, args := idList(b.tx, user, q.Users)
		b.add(in, args...)
	}
	if !q.Since.IsZero() {
		b.add(at+" >= ?", q.Since.UTC())
	}
	if !q.Until.IsZero() {
		b.add(at+" < ?", q.Until.UTC())
	}
}

func (q PeopleQuery) newest(column string) string {
	return " ORDER BY " + column + " DESC LIMIT " + strconv.Itoa(q.Limit)
}

// MailsOfPeople returns the scope's mails that went to some people, without their texts.
func (tx *Tx) MailsOfPeople(ctx context.Context, scope Scope, q PeopleQuery) ([]identity.Mail, error) {
	visible, args := scope.tenants("m.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	q.mine(&b, "m.user_id", "m.created_at")
	var rows []mailRow
	err := tx.listBuilt(ctx, &rows, `SELECT `+mailListed+` FROM mails m`+b.where()+q.newest("m.id"), b.args...)
	out := make([]identity.Mail, len(rows))
	for i := range rows {
		out[i] = rows[i].mail()
	}
	return out, err
}

// TracesOfPeople returns the scope's attempts of some people to sign in.
func (tx *Tx) TracesOfPeople(ctx context.Context, scope Scope, q PeopleQuery) ([]identity.Trace, error) {
	visible, args := scope.tenants("t.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	q.mine(&b, "t.user_id", "t.at")
	var rows []traceRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+traceColumns+` FROM traces t`+b.where()+q.newest("t.id"), b.args...); err != nil {
		return nil, err
	}
	out := make([]identity.Trace, len(rows))
	for i := range rows {
		var err error
		if out[i], err = rows[i].trace(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PersonStep is what a plan says about one person, without the data of the step, and when it was carried out, or else made.
type PersonStep struct {
	identity.PlanStep
	At       time.Time
	Kind     identity.PlanKind
	Source   string
	FileName string
	By       string // who made the plan
}

// StepsOfPeople returns what the scope's plans say about some people, but for the steps that change nothing.
func (tx *Tx) StepsOfPeople(ctx context.Context, scope Scope, q PeopleQuery) ([]PersonStep, error) {
	visible, args := scope.tenants("p.tenant_id")
	const at = "COALESCE(p.applied_at, p.created_at)"
	b := builder{tx: tx}
	b.add("s.action <> 'skip'")
	b.add(visible, args...)
	q.mine(&b, "s.user_id", at)
	var rows []struct {
		PlanID    text   `db:"plan_id"`
		Line      int    `db:"line"`
		Action    string `db:"action"`
		UserID    text   `db:"user_id"`
		Detail    string `db:"detail"`
		State     string `db:"state"`
		Kind      string `db:"kind"`
		Source    string `db:"source"`
		FileName  string `db:"file_name"`
		CreatedBy string `db:"created_by"`
		CreatedAt moment `db:"created_at"`
		AppliedAt moment `db:"applied_at"`
	}
	err := tx.listBuilt(ctx, &rows, `SELECT s.plan_id, s.line, s.action, s.user_id, s.detail, s.state, p.kind, p.source, p.file_name, p.created_by, p.created_at, p.applied_at
		FROM plan_steps s JOIN plans p ON p.id = s.plan_id`+b.where()+q.newest(at), b.args...)
	out := make([]PersonStep, len(rows))
	for i, r := range rows {
		out[i] = PersonStep{
			PlanStep: identity.PlanStep{
				PlanID: identity.PlanID(r.PlanID), Line: r.Line, Action: identity.PlanAction(r.Action), UserID: identity.UserID(r.UserID), Detail: r.Detail, State: identity.StepState(r.State),
			},
			At: r.CreatedAt.time(), Kind: identity.PlanKind(r.Kind), Source: r.Source, FileName: r.FileName, By: r.CreatedBy,
		}
		if r.AppliedAt.at != nil {
			out[i].At = *r.AppliedAt.at
		}
	}
	return out, err
}

// MemberEvents returns the scope's events of groups that some people came into or left. They are found by their ids among those who came and went, so all such
// events of the time asked for are read.
func (tx *Tx) MemberEvents(ctx context.Context, scope Scope, q PeopleQuery) ([]identity.Event, error) {
	visible, args := scope.tenants("e.tenant_id")
	b := builder{tx: tx}
	in, list := tx.textList("e.type", []string{string(identity.MembersAdded), string(identity.MembersRemoved)})
	b.add(in, list)
	b.add(visible, args...)
	q.mine(&b, "", "e.at")
	if !q.Since.IsZero() {
		b.add("e.id >= ?", identity.IDBefore(q.Since.Add(-time.Minute)))
	}
	var ways []string
	var ids []any
	for _, id := range q.Users {
		ways, ids = append(ways, b.holds("CAST(e.changes AS text)")), append(ids, string(id))
	}
	b.add("("+strings.Join(ways, " OR ")+")", ids...)
	var rows []eventRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+eventColumns+` FROM events e`+b.where()+q.newest("e.id"), b.args...); err != nil {
		return nil, err
	}
	out := make([]identity.Event, len(rows))
	for i := range rows {
		var err error
		if out[i], err = rows[i].event(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
