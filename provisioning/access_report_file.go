package provisioning

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// accessColumns are the columns of the report as a file: one row for each person, path and resource.
var accessColumns = sheets.Columns("person", "user name", "e-mail", "tenant", "status", "role", "source", "from", "reason", "granted by", "since", "resource", "actions", "data level", "sensitive", "admin flag", "links")

// AccessColumns returns the names of the columns of the report as a file.
func AccessColumns() []string { return columnNames(accessColumns) }

// WriteAccessReport is ExportAccess that returns the number of rows.
func (s *Service) WriteAccessReport(ctx context.Context, by identity.Actor, q AccessQuery, f sheets.Format, out io.Writer) (int, error) {
	x, err := s.ExportAccess(ctx, by, q, f, out)
	return x.Rows, err
}

// ExportAccess writes who holds what as a table, page by page, however many people there are. Cells cannot be formulas. That the list left is an event.
func (s *Service) ExportAccess(ctx context.Context, by identity.Actor, q AccessQuery, f sheets.Format, out io.Writer) (Export, error) {
	q.After, q.Limit, q.Total = "", pageOfAll, false
	page, err := s.AccessReport(ctx, by, q) // before anything is written: whoever may not see it gets an error and no heading
	if err != nil {
		return Export{}, err
	}
	chosen, err := chooseColumns(accessColumns, q.Columns)
	if err != nil {
		return Export{}, err
	}
	e := s.reportEvent(by, q)
	e.Changes = append(e.Changes, chosen.changes(q.Columns)...)
	x, err := s.export(ctx, by, e, "who holds what", f, chosen.columns, out, func(row func([]string) error) error {
		row = chosen.of(row)
		for {
			for _, h := range page.Items {
				for _, cells := range s.accessRows(h) {
					if err := row(cells); err != nil {
						return err
					}
				}
			}
			if !page.More || len(page.Items) == 0 {
				return nil
			}
			q.After = string(page.Items[len(page.Items)-1].User.ID)
			if page, err = s.AccessReport(ctx, by, q); err != nil {
				return err
			}
		}
	})
	return x, err
}

// reportEvent says by which filter the report was made.
func (s *Service) reportEvent(by identity.Actor, q AccessQuery) identity.Event {
	e := event(by, identity.AccessReported)
	e.TenantID = by.TenantID
	if q.Tenant != "" {
		e.TenantID = q.Tenant
	}
	if q.Role != "" {
		e.Changes = append(e.Changes, identity.Change{Field: "role", After: s.roleTitle(q.Role)})
	}
	if q.Resource != "" {
		e.Changes = append(e.Changes, identity.Change{Field: "resource", After: q.Resource})
	}
	if q.Search != "" {
		e.Changes = append(e.Changes, identity.Change{Field: "search", After: q.Search})
	}
	if q.Sensitive {
		e.Changes = append(e.Changes, identity.Change{Field: "sensitive", After: true})
	}
	return e
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
