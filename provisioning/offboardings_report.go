package provisioning

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// offboardingColumns are the columns of the evidence: first what the offboarding is, then each step with who did it, then what is left.
var offboardingColumns = sheets.Columns("at", "step", "by", "through", "about", "field", "before", "after", "reason")

// evidenceTypes are the events of an offboarding that are not on the page of the person.
var evidenceTypes = []identity.EventType{identity.HoldingSet, identity.HoldingRemoved, identity.TransferRequested, identity.TransferAcknowledged, identity.TransferWithdrawn}

// EvidenceReport writes what an offboarding did as a table: who did what when, field by field, from the events since the access ended, and what is left. It is signed as exports
// are, so that CheckExport knows the file.
func (s *Service) EvidenceReport(ctx context.Context, by identity.Actor, id identity.OffboardingID, f sheets.Format, out io.Writer) (Export, error) {
	v, err := s.Offboarding(ctx, by, id)
	if err != nil {
		return Export{}, err
	}
	e := about(by, identity.OffboardingReported, v.User)
	e.Changes = []identity.Change{{Field: "offboarding", After: string(id)}}
	return s.export(ctx, by, e, "evidence of an offboarding", f, offboardingColumns, out, func(row func([]string) error) error {
		for _, cells := range evidenceHead(v) {
			if err := row(cells); err != nil {
				return err
			}
		}
		if err := s.evidenceSteps(ctx, v, row); err != nil {
			return err
		}
		for _, t := range v.Things {
			if err := row(factRow("thing "+string(t.State), cmp.Or(t.Display, t.String()), "holder", t.String(), string(t.Holder))); err != nil {
				return err
			}
		}
		return nil
	})
}

// factRow is a row about how something is, not about what somebody did.
func factRow(step, about, field, before, after string) []string {
	return []string{"", step, "", "", about, field, before, after, ""}
}

// evidenceHead says what the offboarding is.
func evidenceHead(v OffboardingView) [][]string {
	who := v.User.Label()
	fact := func(field, value string) []string { return factRow("offboarding", who, field, "", value) }
	rows := [][]string{
		fact("id", string(v.ID)),
		fact("person", string(v.UserID)),
		fact("tenant", v.User.TenantName),
		fact("state", string(v.State)),
		fact("begun", timeCell(&v.BegunAt)+" by "+v.BegunBy),
		fact("reason", v.Reason),
		fact("access ended", timeCell(&v.Facts.EndedAt)),
		fact("sessions ended", fmt.Sprint(v.Facts.Sessions)),
		fact("API keys that worked until then", fmt.Sprint(v.Facts.Keys)),
		fact("API keys that work now", fmt.Sprint(v.Keys)),
		fact("roles that are left", strings.Join(titles(v.User.Roles), ", ")),
		fact("groups that are left", groupNames(v.Groups)),
		fact("things that are left", fmt.Sprint(v.Left)),
	}
	if v.Successor.ID != "" {
		rows = append(rows, fact("successor", v.Successor.Label()))
	}
	if v.ClosedAt != nil {
		rows = append(rows, fact(string(v.State), timeCell(v.ClosedAt)+" by "+v.ClosedBy))
	}
	for _, key := range v.Facts.Left {
		rows = append(rows, fact("was left when it was closed", key))
	}
	return rows
}

func groupNames(list []identity.Membership) string {
	var out []string
	for _, m := range list {
		out = append(out, m.Display)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// evidenceSteps writes the events of an offboarding, the oldest first.
func (s *Service) evidenceSteps(ctx context.Context, v OffboardingView, row func([]string) error) error {
	var events []identity.Event
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		events, err = evidenceEvents(ctx, tx, v)
		return err
	})
	for _, e := range events {
		for _, cells := range evidenceRows(e) {
			if err == nil {
				err = row(cells)
			}
		}
	}
	return err
}

// evidenceEvents returns what happened to the person, and to what the person had, from the end of the access until the offboarding was closed.
func evidenceEvents(ctx context.Context, tx *store.Tx, v OffboardingView) ([]identity.Event, error) {
	q := store.EventQuery{UserID: v.UserID, Since: v.Facts.EndedAt, Limit: mostHoldings}
	if v.BegunAt.Before(q.Since) {
		q.Since = v.BegunAt
	}
	events, err := allEvents(ctx, tx, q)
	if err != nil {
		return nil, err
	}
	things := map[string]bool{}
	for _, t := range v.Things {
		things[t.String()] = true
	}
	of := q
	of.UserID, of.TenantID, of.Types = "", v.TenantID, evidenceTypes
	others, err := allEvents(ctx, tx, of)
	for _, e := range others {
		if e.UserID != v.UserID && things[e.ObjectID] {
			events = append(events, e)
		}
	}
	events = slices.DeleteFunc(events, func(e identity.Event) bool { return v.ClosedAt != nil && e.At.After(*v.ClosedAt) })
	slices.SortFunc(events, func(a, b identity.Event) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return events, err
}

// allEvents reads all events of a query, page by page.
func allEvents(ctx context.Context, tx *store.Tx, q store.EventQuery) ([]identity.Event, error) {
	var out []identity.Event
	for {
		page, err := tx.Events(ctx, store.Everything(), q)
		out = append(out, page.Items...)
		if err != nil || !page.More {
			return out, err
		}
		q.After = page.Items[len(page.Items)-1].ID
	}
}

// evidenceRows writes an event, one row a field.
func evidenceRows(e identity.Event) [][]string {
	row := []string{timeCell(&e.At), string(e.Type), e.ActorLabel, e.Door, e.ObjectLabel, "", "", "", e.Reason}
	if len(e.Changes) == 0 {
		return [][]string{row}
	}
	var out [][]string
	for _, c := range e.Changes {
		line := slices.Clone(row)
		line[5], line[6], line[7] = c.Field, sideText(c.Before), sideText(c.After)
		out = append(out, line)
	}
	return out
}
