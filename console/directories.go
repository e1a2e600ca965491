package console

import (
	"context"
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// recentRows is how many requests or sign-ins a directory's or connection's page shows.
const recentRows = 12

type directoryRow struct {
	identity.Directory
	Tenant string
}

func (d *Door) directoryRoutes() []route {
	return []route{
		{"GET /console/directories", tenantsWrite, d.directories},
		{"GET /console/directories/new", tenantsWrite, d.newDirectory},
		{"POST /console/directories", tenantsWrite, d.createDirectory},
		{"GET /console/directories/{id}", tenantsWrite, d.directory},
		{"GET /console/directories/{id}/drift", tenantsWrite, d.directoryDrift},
		{"GET /console/directories/{id}/disable", tenantsWrite, d.confirmDisableDirectory},
		{"POST /console/directories/{id}/disable", tenantsWrite, d.disableDirectory},
		{"POST /console/directories/{id}/enable", tenantsWrite, d.enableDirectory},
		{"GET /console/directories/{id}/rotate", tenantsWrite, d.confirmRotate},
		{"POST /console/directories/{id}/rotate", tenantsWrite, d.rotateToken},
		{"GET /console/directories/{id}/tokens/{token}/revoke", tenantsWrite, d.confirmRevoke},
		{"POST /console/directories/{id}/tokens/{token}/revoke", tenantsWrite, d.revokeToken},
		{"GET /console/directories/{id}/networks", tenantsWrite, d.editNetworks},
		{"POST /console/directories/{id}/networks", tenantsWrite, d.setNetworks},
		{"GET /console/directories/{id}/clients/new", tenantsWrite, d.newClient},
		{"POST /console/directories/{id}/clients", tenantsWrite, d.createClient},
		{"GET /console/directories/{id}/clients/{client}/revoke", tenantsWrite, d.confirmRevokeClient},
		{"POST /console/directories/{id}/clients/{client}/revoke", tenantsWrite, d.revokeClient},
	}
}

// Live returns the tokens that still open the door.
func (d directoryRow) Live() []identity.Token {
	var out []identity.Token
	for _, t := range d.Tokens {
		if tokenState(t, time.Now()) == "live" {
			out = append(out, t)
		}
	}
	return out
}

// Ending returns the live tokens that end soon.
func (d directoryRow) Ending() []identity.Token {
	var out []identity.Token
	for _, t := range d.Tokens {
		if t.Ending(time.Now()) {
			out = append(out, t)
		}
	}
	return out
}

// LastUsed is when any of the tokens or clients was last used.
func (d directoryRow) LastUsed() *time.Time {
	var out *time.Time
	for _, t := range d.Tokens {
		if t.LastUsedAt != nil && (out == nil || t.LastUsedAt.After(*out)) {
			out = t.LastUsedAt
		}
	}
	for _, c := range d.Clients {
		if c.LastUsedAt != nil && (out == nil || c.LastUsedAt.After(*out)) {
			out = c.LastUsedAt
		}
	}
	return out
}

type directoriesBody struct {
	Directories []directoryRow
	Pager       pager
}

func (d *Door) directories(w http.ResponseWriter, r *http.Request, v visit) error {
	q := keyset(r)
	found, err := d.prov.Directories(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	names, err := d.tenantNames(r.Context(), v)
	if err != nil {
		return err
	}
	body := directoriesBody{Pager: turn(r, q, &found, func(dir identity.Directory) string { return string(dir.ID) })}
	for _, dir := range found.Items {
		body.Directories = append(body.Directories, directoryRow{dir, names[dir.TenantID]})
	}
	return d.show(w, r, v, "directories", screen{Title: "Directories", Nav: "directories", Body: body})
}

// tenantNames maps ids to names. No tenant is the whole installation.
func (d *Door) tenantNames(ctx context.Context, v visit) (map[identity.TenantID]string, error) {
	tenants, err := d.tenantOptions(ctx, v)
	out := map[identity.TenantID]string{"": "Whole installation"}
	for _, t := range tenants {
		out[t.ID] = t.Name
	}
	return out, err
}

type directoryFormBody struct {
	Form    form
	Tenants []identity.Tenant
}

func (d *Door) newDirectory(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.directoryForm(w, r, v, blank("dialect", string(identity.DialectStandard)))
}

func (d *Door) directoryForm(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	tenants, err := d.tenantOptions(r.Context(), v)
	if err != nil {
		return err
	}
	s := screen{Title: "New directory", Nav: "directories", Body: directoryFormBody{f, tenants}}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "directory_new", s)
}

// createDirectory makes a directory and answers with the page that shows its token for the only time.
func (d *Door) createDirectory(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "name", "tenant", "dialect", "domains")
	if err != nil {
		return err
	}
	dir, token, err := d.prov.CreateDirectory(r.Context(), v.Actor, identity.Directory{
		Name: f.Value("name"), TenantID: identity.TenantID(f.Value("tenant")), Dialect: identity.Dialect(f.Value("dialect")), Enabled: true, Domains: words(f.Value("domains")),
	})
	switch {
	case err == nil:
		return d.showToken(w, r, v, dir, token, true)
	case f.refused(err):
		return d.directoryForm(w, r, v, f)
	}
	return err
}

type tokenRow struct {
	identity.Token
	State string
}

type directoryBody struct {
	Directory directoryRow
	Tokens    []tokenRow
	BaseURL   string
	Requests  []identity.Request
	Reads     int64                           // that succeeded today
	Names     map[identity.DirectoryID]string // nil: every request is this directory's
}

func (d *Door) directory(w http.ResponseWriter, r *http.Request, v visit) error {
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	names, err := d.tenantNames(r.Context(), v)
	if err != nil {
		return err
	}
	requests, err := d.prov.Requests(r.Context(), v.Actor, provisioning.RequestQuery{DirectoryID: dir.ID, Limit: recentRows})
	if err != nil {
		return err
	}
	reads, err := d.prov.ReadsToday(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	body := directoryBody{Directory: directoryRow{dir, names[dir.TenantID]}, BaseURL: d.url + "/scim/v2", Requests: requests.Items, Reads: reads[dir.ID]}
	for _, t := range dir.Tokens {
		body.Tokens = append(body.Tokens, tokenRow{t, tokenState(t, time.Now())})
	}
	return d.show(w, r, v, "directory", screen{Title: dir.Name, Nav: "directories", Body: body})
}

func (d *Door) pathDirectory(r *http.Request, v visit) (identity.Directory, error) {
	id, err := pathID[identity.DirectoryID](r, "id")
	if err != nil {
		return identity.Directory{}, err
	}
	return d.prov.Directory(r.Context(), v.Actor, id)
}

func (d *Door) confirmDisableDirectory(w http.ResponseWriter, r *http.Request, v visit) error {
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	back := "/console/directories/" + string(dir.ID)
	return d.confirm(w, r, v, "directories", confirmBody{
		Title: "Disable " + dir.Name + "?", Button: "Disable " + dir.Name, Danger: true, Action: back + "/disable", Back: back,
		Facts: []string{
			"Every request with one of its tokens is refused, so this source can neither add nor change nor deactivate people.",
			"The people that it brought stay as they are and can still sign in.",
			"You can enable it again at any time; the tokens stay the same.",
		},
	})
}

func (d *Door) disableDirectory(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.setDirectory(w, r, v, false, "directory-disabled")
}

func (d *Door) enableDirectory(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.setDirectory(w, r, v, true, "directory-enabled")
}

func (d *Door) setDirectory(w http.ResponseWriter, r *http.Request, v visit, enabled bool, done string) error {
	id, err := pathID[identity.DirectoryID](r, "id")
	if err != nil {
		return err
	}
	_, err = d.prov.UpdateDirectory(r.Context(), v.Actor, id, func(dir *identity.Directory) error {
		dir.Enabled = enabled
		return nil
	})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/console/directories/"+string(id)+"?done="+done, http.StatusSeeOther)
	return nil
}
