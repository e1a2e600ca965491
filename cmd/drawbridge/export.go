package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// outFile is where a table goes, and how.
type outFile struct {
	format, out string
}

func (o *outFile) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.format, "format", "", "csv, xlsx or json, which is one object a line (default: as the name of --out ends, else csv)")
	cmd.Flags().StringVar(&o.out, "out", "-", "the file to write, readable by its owner alone; - writes standard output")
}

// columnsFlag adds the flag that chooses columns; each is checked before anything is written.
func columnsFlag(cmd *cobra.Command, columns *[]string) {
	cmd.Flags().StringSliceVar(columns, "columns", nil, "only these, in this order, with commas between them; a name that is none is answered with the list")
}

// parse checks the format; it follows the name of the file where none is given.
func (o outFile) parse(command string, known []sheets.Format) (sheets.Format, error) {
	name := o.format
	if dot := strings.LastIndexByte(o.out, '.'); name == "" && dot >= 0 {
		name = strings.TrimSuffix(strings.ToLower(o.out[dot+1:]), "l") // .jsonl
	}
	if name == "" || !slices.Contains(known, sheets.Format(name)) && o.format == "" {
		name = string(sheets.CSV)
	}
	if !slices.Contains(known, sheets.Format(name)) {
		return "", usage(command, "--format is %q; use one of %v", name, known)
	}
	return sheets.Format(name), nil
}

// exportCommand returns the commands that write tables to files.
func (p *program) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write people, who holds what or the audit to a file: users, access, audit; check",
		Long: `Writes a table as CSV, XLSX or JSON lines, with all columns or with those of --columns in their order. Each export is an event with its filter, the number of rows and the SHA-256 of the file, which
is printed with a signature: 'drawbridge export check FILE' says whether a file is one of them. To export every night, let cron call it.`,
	}
	cmd.AddCommand(p.exportUsers(), p.exportAccess(), p.exportAudit(), p.exportCheck())
	return p.group(cmd)
}

func (p *program) exportUsers() *cobra.Command {
	var o outFile
	var tenant, status string
	var q provisioning.ExportQuery
	cmd := &cobra.Command{
		Use:   "users",
		Short: "Write people; importing the file again changes nothing",
		Example: `  drawbridge export users --tenant Acme --out acme.xlsx
  drawbridge export users --columns employeeNumber,email,role --format json
  0 3 * * *  drawbridge export users --tenant Acme --out /srv/hr/acme-$(date +\%F).csv      # in a crontab`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if q.Status = identity.Status(status); status != "" && !knownStatus(q.Status) {
				return usage("export users", "--status is %q; use Active, Inactive, Locked or Pending", status)
			}
			return p.export(ctx, "export users", o, func(b *bridge, f sheets.Format, out io.Writer) (provisioning.Export, error) {
				t, err := b.findTenant(ctx, tenant)
				if err != nil {
					return provisioning.Export{}, err
				}
				q.Tenant = t.ID
				return b.people.ExportUsers(ctx, identity.Operator(), q, f, out)
			})
		}),
	}
	o.flags(cmd)
	f := cmd.Flags()
	columnsFlag(cmd, &q.Columns)
	f.StringVar(&tenant, "tenant", "", "only this tenant, by name or id")
	f.StringVar(&q.Search, "search", "", "only people with these words in names, user names or addresses")
	f.StringVar(&status, "status", "", "only people who are Active, Inactive, Locked or Pending")
	f.StringVar(&q.Source, "source", "", "show the externalId that this source gave before those of others")
	return cmd
}

func knownStatus(s identity.Status) bool {
	return s == identity.StatusActive || s == identity.StatusInactive || s == identity.StatusLocked || s == identity.StatusPending
}

func (p *program) exportAudit() *cobra.Command {
	var o outFile
	var user, by, kind, tenant, since, until string
	var columns []string
	cmd := &cobra.Command{
		Use:     "audit",
		Aliases: []string{"events"},
		Short:   "Write the audit: who did what to whom, when, from where, and each field before and after",
		Example: `  drawbridge export audit --since 2026-01-01 --until 2026-04-01 --out audit-q1.csv`,
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if _, known := identity.EventTypes[identity.EventType(kind)]; kind != "" && !known {
				return usage("export audit", "--type is %q; it looks like user.created or directory.token_issued", kind)
			}
			q := provisioning.EventExport{EventQuery: provisioning.EventQuery{Type: identity.EventType(kind)}, Columns: columns}
			var err error
			if q.Since, err = readMoment("export audit", "since", since, time.Now()); err != nil {
				return err
			}
			if q.Until, err = readMoment("export audit", "until", until, time.Now()); err != nil {
				return err
			}
			return p.export(ctx, "export audit", o, func(b *bridge, f sheets.Format, out io.Writer) (provisioning.Export, error) {
				if err := b.eventsAbout(ctx, &q.EventQuery, user, by, tenant); err != nil {
					return provisioning.Export{}, err
				}
				return b.people.ExportEvents(ctx, identity.Operator(), q, f, out)
			})
		}),
	}
	o.flags(cmd)
	f := cmd.Flags()
	columnsFlag(cmd, &columns)
	f.StringVar(&user, "user", "", "only about this person: an id, e-mail address or user name")
	f.StringVar(&by, "by", "", "only what this person did")
	f.StringVar(&kind, "type", "", "only of this type, such as user.placed")
	f.StringVar(&tenant, "tenant", "", "only of this tenant, by name or id")
	f.StringVar(&since, "since", "", "only from then on: how long ago, such as 90m, 2h or 7d, or a time such as 2026-01-31 or 2026-01-31T08:00:00Z")
	f.StringVar(&until, "until", "", "only before then, written as --since is")
	return cmd
}

// eventsAbout resolves the words of the command line to ids.
func (b *bridge) eventsAbout(ctx context.Context, q *provisioning.EventQuery, user, by, tenant string) error {
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return err
	}
	q.TenantID = t.ID
	if q.UserID, err = b.someone(ctx, user); err != nil {
		return err
	}
	q.ActorID, err = b.someone(ctx, by)
	return err
}

// someone returns the id of the user that word names, also of one who was deleted where it is the id; an empty word is nobody.
func (b *bridge) someone(ctx context.Context, word string) (identity.UserID, error) {
	if id, ok := identity.ParseID[identity.UserID](word); ok || word == "" {
		return id, nil
	}
	u, err := b.findUser(ctx, word)
	return u.ID, err
}

func (p *program) exportAccess() *cobra.Command {
	var o outFile
	var q provisioning.AccessQuery
	var tenant, role string
	cmd := &cobra.Command{
		Use:     "access",
		Short:   "Write who holds what, and by which path",
		Example: `  drawbridge export access --sensitive --out access.csv`,
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.export(ctx, "export access", o, func(b *bridge, f sheets.Format, out io.Writer) (provisioning.Export, error) {
				t, err := b.findTenant(ctx, tenant)
				if err != nil {
					return provisioning.Export{}, err
				}
				q.Tenant = t.ID
				if role != "" {
					r, err := b.findRole(role)
					if err != nil {
						return provisioning.Export{}, err
					}
					q.Role = r.ID
				}
				return b.people.ExportAccess(ctx, identity.Operator(), q, f, out)
			})
		}),
	}
	o.flags(cmd)
	f := cmd.Flags()
	columnsFlag(cmd, &q.Columns)
	f.StringVar(&tenant, "tenant", "", "only this tenant, by name or id")
	f.StringVar(&role, "role", "", "only this role")
	f.StringVar(&q.Resource, "resource", "", "only what concerns this resource of the access model")
	f.BoolVar(&q.Sensitive, "sensitive", false, "only what the access model calls sensitive")
	return cmd
}

type exportView struct {
	What      string    `json:"what"`
	File      string    `json:"file,omitempty"`
	Format    string    `json:"format"`
	Rows      int       `json:"rows"`
	SHA256    string    `json:"sha256"`
	Signature string    `json:"signature"`
	At        time.Time `json:"at"`
}

// export writes a table and says what was written: on stderr where the table itself goes to standard output.
func (p *program) export(ctx context.Context, command string, o outFile, write func(b *bridge, f sheets.Format, out io.Writer) (provisioning.Export, error)) error {
	f, err := o.parse(command, sheets.Formats)
	if err != nil {
		return err
	}
	return p.with(ctx, func(b *bridge) error {
		var x provisioning.Export
		err := p.writeFile(o.out, func(out io.Writer) (err error) {
			x, err = write(b, f, out)
			return err
		})
		if err != nil {
			return err
		}
		v := exportView{x.What, o.out, string(x.Format), x.Rows, x.SHA256, x.Signature, x.At}
		if o.out == "-" {
			fmt.Fprintf(p.stderr, "%d rows\nsha256     %s\nsignature  %s\n", x.Rows, x.SHA256, x.Signature)
			return nil
		}
		return p.show(v, func(w io.Writer) {
			fmt.Fprintf(w, "Wrote %d rows to %s.\n", x.Rows, clean(o.out))
			fields(w, "  sha256", x.SHA256, "  signature", x.Signature)
		})
	})
}

// writeFile lets a function write a file, which is there under its name only when it is whole; "-" is standard output.
func (p *program) writeFile(name string, write func(out io.Writer) error) (err error) {
	if name == "-" {
		return write(p.stdout)
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // readable by its owner alone
	if err != nil {
		return identity.Errorf(identity.Invalid, "--out: %v.", err)
	}
	err = errors.Join(write(file), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

func (p *program) exportCheck() *cobra.Command {
	var signature string
	cmd := &cobra.Command{
		Use:     "check FILE",
		Short:   "Say whether a file is an export of this installation, unchanged, and who took it out",
		Example: "  drawbridge export check audit-q1.csv",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			sum, err := sumOf(args[0])
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.checkExport(ctx, b, sum, signature) })
		}),
	}
	cmd.Flags().StringVar(&signature, "signature", "", "what the export printed; it proves the file without any record of it")
	return cmd
}

func sumOf(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", identity.Errorf(identity.Invalid, "%v.", err)
	}
	defer file.Close()
	h := sha256.New()
	_, err = io.Copy(h, file)
	return hex.EncodeToString(h.Sum(nil)), err
}

func (p *program) checkExport(ctx context.Context, b *bridge, sum, signature string) error {
	x, events, err := b.people.CheckExport(ctx, identity.Operator(), sum, signature)
	if err != nil {
		return err
	}
	list := make([]eventView, len(events))
	for i, e := range events {
		list[i] = viewEvent(e)
	}
	v := struct {
		SHA256 string      `json:"sha256"`
		Signed *exportView `json:"signed,omitempty"`
		Events []eventView `json:"events"`
	}{SHA256: sum, Events: list}
	if x.SHA256 != "" {
		v.Signed = &exportView{What: x.What, Format: string(x.Format), Rows: x.Rows, SHA256: x.SHA256, Signature: x.Signature, At: x.At}
	}
	return p.show(v, func(w io.Writer) {
		if v.Signed != nil {
			fmt.Fprintf(w, "Signed here: %s, %d rows, %s.\n", clean(x.What), x.Rows, when(&x.At))
		}
		for _, e := range events {
			fmt.Fprintf(w, "Written %s by %s: %s.\n", when(&e.At), clean(e.ActorLabel), clean(string(e.Type)))
		}
	})
}
