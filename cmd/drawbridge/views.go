package main

import (
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// The shapes of --json. Names are snake_case and stay; what has no value is left out.

type listView[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // for --after; absent on the last page
}

type userView struct {
	ID          identity.UserID   `json:"id"`
	TenantID    identity.TenantID `json:"tenant_id,omitempty"`
	Tenant      string            `json:"tenant,omitempty"`
	UserName    string            `json:"user_name"`
	DisplayName string            `json:"display_name,omitempty"`
	Email       string            `json:"email,omitempty"`
	Emails      []string          `json:"emails,omitempty"`
	Status      identity.Status   `json:"status"`
	Roles       []identity.RoleID `json:"roles"`
	Version     int64             `json:"version"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	LastLoginAt *time.Time        `json:"last_login_at,omitempty"`
	LockedAt    *time.Time        `json:"locked_at,omitempty"`
	LockedUntil *time.Time        `json:"locked_until,omitempty"`
}

func viewUser(u identity.User) userView {
	v := userView{
		ID: u.ID, TenantID: u.TenantID, Tenant: u.TenantName, UserName: u.UserName, DisplayName: u.DisplayName, Email: u.Email(),
		Status: u.Status(), Roles: roleIDs(u.Roles), Version: u.Version, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, LastLoginAt: u.LastLoginAt,
		LockedAt: u.LockedAt, LockedUntil: u.LockedUntil,
	}
	for _, e := range u.Emails {
		v.Emails = append(v.Emails, e.Value)
	}
	return v
}

func roleIDs(roles []identity.Role) []identity.RoleID {
	ids := make([]identity.RoleID, len(roles))
	for i, r := range roles {
		ids[i] = r.ID
	}
	return ids
}

type userDetailView struct {
	userView
	Assignments []assignmentView `json:"assignments"`
	Links       []linkView       `json:"links"`
	Directories []knownByView    `json:"directories"`
	Groups      []string         `json:"groups"`
	Sessions    []sessionView    `json:"sessions"`

	Position   standingView        `json:"position"`
	Records    []recordView        `json:"records,omitempty"`
	Origin     provisioning.Origin `json:"origin"`
	LastSignIn *signedInView       `json:"last_sign_in,omitempty"`

	StartsAt *time.Time `json:"starts_at,omitempty"`
	EndsAt   *time.Time `json:"ends_at,omitempty"` // the moment from which the person may no longer come in
}

type assignmentView struct {
	Role      identity.RoleID     `json:"role"`
	Source    identity.SourceKind `json:"source"`
	SourceID  string              `json:"source_id,omitempty"`
	Reason    string              `json:"reason,omitempty"`
	GrantedBy string              `json:"granted_by,omitempty"`
	At        time.Time           `json:"at"`
}

type linkView struct {
	ConnectionID identity.ConnectionID `json:"connection_id"`
	Connection   string                `json:"connection"`
	Issuer       string                `json:"issuer"`
	Subject      string                `json:"subject"`
	LastUsedAt   *time.Time            `json:"last_used_at,omitempty"`
}

type knownByView struct {
	ID         identity.DirectoryID `json:"id"`
	Name       string               `json:"name"`
	ExternalID string               `json:"external_id,omitempty"`
	Active     bool                 `json:"active"`
}

type sessionView struct {
	ID         identity.SessionID `json:"id"`
	IP         string             `json:"ip,omitempty"`
	LastSeenAt time.Time          `json:"last_seen_at"`
	ExpiresAt  time.Time          `json:"expires_at"`
}

func viewDetail(d provisioning.UserDetail) userDetailView {
	v := userDetailView{
		userView:    viewUser(d.User),
		Assignments: []assignmentView{}, Links: []linkView{}, Directories: []knownByView{}, Groups: []string{}, Sessions: []sessionView{},
	}
	v.Tenant = d.Tenant.Name
	v.Position, v.Origin, v.LastSignIn = viewStanding(d.Standing), d.Origin, viewSignedIn(d.LastSignIn)
	v.StartsAt, v.EndsAt = d.Terms.StartsAt, d.Terms.EndsAt
	for _, r := range d.Records {
		v.Records = append(v.Records, viewRecord(r))
	}
	v.Roles = []identity.RoleID{}
	for _, a := range d.Assignments {
		v.Roles = append(v.Roles, a.RoleID)
		v.Assignments = append(v.Assignments, assignmentView{a.RoleID, a.Source, a.SourceID, a.Reason, a.GrantedBy, a.CreatedAt})
	}
	for _, l := range d.Links {
		v.Links = append(v.Links, linkView{l.ConnectionID, l.ConnectionName, l.Issuer, l.Subject, l.LastUsedAt})
	}
	for _, k := range d.Directories {
		v.Directories = append(v.Directories, knownByView{k.DirectoryID, k.DirectoryName, k.ExternalID, k.Active})
	}
	for _, m := range d.Memberships {
		v.Groups = append(v.Groups, m.Display)
	}
	for _, s := range d.Sessions {
		v.Sessions = append(v.Sessions, sessionView{s.ID, s.IP, s.LastSeenAt, s.ExpiresAt})
	}
	return v
}

type tenantView struct {
	ID        identity.TenantID `json:"id"`
	Name      string            `json:"name"`
	Landing   bool              `json:"landing"`
	Main      bool              `json:"main,omitempty"` // the one tenant of an installation that has one
	Users     int64             `json:"users"`
	CreatedAt time.Time         `json:"created_at"`

	RequireSSO bool `json:"require_sso"`
}

func viewTenant(t identity.Tenant) tenantView {
	return tenantView{t.ID, t.Name, t.Landing, t.Main, t.Users, t.CreatedAt, t.RequireSSO}
}

type tokenView struct {
	ID         identity.TokenID `json:"id"`
	Hint       string           `json:"hint"`
	CreatedAt  time.Time        `json:"created_at"`
	ExpiresAt  *time.Time       `json:"expires_at,omitempty"`
	LastUsedAt *time.Time       `json:"last_used_at,omitempty"`
	RevokedAt  *time.Time       `json:"revoked_at,omitempty"`
	Ending     bool             `json:"ending,omitempty"` // within 14 days
}

type directoryView struct {
	ID       identity.DirectoryID `json:"id"`
	Name     string               `json:"name"`
	TenantID identity.TenantID    `json:"tenant_id,omitempty"`
	Tenant   string               `json:"tenant,omitempty"`
	Dialect  identity.Dialect     `json:"dialect"`
	Enabled  bool                 `json:"enabled"`
	Domains  []string             `json:"domains,omitempty"`
	Networks []string             `json:"networks,omitempty"` // none: from anywhere
	BaseURL  string               `json:"base_url"`
	Token    string               `json:"token,omitempty"` // only when it was made just now
	Tokens   []tokenView          `json:"tokens,omitempty"`
	Clients  []clientView         `json:"clients,omitempty"`
}

func viewDirectory(d identity.Directory, tenant, url string) directoryView {
	v := directoryView{
		ID: d.ID, Name: d.Name, TenantID: d.TenantID, Tenant: tenant, Dialect: d.Dialect, Enabled: d.Enabled, Domains: d.Domains, BaseURL: url + "/scim/v2",
		Networks: identity.NetworkTexts(d.Networks),
	}
	for _, t := range d.Tokens {
		v.Tokens = append(v.Tokens, tokenView{t.ID, t.Hint, t.CreatedAt, t.ExpiresAt, t.LastUsedAt, t.RevokedAt, t.Ending(time.Now())})
	}
	for _, c := range d.Clients {
		v.Clients = append(v.Clients, viewClient(c))
	}
	return v
}

type eventView struct {
	ID      identity.EventID   `json:"id"`
	At      time.Time          `json:"at"`
	Type    identity.EventType `json:"type"`
	Actor   string             `json:"actor"`
	Door    string             `json:"door"`
	Request identity.RequestID `json:"request_id,omitempty"`
	UserID  identity.UserID    `json:"user_id,omitempty"`
	Kind    string             `json:"object_kind"`
	Object  string             `json:"object_id"`
	Label   string             `json:"object"`
	Reason  string             `json:"reason,omitempty"`
	Changes []identity.Change  `json:"changes,omitempty"`
}

func viewEvent(e identity.Event) eventView {
	return eventView{e.ID, e.At, e.Type, e.ActorLabel, e.Door, e.RequestID, e.UserID, e.ObjectKind, e.ObjectID, e.ObjectLabel, e.Reason, e.Changes}
}

type traceView struct {
	ID         identity.TraceID      `json:"id,omitempty"` // none: it was explained, not tried
	At         time.Time             `json:"at"`
	OK         bool                  `json:"ok"`
	Code       string                `json:"code,omitempty"`
	Message    string                `json:"message,omitempty"`
	Connection identity.ConnectionID `json:"connection_id"`
	Issuer     string                `json:"issuer,omitempty"`
	Subject    string                `json:"subject,omitempty"`
	Email      string                `json:"email,omitempty"`
	UserID     identity.UserID       `json:"user_id,omitempty"`
	IP         string                `json:"ip,omitempty"`
	Checks     []identity.Check      `json:"checks"`
	Purpose    string                `json:"purpose,omitempty"` // none: a sign-in
	SessionID  identity.SessionID    `json:"session_id,omitempty"`
	Facts      []identity.Fact       `json:"facts,omitempty"` // what the provider said, redacted
}

func viewTrace(t identity.Trace) traceView {
	return traceView{t.ID, t.At, t.OK, t.Code, t.Message, t.ConnectionID, t.Issuer, t.Subject, t.Email, t.UserID, t.IP, t.Checks, string(t.Purpose), t.SessionID, t.Facts}
}

// views applies a view to a page.
func views[T, V any](page identity.Page[T], view func(T) V, id func(T) string) listView[V] {
	out := listView[V]{Items: make([]V, len(page.Items))}
	for i, item := range page.Items {
		out.Items[i] = view(item)
	}
	if page.More && len(page.Items) > 0 {
		out.Next = id(page.Items[len(page.Items)-1])
	}
	return out
}
