package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

type requestView struct {
	ID          identity.RequestID          `json:"id"`
	At          time.Time                   `json:"at"`
	DirectoryID identity.DirectoryID        `json:"directory_id"`
	Directory   string                      `json:"directory,omitempty"`
	Method      string                      `json:"method"`
	Path        string                      `json:"path"`
	Status      int                         `json:"status"`
	SCIMType    string                      `json:"scim_type,omitempty"`
	Detail      string                      `json:"detail,omitempty"`
	Advice      string                      `json:"advice,omitempty"`
	DurationMS  float64                     `json:"duration_ms"`
	Body        string                      `json:"body,omitempty"` // redacted and cut, so it may be no valid JSON
	Operations  []identity.RequestOperation `json:"operations,omitempty"`
	Events      []eventView                 `json:"events,omitempty"` // of 'requests show' alone
}

func viewRequest(r identity.Request, directory string) requestView {
	return requestView{
		ID: r.ID, At: r.At, DirectoryID: r.DirectoryID, Directory: directory, Method: r.Method, Path: r.Path, Status: r.Status, SCIMType: r.Code,
		Detail: r.Detail, Advice: r.Advice(), DurationMS: float64(r.Duration.Microseconds()) / 1000, Body: r.Body, Operations: r.Operations,
	}
}

// showRequest returns the command that shows one request with everything that is known of it.
func (p *program) showRequest() *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show one request: what was sent, what was answered, what to do, and what it changed",
		Example: `  drawbridge requests show 0190a2b4-7c1e-7000-8000-000000000000`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			id, ok := identity.ParseID[identity.RequestID](args[0])
			if !ok {
				return usage("requests show", "%q is no request id; the answer to a request has it in X-Request-Id", args[0])
			}
			return p.with(ctx, func(b *bridge) error { return p.printRequest(ctx, b, id) })
		}),
	}
}

func (p *program) printRequest(ctx context.Context, b *bridge, id identity.RequestID) error {
	found, err := b.people.Request(ctx, identity.Operator(), id)
	if err != nil {
		return err
	}
	names, err := b.directoryNames(ctx)
	if err != nil {
		return err
	}
	v := viewRequest(found.Request, names[found.Request.DirectoryID])
	for _, e := range found.Events {
		v.Events = append(v.Events, viewEvent(e))
	}
	return p.show(v, func(w io.Writer) { writeRequest(w, v, found) })
}

// writeRequest prints one request for people.
func writeRequest(w io.Writer, v requestView, found provisioning.RequestDetail) {
	fields(w, "Request", v.Method+" "+v.Path, "When", when(&v.At), "Directory", orDash(v.Directory), "Status", strconv.Itoa(v.Status), "Explanation", explanation(v.SCIMType, v.Detail),
		"What to do", v.Advice, "Took", fmt.Sprintf("%.1f ms", v.DurationMS), "Id", string(v.ID))
	if v.Body != "" {
		fmt.Fprintf(w, "\nWhat was sent:\n%s\n", clean(indented(v.Body), '\n'))
	}
	if len(v.Operations) > 0 {
		t := table{heading: []string{"STATUS", "OPERATION", "BULK ID", "EXPLANATION"}}
		for _, o := range v.Operations {
			status := strconv.Itoa(o.Status)
			if o.Status == 0 {
				status = "not begun"
			}
			t.add(status, o.Method+" "+o.Path, orDash(o.BulkID), explanation(o.Code, o.Detail))
		}
		fmt.Fprintln(w)
		t.write(w)
	}
	fmt.Fprintln(w)
	writeRequestEvents(w, found.Events)
	if found.More {
		fmt.Fprintln(w, "There are more events than are shown.")
	}
}

// writeRequestEvents prints what a request changed: each person and group with its fields before and after.
func writeRequestEvents(w io.Writer, events []identity.Event) {
	t := table{heading: []string{"CHANGED", "ABOUT", "FIELD BEFORE -> AFTER", "EVENT"}, none: "It changed nothing."}
	for _, e := range events {
		about := orDash(e.ObjectKind + " " + e.ObjectLabel)
		if len(e.Changes) == 0 {
			t.add(string(e.Type), about, "-", string(e.ID))
		}
		for i, c := range e.Changes {
			if i == 0 {
				t.add(string(e.Type), about, provisioning.ChangeText(c), string(e.ID))
				continue
			}
			t.add("", "", provisioning.ChangeText(c), "")
		}
	}
	t.write(w)
}

// indented writes JSON with one member a line; what is none, or was cut, stays as it is.
func indented(body string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(body), "", "  ") != nil {
		return body
	}
	return out.String()
}

// writeReads prints how much was read today, of one directory or of all.
func writeReads(w io.Writer, reads map[identity.DirectoryID]int64, names map[identity.DirectoryID]string, only identity.DirectoryID) {
	for _, id := range slices.Sorted(maps.Keys(reads)) {
		if only == "" || only == id {
			fmt.Fprintf(w, "Reads today that succeeded, of %s: %d\n", clean(firstOf(names[id], string(id))), reads[id])
		}
	}
}
