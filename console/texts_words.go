package console

import (
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// actionWords are the actions of access models that the pages have words of their own for in each language. An action that is not here is shown as the model has it.
var actionWords = []string{"add", "all", "call", "create", "delete", "edit", "execute", "manage", "on", "run", "use", "view"}

// operatorLabel is how whoever works at the command line is written in what happened.
var operatorLabel = identity.Operator().Label

// valueWords are values of changed fields that are words of ours.
var valueWords = []string{"yes", "no", "changed", "not verified"}

// actionList writes actions side by side.
func actionList(list []string) string { return strings.Join(list, ", ") }

// isActions reports whether a text is a list of actions that we have words for.
func isActions(s string) bool {
	return !slices.ContainsFunc(strings.Split(s, ", "), func(action string) bool { return !slices.Contains(actionWords, action) })
}

// actions translates a list of actions, each by itself.
func (t *texts) actions(s string) string {
	list := strings.Split(s, ", ")
	for i, action := range list {
		if slices.Contains(actionWords, action) {
			list[i] = t.Say(action)
		}
	}
	return strings.Join(list, ", ")
}

// value translates what a changed field says, where that is a word of ours.
func (t *texts) value(s string) string {
	if slices.Contains(valueWords, s) {
		return t.Say(s)
	}
	return s
}

// device translates what device says of a browser.
func (t *texts) device(s string) string {
	browser, system, ok := strings.Cut(s, " on ")
	if !ok {
		return t.Say(s)
	}
	return strings.NewReplacer("{0}", browser, "{1}", system).Replace(t.Say("{0} on {1}"))
}

// The parts of a decision's reason: what is granted or not, how far it goes, and what limits it.
const (
	reasonLevel = ", as far as "
	reasonLimit = "; "
)

// reason translates why the access model allows or denies something, part by part.
func (t *texts) reason(s string) string {
	if out, ok := t.exact[s]; ok {
		return out
	}
	head, limit, limited := strings.Cut(s, reasonLimit)
	head, level, levelled := strings.Cut(head, reasonLevel)
	out := t.Say(head)
	if levelled {
		out += t.Say(reasonLevel + level)
	}
	if limited {
		out += t.Say(reasonLimit + limit)
	}
	return out
}

// worded is a reason with the titles of resources in place of their ids.
func (v visit) worded(reason string) string {
	for _, r := range v.prov.Model().Catalogue() {
		reason = titled(reason, r.ID, r.Title)
	}
	return reason
}

// titled writes the title of a resource in place of its id into a reason.
func titled(reason, id, title string) string {
	for _, verb := range []string{" grants ", " grant "} {
		reason = strings.Replace(reason, verb+id+": ", verb+title+": ", 1)
	}
	return reason
}

// actorName is who did something: people by their names, and whoever works at the command line.
func actorName(label string) string { return label }

// actor translates who did something: only the label of the command line is a word of ours.
func (t *texts) actor(label string) string {
	if label == operatorLabel {
		return t.Say(operatorLabel)
	}
	return label
}
