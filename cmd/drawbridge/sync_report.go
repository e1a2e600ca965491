package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/drawbridge-id/drawbridge/identity"
)

// droppedView is what became of a file.
type droppedView struct {
	Name string `json:"name"` // as it was dropped
	To   string `json:"to"`   // where it is now, within the folder
	*planView
	Failed *failedView `json:"failed,omitempty"`
}

// failedView says why a file has no plan.
type failedView struct {
	Kind    string `json:"kind"`
	Code    string `json:"code,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

func viewDropped(d dropped) droppedView {
	v := droppedView{Name: d.Name, To: d.To, planView: d.Plan}
	if d.Error != nil {
		about := describe(d.Error)
		v.Failed = &failedView{about["kind"], about["code"], about["field"], about["message"]}
	}
	return v
}

// report writes beside the place of a file what became of it, for programs and for people.
func (d *dropFolder) report(out dropped) error {
	v := viewDropped(out)
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	var words bytes.Buffer
	v.words(&words)
	if err := d.write(out.To+".report.json", raw.Bytes()); err != nil {
		return err
	}
	return d.write(out.To+".report.txt", words.Bytes())
}

// words says what became of a file.
func (v droppedView) words(w io.Writer) {
	fmt.Fprintf(w, "%s is now %s\n", clean(v.Name), clean(v.To))
	if v.Failed != nil {
		fmt.Fprintf(w, "It was not taken. %s\n", clean(v.Failed.Message))
		return
	}
	p := v.planView
	fmt.Fprintf(w, "Plan %s, %s: %d rows, %d to create, %d to change, %d to keep out, %d to let in again, %d the same, %d to be decided, %d that cannot be used\n",
		p.Plan, p.State, p.Summary.Rows, p.Create, p.Update, p.Deactivate, p.Restore, p.Skip, p.Conflict, p.Summary.Errors)
	if p.AppliedAt != nil {
		fmt.Fprintf(w, "%d done, %d refused, %d changed meanwhile\n", p.Summary.Done, p.Summary.Failed, p.Summary.Changed)
	}
	for _, e := range p.Errors {
		fmt.Fprintf(w, "line %d: %s%s\n", e.Line, fieldPrefix(e.Field), clean(e.Message))
	}
	if p.MoreErrors {
		fmt.Fprintf(w, "There are more: drawbridge plan show %s --action error\n", p.Plan)
	}
	switch p.State {
	case string(identity.PlanHeld):
		fmt.Fprintln(w, "It is held, and nothing was changed.")
		for _, why := range p.Holds {
			fmt.Fprintln(w, "  "+clean(why))
		}
		fmt.Fprintf(w, "If it is right all the same: drawbridge plan approve %s --reason \"…\"; if not: drawbridge plan reject %s\n", p.Plan, p.Plan)
	case string(identity.PlanReady):
		fmt.Fprintf(w, "To carry it out: drawbridge plan apply %s\n", p.Plan)
	}
}

func fieldPrefix(field string) string {
	if field == "" {
		return ""
	}
	return clean(field) + ": "
}
