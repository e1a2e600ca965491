package provisioning

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// LogStatus says what became of an operation that an HR system sent.
type LogStatus string

// The statuses.
const (
	LogSuccess LogStatus = "success"
	LogFailure LogStatus = "failure"
	LogSkipped LogStatus = "skipped" // there was nothing to do, or it waits, or was turned down; Reason says so
)

// LogEntry says what became of one operation.
type LogEntry struct {
	ID      string // of the entry
	Upload  identity.Upload
	Line    int    // the number of the operation, from 1
	BulkID  string // that the sender gave it
	At      time.Time
	Action  identity.PlanAction // create, update, deactivate, restore, move, skip, conflict or error
	Outside bool                // the person is kept out by it
	Status  LogStatus
	Code    string
	Reason  string // for people; empty where all is said by the status
	Source  string // by what the sender knows the person: externalId, else the personnel number, else the user name
	Who     string
	UserID  identity.UserID
	Changes []identity.Change
	Ignored []string // attributes that are not kept
}

// LogQuery says which entries are wanted.
type LogQuery struct {
	Upload identity.UploadID // of this one alone
	Job    string
	After  string // the ID of the last entry that was seen
	Limit  int
}

// UploadLog returns a page of what became of the operations that a directory sent: the newest upload first, its operations in their order. Uploads that nobody has
// worked off yet are not in it. A directory sees its own; whoever runs the installation everybody's.
func (s *Service) UploadLog(ctx context.Context, by identity.Actor, q LogQuery) (identity.Page[LogEntry], error) {
	var page identity.Page[LogEntry]
	directory, err := s.uploadsOf(by)
	if err != nil {
		return page, err
	}
	from, line := logPlace(q.After)
	if !validIDs(&q.Upload) {
		return page, noUpload()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		uploads := store.UploadQuery{DirectoryID: directory, Job: q.Job, From: from, Limit: 20}
		for {
			list, more, err := uploadsOfLog(ctx, tx, q, uploads)
			if err != nil {
				return err
			}
			for _, u := range list {
				uploads.After = u.ID
				if u.ID != from {
					line = 0
				}
				if err := s.logOf(ctx, tx, u, line, q.Limit+1, &page); err != nil {
					return err
				}
				if len(page.Items) > q.Limit {
					page.Items, page.More = page.Items[:q.Limit], true
					return nil
				}
			}
			if !more {
				return nil
			}
		}
	})
	return page, sharpen(err, noUpload)
}

// uploadsOfLog returns the next uploads of a log.
func uploadsOfLog(ctx context.Context, tx *store.Tx, q LogQuery, uploads store.UploadQuery) ([]identity.Upload, bool, error) {
	if q.Upload != "" {
		u, err := tx.Upload(ctx, uploads.DirectoryID, q.Upload)
		if q.Job != "" && u.Job != q.Job {
			return nil, false, err
		}
		return []identity.Upload{u}, false, err
	}
	page, err := tx.Uploads(ctx, uploads)
	return page.Items, page.More, err
}

// logPlace reads the id of an entry.
func logPlace(id string) (identity.UploadID, int) {
	at := strings.LastIndexByte(id, '-')
	if at < 0 {
		return "", 0
	}
	upload, ok := identity.ParseID[identity.UploadID](id[:at])
	line, err := strconv.Atoi(id[at+1:])
	if !ok || err != nil {
		return "", 0
	}
	return upload, line
}

// logOf adds the entries of an upload behind a line until the page has most.
func (s *Service) logOf(ctx context.Context, tx *store.Tx, u identity.Upload, line, most int, page *identity.Page[LogEntry]) error {
	if u.Open() {
		return nil
	}
	whole, err := tx.Upload(ctx, u.DirectoryID, u.ID)
	if err != nil {
		return err
	}
	u.Body = nil
	if u.State == identity.UploadFailed {
		if line == 0 {
			page.Items = append(page.Items, LogEntry{ID: string(u.ID) + "-1", Upload: u, Line: 1, At: *u.FinishedAt, Action: identity.StepError, Status: LogFailure, Code: "upload_failed", Reason: u.Failure})
		}
		return nil
	}
	plan, err := planOfUpload(ctx, tx, u)
	if err != nil || plan == nil {
		return err
	}
	var notes []uploadNote
	if len(whole.Body) > 0 {
		if err := json.Unmarshal(whole.Body, &notes); err != nil {
			return err
		}
	}
	room := most - len(page.Items)
	steps, err := tx.PlanSteps(ctx, plan.ID, StepQuery{After: line, Limit: room})
	if err != nil {
		return err
	}
	by := map[int]identity.PlanStep{}
	for _, step := range steps.Items {
		by[step.Line] = step
	}
	for line++; line <= len(notes) && room > 0; line, room = line+1, room-1 {
		step, there := by[line]
		if !there { // the plan keeps no step of who is the same
			step = identity.PlanStep{Line: line, Action: identity.StepSkip, State: identity.StepNone, Detail: "nothing changes"}
		}
		e, err := logEntry(u, *plan, step)
		if err != nil {
			return err
		}
		note := notes[line-1]
		e.BulkID, e.Source, e.Ignored = note.BulkID, note.Source, note.Ignored
		page.Items = append(page.Items, e)
	}
	return nil
}

// logEntry is what a step says to the sender.
func logEntry(u identity.Upload, plan identity.Plan, step identity.PlanStep) (LogEntry, error) {
	d, err := readStep(step)
	e := LogEntry{
		ID: string(u.ID) + "-" + strconv.Itoa(step.Line), Upload: u, Line: step.Line, At: u.CreatedAt, Action: step.Action, Outside: d.Outside, Status: LogSuccess,
		Code: d.Code, Reason: step.Detail, Who: d.Who, UserID: step.UserID, Changes: d.Changes,
	}
	if u.FinishedAt != nil {
		e.At = *u.FinishedAt
	}
	if plan.AppliedAt != nil {
		e.At = *plan.AppliedAt
	}
	switch {
	case step.Action == identity.StepError || step.Action == identity.StepConflict || step.State == identity.StepFailed:
		e.Status = LogFailure
	case step.State == identity.StepReverted:
		e.Status, e.Reason = LogSkipped, "It was done, and undone later."
	case step.Action == identity.StepSkip:
		e.Status = LogSkipped
	case step.State == identity.StepOpen || step.State == identity.StepChanged:
		e.Status = LogSkipped
		e.Code, e.Reason = waits(plan)
	}
	return e, err
}

// waits says why a step of a plan was not carried out.
func waits(plan identity.Plan) (code, reason string) {
	switch plan.State {
	case identity.PlanHeld:
		return "plan_held", "It waits for an administrator. " + strings.Join(plan.Summary.Holds, " ")
	case identity.PlanRejected:
		return "plan_rejected", strings.TrimSpace("It was turned down by an administrator. " + plan.Reason)
	}
	return "plan_waits", strings.TrimSpace("It is not done yet. " + plan.Summary.Failure)
}
