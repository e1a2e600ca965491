package provisioning

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// eventColumns are the columns of the audit as a file: who, what, when, from where, and each field before and after.
var eventColumns = []sheets.Column{
	{Name: "id"},
	{Name: "at"},
	{Name: "type"},
	{Name: "what"},
	{Name: "actorKind"},
	{Name: "actorId"},
	{Name: "actor"},
	{Name: "door"},
	{Name: "ip"},
	{Name: "requestId"},
	{Name: "tenant"},
	{Name: "userId"},
	{Name: "objectKind"},
	{Name: "objectId"},
	{Name: "object"},
	{Name: "reason"},
	{Name: "changes", JSON: true},
}

// EventExport says which events an export has.
type EventExport struct {
	EventQuery
	Columns []string // in this order; none: all
}

// EventColumns returns the names of the columns of the audit as a file.
func EventColumns() []string { return columnNames(eventColumns) }

// ExportEvents writes the events that the actor may read and the query names, newest first. In CSV and XLSX the changes are a text, "field: before -> after"; in JSON
// they are a list.
func (s *Service) ExportEvents(ctx context.Context, by identity.Actor, q EventExport, f sheets.Format, out io.Writer) (Export, error) {
	scope, err := s.exportScope(by, auditRead)
	if err != nil {
		return Export{}, err
	}
	chosen, err := chooseColumns(eventColumns, q.Columns)
	if err != nil {
		return Export{}, err
	}
	e := event(by, identity.EventsExported)
	e.TenantID, e.Changes = by.TenantID, append(eventChanges(q.EventQuery), chosen.changes(q.Columns)...)
	names := s.names(scope)
	return s.export(ctx, by, e, "events", f, chosen.columns, out, func(row func([]string) error) error {
		row = chosen.of(row)
		q.After, q.Limit = "", pageOfAll
		for {
			page, err := s.Events(ctx, by, q.EventQuery)
			if err != nil || len(page.Items) == 0 {
				return err
			}
			for _, e := range page.Items {
				cells, err := s.eventCells(ctx, names, e, f)
				if err == nil {
					err = row(cells)
				}
				if err != nil {
					return err
				}
			}
			if !page.More {
				return nil
			}
			q.After = page.Items[len(page.Items)-1].ID
		}
	})
}

func (s *Service) eventCells(ctx context.Context, names *names, e identity.Event, f sheets.Format) ([]string, error) {
	var tenant string
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		tenant, err = names.tenantName(ctx, tx, e.TenantID)
		return err
	})
	if err != nil {
		return nil, err
	}
	changes := changeText(e.Changes)
	if f == sheets.JSON {
		raw, err := json.Marshal(append([]identity.Change{}, e.Changes...))
		if err != nil {
			return nil, err
		}
		changes = string(raw)
	}
	return []string{
		string(e.ID), e.At.UTC().Format(time.RFC3339Nano), string(e.Type), identity.EventTypes[e.Type], string(e.ActorKind), e.ActorID, e.ActorLabel, e.Door, e.IP, string(e.RequestID),
		tenant, string(e.UserID), e.ObjectKind, e.ObjectID, e.ObjectLabel, e.Reason, changes,
	}, nil
}

// changeText writes changes for people.
func changeText(changes []identity.Change) string {
	texts := make([]string, len(changes))
	for i, c := range changes {
		texts[i] = fmt.Sprintf("%s: %s -> %s", c.Field, sideText(c.Before), sideText(c.After))
	}
	return strings.Join(texts, "\n")
}

func sideText(v any) string {
	switch t := v.(type) {
	case nil:
		return "(none)"
	case string:
		return t
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// eventChanges says by which filter events were taken out.
func eventChanges(q EventQuery) []identity.Change {
	var out []identity.Change
	for _, f := range []struct{ field, value string }{
		{"user", string(q.UserID)},
		{"actor", string(q.ActorID)},
		{"by", q.Who},
		{"about", q.Whom},
		{"text", q.Word},
		{"object", q.ObjectID},
		{"type", string(q.Type)},
		{"types", typeTexts(q.Types)},
		{"tenant", string(q.TenantID)},
		{"since", timeCell(&q.Since)},
		{"until", timeCell(&q.Until)},
	} {
		if f.value != "" {
			out = append(out, identity.Change{Field: f.field, After: f.value})
		}
	}
	return out
}

func typeTexts(types []identity.EventType) string {
	texts := make([]string, len(types))
	for i, t := range types {
		texts[i] = string(t)
	}
	return strings.Join(texts, ", ")
}
