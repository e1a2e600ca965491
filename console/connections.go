package console

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// maxMetadata is the largest metadata file in bytes that an upload may have.
const maxMetadata = 1 << 20

type connectionRow struct {
	identity.Connection
	Tenant string
}

// Provider is what the connection calls its provider.
func (c connectionRow) Provider() string {
	if c.Kind == identity.SAML {
		return c.SAML.EntityID
	}
	return c.OIDC.Issuer
}

type connectionsBody struct {
	Connections []connectionRow
	Pager       pager
}

func (d *Door) connections(w http.ResponseWriter, r *http.Request, v visit) error {
	q := keyset(r)
	found, err := d.prov.Connections(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	names, err := d.tenantNames(r.Context(), v)
	if err != nil {
		return err
	}
	body := connectionsBody{Pager: turn(r, q, &found, func(c identity.Connection) string { return string(c.ID) })}
	for _, c := range found.Items {
		body.Connections = append(body.Connections, connectionRow{c, names[c.TenantID]})
	}
	return d.show(w, r, v, "connections", screen{Title: "Connections", Nav: "connections", Body: body})
}

type connectionFormBody struct {
	Form        form
	Kind        identity.ConnectionKind
	Tenants     []identity.Tenant
	Roles       roleOptions
	Directories []identity.Directory
	Addresses   addresses
}

func (d *Door) newConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	kind := identity.ConnectionKind(r.FormValue("kind"))
	if kind != identity.OIDC {
		kind = identity.SAML
	}
	f := blank("kind", string(kind), "unknown", string(identity.UnknownLanding), "id", identity.NewID[string]())
	return d.connectionForm(w, r, v, f)
}

func (d *Door) connectionForm(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	body, err := d.connectionChoices(r.Context(), v, f)
	if err != nil {
		return err
	}
	s := screen{Title: "New connection", Nav: "connections", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "connection_new", s)
}

func (d *Door) connectionChoices(ctx context.Context, v visit, f form) (connectionFormBody, error) {
	body := connectionFormBody{Form: f, Kind: identity.ConnectionKind(f.Value("kind")), Addresses: d.addresses(identity.ConnectionID(f.Value("id")))}
	var err error
	if body.Tenants, err = d.tenantOptions(ctx, v); err != nil {
		return body, err
	}
	if body.Roles, err = d.roleOptions(ctx, v); err != nil {
		return body, err
	}
	p, err := d.prov.Directories(ctx, v.Actor, identity.Query{Limit: maxOptions})
	body.Directories = p.Items
	return body, err
}

func (d *Door) createConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "name", "tenant", "domains", "unknown", "unknownrole", "directory", "metadata", "metadataurl", "issuer", "clientid", "clientsecret")
	if err != nil {
		return err
	}
	c, err := d.readConnection(r, f)
	if err == nil {
		if c, err = d.prov.CreateConnection(r.Context(), v.Actor, c); err == nil {
			http.Redirect(w, r, "/console/connections/"+string(c.ID)+"?done=connection-created", http.StatusSeeOther)
			return nil
		}
	}
	if f.refused(err) {
		f.Values.Del("clientsecret")
		return d.connectionForm(w, r, v, f)
	}
	return err
}

// readConnection decodes the form of a new connection; for SAML it reads the provider's metadata. The id was chosen when the form was shown, so that
// the addresses on it were already the right ones.
func (d *Door) readConnection(r *http.Request, f form) (identity.Connection, error) {
	c := identity.Connection{
		Name: f.Value("name"), TenantID: identity.TenantID(f.Value("tenant")), Kind: identity.ConnectionKind(f.Value("kind")), Enabled: true,
	}
	c.ID, _ = identity.ParseID[identity.ConnectionID](f.Value("id"))
	readRules(f, &c)
	if c.Kind == identity.OIDC {
		c.OIDC = identity.OIDCSettings{Issuer: f.Value("issuer"), ClientID: f.Value("clientid"), ClientSecret: f.Value("clientsecret"), TenantIDs: words(f.Value("tenantids"))}
		return c, nil
	}
	source, err := metadataSource(r, f)
	if err != nil {
		return c, err
	}
	if d.metadata == nil {
		return c, identity.Errorf(identity.Invalid, "This installation cannot read SAML metadata here. Use the command line: drawbridge connection create-saml.").WithField("metadata")
	}
	c.SAML, err = d.metadata(r.Context(), source)
	return c, err
}

// readRules decodes whom a connection is trusted for and what happens to a person whom nobody knows.
func readRules(f form, c *identity.Connection) {
	c.Domains = words(f.Value("domains"))
	c.Unknown = identity.UnknownPolicy(f.Value("unknown"))
	c.UnknownRole = ""
	if c.Unknown == identity.UnknownTenant {
		c.UnknownRole = identity.RoleID(f.Value("unknownrole"))
	}
	c.DirectoryID = identity.DirectoryID(f.Value("directory"))
}

// metadataSource returns the uploaded file, the pasted XML or the address, whichever is there, in this order.
func metadataSource(r *http.Request, f form) (string, error) {
	if file, _, err := r.FormFile("metadatafile"); err == nil {
		defer file.Close()
		raw, err := io.ReadAll(io.LimitReader(file, maxMetadata+1))
		if err != nil || len(raw) > maxMetadata {
			return "", identity.Errorf(identity.TooLarge, "The metadata file is larger than 1 MB.").WithCause(err)
		}
		if len(raw) > 0 {
			return string(raw), nil
		}
	}
	if xml := f.Value("metadata"); xml != "" {
		return xml, nil
	}
	if address := f.Value("metadataurl"); address != "" {
		return address, nil
	}
	return "", identity.Errorf(identity.Invalid, "Give the provider's metadata: its address, the file, or the XML.").WithField("metadataurl")
}

// addresses are what a provider must be told about a connection.
type addresses struct {
	EntityID, ACS, Metadata, Redirect, Login string
}

func (d *Door) addresses(id identity.ConnectionID) addresses {
	base := d.url + "/sso/" + string(id)
	return addresses{EntityID: base + "/metadata", ACS: base + "/acs", Metadata: "/sso/" + string(id) + "/metadata", Redirect: base + "/callback", Login: base + "/login"}
}

// IsSAML chooses what the page tells the provider.
func (b connectionFormBody) IsSAML() bool { return b.Kind == identity.SAML }

type connectionBody struct {
	Connection  connectionRow
	Form        form
	Addresses   addresses
	Roles       roleOptions
	Directories []identity.Directory
	Expires     []time.Time // of the provider's certificates
	Traces      []identity.Trace
	Names       map[identity.ConnectionID]string // nil: every sign-in went through this connection
}

// IsSAML chooses what the page tells the provider.
func (b connectionBody) IsSAML() bool { return b.Connection.Kind == identity.SAML }

func (d *Door) connection(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	f := blank("name", c.Name, "domains", strings.Join(c.Domains, ", "), "unknown", string(c.Unknown), "unknownrole", string(c.UnknownRole), "directory", string(c.DirectoryID))
	return d.connectionPage(w, r, v, c, f)
}

func (d *Door) pathConnection(r *http.Request, v visit) (identity.Connection, error) {
	id, err := pathID[identity.ConnectionID](r, "id")
	if err != nil {
		return identity.Connection{}, err
	}
	return d.prov.Connection(r.Context(), v.Actor, id)
}

func (d *Door) connectionPage(w http.ResponseWriter, r *http.Request, v visit, c identity.Connection, f form) error {
	names, err := d.tenantNames(r.Context(), v)
	if err != nil {
		return err
	}
	choices, err := d.connectionChoices(r.Context(), v, f)
	if err != nil {
		return err
	}
	traces, err := d.prov.Traces(r.Context(), v.Actor, provisioning.TraceQuery{ConnectionID: c.ID, Limit: recentRows})
	if err != nil {
		return err
	}
	body := connectionBody{
		Connection: connectionRow{c, names[c.TenantID]}, Form: f, Addresses: d.addresses(c.ID), Roles: choices.Roles, Directories: choices.Directories,
		Expires: expiries(c.SAML.Certificates), Traces: traces.Items,
	}
	s := screen{Title: c.Name, Nav: "connections", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "connection", s)
}

// expiries are the ends of certificates; what cannot be read has none.
func expiries(certificates [][]byte) []time.Time {
	var out []time.Time
	for _, der := range certificates {
		if cert, err := x509.ParseCertificate(der); err == nil {
			out = append(out, cert.NotAfter)
		}
	}
	return out
}

func (d *Door) updateConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "name", "domains", "unknown", "unknownrole", "directory")
	if err != nil {
		return err
	}
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	_, err = d.prov.UpdateConnection(r.Context(), v.Actor, c.ID, func(c *identity.Connection) error {
		c.Name = f.Value("name")
		readRules(f, c)
		return nil
	})
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/connections/"+string(c.ID)+"?done=connection-updated", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.connectionPage(w, r, v, c, f)
	}
	return err
}

func (d *Door) confirmDisableConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	back := "/console/connections/" + string(c.ID)
	return d.confirm(w, r, v, "connections", confirmBody{
		Title: "Disable " + c.Name + "?", Button: "Disable " + c.Name, Danger: true, Action: back + "/disable", Back: back,
		Facts: []string{
			"Nobody can sign in through this provider until you enable it again.",
			"Whoever is signed in stays signed in. People with a password can still use it.",
			"Links between the provider's people and users here stay.",
		},
	})
}

func (d *Door) disableConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.setConnection(w, r, v, false, "connection-disabled")
}

func (d *Door) enableConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.setConnection(w, r, v, true, "connection-enabled")
}

func (d *Door) setConnection(w http.ResponseWriter, r *http.Request, v visit, enabled bool, done string) error {
	id, err := pathID[identity.ConnectionID](r, "id")
	if err != nil {
		return err
	}
	_, err = d.prov.UpdateConnection(r.Context(), v.Actor, id, func(c *identity.Connection) error {
		c.Enabled = enabled
		return nil
	})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/console/connections/"+string(id)+"?done="+done, http.StatusSeeOther)
	return nil
}
