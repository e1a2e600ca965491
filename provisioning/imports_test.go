package provisioning_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// file is a CSV file of some lines.
func file(lines ...string) provisioning.Upload {
	content := []byte(strings.Join(lines, "\n") + "\n")
	return provisioning.Upload{Name: "people.csv", Content: bytes.NewReader(content), Size: int64(len(content))}
}

// plan computes a plan that must be possible.
func (h *house) plan(o provisioning.ImportOptions, lines ...string) identity.Plan {
	h.t.Helper()
	return must[identity.Plan](h.t)(h.PlanImport(h.ctx, h.op, file(lines...), o))
}

// steps writes the steps of a plan, one text each: line, action, state, who, and what is wrong.
func (h *house) steps(id identity.PlanID) []string {
	h.t.Helper()
	page := must[identity.Page[provisioning.PlanStepView]](h.t)(h.PlanSteps(h.ctx, h.op, id, provisioning.StepQuery{Limit: 1000}))
	var out []string
	for _, s := range page.Items {
		text := string(s.Action) + " " + string(s.State) + " " + s.Who
		if s.Action == identity.StepError || s.State == identity.StepFailed {
			text += ": " + s.Field + ": " + s.Detail
		}
		out = append(out, text)
	}
	return out
}

func (h *house) apply(id identity.PlanID) identity.Plan {
	h.t.Helper()
	return must[identity.Plan](h.t)(h.ApplyPlan(h.ctx, h.op, id, provisioning.ApplyOptions{}))
}

func TestAnImportIsPlannedAndThenCarriedOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		p := h.plan(provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"},
			"E-Mail;Vorname;Nachname;Rolle;Personalnummer;Telefon",
			"ada@example.com;Ada;Lovelace;editor;1815;+44 1",
			"bob@example.com;Bob;Builder;;7;",
			"nonsense;No;Body;viewer;8;",
			"ada@example.com;Ada;Again;viewer;9;",
			"eve@example.com;Eve;Else;king;10;",
		)
		t.Log(strings.Join(h.steps(p.ID), "\n"), p.Summary)
		done := h.apply(p.ID)
		t.Log(strings.Join(h.steps(p.ID), "\n"), done.Summary, done.State)
	})
}
