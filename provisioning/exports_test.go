package provisioning_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// export writes people to a file that must be possible.
func (h *house) export(q provisioning.ExportQuery, f sheets.Format) ([]byte, provisioning.Export) {
	h.t.Helper()
	var b bytes.Buffer
	x, err := h.ExportUsers(h.ctx, h.op, q, f, &b)
	if err != nil {
		h.t.Fatal(err)
	}
	return b.Bytes(), x
}

// cells returns the cells of a file by heading, row by row.
func cells(t *testing.T, content []byte) []map[string]string {
	t.Helper()
	r, err := sheets.Open(bytes.NewReader(content), int64(len(content)), sheets.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []map[string]string
	for {
		row, err := r.Next()
		if err != nil {
			return out
		}
		m := map[string]string{}
		for i, name := range r.Header {
			m[name] = row.Cell(i)
		}
		out = append(out, m)
	}
}

func TestPeopleLeaveAsAFileThatComesBackUnchanged(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.account()
		o := provisioning.ImportOptions{Source: "hr"}
		h.bring(o, "externalId;employeeNumber;userName;email;givenName;familyName;role;phone;title;type;level;active",
			"X1;1;ada;ada@acme.test;Ada;=1+1;dispatcher;+44 1;Analyst;dispatcher;branch;yes", "X2;2;bob;bob@acme.test;Bob;Builder;technician;;;;;yes", "X3;3;cid;cid@acme.test;Cid;Low;read_only;;;;;no")
		for _, f := range []sheets.Format{sheets.CSV, sheets.XLSX} {
			t.Run("FSM-54 importing an export again plans nothing: "+string(f), func(t *testing.T) {
				content, _ := h.export(provisioning.ExportQuery{}, f)
				p := must[identity.Plan](t)(h.PlanImport(h.ctx, h.op, upload("x."+string(f), content), o))
				if p.Summary.Skip != 3 || p.Summary.Create+p.Summary.Update+p.Summary.Deactivate+p.Summary.Errors != 0 {
					t.Errorf("%+v\n%s", p.Summary, strings.Join(h.steps(p.ID), "\n"))
				}
			})
		}
		t.Run("FSM-52 the filters of the list narrow it, and the export is an event with the filter, the number and the hash", func(t *testing.T) {
			content, x := h.export(provisioning.ExportQuery{Query: identity.Query{Tenant: home.ID, Status: identity.StatusInactive}}, sheets.CSV)
			rows := cells(t, content)
			if len(rows) != 1 || rows[0]["userName"] != "cid" || rows[0]["active"] != "no" || rows[0]["state"] != "Inactive" {
				t.Errorf("%v", rows)
			}
			sum := sha256.Sum256(content)
			e := h.lastEvent(identity.UsersExported)
			if x.Rows != 1 || x.SHA256 != hex.EncodeToString(sum[:]) || change(e, "sha256").After != x.SHA256 || change(e, "rows").After != float64(1) ||
				change(e, "status").After != "Inactive" || change(e, "tenant").After != string(home.ID) {
				t.Errorf("%+v\n%+v", x, e)
			}
		})
		t.Run("FSM-53 ids that stay are in it: ours, the personnel number, and the source's own", func(t *testing.T) {
			content, _ := h.export(provisioning.ExportQuery{Query: identity.Query{Search: "ada"}, Source: "hr"}, sheets.JSON)
			var row map[string]string
			if err := json.Unmarshal(content, &row); err != nil {
				t.Fatal(err)
			}
			ada := h.known("ada@acme.test")
			if row["id"] != string(ada.ID) || row["employeeNumber"] != "1" || row["externalId"] != "X1" || row["level"] != "branch" {
				t.Errorf("%v", row)
			}
		})
		t.Run("FSM-52 nothing in a CSV file is a formula", func(t *testing.T) {
			content, _ := h.export(provisioning.ExportQuery{}, sheets.CSV)
			if strings.Contains(string(content), ",=1") || strings.Contains(string(content), ",+44") || !strings.Contains(string(content), "'=1+1") {
				t.Errorf("%s", content)
			}
		})
		t.Run("FSM-52 who may not see people gets nothing, not even a heading, and a directory reads by SCIM", func(t *testing.T) {
			var b bytes.Buffer
			plain := h.boss("plain@acme.test", "read_only")
			_, err := h.ExportUsers(h.ctx, plain, provisioning.ExportQuery{}, sheets.CSV, &b)
			wantKind(t, err, identity.Forbidden, "")
			_, err = h.ExportEvents(h.ctx, plain, provisioning.EventExport{EventQuery: provisioning.EventQuery{}}, sheets.CSV, &b)
			wantKind(t, err, identity.Forbidden, "")
			_, err = h.ExportUsers(h.ctx, h.directory("Okta", home.ID, identity.DialectOkta), provisioning.ExportQuery{}, sheets.CSV, &b)
			wantKind(t, err, identity.Forbidden, "")
			if b.Len() > 0 {
				t.Errorf("%q", b.String())
			}
		})
	})
}

func TestTheAuditLeavesAsAFile(t *testing.T) {
	eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
		boss := h.boss("boss@acme.test", "administrator")
		boss.IP = "203.0.113.7"
		ada := h.hire("ada@acme.test", "viewer")
		must[identity.User](t)(h.SetRoles(h.ctx, boss, ada.ID, []identity.RoleID{"integration_manager"}, "new job"))
		must[identity.User](t)(h.UpdateUser(h.ctx, boss, ada.ID, 0, func(u *identity.User) error { u.DisplayName = "Ada L."; return nil }))
		t.Run("FC-70 the audit says who did what to whom, when, from where and each field before and after, as a table and as JSON", func(t *testing.T) {
			var b bytes.Buffer
			x, err := h.ExportEvents(h.ctx, h.op, provisioning.EventExport{EventQuery: provisioning.EventQuery{UserID: ada.ID, Type: identity.UserUpdated, Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}}, sheets.CSV, &b)
			if err != nil || x.Rows != 1 {
				t.Fatal(x, err)
			}
			row := cells(t, b.Bytes())[0]
			if row["actor"] != boss.Label || row["actorId"] != boss.ID || row["object"] != "Ada L." || row["door"] != "console" || row["ip"] != "203.0.113.7" ||
				row["changes"] != "displayName: ada@acme.test -> Ada L." || !strings.HasPrefix(row["at"], time.Now().UTC().Format("2006-01-02")) {
				t.Errorf("%v", row)
			}
			b.Reset()
			if _, err = h.ExportEvents(h.ctx, h.op, provisioning.EventExport{EventQuery: provisioning.EventQuery{UserID: ada.ID, Type: identity.UserUpdated}}, sheets.JSON, &b); err != nil {
				t.Fatal(err)
			}
			var e struct {
				Changes []identity.Change
			}
			if err := json.Unmarshal(b.Bytes(), &e); err != nil || len(e.Changes) != 1 || e.Changes[0].After != "Ada L." {
				t.Errorf("%v %s", err, b.String())
			}
		})
		t.Run("FC-70 it is narrowed by person, actor, type and time, and taking it out is an event itself", func(t *testing.T) {
			for want, q := range map[int]provisioning.EventQuery{
				0: {Since: time.Now().Add(time.Hour)},
				2: {ActorID: identity.UserID(boss.ID), Type: ""},
			} {
				var b bytes.Buffer
				x, err := h.ExportEvents(h.ctx, h.op, provisioning.EventExport{EventQuery: q}, sheets.CSV, &b)
				if q.ActorID != "" && x.Rows < want || q.ActorID == "" && x.Rows != want || err != nil {
					t.Errorf("%d rows for %+v: %v", x.Rows, q, err)
				}
			}
			if e := h.lastEvent(identity.EventsExported); e.ObjectKind != "export" || change(e, "rows").After == nil {
				t.Errorf("%+v", e)
			}
		})
	})
}

func TestAFileThatLeftIsKnownAgain(t *testing.T) {
	eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
		h.boss("boss@acme.test", "administrator")
		t.Run("FSM-55 the hash and the signature tell whether a file of the audit or of who holds what is the one that left", func(t *testing.T) {
			var b bytes.Buffer
			x, err := h.ExportAccess(h.ctx, h.op, provisioning.AccessQuery{}, sheets.CSV, &b)
			if err != nil || x.Rows == 0 {
				t.Fatal(x, err)
			}
			sum := sha256.Sum256(b.Bytes())
			signed, events, err := h.CheckExport(h.ctx, h.op, hex.EncodeToString(sum[:]), x.Signature)
			if err != nil || signed.Rows != x.Rows || len(events) != 1 || events[0].Type != identity.AccessReported || events[0].ActorLabel != "operator" {
				t.Errorf("%+v %+v %v", signed, events, err)
			}
			other := sha256.Sum256(append(b.Bytes(), '\n'))
			_, _, err = h.CheckExport(h.ctx, h.op, hex.EncodeToString(other[:]), x.Signature)
			wantKind(t, err, identity.Invalid, "")
			_, _, err = h.CheckExport(h.ctx, h.op, hex.EncodeToString(other[:]), "")
			wantKind(t, err, identity.NotFound, "")
		})
	})
}

func TestAnImportIsUndone(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		h.boss("boss@acme.test", "administrator")
		o := provisioning.ImportOptions{Source: "hr"}
		h.bring(o, "employeeNumber,userName,email,title,role,level,displayName", "1,ada,ada@acme.test,One,dispatcher,team,Ada", "2,bob,bob@acme.test,One,dispatcher,team,Bob", "3,cid,cid@acme.test,One,dispatcher,team,Cid")
		before, _ := h.export(provisioning.ExportQuery{Query: identity.Query{Search: "acme.test"}}, sheets.CSV)
		p := h.bring(o, "employeeNumber,email,title,role,level,active,displayName", "1,ada.new@acme.test,Two,manager,global,yes,", "2,bob@acme.test,Two,dispatcher,team,no,", "3,,Two,,,,", "4,dan@acme.test,Two,manager,,,Dan", "5,eve@acme.test,Two,manager,,,Eve")
		t.Run("FSM-54 what was before is kept with the plan without being asked, and is a file that can be imported", func(t *testing.T) {
			var b bytes.Buffer
			if _, err := h.ExportBackup(h.ctx, h.op, p.ID, sheets.CSV, &b); err != nil {
				t.Fatal(err)
			}
			rows := cells(t, b.Bytes())
			if len(rows) != 3 || rows[0]["email"] != "ada@acme.test" || rows[0]["title"] != "One" || rows[0]["role"] != "dispatcher" || rows[1]["active"] != "yes" {
				t.Errorf("%v", rows)
			}
			again := must[identity.Plan](t)(h.PlanImport(h.ctx, h.op, upload("backup.csv", b.Bytes()), o))
			if again.Summary.Update+again.Summary.Restore != 3 || again.Summary.Restore != 1 {
				t.Errorf("%+v\n%s", again.Summary, strings.Join(h.steps(again.ID), "\n"))
			}
		})
		t.Run("FSM-54 undoing puts back exactly those whom nobody changed since, and deletes whom the import created", func(t *testing.T) {
			must[identity.User](t)(h.UpdateUser(h.ctx, h.op, h.known("cid@acme.test").ID, 0, func(u *identity.User) error { u.DisplayName = "Cid himself"; return nil }))
			must[identity.User](t)(h.SetRoles(h.ctx, h.op, h.known("dan@acme.test").ID, []identity.RoleID{"dispatcher"}, "changed"))
			undo := h.planUndo(p.ID)
			h.wantSteps(t, undo.ID, "1 deactivate open Eve", "2 conflict none Dan", "3 conflict none Cid", "4 restore open Bob", "5 update open Ada")
			done := must[identity.Plan](t)(h.ApplyPlan(h.ctx, h.op, undo.ID, provisioning.ApplyOptions{Override: "it was wrong"}))
			if done.State != identity.PlanDone || done.Summary.Done != 3 {
				t.Errorf("%+v", done)
			}
			if undone := must[identity.Plan](t)(h.Plan(h.ctx, h.op, p.ID)); undone.State != identity.PlanUndone || undone.Summary.Reverted != 3 || undone.RevertedAt == nil {
				t.Errorf("%+v", undone)
			}
			h.wantSteps(t, p.ID, "2 update reverted", "3 update reverted", "4 update kept Cid: : Cid himself was changed since", "5 create kept Dan: : Dan was changed since", "6 create reverted")
			after, _ := h.export(provisioning.ExportQuery{Query: identity.Query{Search: "acme.test"}}, sheets.CSV)
			was, is := cells(t, before), cells(t, after)
			if len(is) != 5 {
				t.Fatalf("%d people are left", len(is))
			}
			for i := range 3 { // the administrator, Ada and Bob
				delete(was[i], "updatedAt")
				delete(is[i], "updatedAt")
				if fmt.Sprint(was[i]) != fmt.Sprint(is[i]) {
					t.Errorf("\n%v\n%v", was[i], is[i])
				}
			}
			if e := h.lastEvent(identity.PlanReverted); change(e, "reverted").After != float64(3) || change(e, "kept").After != float64(2) {
				t.Errorf("%+v", e)
			}
		})
		t.Run("erasing somebody takes them out of the plans, and an old plan goes by itself", func(t *testing.T) { h.plansForget(t, p.ID) })
	})
}

func (h *house) plansForget(t *testing.T, id identity.PlanID) {
	ada := h.known("ada@acme.test")
	if err := h.EraseUser(h.ctx, h.op, ada.ID, 0, "asked"); err != nil {
		t.Fatal(err)
	}
	for _, s := range h.planSteps(id) {
		if s.Line == 2 && (s.Who != "" || len(s.Changes) > 0 || s.UserID != "") {
			t.Errorf("%+v", s)
		}
	}
	h.ok(h.SweepPlans(h.ctx))
	must[identity.Plan](t)(h.Plan(h.ctx, h.op, id))
	h.ok(h.DropPlan(h.ctx, h.op, id))
	_, err := h.Plan(h.ctx, h.op, id)
	wantKind(t, err, identity.NotFound, "")
}

func TestTenThousandPeopleComeAsAFile(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		many := 10_000
		if testing.Short() {
			many = 1000
		}
		acme := h.tenant("Acme")
		var b bytes.Buffer
		b.WriteString("email,givenName,familyName,employeeNumber,role\n")
		for i := range many {
			fmt.Fprintf(&b, "person%d@acme.test,Given,Family%d,%d,viewer\n", i, i, i)
		}
		o := provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}
		t.Run("MIS-08 10,000 rows are planned, carried out, and planned again as nothing", func(t *testing.T) {
			began := time.Now()
			p := must[identity.Plan](t)(h.PlanImport(h.ctx, h.op, upload("many.csv", b.Bytes()), o))
			planned := time.Now()
			done := h.apply(p.ID)
			applied := time.Now()
			if done.Summary.Create != many || done.Summary.Done != many || done.Summary.Failed != 0 || done.State != identity.PlanDone {
				t.Fatalf("%+v", done)
			}
			again := must[identity.Plan](t)(h.PlanImport(h.ctx, h.op, upload("many.csv", b.Bytes()), o))
			if again.Summary.Skip != many {
				t.Errorf("%+v", again.Summary)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			t.Logf("planned in %v, carried out in %v, planned again in %v; the heap is at %d MiB", planned.Sub(began), applied.Sub(planned), time.Since(applied), m.HeapSys>>20)
		})
		t.Run("FSM-52 10,000 rows leave page by page", func(t *testing.T) {
			content, x := h.export(provisioning.ExportQuery{Query: identity.Query{Tenant: acme.ID}}, sheets.CSV)
			if x.Rows != many || len(cells(t, content)) != many {
				t.Errorf("%d rows", x.Rows)
			}
		})
	})
}
