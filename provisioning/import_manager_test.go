package provisioning_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// row returns somebody's line of an export.
func (h *house) row(source, email string) map[string]string {
	h.t.Helper()
	var b bytes.Buffer
	must[provisioning.Export](h.t)(h.ExportUsers(h.ctx, h.op, provisioning.ExportQuery{Source: source}, sheets.CSV, &b))
	for _, r := range cells(h.t, b.Bytes()) {
		if r["email"] == email {
			return r
		}
	}
	h.t.Fatalf("the export has no %s", email)
	return nil
}

func TestAnHRFileSaysMoreOfPeople(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		o := provisioning.ImportOptions{Source: "workday"}
		root, _ := h.Model().RootUnit()
		head := "Employee ID,Primary Work Email,Worker,Business Unit,Department,Division,Cost Center,Company Name,Location,Hire Date,Termination Date,Manager ID"
		h.bring(o, head,
			"1,boss@acme.test,The Boss,,Board,Top,100,Acme Ltd,London,2020-01-31,,",
			"2,ada@acme.test,Ada,"+root+",Research,Engines,200,Acme Ltd,Turin,2021-02-01,"+dayFrom(100)+",1")
		ada := h.row("workday", "ada@acme.test")
		t.Run("SCIM keeps each, and an export has them", func(t *testing.T) {
			for field, want := range map[string]string{
				"department": "Research", "division": "Engines", "costCenter": "200", "organization": "Acme Ltd", "location": "Turin", "startDate": "2021-02-01", "endDate": dayFrom(100),
				"manager": "boss@acme.test", "unit": root,
			} {
				if ada[field] != want {
					t.Errorf("%s is %q, want %q", field, ada[field], want)
				}
			}
			var attributes map[string]any
			h.ok(json.Unmarshal(h.known("ada@acme.test").Attributes, &attributes))
			sorted := string(must[[]byte](t)(json.Marshal(attributes)))
			for _, want := range []string{`"addresses":[{"locality":"Turin","type":"work"}]`, `"costCenter":"200"`, `"manager":{"displayName":"The Boss","value":"` + string(h.known("boss@acme.test").ID)} {
				if !strings.Contains(sorted, want) {
					t.Errorf("%s is not in %s", want, sorted)
				}
			}
		})
		t.Run("what was exported is imported again and changes nothing", func(t *testing.T) {
			var b bytes.Buffer
			must[provisioning.Export](t)(h.ExportUsers(h.ctx, h.op, provisioning.ExportQuery{Source: "workday"}, sheets.CSV, &b))
			again := must[identity.Plan](t)(h.PlanImport(h.ctx, h.op, upload("again.csv", b.Bytes()), o))
			if s := again.Summary; s.Create+s.Update+s.Restore+s.Errors+s.Conflict != 0 {
				t.Errorf("%+v\n%s", s, strings.Join(h.steps(again.ID), "\n"))
			}
		})
		t.Run("an empty cell takes them away where that is asked for", func(t *testing.T) {
			clear := o
			clear.Clear = true
			h.bring(clear, "Employee ID,Worker,Department,Location,Hire Date,Termination Date,Manager ID", "2,Ada,,,,,")
			ada := h.row("workday", "ada@acme.test")
			for _, field := range []string{"department", "location", "startDate", "endDate", "manager"} {
				if ada[field] != "" {
					t.Errorf("%s is still %q", field, ada[field])
				}
			}
			if ada["costCenter"] != "200" {
				t.Error("what the file does not have is gone")
			}
		})
	})
}

func TestDepartmentsAreUnitsWhereThereAreUnits(t *testing.T) {
	heading := func(h *house, header string) string {
		var got []string
		for _, m := range must[provisioning.ImportPreview](h.t)(h.PreviewImport(h.ctx, h.op, file(header, "x"), provisioning.ImportOptions{})).Columns {
			got = append(got, m.Field)
		}
		return strings.Join(got, ",")
	}
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		for header, want := range map[string]string{
			"E-Mail;Abteilung;Kostenstelle;Eintrittsdatum;Austrittsdatum;Vorgesetzter":         "email,unit,costCenter,startDate,endDate,manager",
			"email,Business Unit,Department,Division,Location":                                 "email,unit,department,division,location",
			"Work Email,Location,Hire Date,Reporting to":                                       "email,unit,startDate,manager",
			"login,department,division,costCenter,managerId":                                   "userName,unit,division,costCenter,manager",
			"userPrincipalName,Company name [companyName],Department [department],City [city]": "userName,organization,department,location",
		} {
			if got := heading(h, header); got != want {
				t.Errorf("%s\ngot  %s\nwant %s", header, got, want)
			}
		}
	})
	each(t, func(t *testing.T, h *house) {
		if got := heading(h, "email,Department,Location"); got != "email,department,location" {
			t.Error(got)
		}
	})
}

func TestManagersAreFoundWhenTheyAreThere(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		o := provisioning.ImportOptions{Source: "hr"}
		head := "employeeNumber,email,displayName,manager"
		var p identity.Plan
		t.Run("who comes later in the same file leads when the plan is done, with an event, and undoing knows it", func(t *testing.T) {
			p = h.plan(o, head, "1,ada@acme.test,Ada,2", "2,bob@acme.test,Bob,1", "3,cid@acme.test,Cid,9")
			if got := h.detailOf(p.ID, 2); got != "manager 2 is not known yet" {
				t.Error(got)
			}
			h.apply(p.ID)
			if h.row("hr", "ada@acme.test")["manager"] != "bob@acme.test" || h.row("hr", "bob@acme.test")["manager"] != "ada@acme.test" {
				t.Error("two who lead each other are only data")
			}
			if e := h.lastEvent(identity.UserUpdated); e.Reason != "manager of source hr" || len(e.Changes) != 1 {
				t.Errorf("%+v", e)
			}
		})
		t.Run("nothing changes when the file comes again", func(t *testing.T) {
			again := h.plan(o, head, "1,ada@acme.test,Ada,2", "2,bob@acme.test,Bob,1", "3,cid@acme.test,Cid,9")
			if again.Summary.Skip != 3 {
				t.Errorf("%+v\n%s", again.Summary, strings.Join(h.steps(again.ID), "\n"))
			}
		})
		t.Run("who comes with a later file leads from then on, by e-mail too, and oneself never", func(t *testing.T) {
			h.bring(o, head, "9,eve@acme.test,Eve,")
			if got := h.row("hr", "cid@acme.test")["manager"]; got != "eve@acme.test" {
				t.Error(got)
			}
			next := h.plan(o, head, "3,cid@acme.test,Cid,ADA@acme.test", "9,eve@acme.test,Eve,9", "7,new@acme.test,New,7")
			h.wantSteps(t, next.ID, "2 update open Cid", "3 skip ", "4 create ")
			h.apply(next.ID)
			if got := h.row("hr", "cid@acme.test")["manager"]; got != "ada@acme.test" {
				t.Error(got)
			}
		})
		t.Run("whom a number names in another tenant leads nobody here", func(t *testing.T) {
			if got := h.row("hr", "eve@acme.test")["manager"]; got != "" {
				t.Error(got)
			}
		})
		t.Run("a plan whose managers were found afterwards can be undone", func(t *testing.T) {
			third := h.bring(o, head, "20,gus@acme.test,Gus,21", "21,hal@acme.test,Hal,")
			if h.row("hr", "gus@acme.test")["manager"] != "hal@acme.test" {
				t.Fatal("not found")
			}
			if undone := h.undo(third.ID); undone.Summary.Done != 2 {
				t.Errorf("%+v\n%s", undone.Summary, strings.Join(h.steps(undone.ID), "\n"))
			}
		})
	})
}
