package provisioning_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

const uploadExtension = "urn:ietf:params:scim:schemas:extension:csv:1.0:User"

// hrPerson is a person as the published scripts write one.
func hrPerson(number int, more map[string]any) map[string]any {
	name := fmt.Sprintf("hr%03d@acme.test", number)
	p := map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", uploadExtension},
		"externalId": fmt.Sprint(1000 + number), "userName": name, "displayName": fmt.Sprintf("Person %d", number), "active": true,
		"name": map[string]any{"givenName": "Person", "familyName": fmt.Sprintf("Number %d", number)}, "title": "Clerk", "nickName": nil,
		"emails":       []any{map[string]any{"type": "home", "value": "home-" + name}, map[string]any{"type": "work", "value": name, "primary": true}},
		"phoneNumbers": []any{map[string]any{"type": "mobile", "value": "+49 1"}, map[string]any{"type": "work", "value": "+49 2"}},
		"addresses":    []any{map[string]any{"type": "work", "locality": "Vienna", "country": "AT"}},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]any{
			"employeeNumber": fmt.Sprint(number), "department": "Sales", "costCenter": "cc1", "manager": map[string]any{"value": map[bool]string{true: "", false: "1"}[number == 1]},
		},
		uploadExtension: map[string]any{"WorkerID": fmt.Sprint(number), "Shoe size": "44"},
	}
	if number == 1 {
		delete(p["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"].(map[string]any), "manager") // the head of all
	}
	for k, v := range more {
		p[k] = v
	}
	return p
}

func hrOperation(bulkID string, data any) map[string]any {
	return map[string]any{"method": "POST", "bulkId": bulkID, "path": "/Users", "data": data}
}

func hrBody(t *testing.T, operations ...map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": operations, "failOnErrors": nil})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// hrSend has a directory send operations, and works them off.
func (h *house) hrSend(t *testing.T, by identity.Actor, operations ...map[string]any) provisioning.UploadDetail {
	t.Helper()
	u := must[identity.Upload](t)(h.ReceiveUpload(h.ctx, by, "", len(operations), hrBody(t, operations...)))
	if n := must[int](t)(h.RunUploads(h.ctx)); n != 1 {
		t.Fatalf("%d uploads were worked off", n)
	}
	return must[provisioning.UploadDetail](t)(h.Upload(h.ctx, by, u.ID))
}

// hrLog writes the log of an upload, one text each.
func (h *house) hrLog(t *testing.T, by identity.Actor, id identity.UploadID) []string {
	t.Helper()
	var out []string
	for _, e := range must[identity.Page[provisioning.LogEntry]](t)(h.UploadLog(h.ctx, by, provisioning.LogQuery{Upload: id, Limit: 1000})).Items {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s: %s", e.BulkID, e.Source, e.Action, e.Status, e.Code, e.Reason)))
	}
	return out
}

func hrWant(t *testing.T, got []string, want ...string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		ok = ok && strings.HasPrefix(got[i], want[i])
	}
	if !ok {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatAnHRSystemSendsBecomesAPlanInTheNameOfItsDirectory(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		hr := h.directory("HR", acme.ID, identity.DialectStandard, "acme.test")
		t.Run("MIS-10 people come, tied to the directory, with the attributes that are known", func(t *testing.T) {
			u := h.hrSend(t, hr, hrOperation("a", hrPerson(1, nil)), hrOperation("b", hrPerson(2, nil)))
			if u.State != identity.UploadDone || u.Plan == nil || u.Plan.State != identity.PlanDone || u.Plan.Kind != identity.PlanSync || u.Plan.Source != "HR" {
				t.Fatalf("%+v %+v", u.Upload, u.Plan)
			}
			hrWant(t, h.hrLog(t, hr, u.ID), "a 1001 create success", "b 1002 create success")
			one := h.known("hr001@acme.test")
			if one.TenantID != acme.ID || one.DisplayName != "Person 1" || one.Email() != "hr001@acme.test" || !strings.Contains(strings.ReplaceAll(string(one.Attributes), " ", ""), `"employeeNumber":"1"`) {
				t.Errorf("%+v %s", one, one.Attributes)
			}
			d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, one.ID))
			if len(d.Directories) != 1 || d.Directories[0].ExternalID != "1001" || !d.Directories[0].Active {
				t.Errorf("links %+v", d.Directories)
			}
			e := h.lastEvent(identity.UserCreated)
			if e.ActorKind != identity.ActorDirectory || e.ActorID != hr.ID || !strings.Contains(e.Reason, "operation 2") {
				t.Errorf("%s by %s: %s", e.Type, e.ActorLabel, e.Reason)
			}
			log := must[identity.Page[provisioning.LogEntry]](t)(h.UploadLog(h.ctx, hr, provisioning.LogQuery{Limit: 1}))
			if !log.More || !slices.Contains(log.Items[0].Ignored, uploadExtension+":Shoe size") || log.Items[0].UserID != one.ID {
				t.Errorf("%+v", log)
			}
		})
		t.Run("MIS-10 the same again writes nothing, a change changes, and one who leaves is kept out", func(t *testing.T) {
			h.hrSend(t, hr, hrOperation("b", hrPerson(2, nil))) // the manager is known by now
			again := h.hrSend(t, hr, hrOperation("a", hrPerson(1, nil)), hrOperation("b", hrPerson(2, nil)))
			hrWant(t, h.hrLog(t, hr, again.ID), "a 1001 skip skipped", "b 1002 skip skipped")
			u := h.hrSend(t, hr, hrOperation("a", hrPerson(1, map[string]any{"title": "Boss"})), hrOperation("b", hrPerson(2, map[string]any{"active": "False"})))
			hrWant(t, h.hrLog(t, hr, u.ID), "a 1001 update success", "b 1002 ")
			if two := h.known("hr002@acme.test"); two.Enabled || two.Held {
				t.Errorf("enabled %v, held %v", two.Enabled, two.Held)
			}
			h.hrSend(t, hr, hrOperation("b", hrPerson(2, nil)))
			if two := h.known("hr002@acme.test"); !two.Enabled {
				t.Error("the directory cannot let in again whom it kept out")
			}
		})
		t.Run("MIS-10 somebody who starts later waits for that day, by the column that the script sends along", func(t *testing.T) {
			next := time.Now().AddDate(0, 1, 0).Format(time.DateOnly)
			u := h.hrSend(t, hr, hrOperation("h", hrPerson(9, map[string]any{uploadExtension: map[string]any{"HireDate": next, "Role": "administrator", "Password": "Sommer2026!"}})))
			hrWant(t, h.hrLog(t, hr, u.ID), "h 1009 create success")
			nine := h.known("hr009@acme.test")
			d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, nine.ID))
			if nine.Enabled || nine.Held || !d.Directories[0].Active || d.Password || h.roles(nine.ID) != "viewer " {
				t.Errorf("enabled %v, held %v, %+v, roles %s", nine.Enabled, nine.Held, d.Directories, h.roles(nine.ID))
			}
			h.hrSend(t, hr, hrOperation("h", hrPerson(9, map[string]any{uploadExtension: map[string]any{"HireDate": "2020-01-01"}})))
			if !h.known("hr009@acme.test").Enabled {
				t.Error("whose day has come is still waiting")
			}
		})
		t.Run("MIS-10 what cannot be used is an entry of the log, and the rest is done", func(t *testing.T) {
			nobody := hrPerson(3, map[string]any{"userName": "", "emails": nil, "externalId": "1003"})
			u := h.hrSend(t, hr, map[string]any{"method": "DELETE", "bulkId": "d", "path": "/Users/1", "data": map[string]any{}}, map[string]any{"method": "POST", "bulkId": "g", "path": "/Groups", "data": hrPerson(5, nil)},
				hrOperation("n", nobody), hrOperation("e", nil), map[string]any{"method": 5, "path": "/Users"}, hrOperation("ok", hrPerson(4, nil)), hrOperation("twice", hrPerson(4, nil)))
			hrWant(t, h.hrLog(t, hr, u.ID), "d  error failure", "g  error failure", "n 1003 error failure", "e  error failure", "error failure", "ok 1004 create success", "twice 1004 error failure repeated")
		})
		t.Run("MIS-10 a directory takes nobody over who manages people, who is of the platform, or outside of its domains", func(t *testing.T) {
			must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("chief@acme.test"), acme.ID), Role: "administrator"}))
			must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("far@other.test"), acme.ID), Role: "viewer"}))
			u := h.hrSend(t, hr, hrOperation("c", map[string]any{"userName": "chief@acme.test", "active": false}), hrOperation("f", map[string]any{"userName": "far@other.test", "displayName": "Mine"}))
			hrWant(t, h.hrLog(t, hr, u.ID), "c chief@acme.test error failure", "f far@other.test error failure")
			if chief := h.known("chief@acme.test"); !chief.Enabled {
				t.Error("the administrator was kept out")
			}
		})
		t.Run("MIS-10 another directory sees nothing of it", func(t *testing.T) {
			other := h.directory("Other", h.tenant("Umbrella").ID, identity.DialectStandard)
			list := must[identity.Page[identity.Upload]](t)(h.Uploads(h.ctx, hr, provisioning.UploadQuery{Limit: 10}))
			if _, err := h.Upload(h.ctx, other, list.Items[0].ID); identity.KindOf(err) != identity.NotFound {
				t.Errorf("%v", err)
			}
			if _, err := h.UploadLog(h.ctx, other, provisioning.LogQuery{Upload: list.Items[0].ID, Limit: 10}); identity.KindOf(err) != identity.NotFound {
				t.Errorf("%v", err)
			}
			if log := must[identity.Page[provisioning.LogEntry]](t)(h.UploadLog(h.ctx, other, provisioning.LogQuery{Limit: 10})); len(log.Items) > 0 {
				t.Errorf("%+v", log.Items)
			}
			all := must[identity.Page[provisioning.LogEntry]](t)(h.UploadLog(h.ctx, h.op, provisioning.LogQuery{Limit: 1000}))
			if len(all.Items) < 15 {
				t.Errorf("the operator sees %d entries", len(all.Items))
			}
		})
	})
}

func TestAnUploadThatAGuardHoldsWaitsForAnAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		hr := h.directory("HR", h.tenant("Acme").ID, identity.DialectStandard)
		var here, gone []map[string]any
		for n := range 20 {
			here = append(here, hrOperation(fmt.Sprint(n), hrPerson(n, nil)))
			gone = append(gone, hrOperation(fmt.Sprint(n), hrPerson(n, map[string]any{"active": false})))
		}
		h.hrSend(t, hr, here...)
		u := h.hrSend(t, hr, gone...)
		if u.Plan.State != identity.PlanHeld || !h.known("hr007@acme.test").Enabled {
			t.Fatalf("the plan is %s", u.Plan.State)
		}
		if log := h.hrLog(t, hr, u.ID); len(log) != 20 || !strings.Contains(log[0], "skipped plan_held: It waits for an administrator") {
			t.Fatalf("%v", log[0])
		}
		plan := must[identity.Plan](t)(h.ApplyPlan(h.ctx, h.op, u.PlanID, provisioning.ApplyOptions{Override: "the branch was closed"}))
		if plan.State != identity.PlanDone || plan.Summary.Done != 20 || h.known("hr007@acme.test").Enabled {
			t.Errorf("%s: %+v", plan.State, plan.Summary)
		}
		if e := h.lastEvent(identity.UserDeactivated); e.ActorID != hr.ID {
			t.Errorf("it is the word of %s", e.ActorLabel)
		}
		for _, back := range []bool{true, false} { // undoing takes the directory's word back, and undoing that says it again
			plan = must[identity.Plan](t)(h.UndoPlan(h.ctx, h.op, plan.ID, provisioning.UndoOptions{}))
			plan = must[identity.Plan](t)(h.ApplyPlan(h.ctx, h.op, plan.ID, provisioning.ApplyOptions{Override: "it was not closed"}))
			if one := h.known("hr007@acme.test"); plan.Summary.Done != 20 || one.Enabled != back || one.Held {
				t.Errorf("undone %d of 20: enabled %v, held %v:\n%s", plan.Summary.Done, one.Enabled, one.Held, strings.Join(h.steps(plan.ID), "\n"))
			}
		}
		h.hrSend(t, hr, hrOperation("again", hrPerson(7, nil)))
		if !h.known("hr007@acme.test").Enabled {
			t.Error("the directory lets nobody in any more")
		}
	})
}

func TestUploadsOfADirectoryAreWorkedOffInTheirOrderAndSurviveTheProgram(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		hr := h.directory("HR", h.tenant("Acme").ID, identity.DialectStandard)
		send := func(title string) identity.Upload {
			return must[identity.Upload](t)(h.ReceiveUpload(h.ctx, hr, "", 1, hrBody(t, hrOperation("a", hrPerson(1, map[string]any{"title": title})))))
		}
		left := func(u identity.Upload, state identity.UploadState, until time.Time, plan identity.PlanID) {
			t.Helper()
			err := h.db.Update(h.ctx, func(tx *store.Tx) error {
				now, err := tx.UploadForUpdate(h.ctx, u.ID)
				if err != nil {
					return err
				}
				now.State, now.LeaseUntil, now.LeaseBy, now.PlanID = state, &until, "a program that is gone", plan
				return tx.UpdateUpload(h.ctx, now)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		first, second := send("first"), send("second")
		left(first, identity.UploadWorking, time.Now().Add(time.Minute), "")
		if n := must[int](t)(h.RunUploads(h.ctx)); n != 0 {
			t.Errorf("%d uploads were taken while the first is being worked on", n)
		}
		made := h.plan(provisioning.ImportOptions{}, "email", "x@acme.test") // what stands for a plan in the making
		h.jobLeft(made.ID, identity.PlanComputing, time.Now().Add(-time.Minute))
		left(first, identity.UploadWorking, time.Now().Add(-time.Second), made.ID)
		if n := must[int](t)(h.RunUploads(h.ctx)); n != 2 {
			t.Errorf("%d uploads were taken", n)
		}
		for _, u := range []identity.Upload{first, second} {
			if d := must[provisioning.UploadDetail](t)(h.Upload(h.ctx, hr, u.ID)); d.State != identity.UploadDone || d.Plan.State != identity.PlanDone || d.Plan.Summary.Rows != 1 {
				t.Errorf("%+v", d)
			}
		}
		if u := h.known("hr001@acme.test"); !strings.Contains(string(u.Attributes), `"second"`) {
			t.Errorf("the last word is %s", u.Attributes)
		}
		third := send("third")
		d := must[identity.Directory](t)(h.UpdateDirectory(h.ctx, h.op, hr.DirectoryID(), func(d *identity.Directory) error { d.Enabled = false; return nil }))
		must[int](t)(h.RunUploads(h.ctx))
		if got := must[provisioning.UploadDetail](t)(h.Upload(h.ctx, hr, third.ID)); got.State != identity.UploadFailed || !strings.Contains(got.Failure, d.Name) {
			t.Errorf("%+v", got.Upload)
		}
		hrWant(t, h.hrLog(t, hr, third.ID), "error failure upload_failed: The directory HR is switched off.")
	})
}

func TestADirectoryOfTheInstallationBringsPeopleToTheLanding(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		hr := h.directory("HR", "", identity.DialectStandard)
		h.admin("root@acme.test")
		u := h.hrSend(t, hr, hrOperation("a", hrPerson(1, nil)), hrOperation("r", map[string]any{"userName": "root@acme.test", "active": false}))
		log := h.hrLog(t, hr, u.ID)
		if len(log) != 2 || !strings.HasPrefix(log[0], "a 1001 create success") {
			t.Fatal(log)
		}
		one := h.known("hr001@acme.test")
		if one.TenantID != h.landing().ID || h.roles(one.ID) != "viewer " {
			t.Errorf("lands in %s as %s", one.TenantName, h.roles(one.ID))
		}
		page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.op, identity.Query{Search: "root@acme.test", Limit: 10}))
		if !page.Items[len(page.Items)-1].Enabled || !page.Items[0].Enabled && page.Items[0].TenantID == "" {
			t.Errorf("the platform's administrator was touched: %+v", page.Items)
		}
	})
}
