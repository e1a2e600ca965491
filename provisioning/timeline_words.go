package provisioning

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// eventWords are the beginnings of the sentences of a timeline; a type that is not here says what docs/events.md says of it.
var eventWords = map[identity.EventType]string{
	identity.UserCreated:     "Created",
	identity.UserUpdated:     "Changed",
	identity.UserDeactivated: "Deactivated",
	identity.UserActivated:   "Activated",
	identity.UserDeleted:     "Deleted",
	identity.UserRestored:    "Brought back",
	identity.UserAdopted:     "Taken over by the directory",
	identity.UserPlaced:      "Placed",
	identity.UserPositioned:  "Stands elsewhere",
	identity.UserLinked:      "Tied to a provider",
	identity.UserUnlinked:    "Untied from a provider",
	identity.UserMerged:      "Joined",
	identity.RoleAssigned:    "Got a role",
	identity.RoleRemoved:     "Lost a role",
	identity.SessionStarted:  "Signed in",
	identity.SessionEnded:    "Session ended",
	identity.SignInRefused:   "Sign-in refused",
}

// eventSentence says in one line what an event tells, with what changed.
func eventSentence(e identity.Event) string {
	words, ok := eventWords[e.Type]
	if !ok {
		if words = identity.EventTypes[e.Type]; words == "" {
			words = string(e.Type)
		}
		words = strings.ToUpper(words[:1]) + words[1:]
	}
	const most = 4
	var parts []string
	for i, c := range e.Changes {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more", len(e.Changes)-most))
			break
		}
		parts = append(parts, ChangeText(c))
	}
	if len(parts) == 0 {
		return words
	}
	return words + ": " + strings.Join(parts, ", ")
}

// ChangeText writes one change of a field on one line: "field before -> after".
func ChangeText(c identity.Change) string {
	before, after := changeValue(c.Before), changeValue(c.After)
	switch {
	case before == "":
		return c.Field + " " + after
	case after == "":
		return c.Field + " " + before + " -> none"
	}
	return c.Field + " " + before + " -> " + after
}

// maxChangeValue is how many characters of a value a line shows.
const maxChangeValue = 80

// changeValue writes a value of a change for people; none is empty.
func changeValue(v any) string {
	text := ""
	switch t := v.(type) {
	case nil:
	case string:
		text = t
	case bool:
		text = yesNo(t)
	case float64:
		text = strconv.FormatFloat(t, 'f', -1, 64)
	case []any:
		parts := make([]string, len(t))
		for i, e := range t {
			parts[i] = changeValue(e)
		}
		text = strings.Join(parts, "; ")
	default:
		if raw, err := json.Marshal(v); err == nil {
			text = string(raw)
		}
	}
	if r := []rune(text); len(r) > maxChangeValue {
		text = string(r[:maxChangeValue]) + "…"
	}
	return text
}

// stepWords say what a step of a plan does, or did.
var stepWords = map[identity.PlanAction]string{
	identity.StepCreate:     "create the person",
	identity.StepUpdate:     "change the person",
	identity.StepDeactivate: "deactivate the person",
	identity.StepRestore:    "bring the person back",
	identity.StepMove:       "move the person",
	identity.StepConflict:   "nothing, until somebody decides",
	identity.StepError:      "nothing: the row cannot be used",
}

// stepStates say how far it came.
var stepStates = map[identity.StepState]string{
	identity.StepOpen:     "not carried out yet",
	identity.StepDone:     "carried out",
	identity.StepFailed:   "refused",
	identity.StepChanged:  "computed again, not carried out yet",
	identity.StepReverted: "undone",
	identity.StepKept:     "not undone, since somebody changed the person",
}

func stepSentence(step store.PersonStep) string {
	name := step.FileName
	if name == "" {
		name = step.Source
	}
	words := stepWords[step.Action]
	if words == "" {
		words = string(step.Action)
	}
	text := "Plan of " + name + ", line " + strconv.Itoa(step.Line) + ": " + words
	if state := stepStates[step.State]; state != "" && step.Action != identity.StepError && step.Action != identity.StepConflict {
		text += " (" + state + ")"
	}
	return text
}

// lineText writes a line so that texts sort as their numbers do.
func lineText(line int) string { return fmt.Sprintf("%012d", line) }

func traceSentence(t identity.Trace) string {
	what := "Signed in through a provider"
	switch {
	case t.Purpose == identity.PurposeTest:
		what = "Tried a connection"
	case t.Purpose == identity.PurposeLogout:
		what = "Signed out at the provider"
	case t.Purpose != "":
		what = "Went to a provider (" + string(t.Purpose) + ")"
	}
	if t.OK {
		return what
	}
	return what + ": refused, " + t.Code
}

func requestSentence(r identity.Request) string {
	text := r.Method + " " + r.Path + " was answered " + strconv.Itoa(r.Status)
	if r.Status < 400 {
		text += ", a part of it failed"
	}
	if r.Code != "" {
		text += " (" + r.Code + ")"
	}
	return text
}
