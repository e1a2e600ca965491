package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// access returns the commands about who may do what.
func (p *program) access() *cobra.Command {
	cmd := &cobra.Command{Use: "access", Short: "Who may do what: report, sensitive, review"}
	cmd.AddCommand(p.accessReport(), p.accessSensitive(), p.accessReview())
	return p.group(cmd)
}

// reporting is what the flags of access report say.
type reporting struct {
	tenant, role, output, format string
	query                        provisioning.AccessQuery
}

func (p *program) accessReport() *cobra.Command {
	var o reporting
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Show who holds what, and by which path",
		Long: `Shows every person with each role, where it came from, who gave it and why, and what it allows. With --output the whole report goes into a file,
one line for each person, path and resource; cells cannot be formulas.`,
		Example: `  drawbridge access report --sensitive
  drawbridge access report --tenant Acme --output access.csv
  drawbridge access report --role administrator --output - --format json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("access report", o.query.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.report(ctx, b, o) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.tenant, "tenant", "", "only this tenant, by name or id")
	f.StringVar(&o.role, "role", "", "only who holds this role")
	f.StringVar(&o.query.Resource, "resource", "", "only who may do something with this resource of the access model")
	f.BoolVar(&o.query.Sensitive, "sensitive", false, "only what the access model calls sensitive")
	f.StringVar(&o.output, "output", "", "write the whole report to this file; - is standard output")
	f.StringVar(&o.format, "format", string(sheets.CSV), "of the file: csv, xlsx or json")
	paging(cmd, &o.query.Limit, &o.query.After)
	return cmd
}

func (p *program) report(ctx context.Context, b *bridge, o reporting) error {
	t, err := b.findTenant(ctx, o.tenant)
	if err != nil {
		return err
	}
	o.query.Tenant = t.ID
	if o.role != "" {
		r, err := b.findRole(o.role)
		if err != nil {
			return err
		}
		o.query.Role = r.ID
	}
	if o.output != "" {
		format, err := sheets.ParseFormat(o.format)
		if err != nil {
			return err
		}
		rows := 0
		err = p.fill(o.output, func(w io.Writer) (err error) {
			rows, err = b.people.WriteAccessReport(ctx, identity.Operator(), o.query, format, w)
			return err
		})
		return p.wrote(o.output, fileView{Rows: rows}, err)
	}
	page, err := b.people.AccessReport(ctx, identity.Operator(), o.query)
	if err != nil {
		return err
	}
	return p.showReport(b, page)
}

// fileView is a file that was written, for programs.
type fileView struct {
	File   string `json:"file"`
	Rows   int    `json:"rows,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

// fill writes a file for this user alone, or standard output for "-". What cannot be written to its end is removed.
func (p *program) fill(name string, write func(io.Writer) error) error {
	if name == "-" {
		return write(p.stdout)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return identity.Errorf(identity.Invalid, "--output: %v. Name a file that does not exist yet.", err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// wrote says that a file is there; nothing where it went to standard output.
func (p *program) wrote(name string, v fileView, err error) error {
	if err != nil || name == "-" {
		return err
	}
	v.File = name
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "Wrote %s.\n", clean(name))
		if v.SHA256 != "" {
			fields(w, "  SHA-256", v.SHA256)
		}
	})
}

type accessView struct {
	User      userView   `json:"user"`
	Admin     bool       `json:"admin,omitempty"`
	DataLevel string     `json:"data_level,omitempty"`
	Links     []string   `json:"links,omitempty"`
	Paths     []pathView `json:"paths"`
}

type pathView struct {
	Role      identity.RoleID     `json:"role,omitempty"` // none: the admin flag
	Source    identity.SourceKind `json:"source"`
	From      string              `json:"from,omitempty"`
	Reason    string              `json:"reason,omitempty"`
	GrantedBy string              `json:"granted_by,omitempty"`
	Since     *time.Time          `json:"since,omitempty"`
	Grants    []grantView         `json:"grants"`
}

type grantView struct {
	Resource  string   `json:"resource"`
	Actions   []string `json:"actions"`
	DataLevel string   `json:"data_level,omitempty"`
	Sensitive bool     `json:"sensitive,omitempty"`
}

func viewAccess(h provisioning.AccessHolder) accessView {
	v := accessView{User: viewUser(h.User), Admin: h.Admin, DataLevel: h.DataLevel, Paths: []pathView{}}
	for _, l := range h.Links {
		v.Links = append(v.Links, l.Type+" "+l.ForeignID)
	}
	for _, path := range h.Paths {
		pv := pathView{Role: path.Role.ID, Source: path.Source, From: path.From, Reason: path.Reason, GrantedBy: path.GrantedBy, Grants: []grantView{}}
		if !path.Since.IsZero() {
			pv.Since = &path.Since
		}
		for _, g := range path.Grants {
			pv.Grants = append(pv.Grants, grantView{g.Resource.ID, g.Actions, g.DataLevel, g.Resource.Sensitive})
		}
		v.Paths = append(v.Paths, pv)
	}
	return v
}

func (p *program) showReport(b *bridge, page identity.Page[provisioning.AccessHolder]) error {
	list := views(page, viewAccess, func(h provisioning.AccessHolder) string { return string(h.User.ID) })
	flag, _ := b.model.AdminFlag()
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"WHO", "TENANT", "STATUS", "BY", "SOURCE", "SINCE", "MAY"}, none: "Nobody."}
		for _, h := range page.Items {
			for _, path := range h.Paths {
				t.add(h.User.Label(), orDash(h.User.TenantName), string(h.User.Status()), firstOf(path.Role.Title, flag), strings.TrimSpace(string(path.Source)+" "+path.From), when(&path.Since), grantsText(path.Grants))
			}
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func grantsText(grants []provisioning.AccessGrant) string {
	var out []string
	for _, g := range grants {
		text := g.Resource.ID + ": " + strings.Join(g.Actions, ", ")
		if g.DataLevel != "" {
			text += " (" + g.DataLevel + ")"
		}
		out = append(out, text)
	}
	return orDash(strings.Join(out, "; "))
}

type sensitiveView struct {
	Resource string            `json:"resource"`
	Title    string            `json:"title"`
	Roles    []identity.RoleID `json:"roles"`
	Flag     bool              `json:"flag,omitempty"`
	People   int               `json:"people"`
}

func (p *program) accessSensitive() *cobra.Command {
	return &cobra.Command{
		Use:     "sensitive",
		Short:   "Show what is sensitive, which roles grant it and how many people hold it",
		Example: "  drawbridge access sensitive",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error {
				uses, err := b.people.SensitiveUse(ctx, identity.Operator())
				if err != nil {
					return err
				}
				list := listView[sensitiveView]{Items: []sensitiveView{}}
				t := table{heading: []string{"RESOURCE", "", "PEOPLE", "BY"}, none: "The access model calls nothing sensitive."}
				for _, u := range uses {
					list.Items = append(list.Items, sensitiveView{u.Resource.ID, u.Resource.Title, roleIDs(u.Roles), u.Flag, u.People})
					t.add(u.Resource.ID, u.Resource.Title, fmt.Sprint(u.People), titles(u.Roles))
				}
				return p.show(list, t.write)
			})
		}),
	}
}
