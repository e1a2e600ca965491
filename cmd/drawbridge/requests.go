package main

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// requestFlags are the filters of the journal as they were typed.
type requestFlags struct {
	directory string
	failed    bool
	status    string
	method    string
	path      string
	about     string
	since     string
	until     string
	id        string
	after     string
	limit     int
	follow    bool
}

// requests returns the command that reads the journal of what directories sent.
func (p *program) requests() *cobra.Command {
	var f requestFlags
	cmd := &cobra.Command{
		Use:   "requests",
		Short: "Show what directories sent and what they were told, newest first",
		Long: `Shows the request journal, newest first: every write of a directory, and every read that failed, with the answer's explanation.
Reads that succeed are only counted. Entries are deleted after DRAWBRIDGE_JOURNAL_DAYS days.`,
		Example: `  drawbridge requests --failed --since 2h
  drawbridge requests --directory "Acme Okta" --about ada@example.com
  drawbridge requests --status 4xx --method PATCH --path /Groups --json
  drawbridge requests --follow
  drawbridge requests show 0190a2b4-7c1e-7000-8000-000000000000`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("requests", f.limit); err != nil {
				return err
			}
			q, err := f.query(time.Now())
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				d, err := b.findDirectory(ctx, f.directory)
				if err != nil {
					return err
				}
				if q.DirectoryID = d.ID; f.follow {
					return p.followRequests(ctx, b, q)
				}
				return p.listRequests(ctx, b, q)
			})
		}),
	}
	f.register(cmd)
	cmd.AddCommand(p.showRequest())
	return cmd
}

func (f *requestFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.directory, "directory", "", "only of this directory: its id or name")
	fs.BoolVar(&f.failed, "failed", false, "only those that failed, in whole or in part")
	fs.StringVar(&f.status, "status", "", "only with this status, such as 409, or of this class, such as 4xx")
	fs.StringVar(&f.method, "method", "", "only of this method, such as PATCH")
	fs.StringVar(&f.path, "path", "", "only with this text in the path or its query, as it was sent")
	fs.StringVar(&f.about, "about", "", "only about this user or group: an id, e-mail address, user name or name of a group")
	fs.StringVar(&f.since, "since", "", "only from then on: how long ago, such as 90m, 2h or 7d, or a time such as 2026-01-31 or 2026-01-31T08:00:00Z")
	fs.StringVar(&f.until, "until", "", "only before then, written as --since is")
	fs.StringVar(&f.id, "id", "", "only the one with this id, which its answer has in X-Request-Id")
	fs.BoolVar(&f.follow, "follow", false, "go on and show each new one when it comes, oldest first, until interrupted")
	paging(cmd, &f.limit, &f.after)
}

// query turns the flags into a question. The directory is looked up later.
func (f requestFlags) query(now time.Time) (provisioning.RequestQuery, error) {
	q := provisioning.RequestQuery{Failed: f.failed, Method: f.method, Path: f.path, After: identity.RequestID(f.after), Limit: f.limit}
	if f.about != "" {
		q.About = []string{f.about}
	}
	var err error
	if q.Class, q.Status, err = readStatus(f.status); err != nil {
		return q, err
	}
	if q.Since, err = readMoment("requests", "since", f.since, now); err != nil {
		return q, err
	}
	if q.Until, err = readMoment("requests", "until", f.until, now); err != nil {
		return q, err
	}
	for name, id := range map[string]string{"id": f.id, "after": f.after} {
		if _, ok := identity.ParseID[identity.RequestID](id); id != "" && !ok {
			return q, usage("requests", "--%s is %q; it looks like 0190a2b4-7c1e-7000-8000-000000000000", name, id)
		}
	}
	if q.ID = identity.RequestID(f.id); f.follow && (f.after != "" || f.id != "" || f.until != "") {
		return q, usage("requests", "--follow shows what is new, so it goes with none of --after, --id and --until")
	}
	return q, nil
}

// readStatus reads a status or the class of one.
func readStatus(s string) (class, status int, err error) {
	wrong := usage("requests", "--status is %q; give one such as 409, or a class such as 4xx", s)
	if s == "" {
		return 0, 0, nil
	}
	if digit, isClass := strings.CutSuffix(strings.ToLower(s), "xx"); isClass {
		if class, err = strconv.Atoi(digit); err != nil || class < 1 || class > 5 {
			return 0, 0, wrong
		}
		return class, 0, nil
	}
	if status, err = strconv.Atoi(s); err != nil || status < 100 || status > 599 {
		return 0, 0, wrong
	}
	return 0, status, nil
}

// readMoment reads a time, or how long ago it was; none is the zero time.
func readMoment(command, flag, s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if days, isDays := strings.CutSuffix(s, "d"); isDays {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 100_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if ago, err := time.ParseDuration(s); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage(command, "--%s is %q; give how long ago, such as 90m, 2h or 7d, or a time such as 2026-01-31T08:00:00Z", flag, s)
}

// requestList is a page of the journal for programs.
type requestList struct {
	listView[requestView]
	ReadsToday map[identity.DirectoryID]int64 `json:"reads_today"` // that succeeded, by directory
}

func (p *program) listRequests(ctx context.Context, b *bridge, q provisioning.RequestQuery) error {
	page, err := b.people.Requests(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	reads, err := b.people.ReadsToday(ctx, identity.Operator())
	if err != nil {
		return err
	}
	names, err := b.directoryNames(ctx)
	if err != nil {
		return err
	}
	view := func(r identity.Request) requestView { return viewRequest(r, names[r.DirectoryID]) }
	list := requestList{views(page, view, func(r identity.Request) string { return string(r.ID) }), reads}
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "WHEN", "DIRECTORY", "STATUS", "REQUEST", "EXPLANATION"}, none: "No requests."}
		for _, r := range page.Items {
			t.add(requestCells(r, names)...)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
		writeReads(w, reads, names, q.DirectoryID)
	})
}

// requestCells are the cells of a request in a list.
func requestCells(r identity.Request, names map[identity.DirectoryID]string) []string {
	return []string{string(r.ID), when(&r.At), orDash(names[r.DirectoryID]), strconv.Itoa(r.Status), r.Method + " " + short80(r.Path), explanation(r.Code, r.Detail)}
}

// explanation is the keyword and the words of a refusal in one cell.
func explanation(code, detail string) string {
	if code == "" {
		return detail
	}
	return code + ": " + detail
}

// short80 keeps a long query from pushing the rest of a line away; 'requests show' has all of it.
func short80(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// directoryNames are the names of all directories by id.
func (b *bridge) directoryNames(ctx context.Context) (map[identity.DirectoryID]string, error) {
	all, err := b.allDirectories(ctx)
	names := make(map[identity.DirectoryID]string, len(all))
	for _, d := range all {
		names[d.ID] = d.Name
	}
	return names, err
}
