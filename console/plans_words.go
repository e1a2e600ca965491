package console

import (
	"strconv"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// planKinds and so on in words; what is not here is shown as it is written.
var planKindWords = map[identity.PlanKind]string{
	identity.PlanImport: "File", identity.PlanSync: "HR system", identity.PlanBulk: "Bulk change", identity.PlanUndo: "Undo", identity.PlanDrift: "Drift",
}

// bulkWords name the plans that change many people at once.
var bulkWords = map[provisioning.BulkKind]string{
	provisioning.BulkMove: "Place many people", provisioning.BulkDeactivate: "Deactivate many people", provisioning.BulkActivate: "Activate many people",
	provisioning.BulkAssignRole: "Give many people a role", provisioning.BulkRemoveRole: "Take a role from many people", provisioning.BulkSetRole: "Set the role of many people",
	provisioning.BulkSetUnit: "Move many people to a business unit",
}

var planStateWords = map[identity.PlanState]string{
	identity.PlanComputing: "Being computed", identity.PlanReady: "Ready", identity.PlanHeld: "Held", identity.PlanRejected: "Rejected", identity.PlanApplying: "Being applied",
	identity.PlanDone: "Applied", identity.PlanUndone: "Undone", identity.PlanFailed: "Failed",
}

var planActionWords = map[identity.PlanAction]string{
	identity.StepCreate: "New", identity.StepUpdate: "Change", identity.StepDeactivate: "Keep out", identity.StepRestore: "Let in again", identity.StepMove: "Move",
	identity.StepSkip: "The same", identity.StepConflict: "To be decided", identity.StepError: "Not usable",
}

var stepStateWords = map[identity.StepState]string{
	identity.StepOpen: "planned", identity.StepDone: "done", identity.StepFailed: "refused", identity.StepChanged: "changed meanwhile", identity.StepReverted: "undone",
	identity.StepKept: "kept as it is", identity.StepNone: "nothing to do",
}

func planKind(k identity.PlanKind) string       { return wordOf(planKindWords, k) }
func planState(s identity.PlanState) string     { return wordOf(planStateWords, s) }
func planAction(a identity.PlanAction) string   { return wordOf(planActionWords, a) }
func planStepState(s identity.StepState) string { return wordOf(stepStateWords, s) }

func wordOf[T ~string](words map[T]string, key T) string {
	if word, ok := words[key]; ok {
		return word
	}
	return string(key)
}

// planCounts says in a line what a plan does: "+12 new, 3 changed, 1 kept out".
func planCounts(p identity.Plan) []string {
	var out []string
	add := func(n int, word string) {
		if n > 0 {
			out = append(out, group(int64(n))+" "+word)
		}
	}
	s := p.Summary
	add(s.Create, "new")
	add(s.Update, "changed")
	add(s.Deactivate, "kept out")
	add(s.Restore, "let in again")
	add(s.Move, "moved")
	add(s.Conflict, "to be decided")
	add(s.Errors, "not usable")
	if len(out) == 0 {
		return []string{"nothing changes"}
	}
	return out
}

// megabytes writes a size in bytes for people.
func megabytes(n int64) string { return strconv.FormatInt(n>>20, 10) + " MB" }

var offboardingWords = map[identity.OffboardingState]string{identity.OffboardOpen: "Open", identity.OffboardClosed: "Closed", identity.OffboardCancelled: "Stays"}

func offState(s identity.OffboardingState) string { return wordOf(offboardingWords, s) }
