package console

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// requestMethods are those that a directory may use.
var requestMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// requestFilters are what the form of the journal asks for, as it was typed.
type requestFilters struct {
	Result    string // "failed", "2xx", "4xx" or "5xx"; empty: any
	Directory identity.DirectoryID
	Method    string
	Path      string
	About     string
	Since     string // 2006-01-02
	Until     string // 2006-01-02, inclusive
	Status    string
	ID        string
}

func (d *Door) requestRoutes() []route {
	return []route{
		{"GET /console/requests", tenantsWrite, d.requests},
		{"GET /console/requests/{id}", tenantsWrite, d.request},
	}
}

// Any reports whether the list is narrowed.
func (f requestFilters) Any() bool { return f != requestFilters{} }

// More reports whether a filter is set that the form hides at first.
func (f requestFilters) More() bool { return f.Method+f.About+f.Since+f.Until+f.Status+f.ID != "" }

func readRequestFilters(r *http.Request) requestFilters {
	field := func(name string) string { return clip(strings.TrimSpace(r.FormValue(name)), 300) }
	f := requestFilters{
		Result: field("result"), Method: field("method"), Path: field("path"), About: field("about"),
		Since: field("since"), Until: field("until"), Status: field("status"), ID: field("id"),
	}
	f.Directory, _ = identity.ParseID[identity.DirectoryID](r.FormValue("directory"))
	if field("failed") == "1" { // an older link
		f.Result = "failed"
	}
	return f
}

// query turns the filters into a question, or says what is wrong with them: to leave one out would show what was not asked for.
func (f requestFilters) query() (q provisioning.RequestQuery, problem string) {
	q = provisioning.RequestQuery{DirectoryID: f.Directory, Method: f.Method, Path: f.Path, Limit: pageSize}
	switch f.Result {
	case "", "2xx", "4xx", "5xx":
		q.Class, _ = strconv.Atoi(strings.TrimSuffix(f.Result, "xx"))
	case "failed":
		q.Failed = true
	default:
		return q, "The result is one of the list."
	}
	var err error
	if f.Status != "" {
		if q.Status, err = strconv.Atoi(f.Status); err != nil || q.Status < 100 || q.Status > 599 {
			return q, "A status is a number from 100 to 599."
		}
	}
	if f.About != "" {
		q.About = []string{f.About}
	}
	if q.Since, err = day(f.Since); err != nil {
		return q, "Write the first day as 2026-01-31."
	}
	if q.Until, err = day(f.Until); err != nil {
		return q, "Write the last day as 2026-01-31."
	}
	if !q.Until.IsZero() {
		q.Until = q.Until.AddDate(0, 0, 1)
	}
	if f.ID != "" {
		var ok bool
		if q.ID, ok = identity.ParseID[identity.RequestID](f.ID); !ok {
			return q, "A request id looks like 0190a2b4-7c1e-7000-8000-000000000000; the answer to the request has it in X-Request-Id."
		}
	}
	return q, ""
}

// day reads a day; none is the zero time.
func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s)
}

type requestsBody struct {
	Requests    []identity.Request
	Pager       pager
	Filter      requestFilters
	Problem     string
	Methods     []string
	Directories []identity.Directory
	Names       map[identity.DirectoryID]string
	Reads       []readsRow
}

// readsRow is how much one directory read today.
type readsRow struct {
	Directory identity.Directory
	Count     int64
}

// requests is the journal of what directories sent, newest first.
func (d *Door) requests(w http.ResponseWriter, r *http.Request, v visit) error {
	body := requestsBody{Filter: readRequestFilters(r), Methods: requestMethods, Names: map[identity.DirectoryID]string{}}
	q, problem := body.Filter.query()
	if body.Problem = problem; problem == "" {
		q.After, _ = identity.ParseID[identity.RequestID](r.FormValue("after"))
		found, err := d.prov.Requests(r.Context(), v.Actor, q)
		if err != nil {
			return err
		}
		body.Requests, body.Pager = found.Items, onward(r, found, func(q identity.Request) string { return string(q.ID) })
	}
	directories, err := d.prov.Directories(r.Context(), v.Actor, identity.Query{Limit: maxOptions})
	if err != nil {
		return err
	}
	reads, err := d.prov.ReadsToday(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	body.Directories = directories.Items
	for _, dir := range directories.Items {
		body.Names[dir.ID] = dir.Name
		if n := reads[dir.ID]; n > 0 {
			body.Reads = append(body.Reads, readsRow{dir, n})
		}
	}
	return d.show(w, r, v, "requests", screen{Title: "Directory requests", Nav: "requests", Body: body})
}

type requestBody struct {
	Request    *identity.Request
	Advice     string
	Directory  string
	Body       string
	Parameters []parameter
	Events     []identity.Event
	More       bool
}

// parameter is one of the query, readable.
type parameter struct{ Name, Value string }

// request is one entry of the journal with everything that is known of it.
func (d *Door) request(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.RequestID](r, "id")
	if err != nil {
		return err
	}
	found, err := d.prov.Request(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	if err := d.nameIDs(r.Context(), v, found.Events); err != nil {
		return err
	}
	body := requestBody{
		Request: &found.Request, Advice: found.Request.Advice(), Body: pretty(found.Request.Body), Parameters: parameters(found.Request.Path),
		Events: found.Events, More: found.More,
	}
	switch dir, err := d.prov.Directory(r.Context(), v.Actor, found.Request.DirectoryID); {
	case err == nil:
		body.Directory = dir.Name
	case identity.KindOf(err) != identity.NotFound:
		return err
	}
	return d.show(w, r, v, "request", screen{Title: found.Request.Method + " request", Nav: "requests", Body: body})
}

// pretty writes JSON with one member a line; what is none, or was cut, stays as it is.
func pretty(body string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(body), "", "  ") != nil {
		return body
	}
	return out.String()
}

// parameters reads the query of a path for people. One that cannot be read has none: the path shows it as it was sent.
func parameters(path string) []parameter {
	_, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil
	}
	var out []parameter
	for name, list := range values {
		for _, value := range list {
			out = append(out, parameter{name, value})
		}
	}
	slices.SortFunc(out, func(a, b parameter) int { return strings.Compare(a.Name+"\x00"+a.Value, b.Name+"\x00"+b.Value) })
	return out
}

// RequestURL is the page of the request that an event belongs to, as far as the visitor may open it; "" for none.
func (v visit) RequestURL(e identity.Event) string { return v.requestAt(e.RequestID, e.Door, e.At) }

// requestAt is the page of a request of a moment; "" where the visitor may not open it, or the journal keeps it no longer.
func (v visit) requestAt(id identity.RequestID, door string, at time.Time) string {
	if id == "" || door != "scim" || v.swept(at) || !v.Can(tenantsWrite) {
		return ""
	}
	return "/console/requests/" + string(id)
}

// swept reports whether the journal keeps nothing of a moment any more.
func (v visit) swept(at time.Time) bool { return v.journal > 0 && time.Since(at) > v.journal }
