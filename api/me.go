package api

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

// personDocument is a person as programs see one.
type personDocument struct {
	ID          identity.UserID   `json:"id"`
	UserName    string            `json:"userName"`
	DisplayName string            `json:"displayName"`
	Email       string            `json:"email,omitempty"`
	TenantID    identity.TenantID `json:"tenantId,omitempty"`
	Tenant      string            `json:"tenant,omitempty"`
	Status      identity.Status   `json:"status"`
	Roles       []roleDocument    `json:"roles"`
	Version     int64             `json:"version"`
}

type roleDocument struct {
	ID    identity.RoleID `json:"id"`
	Title string          `json:"title"`
}

func person(u identity.User) personDocument {
	d := personDocument{
		ID: u.ID, UserName: u.UserName, DisplayName: u.Label(), Email: u.Email(), TenantID: u.TenantID, Tenant: u.TenantName, Status: u.Status(),
		Roles: []roleDocument{}, Version: u.Version,
	}
	for _, r := range u.Roles {
		d.Roles = append(d.Roles, roleDocument{r.ID, r.Title})
	}
	return d
}

// me says who holds the key.
func (c *call) me() error { return c.answer(http.StatusOK, person(c.User)) }

// introspection is the answer of RFC 7662 section 2.2, with the roles.
type introspection struct {
	Active    bool              `json:"active"`
	Subject   identity.UserID   `json:"sub,omitempty"`
	UserName  string            `json:"username,omitempty"`
	ID        identity.APIKeyID `json:"jti,omitempty"`
	IssuedAt  int64             `json:"iat,omitempty"`
	TokenType string            `json:"token_type,omitempty"`
	TenantID  identity.TenantID `json:"tenant_id,omitempty"`
	Roles     []identity.RoleID `json:"roles,omitempty"`
}

// introspect says to an application whose key was given to it (RFC 7662). A key of somebody whom the asking key may not see is as one that does not work.
func (c *call) introspect() error {
	if err := c.r.ParseForm(); err != nil {
		return identity.Errorf(identity.Invalid, "Send the key as the form field token.").WithField("token").WithCause(err)
	}
	token := c.r.PostForm.Get("token")
	if token == "" {
		return identity.Errorf(identity.Invalid, "Send the key as the form field token.").WithField("token")
	}
	found, err := c.authn.InspectKey(c.r.Context(), c.Actor, token)
	if identity.KindOf(err) == identity.Unauthenticated {
		return c.answer(http.StatusOK, introspection{})
	}
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, active(found))
}

func active(found authn.Call) introspection {
	return introspection{
		Active: true, Subject: found.User.ID, UserName: found.User.UserName, ID: found.Key.ID, IssuedAt: found.Key.CreatedAt.Unix(), TokenType: "Bearer",
		TenantID: found.User.TenantID, Roles: found.Actor.Roles,
	}
}

// keys publishes the key with which API keys and notices are signed, as a JWK set (RFC 7517). It tells who made a key, not whether the key still works.
func (d *Door) keys(w http.ResponseWriter, r *http.Request) error {
	set, err := d.authn.VerifyingKeys(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	return answer(w, http.StatusOK, set)
}
