package provisioning

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// sha256Bytes is how long a hash and its MAC are.
const sha256Bytes = sha256.Size

// Export is what was written to a file.
type Export struct {
	What      string // "users", "events" or "access"
	Format    sheets.Format
	Rows      int
	SHA256    string // of the file, in hex
	Signature string // of this installation over the hash, what and how many: CheckExport tells whether a file is the one
	At        time.Time
}

// counting hashes what goes through it.
type counting struct {
	out io.Writer
	sum hash.Hash
}

func (c counting) Write(b []byte) (int, error) {
	c.sum.Write(b)
	return c.out.Write(b)
}

// export writes a table and its event: who took what out, by which filter, how many rows, and the hash of the file. It is written also when the export breaks off,
// since what went out until then is out.
func (s *Service) export(ctx context.Context, by identity.Actor, e identity.Event, what string, f sheets.Format, columns []sheets.Column, out io.Writer, fill func(row func(cells []string) error) error) (Export, error) {
	x := Export{What: what, Format: f, At: time.Now().UTC().Truncate(time.Second)}
	c := counting{out, sha256.New()}
	w, err := sheets.NewWriter(c, f, columns)
	if err != nil {
		return x, err
	}
	err = fill(func(cells []string) error {
		x.Rows++
		return w.Write(cells)
	})
	err = errors.Join(err, w.Close())
	x.SHA256 = hex.EncodeToString(c.sum.Sum(nil))
	if err == nil {
		x.Signature, err = s.signExport(x)
	}
	return x, errors.Join(err, s.noteExport(context.WithoutCancel(ctx), by, e, x, err == nil))
}

// noteExport writes the event of an export. Its object is the hash, by which CheckExport finds it again.
func (s *Service) noteExport(ctx context.Context, by identity.Actor, e identity.Event, x Export, whole bool) error {
	e.ObjectKind, e.ObjectID, e.ObjectLabel = "export", x.SHA256, x.What
	e.Changes = append(e.Changes, identity.Change{Field: "rows", After: x.Rows}, identity.Change{Field: "format", After: string(x.Format)}, identity.Change{Field: "sha256", After: x.SHA256})
	if !whole {
		e.Changes = append(e.Changes, identity.Change{Field: "broken off", After: true})
	}
	return s.update(ctx, by, func(tx *store.Tx) error { return tx.InsertEvent(ctx, e) })
}

// exportMessage is what the signature of an export says.
func exportMessage(x Export) []byte {
	return []byte(strings.Join([]string{x.What, string(x.Format), strconv.Itoa(x.Rows), x.SHA256, x.At.Format(time.RFC3339)}, "\n"))
}

func (s *Service) signExport(x Export) (string, error) {
	mac, err := s.db.Sign("export", exportMessage(x))
	text := x.At.Format(time.RFC3339) + "." + strconv.Itoa(x.Rows) + "." + x.What + "." + string(x.Format) + "."
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + base64.RawURLEncoding.EncodeToString(mac), err
}

// CheckExport tells whether a file with this hash was written by this installation: as the signature says, which needs no record of it, and as the audit says that the actor
// may read. The events are those that wrote it; none is no proof of the contrary. NotFound when neither knows the file.
func (s *Service) CheckExport(ctx context.Context, by identity.Actor, sha256, signature string) (Export, []identity.Event, error) {
	var x Export
	page, err := s.Events(ctx, by, EventQuery{ObjectID: strings.ToLower(sha256), Limit: 10})
	if err != nil {
		return x, nil, err
	}
	if signature != "" {
		ok := false
		if x, ok = s.signedExport(strings.ToLower(sha256), signature); !ok {
			return x, page.Items, identity.Errorf(identity.Invalid, "The signature is not this installation's for this file: the file was changed, or belongs to another one.").WithField("signature")
		}
	}
	if signature == "" && len(page.Items) == 0 {
		return x, nil, identity.Errorf(identity.NotFound, "No export with this content is known here: the file was changed, or written elsewhere.")
	}
	return x, page.Items, nil
}

// signedExport reads a signature and checks it against a hash.
func (s *Service) signedExport(sha256, signature string) (Export, bool) {
	head, tail, _ := strings.Cut(signature, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	mac, err2 := base64.RawURLEncoding.DecodeString(tail)
	parts := strings.Split(string(text), ".")
	if err != nil || err2 != nil || len(parts) != 5 || len(mac) != sha256Bytes {
		return Export{}, false
	}
	at, err := time.Parse(time.RFC3339, parts[0])
	rows, err2 := strconv.Atoi(parts[1])
	x := Export{What: parts[2], Format: sheets.Format(parts[3]), Rows: rows, SHA256: sha256, Signature: signature, At: at}
	return x, err == nil && err2 == nil && s.db.Signed("export", exportMessage(x), mac)
}

// ExportQuery says which people an export has.
type ExportQuery struct {
	identity.Query          // the filters of the list; the order is that of the ids
	Source         string   // whose externalId is shown before those of others
	Columns        []string // in this order; none: all of ExportColumns
}

// exportOnly are the columns of an export that an import passes over.
var exportOnly = []string{"state", "lastSignIn", "createdAt", "updatedAt"}

// ExportColumns returns the columns of an export of people under the access model in force. Those of a template are there with the same names, so that an import reads the file
// again and changes nothing.
func (s *Service) ExportColumns() []sheets.Column {
	var out []sheets.Column
	for _, f := range s.ImportFields() {
		if f.Kept {
			out = append(out, sheets.Column{Name: f.Name})
		}
	}
	return append(out, sheets.Columns(exportOnly...)...)
}

// ExportUsers writes the people whom the actor may see and the query names, page by page, in the columns that it names. A column that is not there is Invalid, and
// nothing is written then.
func (s *Service) ExportUsers(ctx context.Context, by identity.Actor, q ExportQuery, f sheets.Format, out io.Writer) (Export, error) {
	scope, err := s.exportScope(by, usersRead)
	if err != nil {
		return Export{}, err
	}
	columns := s.ExportColumns()
	chosen, err := chooseColumns(columns, q.Columns)
	if err != nil {
		return Export{}, err
	}
	e := event(by, identity.UsersExported)
	e.TenantID, e.Changes = by.TenantID, append(queryChanges(q), chosen.changes(q.Columns)...)
	names := s.names(scope)
	return s.export(ctx, by, e, "users", f, chosen.columns, out, func(row func([]string) error) error {
		row = chosen.of(row)
		q.After, q.Limit, q.Sort, q.Newest, q.Total = "", planChunk, nil, false, false
		for {
			page, err := s.Users(ctx, by, q.Query)
			if err != nil || len(page.Items) == 0 {
				return err
			}
			if err := s.exportPage(ctx, by, scope, names, q, columns, page.Items, row); err != nil || !page.More {
				return err
			}
			q.After = string(page.Items[len(page.Items)-1].ID)
		}
	})
}

// exportScope is scopeFor what leaves as a file.
func (s *Service) exportScope(by identity.Actor, capability string) (store.Scope, error) {
	if by.Kind == identity.ActorDirectory {
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A directory reads people by SCIM; it exports no files.")
	}
	return s.scopeFor(by, capability)
}

// exportPage writes some people.
func (s *Service) exportPage(ctx context.Context, by identity.Actor, scope store.Scope, names *names, q ExportQuery, columns []sheets.Column, users []identity.User, row func([]string) error) error {
	var rows [][]string
	err := s.db.View(ctx, func(tx *store.Tx) error {
		people, err := peopleOf(ctx, tx, scope, users)
		if err != nil {
			return err
		}
		for _, p := range people {
			f, err := names.fields(ctx, tx, p, by.TenantID, q.Source)
			if err != nil {
				return err
			}
			f["state"], f["lastSignIn"] = string(p.user.Status()), timeCell(p.user.LastLoginAt)
			f["createdAt"], f["updatedAt"] = timeCell(&p.user.CreatedAt), timeCell(&p.user.UpdatedAt)
			cells := make([]string, len(columns))
			for i, c := range columns {
				cells[i] = f[c.Name]
			}
			rows = append(rows, cells)
		}
		return nil
	})
	for _, cells := range rows {
		if err == nil {
			err = row(cells)
		}
	}
	return err
}

func timeCell(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// queryChanges says by which filter people were taken out.
func queryChanges(q ExportQuery) []identity.Change {
	var out []identity.Change
	add := func(field, value string) {
		if value != "" {
			out = append(out, identity.Change{Field: field, After: value})
		}
	}
	add("tenant", string(q.Tenant))
	add("search", q.Search)
	add("status", string(q.Status))
	add("role", string(q.Role))
	add("unit", string(q.Unit))
	add("type", string(q.Type))
	add("directory", string(q.Directory))
	if q.External != nil {
		add("external", strconv.FormatBool(*q.External))
	}
	add("source", q.Source)
	if q.Filter != nil {
		text, err := json.Marshal(q.Filter)
		if err == nil {
			add("filter", string(text))
		}
	}
	return out
}
