package console

import (
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

const plansPath = "/console/plans/"

func (d *Door) planRoutes() []route {
	routes := []route{
		{"GET /console/plans/{id}", usersWrite, d.plan},
		{"GET /console/plans/{id}/errors.csv", usersWrite, d.planErrors},
		{"GET /console/plans/{id}/backup.csv", usersWrite, d.planBackup},
	}
	for name, act := range d.planActs() {
		routes = append(routes, route{"GET /console/plans/{id}/" + name, usersWrite, d.asksPlan(act)}, route{"POST /console/plans/{id}/" + name, usersWrite, d.actsPlan(act)})
	}
	return routes
}

// planTile is a number of the summary; it leads to the steps that it counts.
type planTile struct {
	Title   string
	Count   int
	Tone    string // how it is coloured where it is not zero
	Action  identity.PlanAction
	URL     string
	Current bool
}

type planBody struct {
	Plan      identity.Plan
	Caption   string
	Tenant    string
	SourceURL string
	Tiles     []planTile
	Steps     []provisioning.PlanStepView
	Mails     bool // one of the steps sent a mail
	Pager     pager
	Action    identity.PlanAction
	State     identity.StepState
	States    []identity.StepState
	Progress  planProgress
	Undone    []identity.Plan // plans that undo this one
	May       planMay
	Still     bool // the reader asked that the page stays as it is
}

// planProgress is how far a plan is carried out.
type planProgress struct{ Total, Done int }

// Percent is for people.
func (p planProgress) Percent() int {
	if p.Total == 0 {
		return 0
	}
	return p.Done * 100 / p.Total
}

// planMay says what can be done with a plan now.
type planMay struct{ Apply, Approve, Reject, Stop, Undo, Drop, Backup, Errors bool }

// stepStates are what the steps of a plan can be narrowed to.
var stepStates = []identity.StepState{
	identity.StepOpen, identity.StepDone, identity.StepFailed, identity.StepChanged, identity.StepReverted, identity.StepKept, identity.StepNone,
}

// refreshAfter is after how many seconds the page of a plan that is being carried out looks again, without scripts.
const refreshAfter = 3

// plan shows what a plan would do, or did, to whom and why.
func (d *Door) plan(w http.ResponseWriter, r *http.Request, v visit) error {
	p, err := d.pathPlan(r, v)
	if err != nil {
		return err
	}
	b := planBody{Plan: p, Caption: d.importCaption(), States: stepStates, Progress: progressOf(p), May: mayPlan(p), Still: r.FormValue("still") != ""}
	b.SourceURL = sourceURL(identity.Source{Name: p.Source, TenantID: p.TenantID}, "")
	if b.Tenant, err = d.tenantName(r, v, p.TenantID); err != nil {
		return err
	}
	if err := d.planSteps(r, v, &b); err != nil {
		return err
	}
	undone, err := d.prov.PlansWhere(r.Context(), v.Actor, provisioning.PlanQuery{Parent: p.ID, Query: identity.Query{Limit: 5}})
	if err != nil {
		return err
	}
	b.Undone, b.Tiles = undone.Items, planTiles(p, b.Action)
	s := screen{Title: planTitle(p), Nav: "imports", Body: b}
	if working(p) && !b.Still {
		s.Refresh = refreshAfter
	}
	return d.show(w, r, v, "plan", s)
}

// planSteps reads the steps that the address asks for.
func (d *Door) planSteps(r *http.Request, v visit, b *planBody) error {
	q := provisioning.StepQuery{Limit: pageSize}
	if action := identity.PlanAction(r.FormValue("action")); slices.ContainsFunc(planTiles(b.Plan, ""), func(t planTile) bool { return t.Action == action }) {
		b.Action, q.Actions = action, []identity.PlanAction{action}
	}
	if state := identity.StepState(r.FormValue("state")); slices.Contains(stepStates, state) {
		b.State, q.States = state, []identity.StepState{state}
	}
	if line, err := strconv.Atoi(r.FormValue("after")); err == nil && line > 0 {
		q.After = line
	}
	page, err := d.prov.PlanSteps(r.Context(), v.Actor, b.Plan.ID, q)
	if err != nil {
		return err
	}
	b.Steps, b.Pager = page.Items, onward(r, page, func(s provisioning.PlanStepView) string { return strconv.Itoa(s.Line) })
	b.Pager.Lines = true
	b.Mails = slices.ContainsFunc(b.Steps, func(s provisioning.PlanStepView) bool { return s.Mail != nil })
	return nil
}

func (d *Door) pathPlan(r *http.Request, v visit) (identity.Plan, error) {
	id, err := pathID[identity.PlanID](r, "id")
	if err != nil {
		return identity.Plan{}, err
	}
	return d.prov.Plan(r.Context(), v.Actor, id)
}

// planTitle names a plan for people.
func planTitle(p identity.Plan) string {
	name, bulk := bulkWords[provisioning.BulkKind(p.FileName)]
	switch {
	case bulk && p.Kind == identity.PlanBulk:
		return name
	case bulk && p.Kind == identity.PlanUndo && p.Source == "bulk":
		return "Undo: " + name
	case p.Kind == identity.PlanUndo && p.FileName != "":
		return "Undo of " + p.FileName
	case p.FileName != "":
		return p.FileName
	}
	return planKind(p.Kind) + " of " + p.Source
}

// working reports whether something is being done with a plan now, so that its page is old soon.
func working(p identity.Plan) bool {
	return p.State == identity.PlanApplying || p.State == identity.PlanComputing
}

func mayPlan(p identity.Plan) planMay {
	s := p.Summary
	return planMay{
		Apply:   p.State == identity.PlanReady && planned(p) > 0,
		Approve: p.State == identity.PlanHeld,
		Reject:  p.State == identity.PlanHeld || p.State == identity.PlanReady,
		Stop:    p.State == identity.PlanApplying && !p.Stopping,
		Undo:    p.AppliedAt != nil && s.Done > s.Reverted && (p.State == identity.PlanDone || p.State == identity.PlanReady),
		Drop:    p.State != identity.PlanApplying,
		Backup:  p.AppliedAt != nil && s.Done > 0,
		Errors:  s.Errors+s.Conflict+s.Failed > 0,
	}
}

// planned counts the people with whom a plan does something.
func planned(p identity.Plan) int {
	s := p.Summary
	return s.Create + s.Update + s.Deactivate + s.Restore + s.Move
}

func progressOf(p identity.Plan) planProgress {
	done := p.Summary.Done + p.Summary.Failed
	return planProgress{Total: max(planned(p), done), Done: done}
}

func planTiles(p identity.Plan, current identity.PlanAction) []planTile {
	s := p.Summary
	tiles := []planTile{
		{Title: "new", Count: s.Create, Tone: "good", Action: identity.StepCreate},
		{Title: "changed", Count: s.Update, Action: identity.StepUpdate},
		{Title: "kept out", Count: s.Deactivate, Tone: "bad", Action: identity.StepDeactivate},
		{Title: "let in again", Count: s.Restore, Tone: "good", Action: identity.StepRestore},
		{Title: "moved", Count: s.Move, Tone: "warn", Action: identity.StepMove},
		{Title: "to be decided", Count: s.Conflict, Tone: "warn", Action: identity.StepConflict},
		{Title: "not usable", Count: s.Errors, Tone: "bad", Action: identity.StepError},
		{Title: "the same", Count: s.Skip, Action: identity.StepSkip},
	}
	for i := range tiles {
		tiles[i].URL, tiles[i].Current = plansPath+string(p.ID)+"?action="+string(tiles[i].Action)+"#steps", tiles[i].Action == current
	}
	return tiles
}

// planErrors is a file of the rows that could not be used.
func (d *Door) planErrors(w http.ResponseWriter, r *http.Request, v visit) error {
	p, err := d.pathPlan(r, v)
	if err != nil {
		return err
	}
	return d.download(w, "errors", "csv", func(out io.Writer) error { return d.prov.WritePlanErrors(r.Context(), v.Actor, p.ID, "csv", out) })
}

// planBackup is a file of the people as they were before the plan.
func (d *Door) planBackup(w http.ResponseWriter, r *http.Request, v visit) error {
	p, err := d.pathPlan(r, v)
	if err != nil {
		return err
	}
	return d.download(w, "backup", "csv", func(out io.Writer) error {
		_, err := d.prov.ExportBackup(r.Context(), v.Actor, p.ID, "csv", out)
		return err
	})
}
