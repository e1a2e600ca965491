package provisioning

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// accessColumns are the columns of the report as a file: one row for each person, path and resource.
var accessColumns = sheets.Columns("person", "user name", "e-mail", "tenant", "status", "role", "source", "from", "reason", "granted by", "since", "resource", "actions", "data level", "sensitive", "admin flag", "links")

// WriteAccessReport writes who holds what as a table, page by page, however many people there are, and returns the number of rows. Cells cannot be formulas. That the
// list left is an event.
func (s *Service) WriteAccessReport(ctx context.Context, by identity.Actor, q AccessQuery, f sheets.Format, out io.Writer) (int, error) {
	q.After, q.Limit, q.Total = "", pageOfAll, false
	page, err := s.AccessReport(ctx, by, q) // before anything is written: whoever may not see it gets an error and no heading
	if err != nil {
		return 0, err
	}
	w, err := sheets.NewWriter(out, f, accessColumns)
	if err != nil {
		return 0, err
	}
	rows := 0
	for {
		for _, h := range page.Items {
			for _, row := range s.accessRows(h) {
				if err := w.Write(row); err != nil {
					return rows, err
				}
				rows++
			}
		}
		if !page.More || len(page.Items) == 0 {
			break
		}
		q.After = string(page.Items[len(page.Items)-1].User.ID)
		if page, err = s.AccessReport(ctx, by, q); err != nil {
			return rows, err
		}
	}
	if err := w.Close(); err != nil {
		return rows, err
	}
	return rows, s.noteReport(ctx, by, q, rows)
}

func (s *Service) noteReport(ctx context.Context, by identity.Actor, q AccessQuery, rows int) error {
	e := event(by, identity.AccessReported)
	e.TenantID, e.ObjectKind, e.ObjectLabel = by.TenantID, "report", "who holds what"
	if q.Tenant != "" {
		e.TenantID = q.Tenant
	}
	e.Changes = []identity.Change{{Field: "rows", After: rows}}
	if q.Role != "" {
		e.Changes = append(e.Changes, identity.Change{Field: "role", After: s.roleTitle(q.Role)})
	}
	if q.Resource != "" {
		e.Changes = append(e.Changes, identity.Change{Field: "resource", After: q.Resource})
	}
	if q.Sensitive {
		e.Changes = append(e.Changes, identity.Change{Field: "sensitive", After: true})
	}
	return s.update(ctx, by, func(tx *store.Tx) error { return tx.InsertEvent(ctx, e) })
}

// accessRows are the rows of one person. A path that grants nothing is a row without a resource.
func (s *Service) accessRows(h AccessHolder) [][]string {
	u := h.User
	var out [][]string
	for _, p := range h.Paths {
		title := p.Role.Title
		if p.Role.ID == "" {
			title, _ = s.model.AdminFlag()
		}
		since := ""
		if !p.Since.IsZero() {
			since = p.Since.UTC().Format(time.RFC3339)
		}
		row := []string{
			u.Label(), u.UserName, u.Email(), u.TenantName, string(u.Status()), title, string(p.Source), p.From, p.Reason, p.GrantedBy, since,
			"", "", "", "", yesNo(h.Admin), linkTexts(h.Links),
		}
		if len(p.Grants) == 0 {
			out = append(out, row)
		}
		for _, g := range p.Grants {
			line := append([]string{}, row...)
			line[11], line[12], line[13], line[14] = g.Resource.Title, strings.Join(g.Actions, ", "), g.DataLevel, yesNo(g.Resource.Sensitive)
			out = append(out, line)
		}
	}
	return out
}

func linkTexts(links []identity.Record) string {
	out := make([]string, len(links))
	for i, l := range links {
		out[i] = l.Type + " " + l.ForeignID
	}
	return strings.Join(out, ", ")
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
