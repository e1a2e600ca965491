package console

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// entryRow is an entry of somebody's timeline on a page.
type entryRow struct {
	provisioning.TimelineEntry
	Title string // the sentence, without the changes that stand below it
	URL   string // where there is more; empty: nowhere that the visitor may go
	More  string // what is there
	Tone  string
}

// timelineOf reads a page of what happened to somebody, and the cursor of the next one; empty: there is none.
func (d *Door) timelineOf(ctx context.Context, v visit, id identity.UserID, before string) ([]entryRow, string, error) {
	page, err := d.prov.Timeline(ctx, v.Actor, id, provisioning.TimelineQuery{Before: before, Limit: timelineSize})
	if identity.KindOf(err) == identity.Invalid && before != "" { // an address that somebody wrote
		page, err = d.prov.Timeline(ctx, v.Actor, id, provisioning.TimelineQuery{Limit: timelineSize})
	}
	if err != nil {
		return nil, "", err
	}
	events := make([]identity.Event, len(page.Items))
	out := make([]entryRow, len(page.Items))
	for i, e := range page.Items {
		events[i].Changes = e.Changes
		out[i] = v.entry(e)
	}
	if err := d.nameIDs(ctx, v, events); err != nil {
		return nil, "", err
	}
	if !page.More || len(page.Items) == 0 {
		return out, "", nil
	}
	return out, page.Items[len(page.Items)-1].Cursor(), nil
}

// entry is an entry with where it leads.
func (v visit) entry(e provisioning.TimelineEntry) entryRow {
	row := entryRow{TimelineEntry: e, Title: e.Sentence, Tone: "calm"}
	if len(e.Changes) > 0 {
		row.Title, _, _ = strings.Cut(e.Sentence, ": ")
	}
	switch {
	case e.Failed:
		row.Tone = "bad"
	case e.Kind == provisioning.EntryChange && e.Door != "":
		row.Tone = "good"
	}
	switch {
	case e.Trace != "" && v.Can(auditRead):
		row.URL, row.More = "/console/signins/"+string(e.Trace), "its checks"
	case e.Plan != "" && v.Can(usersWrite):
		row.URL, row.More = plansPath+string(e.Plan)+"?after="+strconv.Itoa(max(e.Line-1, 0))+"#steps", "the plan"
	case e.Request != "" && v.Can(tenantsWrite):
		row.URL, row.More = "/console/requests/"+string(e.Request), "the request"
	}
	return row
}

// olderEntries is where the page of somebody goes on behind an entry.
func olderEntries(id identity.UserID, cursor string) string {
	if cursor == "" {
		return ""
	}
	return "/console/users/" + string(id) + "?before=" + url.QueryEscape(cursor) + "#timeline"
}
