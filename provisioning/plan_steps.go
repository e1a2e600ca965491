package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// stepData is what a step keeps, sealed: what it needs to be carried out, to be shown, and to be undone.
type stepData struct {
	Who      string                 `json:"who,omitempty"` // for people
	Fields   personFields           `json:"fields,omitempty"`
	Hash     string                 `json:"hash,omitempty"` // of a password; gone once it is used
	Terms    identity.PasswordTerms `json:"terms,omitzero"`
	Tenant   identity.TenantID      `json:"tenant,omitempty"`
	Field    string                 `json:"field,omitempty"` // that an error is about
	Code     string                 `json:"code,omitempty"`
	Changes  []identity.Change      `json:"changes,omitempty"`
	Was      *wasPerson             `json:"was,omitempty"`  // as the person was before the step was carried out
	Left     personFields           `json:"left,omitempty"` // as the step left the person; of somebody new also as it will
	More     personFields           `json:"more,omitzero"`  // how Left differs from Fields, where it is kept so
	Outside  bool                   `json:"outside,omitempty"`
	Demoted  bool                   `json:"demoted,omitempty"`
	Recalled bool                   `json:"recalled,omitempty"` // about somebody whom the file no longer has
	Bulk     *bulkStep              `json:"bulk,omitempty"`     // of a bulk act: what it does
	Manager  identity.UserID        `json:"manager,omitempty"`  // who was found by the row's word
	Open     string                 `json:"open,omitempty"`     // the word, where nobody was
	Undo     *undoStep              `json:"undo,omitempty"`     // of a plan that undoes another: what it puts back
}

// undoStep is what a step of a plan that undoes another needs of the step that it undoes.
type undoStep struct {
	Line    int          `json:"line"` // of that step
	Version int64        `json:"version"`
	Left    personFields `json:"left,omitempty"` // as that step left the person, who is to be so still
	Was     *wasPerson   `json:"was,omitempty"`  // as they were before; nil: that step created them
}

// created reports whether the step only takes away somebody whom the plan that it undoes created.
func (d stepData) created() bool { return d.Undo != nil && d.Undo.Was == nil }

// wasPerson is what can be put back of a person.
type wasPerson struct {
	Fields   personFields          `json:"fields"`
	User     identity.User         `json:"user"`
	Roles    []identity.Assignment `json:"roles"`
	Position identity.Position     `json:"position"`
	Source   *store.SourceUser     `json:"source,omitempty"` // as the source knew them; nil: it did not
	Terms    identity.Terms        `json:"terms,omitzero"`
}

func (d stepData) row(line int) importRow {
	return importRow{line: line, fields: d.Fields, hash: d.Hash, terms: d.Terms, tenant: d.Tenant, manager: d.Manager, bulk: d.Bulk}
}

func readStep(s identity.PlanStep) (stepData, error) {
	d, err := decodeStep(s)
	return d.whole(s), err
}

// decodeStep is readStep for somebody new without what follows from the rest.
func decodeStep(s identity.PlanStep) (stepData, error) {
	if len(s.Data) == 0 {
		return stepData{}, nil
	}
	if d, ok := plainStep(string(s.Data)); ok {
		return d, nil
	}
	var d stepData
	err := json.Unmarshal(s.Data, &d)
	return d, err
}

// whole fills in how a step leaves somebody new, and what changes by it.
func (d stepData) whole(s identity.PlanStep) stepData {
	if s.Action != identity.StepCreate {
		return d
	}
	if d.More != nil {
		d.Left, d.More = leftBy(d.Fields, d.More), nil
		if s.UserID != "" {
			d.Left[fieldID] = string(s.UserID)
		}
	}
	if d.Left != nil {
		d.Changes = diffFields(nil, d.Left)
	}
	return d
}

// leaves reports whether a step that is not whole leaves somebody new as these fields say.
func (d stepData) leaves(after personFields) bool {
	if d.More == nil {
		return sameFields(after, d.Left)
	}
	for field, value := range after {
		will, other := d.More[field]
		if !other {
			will = d.Fields[field]
		}
		if value != will && field != fieldID {
			return false
		}
	}
	for field, value := range d.Fields {
		if _, other := d.More[field]; !other && value != after[field] && field != fieldID {
			return false
		}
	}
	for field, value := range d.More {
		if value != after[field] && field != fieldID {
			return false
		}
	}
	return true
}

// writeStep puts what a step keeps into it. Of somebody new it keeps what the row does not say of how they will be; that says what changes, too.
func writeStep(s *identity.PlanStep, d stepData) (err error) {
	if s.Action == identity.StepCreate && d.Left != nil {
		d.More, d.Left, d.Changes = moreThan(d.Fields, d.Left), nil, nil
	}
	s.Data, err = json.Marshal(d)
	return err
}

// moreThan returns the fields that are others than those of a row, but for the id.
func moreThan(row, is personFields) personFields {
	more := personFields{}
	for field, value := range is {
		if field != fieldID && value != row[field] {
			more[field] = value
		}
	}
	for field, value := range row {
		if _, there := is[field]; !there && value != "" {
			more[field] = ""
		}
	}
	return more
}

// leftBy is the opposite of moreThan.
func leftBy(row, more personFields) personFields {
	out := make(personFields, len(row)+len(more)+1)
	for field, value := range row {
		if value != "" && field != fieldID {
			out[field] = value
		}
	}
	maps.Copy(out, more)
	return out
}

// PlanStepView is a step for people.
type PlanStepView struct {
	Line    int
	Action  identity.PlanAction
	State   identity.StepState
	UserID  identity.UserID
	Who     string
	Detail  string // why it is skipped, wrong or not carried out
	Field   string // that an error is about
	Code    string
	Changes []identity.Change
	Mail    *identity.Mail // that told a new person, without its text; nil: none was sent, or it is not kept any more
}

func viewStep(s identity.PlanStep) (PlanStepView, error) {
	d, err := readStep(s)
	return PlanStepView{
		Line: s.Line, Action: s.Action, State: s.State, UserID: s.UserID, Who: d.Who, Detail: withManager(s.Detail, d.Open), Field: d.Field, Code: d.Code, Changes: d.Changes,
	}, err
}

// errUndo ends a transaction in which steps were only tried.
var errUndo = errors.New("nothing of this stays")

// rehearse computes steps: each is carried out, and then all of it is undone. What a rule refuses becomes an error step with the rule's own sentence.
func (p *planner) rehearse(ctx context.Context, rows []importRow, who []identity.UserID) ([]identity.PlanStep, error) {
	var steps []identity.PlanStep
	err := p.s.db.Update(ctx, func(tx *store.Tx) error {
		steps = make([]identity.PlanStep, len(rows))
		for i, r := range rows {
			var err error
			if steps[i], _, err = p.attempt(ctx, tx, r, who[i]); err != nil {
				return err
			}
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		return nil, err
	}
	return steps, nil
}

// attempt carries out one row behind a savepoint and describes it as a step.
func (p *planner) attempt(ctx context.Context, tx *store.Tx, r importRow, id identity.UserID) (identity.PlanStep, effect, error) {
	step := identity.PlanStep{PlanID: p.plan.ID, Line: r.line, UserID: id, Action: identity.StepCreate, State: identity.StepOpen}
	if id != "" {
		step.Action = identity.StepUpdate
	}
	var out effect
	refused := r.wrong
	if refused == nil {
		var err error
		refused, err = tx.Try(ctx, func() (err error) {
			out, err = p.carryOut(ctx, tx, r, id)
			return err
		})
		if err != nil {
			return step, out, err
		}
	}
	if refused != nil {
		step.Action, step.State, step.Detail = refusedAs(refused), identity.StepNone, refused.Message
		who := rowLabel(r)
		if r.bulk != nil && out.user.ID != "" {
			who = out.user.Label()
		}
		return step, out, writeStep(&step, stepData{Who: who, Fields: r.fields, Tenant: r.tenant, Field: refused.Field, Code: refused.Code})
	}
	return step, out, p.describe(&step, r, out)
}

// describe fills in what came of a row.
func (p *planner) describe(step *identity.PlanStep, r importRow, out effect) error {
	d := stepData{
		Who: out.user.Label(), Fields: r.fields, Hash: r.hash, Terms: r.terms, Tenant: r.tenant, Changes: out.changes, Outside: out.outside, Demoted: out.demoted,
		Recalled: r.recalled, Manager: out.manager, Open: out.open, Bulk: r.bulk,
	}
	step.Detail = ""
	switch {
	case out.before == nil:
		d.Left = maps.Clone(out.after)
		delete(d.Left, fieldID)
	case len(out.changes) == 0:
		step.Action, step.Detail = identity.StepSkip, nothingChanges
		d.Hash = ""
		if out.known {
			step.State = identity.StepNone
		}
	case r.bulk != nil:
		step.Action = r.bulk.action()
	case r.recalled:
		step.Action, step.Detail = identity.StepDeactivate, "no longer in the file"
	case out.action != "":
		step.Action = out.action
	}
	step.Detail = detail(step.Detail, out.notes)
	if out.before != nil {
		step.Version = out.seen
	}
	return writeStep(step, d)
}

// detail joins why a step is what it is with what is noteworthy about it.
func detail(why string, notes []string) string {
	if why == "" {
		return strings.Join(notes, "; ")
	}
	return strings.Join(append([]string{why}, notes...), "; ")
}

func (p *planner) carryOut(ctx context.Context, tx *store.Tx, r importRow, id identity.UserID) (effect, error) {
	switch {
	case r.undo != nil:
		return p.putBack(ctx, tx, r, id)
	case r.bulk != nil:
		return p.bulk(ctx, tx, id, r.bulk)
	}
	reason := p.reason(r)
	change := func() (effect, error) { return p.update(ctx, tx, id, r, reason) }
	if id == "" {
		change = func() (effect, error) { return p.create(ctx, tx, r, reason) }
	}
	out, err := change()
	if err == nil {
		err = p.tie(ctx, tx, out.user, r)
	}
	return out, err
}

// reason is what the events of a step say.
func (p *planner) reason(r importRow) string {
	if r.recalled {
		return "import " + p.plan.FileName + ": no longer in the file"
	}
	if p.plan.DirectoryID != "" {
		return fmt.Sprintf("%s, operation %d", p.plan.FileName, r.line)
	}
	return fmt.Sprintf("import %s, line %d", p.plan.FileName, r.line)
}

// rowLabel names a row for people.
func rowLabel(r importRow) string {
	for _, field := range []string{fieldDisplayName, fieldUserName, fieldEmail, fieldEmployeeNumber, fieldExternalID, fieldID} {
		if v := r.fields[field]; v != "" {
			return v
		}
	}
	return ""
}

// count adds a step to the summary of its plan.
func count(sum *identity.PlanSummary, step identity.PlanStep, d stepData) {
	switch step.Action {
	case identity.StepCreate:
		sum.Create++
	case identity.StepUpdate:
		sum.Update++
	case identity.StepRestore:
		sum.Restore++
	case identity.StepMove:
		sum.Move++
	case identity.StepSkip:
		sum.Skip++
	case identity.StepConflict:
		sum.Conflict++
	case identity.StepError:
		sum.Errors++
	}
	if d.Outside {
		sum.Deactivate++
	}
}

// sameChanges reports whether two lists of changes say the same.
func sameChanges(a, b []identity.Change) bool {
	return slices.EqualFunc(a, b, func(x, y identity.Change) bool {
		return x.Field == y.Field && x.Before == y.Before && x.After == y.After
	})
}
