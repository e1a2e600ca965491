package provisioning_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// The kinds of people in a house.
const (
	kindPlain = iota
	kindInactive
	kindDeleted
	kindManaged // by a directory
	kindAdministrator
	kindElsewhere // in another tenant
	kindKnown     // to the source already
	kinds
)

// people are all that a list shows of people, by id and field.
type people map[identity.UserID]map[string]string

// planWorld is a house in which a story happens.
type planWorld struct {
	*house
	url     string
	home    identity.Tenant
	other   identity.Tenant
	dir     identity.Actor
	folk    []identity.User // of the story; one who could not be made has no id
	managed map[identity.UserID]bool
	roles   []identity.RoleID
	units   []string
	types   []string
	kept    map[string]bool // fields that a list shows
	where   string
	wrong   []string
}

func newPlanWorld(t *testing.T, fresh storetest.Fresh, s story) *planWorld {
	db, url := fresh(t)
	w := &planWorld{house: houseOn(t, db, s.Preset), url: url, managed: map[identity.UserID]bool{}, kept: map[string]bool{}, where: "the house"}
	w.home = w.account()
	if !w.Model().Single() {
		w.other = w.tenant("Elsewhere")
	}
	for _, f := range w.ImportFields() {
		w.kept[f.Name] = f.Kept && f.Name != "id"
	}
	maps.DeleteFunc(w.kept, func(_ string, kept bool) bool { return !kept })
	var powers []identity.RoleID
	for _, r := range w.Model().Roles() {
		switch {
		case r.Scope != identity.ScopeTenant || !w.Model().Assignable(r.ID):
		case w.Model().Privileged(r.ID):
			powers = append(powers, r.ID)
		default:
			w.roles = append(w.roles, r.ID)
		}
	}
	w.places()
	w.dir = w.directory("Push", w.home.ID, identity.DialectOkta)
	for i, kind := range s.People {
		role := w.roles[s.Roles[i]%len(w.roles)]
		if kind == kindAdministrator && len(powers) > 0 {
			role = powers[s.Roles[i]%len(powers)]
		}
		w.folk = append(w.folk, w.settle(i, kind, role))
	}
	w.roles = append(w.roles, powers...)
	return w
}

// places makes units, and notes what there is to stand in.
func (w *planWorld) places() {
	for _, t := range w.Model().UserTypes() {
		w.types = append(w.types, string(t.ID))
	}
	root, ok := w.Model().RootUnit()
	if !ok {
		return
	}
	w.units = append(w.units, root)
	_, err := w.CreateUnit(w.ctx, w.op, identity.Unit{TenantID: w.home.ID, Kind: identity.KindUnit, Name: "Depot"})
	w.may(err, "a unit")
	if err == nil {
		w.units = append(w.units, "Depot")
	}
}

// settle makes somebody of a kind; whom the model does not let be is nobody.
func (w *planWorld) settle(i, kind int, role identity.RoleID) identity.User {
	name := fmt.Sprintf("p%d@story.test", i)
	n := provisioning.NewUser{User: withTenant(person(name), w.home.ID), Role: role, Reason: "hired"}
	n.User.DisplayName = fmt.Sprintf("Person %d", i)
	n.User.Attributes = []byte(fmt.Sprintf(`{"title":"One","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%d"}}`, 100+i))
	var u identity.User
	var err error
	switch {
	case kind == kindElsewhere && w.other.ID != "":
		n.User.TenantID = w.other.ID
		u, err = w.CreateUser(w.ctx, w.op, n)
	case kind == kindManaged:
		u, err = w.CreateUser(w.ctx, w.dir, provisioning.NewUser{User: person(name)})
		w.managed[u.ID] = true
	case kind == kindKnown:
		_, err = w.makeKnown(i, name, role)
		if err == nil {
			u = w.inTenant(w.home.ID, name)
		}
	default:
		u, err = w.CreateUser(w.ctx, w.op, n)
	}
	if w.may(err, "a person"); err != nil {
		return identity.User{}
	}
	switch kind {
	case kindInactive:
		_, err = w.DeactivateUser(w.ctx, w.op, u.ID, "story")
	case kindDeleted:
		err = w.DeleteUser(w.ctx, w.op, u.ID, 0)
	}
	w.may(err, "what became of a person")
	return u
}

// makeKnown brings somebody by a file of the source.
func (w *planWorld) makeKnown(i int, name string, role identity.RoleID) (identity.Plan, error) {
	lines := []string{"userName,email,displayName,externalId,employeeNumber,role", fmt.Sprintf("%s,%s,Person %d,X%d,%d,%s", name, name, i, i, 100+i, role)}
	p, err := w.PlanImport(w.ctx, w.op, file(lines...), provisioning.ImportOptions{Tenant: w.home.ID, Source: "hr"})
	if err != nil {
		return p, err
	}
	if p, err = w.ApplyPlan(w.ctx, w.op, p.ID, provisioning.ApplyOptions{Override: "story"}); err == nil && p.Summary.Done != 1 {
		err = identity.Errorf(identity.Invalid, "nobody came of it")
	}
	return p, err
}

// write writes the file of a story.
func (w *planWorld) write(f fileStory) []string {
	var fields []string
	all := w.ImportFields()
	keys := []string{"userName", "email", "employeeNumber", "externalId", "id"}
	if f.Usual {
		fields = []string{"userName", "email", "displayName"}
	}
	for i, n := range f.Columns {
		field := all[n%len(all)].Name
		if i == 0 {
			field = keys[max(0, n-20)%len(keys)]
		}
		if !slices.Contains(fields, field) && field != "password" && field != "passwordHash" && !(field == "inactive" && slices.Contains(fields, "active")) {
			fields = append(fields, field)
		}
	}
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	_ = c.Write(fields) // a buffer takes everything
	for _, r := range f.Rows {
		cells := make([]string, len(fields))
		for i, field := range fields {
			values := w.values(field, r.Who)
			cells[i] = values[max(0, r.Cells[i%mostColumns]-5)%len(values)] // every other one is the first
		}
		if len(cells) == 1 && cells[0] == "" {
			cells[0] = " " // no empty line
		}
		_ = c.Write(cells)
	}
	c.Flush()
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// values are what a cell may say about somebody, the likely ones more than once. The first is the person's own where there is one.
func (w *planWorld) values(field string, who int) []string {
	own, next := fmt.Sprintf("n%d@story.test", who), fmt.Sprintf("p%d@story.test", (who+1)%mostPeople)
	id := "0197a000-0000-7000-8000-000000000001"
	if who < len(w.folk) {
		own = fmt.Sprintf("p%d@story.test", who)
		if w.folk[who].ID != "" {
			id = string(w.folk[who].ID)
		}
	}
	switch field {
	case "id":
		return []string{"", id, "0197a000-0000-7000-8000-000000000001"}
	case "userName":
		return []string{own, own, strings.ToUpper(own), "", "renamed-" + own, next}
	case "email":
		return []string{own, "renamed-" + own, own, "", strings.ToUpper(own), next, "non sense@@"}
	case "displayName":
		return []string{fmt.Sprintf("Person %d", who), "Ada", "  Zoe\u0308   B ", "=1+1", "", strings.Repeat("long ", 110)}
	case "employeeNumber":
		return []string{fmt.Sprint(100 + who), "", "007", fmt.Sprint(101 + who)}
	case "externalId":
		return []string{fmt.Sprintf("X%d", who), "", fmt.Sprintf("X%d", who+1)}
	case "role":
		return append(asText(w.roles), "", "king", string(w.roles[0])+", "+string(w.roles[len(w.roles)-1]))
	case "tenant":
		return []string{w.home.Name, "", w.other.Name, "Nowhere"}
	case "type":
		return append(slices.Clone(w.types), "", "visitor")
	case "unit":
		return append(slices.Clone(w.units), "", "Atlantis")
	case "team":
		return []string{"", "Nightshift"}
	case "level":
		levels, _, _ := w.Model().DataLevels()
		return append(slices.Clone(levels), "", "sky")
	case "active", "inactive", "external":
		return []string{"yes", "no", "", "maybe"}
	}
	return []string{"", "One", "Two", "=1+1", "2031-05-06", "2020-01-31", fmt.Sprint(100 + (who+1)%mostPeople)}
}

func asText[T ~string](list []T) (out []string) {
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

// options are how the file of a story is to be understood.
func (w *planWorld) options(f fileStory) provisioning.ImportOptions {
	o := provisioning.ImportOptions{Tenant: w.home.ID, Source: f.Source}
	o.Missing, o.Clear, o.ReplaceRoles = f.Missing, f.Clear, f.Every
	if f.Everywhere && w.other.ID != "" {
		o.Tenant = ""
	}
	switch f.Policy {
	case 1:
		o.Fields = map[string]identity.FieldPolicy{"title": {Manual: identity.ManualKeep}, "displayName": {Manual: identity.ManualKeep}}
	case 2:
		o.Fields = map[string]identity.FieldPolicy{"title": {Manual: identity.ManualFlag}, "role": {Manual: identity.ManualFlag}}
	case 3:
		o.Fields = map[string]identity.FieldPolicy{"title": {Authority: "payroll"}, "email": {Authority: "hr"}}
	case 4:
		o.Rules = []identity.SourceRule{{When: []identity.SourceCondition{{Field: "title", Is: []string{"One"}}}, Roles: w.roles[:1]}}
	}
	return o
}

// people reads the whole list, as an export of the source has it.
func (w *planWorld) people(f fileStory) people {
	by := w.op
	by.TenantID = w.options(f).Tenant
	var b bytes.Buffer
	_, err := w.ExportUsers(w.ctx, by, provisioning.ExportQuery{Source: f.Source}, sheets.CSV, &b)
	w.need(err, "exporting")
	table, err := sheets.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), sheets.DefaultLimits())
	w.need(err, "reading an export")
	defer table.Close()
	at := slices.Index(table.Header, "id")
	out := people{}
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		w.need(err, "reading an export")
		fields := map[string]string{}
		for i, name := range table.Header {
			if v := row.Cell(i); w.kept[name] && v != "" {
				fields[name] = v
			}
		}
		out[identity.UserID(row.Cell(at))] = fields
	}
}

// content is what is in the database about people, one line a row: table, person, and the row.
func (w *planWorld) content() []string {
	tables := []string{"users", "user_emails", "assignments", "positions", "source_users", "user_terms", "directory_users", "group_members", "credentials", "links", "holdings", "events"}
	var out []string
	for table, rows := range storetest.Rows(w.t, w.url, tables...) {
		for _, r := range rows {
			if table == "events" && r["object_kind"] != "user" && r["user_id"] == "" {
				continue // about plans and exports
			}
			user := r["user_id"]
			if table == "users" {
				user = r["id"]
			}
			out = append(out, table+"|"+user+"|"+r.String())
		}
	}
	slices.Sort(out)
	return out
}

// stepsByLine are the steps of a plan.
func (w *planWorld) stepsByLine(id identity.PlanID) map[int]provisioning.PlanStepView {
	out := map[int]provisioning.PlanStepView{}
	for _, step := range w.planSteps(id) {
		out[step.Line] = step
	}
	return out
}

// newlyDone are the steps that are done and were not, with what they said they would do.
func (w *planWorld) newlyDone(before, after map[int]provisioning.PlanStepView) (out []provisioning.PlanStepView) {
	for line, step := range after {
		if step.State != identity.StepDone || before[line].State == identity.StepDone {
			continue
		}
		if was := changesText(before[line].Changes); was != changesText(step.Changes) {
			w.fail("line %d did %s and had said %s", line, changesText(step.Changes), was)
		}
		out = append(out, step)
	}
	return out
}

// takeBack undoes a plan.
func (w *planWorld) takeBack(id identity.PlanID) error {
	undo, err := w.UndoPlan(w.ctx, w.op, id, provisioning.UndoOptions{})
	if err == nil {
		_, err = w.ApplyPlan(w.ctx, w.op, undo.ID, provisioning.ApplyOptions{Override: "taken back"})
	}
	if identity.CodeOf(err) == "plan_state" {
		return nil
	}
	return err
}

// refused reports whether an error is an answer to whoever asked.
func refused(err error) bool { return err != nil && identity.KindOf(err) != identity.Internal }

// may fails the test at an error that is no answer.
func (w *planWorld) may(err error, what string) {
	if err != nil && !refused(err) {
		w.t.Fatalf("%s: %s: %v", w.where, what, err)
	}
}

func (w *planWorld) need(err error, what string) {
	if err != nil {
		w.t.Fatalf("%s: %s: %v", w.where, what, err)
	}
}

func (w *planWorld) fail(format string, args ...any) {
	w.wrong = append(w.wrong, w.where+": "+fmt.Sprintf(format, args...))
}

func (w *planWorld) same(want, got []string, what string) {
	if diff := cmp.Diff(want, got); diff != "" {
		w.fail("%s:\n%s", what, diff)
	}
}
