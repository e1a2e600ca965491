package provisioning_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// batchHouse is a house of its own with its database's address.
type batchHouse struct {
	*house
	url  string
	home identity.Tenant
}

func newBatchHouse(t *testing.T, fresh storetest.Fresh, preset string) *batchHouse {
	db, url := fresh(t)
	h := &batchHouse{house: houseOn(t, db, preset), url: url}
	h.home = h.account()
	return h
}

// batchTables have all that a plan writes but its steps, which are sealed.
var batchTables = []string{"users", "user_emails", "assignments", "positions", "source_users", "credentials", "mails", "mail_links", "events"}

var (
	batchIDs   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	batchTimes = regexp.MustCompile(`20\d\d-\d\d-\d\d[T ][0-9:.]+(Z|[ +][^\s,\]"]*( UTC)?)?`)
)

// told is what the database says of people, without what is made up anew each time.
func (h *batchHouse) told() []string {
	h.t.Helper()
	var out []string
	for table, rows := range storetest.Rows(h.t, h.url, batchTables...) {
		for _, r := range rows {
			if table == "events" && r["object_kind"] == "plan" {
				continue
			}
			out = append(out, table+" "+batchTimes.ReplaceAllString(batchIDs.ReplaceAllString(r.String(), "ID"), "TIME"))
		}
	}
	slices.Sort(out)
	return out
}

// stepTexts are the steps of a plan with all that they show.
func (h *batchHouse) stepTexts(id identity.PlanID) []string {
	h.t.Helper()
	var out []string
	for _, s := range h.planSteps(id) {
		s.UserID = ""
		out = append(out, batchIDs.ReplaceAllString(fmt.Sprintf("%+v", s), "ID"))
	}
	return out
}

// batchFile has rows of every kind: plain new people, some who are there, some who cannot be, and some that have to go by themselves.
func (h *batchHouse) batchFile() []string {
	roles := []string{}
	for _, r := range h.Model().Roles() {
		if r.Scope == identity.ScopeTenant && h.Model().Assignable(r.ID) {
			roles = append(roles, string(r.ID))
		}
	}
	columns := []string{"userName", "email", "displayName", "givenName", "familyName", "employeeNumber", "externalId", "title", "phone", "role", "active"}
	rest := func(int) string { return "" }
	for _, f := range h.ImportFields() {
		switch f.Name {
		case "unit":
			root, _ := h.Model().RootUnit()
			columns, rest = append(columns, "unit"), func(i int) string { return "," + []string{"", root, "Atlantis"}[min(i%9, 2)*(i%2)] }
		}
	}
	lines := []string{strings.Join(columns, ",")}
	for i := range 40 {
		name := fmt.Sprintf("New%d@Acme.Test", i)
		lines = append(lines, fmt.Sprintf(`%s,%s,Néw %d,"Given ""%d",Fam\ily %d,%d,x-%d,"Engineer, ""%d""",+49 %d,%s,%s`, []string{name, ""}[i%2], strings.ToLower(name), i, i, i, 1000+i, i, i, i,
			[]string{roles[0], "", roles[len(roles)-1]}[i%3], []string{"", "yes", "no"}[i%7%3])+rest(i))
	}
	more := func(format string, args ...any) {
		lines = append(lines, fmt.Sprintf(format, args...)+strings.Repeat(",", len(columns)-11))
	}
	more("there,,There Changed,There,,7,,Boss,,,")
	more("there2,there2@acme.test,there2@acme.test,,,,,,,,")
	if h.Model().Name() == "fintechos" { // two rows with one name, of which the order counts
		more("new1@acme.test,other@acme.test,Twice,,,,,,,,")
	}
	more("nobody,nonsense,No Body,,,,,,,,")
	more("king,king@acme.test,King,,,,,,,king,")
	more("two,two@acme.test,Two Roles,,,,,,,\"%s, %s\",", roles[0], roles[len(roles)-1])
	more("third,there2,Same as a name,,,,,,,,")
	more("fourth,there3@acme.test,Has somebody's address,,,,,,,,")
	more(",,,,,4711,,,,,")
	return lines
}

// TestNewPeopleTogetherAreAsByThemselves carries the same file out in two houses: in one most rows go together, in the other each goes by itself.
func TestNewPeopleTogetherAreAsByThemselves(t *testing.T) {
	storetest.EachFresh(t, func(t *testing.T, fresh storetest.Fresh) {
		for _, preset := range []string{"etlworks", "fentu-fsm", "fentu-connect", "fintechos", "fluentpro-backup"} {
			t.Run("FSM-50 what is written together is what would be written one by one: "+preset, func(t *testing.T) {
				var told, steps [][]string
				var sums []identity.PlanSummary
				for _, alone := range []bool{false, true} {
					h := newBatchHouse(t, fresh, preset)
					_, least := h.Model().Landing()
					for _, name := range []string{"there", "there2", "there3@acme.test"} {
						must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: batchPerson(name, h.home.ID), Role: least, Reason: "there before"}))
					}
					o := provisioning.ImportOptions{Tenant: h.home.ID, Source: "hr"}
					if alone { // what is said here is how it is anyway, and has each row go by itself
						o.Fields = map[string]identity.FieldPolicy{"title": {Manual: identity.ManualOverwrite}}
					}
					p := h.plan(o, h.batchFile()...)
					steps = append(steps, h.stepTexts(p.ID))
					done := must[identity.Plan](t)(h.ApplyPlan(h.ctx, h.op, p.ID, provisioning.ApplyOptions{Override: "meant"}))
					told, steps, sums = append(told, h.told()), append(steps, h.stepTexts(p.ID)), append(sums, done.Summary)
				}
				if sums[0].Done < 20 || sums[0].Errors < 3 {
					t.Fatalf("the file has too little in it: %+v", sums[0])
				}
				if diff := cmp.Diff(sums[1], sums[0]); diff != "" {
					t.Errorf("summary: %s", diff)
				}
				if diff := cmp.Diff(steps[2], steps[0]); diff != "" {
					t.Errorf("steps as planned: %s", diff)
				}
				if diff := cmp.Diff(steps[3], steps[1]); diff != "" {
					t.Errorf("steps as done: %s", diff)
				}
				if diff := cmp.Diff(told[1], told[0]); diff != "" {
					t.Errorf("written: %s", diff)
				}
			})
		}
	})
}

// batchPerson is somebody with an address that may be none.
func batchPerson(name string, tenant identity.TenantID) identity.User {
	u := identity.User{TenantID: tenant, UserName: name, DisplayName: name, Enabled: true}
	address := name
	if !strings.Contains(name, "@") {
		address += "@acme.test"
	}
	u.Emails = []identity.Email{{Value: address, Type: "work", Primary: true}}
	return u
}

// TestAFileThatChangesNothingWritesNothing brings the same file again and counts the rows of the database.
func TestAFileThatChangesNothingWritesNothing(t *testing.T) {
	storetest.EachFresh(t, func(t *testing.T, fresh storetest.Fresh) {
		for _, preset := range []string{"etlworks", "fentu-fsm"} {
			t.Run("FSM-50 a file that is brought again without a change writes a plan and that it was made, and nothing else: "+preset, func(t *testing.T) {
				h := newBatchHouse(t, fresh, preset)
				_, least := h.Model().Landing()
				lines := []string{"userName,email,displayName,givenName,familyName,employeeNumber,externalId,title,phone,role"}
				for i := range 620 {
					lines = append(lines, fmt.Sprintf("u%d,u%d@acme.test,Name %d,Given,Family %d,%d,x%d,Clerk,+49 %d,%s", i, i, i, i, i, i, i, least))
				}
				o := provisioning.ImportOptions{Tenant: h.home.ID, Source: "hr"}
				if done := h.bring(o, lines...); done.Summary.Done != 620 {
					t.Fatalf("%+v", done.Summary)
				}
				before := storetest.Rows(t, h.url, append([]string{"plans", "plan_steps", "user_terms"}, batchTables...)...)
				p := h.plan(o, lines...)
				after := storetest.Rows(t, h.url, append([]string{"plans", "plan_steps", "user_terms"}, batchTables...)...)
				if p.Summary.Skip != 620 || p.Summary.Rows != 620 || p.State != identity.PlanReady {
					t.Errorf("%+v", p)
				}
				for table := range after {
					fresh := 0
					if table == "plans" || table == "events" {
						fresh = 1
					}
					if got := after[table]; len(got) != len(before[table])+fresh {
						t.Errorf("%s: %d rows, then %d", table, len(before[table]), len(got))
					} else if fresh == 0 && !cmp.Equal(before[table], got) {
						t.Errorf("%s: rows changed", table)
					}
				}
			})
		}
	})
}
