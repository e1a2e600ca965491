package console

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// How many entries of somebody's story a page has: the first part of the user's page, and the part that is the story.
const (
	recentSize   = 12
	timelineSize = 40
)

// entryRow is an entry of somebody's timeline on a page.
type entryRow struct {
	provisioning.TimelineEntry
	Title string // the sentence, without the changes that stand below it
	URL   string // where there is more; empty: nowhere that the visitor may go
	Tone  string
}

// entryKinds are what a story can be narrowed to, in the order of the choice.
var entryKinds = []provisioning.EntryKind{provisioning.EntryChange, provisioning.EntrySignIn, provisioning.EntryRequest, provisioning.EntryMail, provisioning.EntryPlan}

// activityCard is a page of somebody's story.
type activityCard struct {
	Entries []entryRow
	Kind    provisioning.EntryKind
	Kinds   []provisioning.EntryKind
	Older   string // where the story goes on; empty: that is all
	Newest  bool   // it begins with now
	All     bool   // this is the part of the page that has nothing else
}

// activity reads a page of what happened to somebody, as far as the visitor may see it.
func (d *Door) activity(r *http.Request, v visit, b *userBody, size int) (activityCard, error) {
	before := clip(r.FormValue("before"), 100)
	card := activityCard{Newest: before == "", All: b.Tab == tabActivity}
	for _, kind := range entryKinds {
		if kind == provisioning.EntryRequest && !v.Can(tenantsWrite) {
			continue
		}
		card.Kinds = append(card.Kinds, kind)
		if string(kind) == r.FormValue("kind") {
			card.Kind = kind
		}
	}
	entries, cursor, err := d.timelineOf(r.Context(), v, b, provisioning.TimelineQuery{Before: before, Kind: card.Kind, Limit: size})
	card.Entries, card.Older = entries, olderEntries(b.At, card.Kind, cursor)
	return card, err
}

// timelineOf reads a page of what happened to somebody, and the cursor of the next one; empty: there is none.
func (d *Door) timelineOf(ctx context.Context, v visit, b *userBody, q provisioning.TimelineQuery) ([]entryRow, string, error) {
	page, err := d.prov.Timeline(ctx, v.Actor, b.User.ID, q)
	if identity.KindOf(err) == identity.Invalid && q.Before != "" { // an address that somebody wrote
		q.Before = ""
		page, err = d.prov.Timeline(ctx, v.Actor, b.User.ID, q)
	}
	if err != nil {
		return nil, "", err
	}
	names, err := d.namesFor(ctx, v, b)
	if err != nil {
		return nil, "", err
	}
	out := make([]entryRow, len(page.Items))
	for i, e := range page.Items {
		out[i] = v.entry(e)
		out[i].Changes = d.telling(ctx, v, e.Changes, names)
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
		row.URL = "/console/signins/" + string(e.Trace)
	case e.Plan != "" && v.Can(usersWrite):
		row.URL = plansPath + string(e.Plan) + "?after=" + strconv.Itoa(max(e.Line-1, 0)) + "#steps"
	default:
		row.URL = v.requestAt(e.Request, e.Door, e.At)
	}
	return row
}

// olderEntries is where the story of somebody goes on behind an entry.
func olderEntries(at string, kind provisioning.EntryKind, cursor string) string {
	if cursor == "" {
		return ""
	}
	q := url.Values{"tab": {tabActivity}, "before": {cursor}}
	if kind != "" {
		q.Set("kind", string(kind))
	}
	return at + "?" + q.Encode() + "#timeline"
}
