package provisioning_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// detailOf returns what the step of a line says.
func (h *house) detailOf(id identity.PlanID, line int) string {
	h.t.Helper()
	for _, s := range h.planSteps(id) {
		if s.Line == line {
			return s.Detail
		}
	}
	h.t.Fatalf("there is no step of line %d:\n%s", line, strings.Join(h.steps(id), "\n"))
	return ""
}

func TestSomebodyIsHiredAgain(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		h.boss("boss@acme.test", "administrator")
		o := provisioning.ImportOptions{Source: "hr"}
		head := "externalId,employeeNumber,email,displayName,role,active"
		h.bring(o, head, "X1,1,ada@acme.test,Ada,dispatcher,yes", "X2,2,bob@acme.test,Bob,dispatcher,yes", "X3,3,cid@acme.test,Cid,dispatcher,yes", "X4,4,dan@acme.test,Dan,dispatcher,yes")
		ada, bob, cid, dan := h.known("ada@acme.test"), h.known("bob@acme.test"), h.known("cid@acme.test"), h.known("dan@acme.test")
		t.Run("whom the source deactivated it lets in again, under the old id", func(t *testing.T) {
			h.bring(o, head, "X1,1,ada@acme.test,Ada,dispatcher,no")
			if h.known("ada@acme.test").Enabled {
				t.Fatal("still in")
			}
			p := h.plan(o, head, "X1,1,ada@acme.test,Ada,manager,yes")
			h.wantSteps(t, p.ID, "2 restore open Ada")
			h.apply(p.ID)
			if u := h.known("ada@acme.test"); u.ID != ada.ID || !u.Enabled || u.Held || h.roles(u.ID) != "manager " {
				t.Errorf("%+v %s", u, h.roles(u.ID))
			}
		})
		t.Run("whom an administrator deactivated it does not: somebody has to decide", func(t *testing.T) {
			must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, bob.ID, "misconduct"))
			p := h.plan(o, head, "X2,2,bob@acme.test,Bob,dispatcher,yes")
			h.wantSteps(t, p.ID, "2 conflict none Bob: active: Bob was deactivated by hand, not by this source.")
			if p.Summary.Conflict != 1 {
				t.Errorf("%+v", p.Summary)
			}
			p = h.plan(o, "externalId,title", "X2,Analyst")
			h.wantSteps(t, p.ID, "2 update open Bob")
		})
		t.Run("nor whom the source kept out first, and an administrator then too", func(t *testing.T) {
			h.bring(o, head, "X3,3,cid@acme.test,Cid,dispatcher,no")
			must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, cid.ID, "and stays out"))
			p := h.plan(o, head, "X3,3,cid@acme.test,Cid,dispatcher,yes")
			h.wantSteps(t, p.ID, "2 conflict none Cid: active: Cid was deactivated by hand")
		})
		t.Run("whom the whole list missed, and has again, comes back without being asked", func(t *testing.T) {
			missing := o
			missing.Missing = true
			h.apply(h.plan(missing, "externalId,displayName", "X1,Ada", "X2,Bob", "X3,Cid").ID)
			if h.known("dan@acme.test").Enabled {
				t.Fatal("still in")
			}
			p := h.plan(missing, "externalId,displayName", "X1,Ada", "X4,Dan")
			h.wantSteps(t, p.ID, "3 restore open Dan")
			h.apply(p.ID)
			if u := h.known("dan@acme.test"); u.ID != dan.ID || !u.Enabled {
				t.Errorf("%+v", u)
			}
		})
		t.Run("a new start lets in whom the source kept out, on that day", func(t *testing.T) {
			h.bring(o, head, "X4,4,dan@acme.test,Dan,dispatcher,no")
			p := h.plan(o, "externalId,startDate", "X4,"+dayFrom(5))
			h.wantSteps(t, p.ID, "2 restore open Dan")
			h.apply(p.ID)
			if h.known("dan@acme.test").Enabled {
				t.Error("let in before the start")
			}
			h.dueNow(dan.ID, starts)
			if h.runTerms(); !h.known("dan@acme.test").Enabled {
				t.Error("not let in at the start")
			}
		})
		t.Run("a new start after the end that the source said is a new time here, and another's end stays", func(t *testing.T) {
			dates := "externalId,email,displayName,role,startDate,endDate"
			h.bring(o, dates, "X7,gil@acme.test,Gil,dispatcher,"+dayFrom(-90)+","+dayFrom(-30))
			gil := h.known("gil@acme.test")
			if gil.Enabled {
				t.Fatal("still in")
			}
			p := h.plan(o, dates, "X7,gil.new@acme.test,Gil,dispatcher,"+dayFrom(-1)+",")
			h.wantSteps(t, p.ID, "2 restore open Gil")
			h.apply(p.ID)
			if u := h.known("gil.new@acme.test"); u.ID != gil.ID || !u.Enabled {
				t.Errorf("%+v", u)
			}
			if p = h.plan(o, dates, "X7,gil.new@acme.test,Gil,dispatcher,"+dayFrom(-1)+","); p.Summary.Skip != 1 {
				t.Errorf("%+v", p.Summary)
			}
			soon := time.Now().Add(time.Hour)
			must[identity.User](t)(h.SetTerms(h.ctx, h.op, gil.ID, nil, &soon, "by hand"))
			p = h.plan(o, dates, "X7,gil.new@acme.test,Gil,dispatcher,"+dayFrom(20)+",")
			h.wantSteps(t, p.ID, "2 error none Gil: endDate: The end is not after the start.")
		})
		t.Run("somebody deleted comes back under the old id, by the source's id, number or address", func(t *testing.T) {
			h.ok(h.DeleteUser(h.ctx, h.op, ada.ID, 0))
			p := h.plan(o, head, "X1,1,ada@acme.test,Ada,dispatcher,no")
			h.wantSteps(t, p.ID, "2 skip none Ada")
			if got := h.detailOf(p.ID, 2); got != "nothing changes; deleted, and the row lets nobody in" {
				t.Error(got)
			}
			p = h.plan(o, "employeeNumber,email,displayName", "99,ada@acme.test,Another Ada")
			h.wantSteps(t, p.ID, "2 create open Another Ada")
			p = h.plan(o, "email,displayName,role", "ada@acme.test,Ada again,dispatcher")
			h.wantSteps(t, p.ID, "2 restore open Ada again")
			h.apply(p.ID)
			u := h.known("ada@acme.test")
			e := h.lastEvent(identity.UserRestored)
			if u.ID != ada.ID || !u.Enabled || u.DisplayName != "Ada again" || h.roles(u.ID) != "dispatcher " || e.Reason != "import people.csv, line 2" {
				t.Errorf("%+v %s %+v", u, h.roles(u.ID), e)
			}
		})
		t.Run("but not who was deactivated by hand before", func(t *testing.T) {
			h.ok(h.DeleteUser(h.ctx, h.op, bob.ID, 0))
			p := h.plan(o, head, "X2,2,bob@acme.test,Bob,dispatcher,yes")
			h.wantSteps(t, p.ID, "2 conflict none Bob: active: Bob was deactivated by hand")
		})
		t.Run("the tombstone of another source's person is nobody to this one", func(t *testing.T) {
			h.ok(h.DeleteUser(h.ctx, h.op, dan.ID, 0))
			p := h.plan(provisioning.ImportOptions{Source: "other"}, "externalId,email,displayName", "X4,dan@acme.test,Dan")
			h.wantSteps(t, p.ID, "2 create open Dan")
		})
	})
}

func TestAnImportMovesPeople(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		o := provisioning.ImportOptions{Source: "hr"}
		h.bring(o, "externalId,email,displayName,tenant,role", "X1,ada@acme.test,Ada,Acme,editor", "X2,bob@acme.test,Bob,Acme,viewer")
		ada := h.known("ada@acme.test")
		t.Run("a row that names another tenant moves the person, with the roles there", func(t *testing.T) {
			p := h.plan(o, "externalId,email,tenant,role", "X1,ada@acme.test,Beta,operator")
			h.wantSteps(t, p.ID, "2 move open Ada")
			if p.Summary.Move != 1 || h.known("ada@acme.test").TenantID != acme.ID {
				t.Errorf("%+v", p.Summary)
			}
			h.apply(p.ID)
			u := h.known("ada@acme.test")
			if u.ID != ada.ID || u.TenantID != beta.ID || h.roles(u.ID) != "operator " {
				t.Errorf("%+v %s", u, h.roles(u.ID))
			}
			if e := h.lastEvent(identity.UserPlaced); e.UserID != ada.ID || change(e, "tenant").After != "Beta" {
				t.Errorf("%+v", e)
			}
			p = h.plan(o, "externalId,email,tenant,role", "X1,ada@acme.test,Beta,operator")
			if h.wantSteps(t, p.ID); p.Summary.Skip != 1 {
				t.Errorf("%+v", p.Summary)
			}
		})
		t.Run("whom a directory of the tenant holds stays, and somebody has to decide", func(t *testing.T) {
			okta := h.directory("Okta", acme.ID, identity.DialectOkta)
			h.push(okta, "bob@acme.test")
			p := h.plan(o, "externalId,email,tenant", "X2,bob@acme.test,Beta")
			h.wantSteps(t, p.ID, "2 conflict none bob@acme.test: tenant: bob@acme.test cannot go to Beta: the person is managed by the directory Okta")
		})
		t.Run("who waits in SSO Landing is placed, and the same address in a third tenant is another person", func(t *testing.T) {
			entra := h.directory("Entra", "", identity.DialectEntra)
			eve := h.push(entra, "eve@beta.test")
			h.userIn(beta.ID, "fay@acme.test", "viewer")
			p := h.plan(o, "email,displayName,tenant", "eve@beta.test,,Beta", "fay@acme.test,Fay,Acme")
			h.wantSteps(t, p.ID, "2 move open eve@beta.test", "3 create open Fay")
			h.apply(p.ID)
			if u := h.known("eve@beta.test"); u.ID != eve.ID || u.TenantID != beta.ID {
				t.Errorf("%+v", u)
			}
		})
		t.Run("a tenant's own import moves nobody", func(t *testing.T) {
			boss := h.as(h.userIn(acme.ID, "boss@acme.test", "administrator").ID)
			p := must[identity.Plan](t)(h.PlanImport(h.ctx, boss, file("email,tenant", "bob@acme.test,Beta"), o))
			h.wantSteps(t, p.ID, "2 error none bob@acme.test: tenant: There is no such tenant.")
		})
	})
}
