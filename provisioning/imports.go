package provisioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// How many rows are computed, and how many steps carried out, in one transaction.
const (
	planChunk  = 100
	applyChunk = 50
)

// Upload is a file that somebody brings.
type Upload struct {
	Name    string
	Content io.ReaderAt
	Size    int64 // in bytes
}

// ImportOptions say how a file is to be understood.
type ImportOptions struct {
	Tenant identity.TenantID // whose people the file has; a user's own tenant anyway
	Source string            // where it comes from; empty: "file"
	identity.PlanOptions

	// Hash returns the hash of a password that the policy allows, and CheckHash refuses what is no hash that a sign-in can verify; both say what holds for the
	// password. They are needed for a file with passwords only.
	Hash      func(ctx context.Context, by identity.Actor, u identity.User, password string) (string, identity.PasswordTerms, error)
	CheckHash func(hash string) (identity.PasswordTerms, error)
	Progress  func(rows int) // called now and then with how many rows were read
}

// DefaultSource is the source of a file that nobody names.
const DefaultSource = "file"

// PreviewImport reads the heading of a file and says which column would be which field: as the mapping that was last used for the source has it, else by name.
func (s *Service) PreviewImport(ctx context.Context, by identity.Actor, file Upload, tenant identity.TenantID, source string) ([]MappedColumn, error) {
	plan, _, err := s.newPlan(ctx, by, file, ImportOptions{Tenant: tenant, Source: source})
	if err != nil {
		return nil, err
	}
	table, err := sheets.Open(file.Content, file.Size, sheets.DefaultLimits())
	if err != nil {
		return nil, err
	}
	defer table.Close()
	return s.mapped(ctx, plan, table.Header, nil)
}

// mapped returns the columns of a heading by a mapping, the saved one, and what headings usually mean.
func (s *Service) mapped(ctx context.Context, plan identity.Plan, header []string, said identity.Mapping) ([]MappedColumn, error) {
	saved := identity.Mapping{}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		m, err := tx.Mapping(ctx, plan.TenantID, plan.Source)
		if identity.KindOf(err) == identity.NotFound {
			return nil
		}
		saved = m
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.checkColumns(said); err != nil {
		return nil, err
	}
	for heading, field := range said {
		if !hasHeading(header, heading) {
			return nil, identity.Errorf(identity.Invalid, "The file has no column %q. It has: %s.", heading, strings.Join(header, ", ")).WithField("mapping")
		}
		maps.DeleteFunc(saved, func(old, was string) bool {
			return identity.PlainKey(old) == identity.PlainKey(heading) || field != "" && was == field
		})
	}
	maps.Copy(saved, said)
	return s.SuggestMapping(header, saved), nil
}

func hasHeading(header []string, heading string) bool {
	for _, h := range header {
		if identity.PlainKey(h) == identity.PlainKey(heading) {
			return true
		}
	}
	return false
}

// PlanImport reads a file and computes what it would do, row by row. Nothing is written but the plan; ApplyPlan carries exactly that out. A row that cannot be used
// is an error step with its reason; only a file that cannot be read at all is an error.
func (s *Service) PlanImport(ctx context.Context, by identity.Actor, file Upload, o ImportOptions) (identity.Plan, error) {
	plan, scope, err := s.newPlan(ctx, by, file, o)
	if err != nil {
		return plan, err
	}
	table, err := sheets.Open(file.Content, file.Size, sheets.DefaultLimits())
	if err != nil {
		return plan, err
	}
	defer table.Close()
	columns, err := s.mapped(ctx, plan, table.Header, o.Mapping)
	if err != nil {
		return plan, err
	}
	plan.Options.Mapping = identity.Mapping{}
	fields := make([]string, len(columns))
	for i, c := range columns {
		fields[i] = c.Field
		plan.Options.Mapping[c.Heading] = c.Field
	}
	if err := s.checkMapping(plan.Options.Mapping); err != nil {
		return plan, err
	}
	plan.Summary.Form = table.Form
	if plan.Summary.SHA256, err = fileSum(file); err != nil {
		return plan, err
	}
	if err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.InsertPlan(ctx, plan) }); err != nil {
		return plan, err
	}
	w := &importing{planner: s.planner(by, scope, plan), table: table, columns: fields, o: o}
	if err := w.compute(ctx); err != nil {
		gone := s.db.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.DeletePlan(context.WithoutCancel(ctx), plan.ID) })
		return plan, errors.Join(err, gone)
	}
	return w.plan, nil
}

func fileSum(file Upload) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(file.Content, 0, file.Size)); err != nil {
		return "", identity.Errorf(identity.Invalid, "The file cannot be read.").WithField("file").WithCause(err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// newPlan checks what was chosen and returns an empty plan with the people whom it may see.
func (s *Service) newPlan(ctx context.Context, by identity.Actor, file Upload, o ImportOptions) (identity.Plan, store.Scope, error) {
	plan := identity.Plan{
		ID: identity.NewID[identity.PlanID](), TenantID: o.Tenant, Kind: identity.PlanImport, Source: identity.TidyText(o.Source), FileName: identity.TidyText(file.Name),
		State: identity.PlanComputing, Options: o.PlanOptions, CreatedBy: by.Label,
	}
	if plan.Source == "" {
		plan.Source = DefaultSource
	}
	scope, err := s.planScope(ctx, by, &plan)
	if err != nil {
		return plan, scope, err
	}
	switch o.Welcome {
	case "":
		plan.Options.Welcome = identity.WelcomeNone
	case identity.WelcomeInvite, identity.WelcomePassword, identity.WelcomeNone:
	default:
		return plan, scope, identity.Errorf(identity.Invalid, "There is no welcome %q. Use invite, password or none.", o.Welcome).WithField("welcome")
	}
	if len(plan.Source) > 100 || len(plan.FileName) > 255 {
		return plan, scope, identity.Errorf(identity.Invalid, "The name of a source has at most 100 bytes, that of a file 255.").WithField("source")
	}
	return plan, scope, nil
}

// planScope returns the people whom a plan may touch, and puts the tenant into it.
func (s *Service) planScope(ctx context.Context, by identity.Actor, plan *identity.Plan) (store.Scope, error) {
	if by.Kind == identity.ActorDirectory {
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A directory pushes people; it imports no files.")
	}
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return scope, err
	}
	if !validIDs(&plan.TenantID) {
		return scope, noTenant()
	}
	if by.TenantID != "" {
		if plan.TenantID != "" && plan.TenantID != by.TenantID {
			return scope, identity.Errorf(identity.Forbidden, "You may import users into your own tenant only.").WithField("tenant")
		}
		plan.TenantID = by.TenantID
	}
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		plan.CreatedAt = tx.Now()
		if plan.TenantID == "" && s.model.Single() {
			var t identity.Tenant
			t, err = tx.MainTenant(ctx)
			plan.TenantID = t.ID
			return err
		}
		if plan.TenantID != "" {
			_, err = tx.Tenant(ctx, scope, plan.TenantID)
		}
		return sharpen(err, noTenant)
	})
	if plan.TenantID != "" {
		scope = store.OfTenant(plan.TenantID)
	}
	return scope, err
}

// importing is a plan in the making.
type importing struct {
	*planner
	table   *sheets.Reader
	columns []string
	o       ImportOptions
	last    int // line
	admins  []string
}

// compute reads all rows, a chunk at a time, then adds who is missing, and finishes the plan.
func (w *importing) compute(ctx context.Context) error {
	for more := true; more; {
		rows, err := w.read()
		if err != nil {
			return err
		}
		more = len(rows) == planChunk
		if err := w.chunk(ctx, rows); err != nil {
			return err
		}
		if w.o.Progress != nil {
			w.o.Progress(w.plan.Summary.Rows)
		}
	}
	if w.plan.Options.Missing {
		if err := w.missing(ctx); err != nil {
			return err
		}
	}
	return w.finish(ctx)
}

func (w *importing) read() ([]importRow, error) {
	var rows []importRow
	for len(rows) < planChunk {
		row, err := w.table.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, readRow(row, w.columns))
		w.last = row.Line
	}
	w.plan.Summary.Rows += len(rows)
	return rows, nil
}

// chunk computes the steps of some rows and writes them down.
func (w *importing) chunk(ctx context.Context, rows []importRow) error {
	if len(rows) == 0 {
		return nil
	}
	who, err := w.whom(ctx, rows)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := w.secret(ctx, &rows[i], who[i] == ""); err != nil {
			return err
		}
	}
	return w.steps(ctx, rows, who)
}

// steps computes and writes the steps of rows whose people are known.
func (w *importing) steps(ctx context.Context, rows []importRow, who []identity.UserID) error {
	steps, err := w.rehearse(ctx, rows, who)
	if err != nil {
		return err
	}
	for _, step := range steps {
		d, err := readStep(step)
		if err != nil {
			return err
		}
		count(&w.plan.Summary, step, d)
		if d.Demoted {
			w.admins = append(w.admins, d.Who)
		}
	}
	return w.s.db.Update(ctx, func(tx *store.Tx) error { return tx.PutPlanStep(ctx, steps...) })
}

// whom finds whom rows are about, and marks those that cannot be used.
func (w *importing) whom(ctx context.Context, rows []importRow) ([]identity.UserID, error) {
	who := make([]identity.UserID, len(rows))
	var known found
	err := w.s.db.View(ctx, func(tx *store.Tx) (err error) {
		for i := range rows {
			if err := w.home(ctx, tx, &rows[i]); err != nil {
				return err
			}
		}
		known, err = w.match.look(ctx, tx, rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		r := &rows[i]
		id, err := w.match.match(*r, known)
		if refused := refusalOf(err); refused != nil && r.wrong == nil {
			r.wrong = refused
		} else if err != nil && refused == nil {
			return nil, err
		}
		if refused := w.match.repeated(*r); refused != nil && r.wrong == nil {
			r.wrong = refused
		}
		if id != "" {
			if refused := w.match.claim(id, r.line); refused != nil && r.wrong == nil {
				r.wrong = refused
			}
		}
		who[i] = id
	}
	return who, nil
}

// home finds the tenant of a row.
func (w *importing) home(ctx context.Context, tx *store.Tx, r *importRow) error {
	r.tenant = w.plan.TenantID
	word := r.fields[fieldTenant]
	if word == "" {
		return nil
	}
	id, err := w.names.tenant(ctx, tx, word)
	if refused := refusalOf(err); refused != nil {
		if r.wrong == nil {
			r.wrong = refused
		}
		return nil
	}
	r.tenant = id
	return err
}

// secret turns the password of somebody new into its hash. Nobody's password is changed by a file.
func (w *importing) secret(ctx context.Context, r *importRow, fresh bool) error {
	password := r.password
	r.password = ""
	if !fresh || r.wrong != nil {
		r.hash = ""
		return nil
	}
	var err error
	switch {
	case r.hash != "" && w.o.CheckHash == nil, password != "" && w.o.Hash == nil:
		err = identity.Errorf(identity.Invalid, "Passwords are not taken here. Leave the column out.").WithField(fieldPassword)
	case r.hash != "":
		r.terms, err = w.o.CheckHash(r.hash)
	case password != "":
		u := identity.User{TenantID: r.tenant}
		if err = r.applyTo(&u, false); err == nil {
			r.hash, r.terms, err = w.o.Hash(ctx, w.by, u, password)
		}
	}
	if refused := refusalOf(err); refused != nil {
		if refused.Field == "" {
			refused.Field = fieldPassword
		}
		r.wrong, r.hash = refused, ""
		return nil
	}
	return err
}

// missing adds a step for everybody of the source whom the file no longer has.
func (w *importing) missing(ctx context.Context) error {
	var after identity.UserID
	for {
		var ids []identity.UserID
		err := w.s.db.View(ctx, func(tx *store.Tx) (err error) {
			ids, err = tx.UsersOfSource(ctx, w.plan.TenantID, w.plan.Source, after, planChunk)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		var rows []importRow
		var who []identity.UserID
		for _, id := range ids {
			if _, there := w.match.people[id]; !there {
				w.last++
				rows = append(rows, importRow{line: w.last, fields: personFields{fieldActive: yesNo(false)}, recalled: true})
				who = append(who, id)
			}
		}
		if len(rows) > 0 {
			if err := w.steps(ctx, rows, who); err != nil {
				return err
			}
		}
	}
}

// finish holds the plan where a guard says so, and makes it ready otherwise.
func (w *importing) finish(ctx context.Context) error {
	return w.s.db.Update(ctx, func(tx *store.Tx) error {
		people, err := tx.Users(ctx, w.scope, identity.Query{Tenant: w.plan.TenantID, Total: true})
		if err != nil {
			return err
		}
		w.plan.State, w.plan.Summary.Holds = identity.PlanReady, w.holds(people.Total)
		if len(w.plan.Summary.Holds) > 0 {
			w.plan.State = identity.PlanHeld
		}
		if err := tx.UpdatePlan(ctx, w.plan); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, planEvent(w.by, identity.PlanMade, w.plan))
	})
}

// manyOut is how many people a plan may keep out without a reason, in a house of any size; in a small one a tenth of them.
const manyOut = 10

// holds says why a plan waits for a reason.
func (w *importing) holds(people int64) []string {
	var out []string
	sum := w.plan.Summary
	if n := sum.Deactivate; n > manyOut || n > 1 && int64(n)*10 > people {
		out = append(out, fmt.Sprintf("%d of %d people would no longer be let in.", n, people))
	}
	if len(w.admins) > 0 {
		out = append(out, "It would take an administrator away: "+clipped(w.admins)+".")
	}
	if sum.Rows == 0 {
		out = append(out, "The file has no rows.")
	}
	if w.plan.Options.Missing && sum.Errors > 0 && sum.Deactivate > 0 {
		out = append(out, fmt.Sprintf("%d rows cannot be used; somebody who seems to be missing may be in one of them.", sum.Errors))
	}
	return out
}

func clipped(list []string) string {
	const most = 5
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}
