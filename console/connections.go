package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

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
	Notices     []notice
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
	if body.Notices, err = d.noticesOf(r.Context(), v, found.Items); err != nil {
		return err
	}
	body.Notices = slices.DeleteFunc(body.Notices, func(n notice) bool { return !strings.HasPrefix(n.URL, connectionURL("")) })
	return d.show(w, r, v, "connections", screen{Title: "Connections", Nav: "connections", Body: body})
}

// addresses are what a provider must be told about a connection.
type addresses struct {
	EntityID, ACS, Metadata, SLO                 string // SAML
	Redirect, SignedOut, BackchannelLogout, JWKS string // OpenID Connect
	Login                                        string
}

func (d *Door) addresses(id identity.ConnectionID) addresses {
	base := d.url + "/sso/" + string(id)
	return addresses{
		EntityID: base + "/metadata", ACS: base + "/acs", Metadata: "/sso/" + string(id) + "/metadata", SLO: base + "/slo",
		Redirect: base + "/callback", SignedOut: base + "/logged-out", BackchannelLogout: base + "/backchannel-logout", JWKS: base + "/jwks.json", Login: base + "/login",
	}
}

// Of returns one of the addresses by the name that guides use.
func (a addresses) Of(name string) string {
	switch name {
	case oursACS:
		return a.ACS
	case oursEntity:
		return a.EntityID
	case oursRedirect:
		return a.Redirect
	case oursLogin:
		return a.Login
	case oursSLO:
		return a.SLO
	case oursSignedOut:
		return a.SignedOut
	case oursBackLogout:
		return a.BackchannelLogout
	}
	return ""
}

type connectionBody struct {
	Connection   connectionRow
	Form         form
	Guide        guide
	Addresses    addresses
	Roles        roleOptions
	Directories  []identity.Directory
	Certificates []certificateRow // the provider's
	Keys         []certificateRow // our own, the one that signs first
	Health       identity.ConnectionHealth
	Pending      *identity.MetadataChange
	Tested       *identity.Trial // the last test; nil: none yet
	Notices      []notice
	Traces       []identity.Trace
	Names        map[identity.ConnectionID]string // nil: every sign-in went through this connection
}

// IsSAML chooses what the page tells the provider.
func (b connectionBody) IsSAML() bool { return b.Connection.Kind == identity.SAML }

// Waits reports whether the connection is on its way: made, and not in use yet.
func (b connectionBody) Waits() bool {
	return !b.Connection.Enabled && len(b.Traces) == 0 || b.Step() == 6
}

// Step is where the wizard goes on: 5, the test; 6, the switch; 0 when the connection is in use.
func (b connectionBody) Step() int {
	switch {
	case b.Connection.Enabled:
		return 0
	case b.Tested != nil && b.Tested.OK && !b.Tested.CreatedAt.Before(b.Connection.UpdatedAt):
		return 6
	}
	return 5
}

func (d *Door) connection(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	return d.connectionPage(w, r, v, c, settingsForm(c))
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
	body := connectionBody{
		Connection: connectionRow{c, names[c.TenantID]}, Form: f, Guide: guideOf(c.Options.Provider, c.Kind), Addresses: d.addresses(c.ID),
		Certificates: certificateRows(c), Keys: keyRows(c),
	}
	if err := d.fillConnection(r.Context(), v, &body); err != nil {
		return err
	}
	s := screen{Title: c.Name, Nav: "connections", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "connection", s)
}

// fillConnection reads what the page shows beside the connection itself.
func (d *Door) fillConnection(ctx context.Context, v visit, body *connectionBody) error {
	c := body.Connection.Connection
	var choices wizardBody
	if err := d.wizardChoices(ctx, v, &choices); err != nil {
		return err
	}
	body.Roles, body.Directories = choices.Roles, choices.Directories
	traces, err := d.prov.Traces(ctx, v.Actor, provisioning.TraceQuery{ConnectionID: c.ID, Limit: recentRows})
	if err != nil {
		return err
	}
	body.Traces = traces.Items
	health, err := d.prov.ConnectionHealth(ctx, v.Actor, c.ID)
	if err != nil {
		return err
	}
	body.Health = health[c.ID]
	trial, tested, err := d.prov.LastTrial(ctx, v.Actor, c.ID)
	if err != nil {
		return err
	}
	if tested {
		body.Tested = &trial
	}
	pending, err := d.prov.PendingMetadata(ctx, v.Actor, c.ID)
	if err == nil {
		body.Pending = &pending
	} else if identity.KindOf(err) != identity.NotFound {
		return err
	}
	body.Notices, err = d.connectionNotices(ctx, v, c)
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
