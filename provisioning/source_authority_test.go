package provisioning_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// retitle gives somebody a job title by hand.
func (h *house) retitle(id identity.UserID, title string) {
	h.t.Helper()
	must[identity.User](h.t)(h.UpdateUser(h.ctx, h.op, id, 0, func(u *identity.User) error {
		u.Attributes = []byte(`{"title":"` + title + `"}`)
		return nil
	}))
}

func TestWhoseWordCountsForAField(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		o := provisioning.ImportOptions{Tenant: acme.ID, Source: "workday"}
		manual := func(policy identity.ManualPolicy) provisioning.ImportOptions {
			o := o
			o.Fields = map[string]identity.FieldPolicy{"title": {Manual: policy}, "role": {Manual: policy}, "email": {Manual: policy}}
			return o
		}
		head := "externalId,email,displayName,title,role"
		ada := "1,ada@acme.test,Ada,Analyst,editor"
		h.bring(o, head, ada)
		id := h.known("ada@acme.test").ID
		t.Run("kept: a value that somebody changed by hand stays until the source says something new", func(t *testing.T) {
			h.retitle(id, "Head")
			must[identity.User](t)(h.SetRoles(h.ctx, h.op, id, []identity.RoleID{"operator"}, "promoted"))
			p := h.plan(manual(identity.ManualKeep), head, ada)
			h.wantSteps(t, p.ID, "2 skip none Ada")
			if got := h.detailOf(p.ID, 2); !strings.Contains(got, `title stays "Head": changed since this source said it`) || !strings.Contains(got, `role stays "operator"`) {
				t.Error(got)
			}
			h.bring(manual(identity.ManualKeep), head, "1,ada@acme.test,Ada,Director,editor")
			if row := h.row("workday", "ada@acme.test"); row["title"] != "Director" || row["role"] != "operator" {
				t.Errorf("%v", row)
			}
		})
		t.Run("flagged: somebody has to decide", func(t *testing.T) {
			h.retitle(id, "Queen")
			p := h.plan(manual(identity.ManualFlag), "externalId,displayName,title", "1,Ada,Director")
			h.wantSteps(t, p.ID, `2 conflict none Ada: title: title of Ada is "Queen": it was changed since this source said "Director".`)
		})
		t.Run("overwritten: the source's word counts", func(t *testing.T) {
			h.bring(manual(identity.ManualOverwrite), "externalId,displayName,title", "1,Ada,Director")
			if row := h.row("workday", "ada@acme.test"); row["title"] != "Director" {
				t.Errorf("%v", row)
			}
		})
		t.Run("what another source is the authority for is that source's to say, once it has said something", func(t *testing.T) {
			payroll := provisioning.ImportOptions{Tenant: acme.ID, Source: "payroll"}
			payroll.Fields = map[string]identity.FieldPolicy{"title": {Authority: "workday"}, "phone": {Authority: "workday"}, "costCenter": {Authority: "payroll"}}
			p := h.plan(payroll, "email,title,phone,costCenter", "ada@acme.test,Clerk,+44 1,100")
			h.wantSteps(t, p.ID, "2 update open Ada")
			if got := h.detailOf(p.ID, 2); got != "title is for workday to say" {
				t.Error(got)
			}
			h.apply(p.ID)
			if row := h.row("workday", "ada@acme.test"); row["title"] != "Director" || row["phone"] != "+44 1" || row["costCenter"] != "100" {
				t.Errorf("%v", row)
			}
		})
	})
}
