package store

import (
	"context"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type planRow struct {
	ID         text   `db:"id"`
	TenantID   text   `db:"tenant_id"`
	Kind       string `db:"kind"`
	Source     string `db:"source"`
	FileName   string `db:"file_name"`
	State      string `db:"state"`
	Options    text   `db:"options"`
	Summary    text   `db:"summary"`
	CreatedBy  string `db:"created_by"`
	CreatedAt  moment `db:"created_at"`
	AppliedAt  moment `db:"applied_at"`
	RevertedAt moment `db:"reverted_at"`
	ParentID   text   `db:"parent_id"`
	Directory  text   `db:"directory_id"`
	DecidedBy  string `db:"decided_by"`
	DecidedAt  moment `db:"decided_at"`
	Reason     string `db:"reason"`
	Applier    text   `db:"applier"`
	Stopping   bool   `db:"stopping"`
	LeaseUntil moment `db:"lease_until"`
	LeaseBy    string `db:"lease_by"`
}

const planColumns = `p.id, p.tenant_id, p.kind, p.source, p.file_name, p.state, p.options, p.summary, p.created_by, p.created_at, p.applied_at, p.reverted_at,
	p.parent_id, p.directory_id, p.decided_by, p.decided_at, p.reason, p.applier, p.stopping, p.lease_until, p.lease_by`

func (r *planRow) plan() (identity.Plan, error) {
	p := identity.Plan{
		ID: identity.PlanID(r.ID), TenantID: identity.TenantID(r.TenantID), Kind: identity.PlanKind(r.Kind), Source: r.Source, FileName: r.FileName,
		State: identity.PlanState(r.State), CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt.time(), AppliedAt: r.AppliedAt.at, RevertedAt: r.RevertedAt.at,
		ParentID: identity.PlanID(r.ParentID), DirectoryID: identity.DirectoryID(r.Directory), DecidedBy: r.DecidedBy, DecidedAt: r.DecidedAt.at, Reason: r.Reason,
		Stopping: r.Stopping, LeaseUntil: r.LeaseUntil.at, LeaseBy: r.LeaseBy,
	}
	if r.Applier != "" {
		p.Applier = &identity.Actor{}
		if err := fromJSON(r.Applier, p.Applier); err != nil {
			return p, err
		}
	}
	if err := fromJSON(r.Options, &p.Options); err != nil {
		return p, err
	}
	return p, fromJSON(r.Summary, &p.Summary)
}

// InsertPlan writes a new plan.
func (tx *Tx) InsertPlan(ctx context.Context, p identity.Plan) error {
	options, err := asJSON(p.Options)
	if err != nil {
		return err
	}
	summary, err := asJSON(p.Summary)
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO plans (id, tenant_id, kind, source, file_name, state, options, summary, created_by, created_at, parent_id, directory_id, lease_until, lease_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(p.ID), null(p.TenantID), string(p.Kind), p.Source, p.FileName, string(p.State), options, summary, p.CreatedBy, p.CreatedAt, null(p.ParentID), null(p.DirectoryID), p.LeaseUntil, p.LeaseBy)
}

// UpdatePlan writes how far a plan is, what was decided about it, and who carries it out.
func (tx *Tx) UpdatePlan(ctx context.Context, p identity.Plan) error {
	summary, err := asJSON(p.Summary)
	if err != nil {
		return err
	}
	var applier any
	if p.Applier != nil {
		who := *p.Applier
		who.Request, who.Hidden = nil, nil
		if applier, err = asJSON(who); err != nil {
			return err
		}
	}
	return tx.execOne(ctx, `UPDATE plans SET state = ?, summary = ?, applied_at = ?, reverted_at = ?, decided_by = ?, decided_at = ?, reason = ?, applier = ?, stopping = ?, lease_until = ?, lease_by = ? WHERE id = ?`,
		string(p.State), summary, p.AppliedAt, p.RevertedAt, p.DecidedBy, p.DecidedAt, p.Reason, applier, p.Stopping, p.LeaseUntil, p.LeaseBy, string(p.ID))
}

// Plan returns a plan of the scope, or NotFound.
func (tx *Tx) Plan(ctx context.Context, scope Scope, id identity.PlanID) (identity.Plan, error) {
	return tx.plan(ctx, scope, id, "")
}

// PlanForUpdate is Plan with the row locked until the transaction ends.
func (tx *Tx) PlanForUpdate(ctx context.Context, scope Scope, id identity.PlanID) (identity.Plan, error) {
	return tx.plan(ctx, scope, id, tx.lockRows("p"))
}

func (tx *Tx) plan(ctx context.Context, scope Scope, id identity.PlanID, lock string) (identity.Plan, error) {
	visible, args := scope.tenants("p.tenant_id")
	var r planRow
	if err := tx.get(ctx, &r, `SELECT `+planColumns+` FROM plans p WHERE p.id = ? AND `+visible+lock, append([]any{string(id)}, args...)...); err != nil {
		return identity.Plan{}, err
	}
	return r.plan()
}

// PlanQuery says which plans are wanted; empty fields do not narrow. Of the query, After, Limit and Tenant count.
type PlanQuery struct {
	identity.Query
	States []identity.PlanState
	Kinds  []identity.PlanKind
	Source string
	Parent identity.PlanID // only those that undo this one
}

// Plans returns a page of the scope's plans, newest first.
func (tx *Tx) Plans(ctx context.Context, scope Scope, q PlanQuery) (identity.Page[identity.Plan], error) {
	var page identity.Page[identity.Plan]
	visible, args := scope.tenants("p.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.Tenant != "" {
		b.add("p.tenant_id = ?", string(q.Tenant))
	}
	if len(q.States) > 0 {
		in, arg := tx.textList("p.state", asTexts(q.States))
		b.add(in, arg)
	}
	if len(q.Kinds) > 0 {
		in, arg := tx.textList("p.kind", asTexts(q.Kinds))
		b.add(in, arg)
	}
	if q.Source != "" {
		b.add("p.source = ?", q.Source)
	}
	if q.Parent != "" {
		b.add("p.parent_id = ?", string(q.Parent))
	}
	q.Newest, q.Sort = true, nil
	b.after("p.id", q.Query)
	var rows []planRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+planColumns+` FROM plans p`+b.where()+b.order("p.id", q.Query), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Plan, len(rows))
	for i := range rows {
		var err error
		if page.Items[i], err = rows[i].plan(); err != nil {
			return page, err
		}
	}
	return page, nil
}

// PlansToWork returns plans that are being carried out and whose lease ran out, the oldest first: nobody works on them any more.
func (tx *Tx) PlansToWork(ctx context.Context, limit int) ([]identity.Plan, error) {
	return tx.plansLeft(ctx, `p.state = 'applying' AND (p.lease_until IS NULL OR p.lease_until < ?)`, tx.now, limit)
}

// LostPlans returns plans whose rows nobody reads any more, the oldest first: the lease ran out, or they are from before a time and have none.
func (tx *Tx) LostPlans(ctx context.Context, before time.Time, limit int) ([]identity.Plan, error) {
	return tx.plansLeft(ctx, `p.state = 'computing' AND (p.lease_until < ? OR p.lease_until IS NULL AND p.created_at < ?)`, tx.now, before, limit)
}

func (tx *Tx) plansLeft(ctx context.Context, where string, args ...any) ([]identity.Plan, error) {
	var rows []planRow
	if err := tx.list(ctx, &rows, `SELECT `+planColumns+` FROM plans p WHERE `+where+` ORDER BY p.id LIMIT ?`, args...); err != nil {
		return nil, err
	}
	out := make([]identity.Plan, len(rows))
	for i := range rows {
		var err error
		if out[i], err = rows[i].plan(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// RenewPlan gives whoever has the lease of a plan longer, and reports whether they still have it.
func (tx *Tx) RenewPlan(ctx context.Context, id identity.PlanID, by string, until time.Time) (bool, error) {
	n, err := tx.execCount(ctx, `UPDATE plans SET lease_until = ? WHERE id = ? AND lease_by = ? AND state IN ('applying', 'computing')`, until, string(id), by)
	return n > 0, err
}

// DeletePlan deletes a plan with its steps, or returns NotFound.
func (tx *Tx) DeletePlan(ctx context.Context, id identity.PlanID) error {
	return tx.execOne(ctx, `DELETE FROM plans WHERE id = ?`, string(id))
}

// DeletePlans deletes plans from before a time with their steps, at most limit, the oldest first, and returns how many.
func (tx *Tx) DeletePlans(ctx context.Context, before time.Time, limit int) (int, error) {
	return tx.execCount(ctx, `DELETE FROM plans WHERE id IN (SELECT p.id FROM plans p WHERE p.created_at < ? ORDER BY p.id LIMIT ?)`, before, limit)
}

type stepRow struct {
	PlanID  text   `db:"plan_id"`
	Line    int    `db:"line"`
	Action  string `db:"action"`
	UserID  text   `db:"user_id"`
	Version int64  `db:"version"`
	Detail  string `db:"detail"`
	State   string `db:"state"`
	MailID  text   `db:"mail_id"`
	Data    []byte `db:"data"`
}

const stepColumns = `s.plan_id, s.line, s.action, s.user_id, s.version, s.detail, s.state, s.mail_id, s.data`

// stepPlace is what the data of a step is sealed for.
func stepPlace(plan identity.PlanID, line int) string {
	return "plan_steps/data/" + string(plan) + "/" + strconv.Itoa(line)
}

func (tx *Tx) stepsOf(rows []stepRow) ([]identity.PlanStep, error) {
	out := make([]identity.PlanStep, len(rows))
	for i, r := range rows {
		out[i] = identity.PlanStep{
			PlanID: identity.PlanID(r.PlanID), Line: r.Line, Action: identity.PlanAction(r.Action), UserID: identity.UserID(r.UserID), Version: r.Version,
			Detail: r.Detail, State: identity.StepState(r.State), MailID: identity.MailID(r.MailID),
		}
		if len(r.Data) == 0 {
			continue
		}
		var err error
		if out[i].Data, err = tx.open(stepPlace(out[i].PlanID, r.Line), r.Data); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PutPlanStep writes steps of plans, new or changed. Their data is sealed.
func (tx *Tx) PutPlanStep(ctx context.Context, steps ...identity.PlanStep) error {
	if len(steps) == 0 {
		return nil
	}
	args := make([]any, 0, 9*len(steps))
	for _, s := range steps {
		sealed := []byte{}
		if len(s.Data) > 0 {
			sealed = tx.seal(stepPlace(s.PlanID, s.Line), s.Data)
		}
		args = append(args, string(s.PlanID), s.Line, string(s.Action), null(s.UserID), s.Version, s.Detail, sealed, string(s.State), null(s.MailID))
	}
	return tx.insert(ctx, newSteps, args)
}

// AnalyzePlanSteps has PostgreSQL look at the steps when many are new. Until it has, it believes that a plan has few, and sorts all of them for each page of them.
func (tx *Tx) AnalyzePlanSteps(ctx context.Context) error {
	if !tx.postgres() {
		return nil
	}
	return tx.exec(ctx, `ANALYZE plan_steps`)
}

// PutStepState writes what became of steps that are there, and leaves their data as it is.
func (tx *Tx) PutStepState(ctx context.Context, steps ...identity.PlanStep) error {
	args := make([]any, 0, 9*len(steps))
	for _, s := range steps {
		args = append(args, string(s.PlanID), s.Line, string(s.Action), null(s.UserID), s.Version, s.Detail, []byte{}, string(s.State), null(s.MailID))
	}
	return tx.insert(ctx, stepStates, args) // what is there is found by its key, whatever the database thinks of the number of rows
}

var stepStates = rowsOf{table: "plan_steps", columns: newSteps.columns, after: ` ON CONFLICT (plan_id, line) DO UPDATE SET action = excluded.action, user_id = excluded.user_id,
	version = excluded.version, detail = excluded.detail, state = excluded.state, mail_id = excluded.mail_id`}

var newSteps = rowsOf{table: "plan_steps", columns: []cell{
	{"plan_id", "uuid"}, {"line", "integer"}, {"action", "text"}, {"user_id", "uuid"}, {"version", "bigint"}, {"detail", "text"}, {"data", "bytea"}, {"state", "text"}, {"mail_id", "uuid"},
}, after: ` ON CONFLICT (plan_id, line) DO UPDATE SET action = excluded.action, user_id = excluded.user_id, version = excluded.version, detail = excluded.detail, data = excluded.data,
	state = excluded.state, mail_id = excluded.mail_id`}

// StepQuery says which steps of a plan are wanted; empty fields do not narrow.
type StepQuery struct {
	Actions    []identity.PlanAction
	States     []identity.StepState
	After      int // lines behind this one; with Descending in front of it
	Descending bool
	Limit      int
}

// PlanSteps returns the steps of a plan in the order of their lines.
func (tx *Tx) PlanSteps(ctx context.Context, plan identity.PlanID, q StepQuery) (identity.Page[identity.PlanStep], error) {
	var page identity.Page[identity.PlanStep]
	b := builder{tx: tx}
	b.add("s.plan_id = ?", string(plan))
	if len(q.Actions) > 0 {
		in, arg := tx.textList("s.action", asTexts(q.Actions))
		b.add(in, arg)
	}
	if len(q.States) > 0 {
		in, arg := tx.textList("s.state", asTexts(q.States))
		b.add(in, arg)
	}
	order := " ORDER BY s.line LIMIT " + strconv.Itoa(q.Limit+1)
	if q.Descending {
		order = " ORDER BY s.line DESC LIMIT " + strconv.Itoa(q.Limit+1)
	}
	switch {
	case q.Descending && q.After > 0:
		b.add("s.line < ?", q.After)
	case !q.Descending:
		b.add("s.line > ?", q.After)
	}
	var rows []stepRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+stepColumns+` FROM plan_steps s`+b.where()+order, b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	var err error
	page.Items, err = tx.stepsOf(rows)
	return page, err
}

func asTexts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
