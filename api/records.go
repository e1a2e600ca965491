package api

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// recordDocument is a record of an application, such as a technician.
type recordDocument struct {
	Type     string            `json:"type"`
	ID       string            `json:"id"`
	Display  string            `json:"display"`
	Active   bool              `json:"active"`
	TenantID identity.TenantID `json:"tenantId"`
	User     identity.UserID   `json:"user,omitempty"`
}

// putRecord says how a record is, from the application's side: it is created when nobody knew it. What is absent stays as it is; user "" unties it.
func (c *call) putRecord() error {
	var n struct {
		Display  *string           `json:"display"`
		Active   *bool             `json:"active"`
		User     *identity.UserID  `json:"user"`
		TenantID identity.TenantID `json:"tenantId"`
		Reason   string            `json:"reason"`
	}
	if err := c.read(&n); err != nil {
		return err
	}
	key := provisioning.RecordKey{Tenant: n.TenantID, Type: c.r.PathValue("type"), ForeignID: c.r.PathValue("id")}
	r, err := c.prov.PutRecord(c.r.Context(), c.Actor, key, provisioning.RecordChange{Display: n.Display, Active: n.Active, User: n.User, Reason: n.Reason})
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, recordDocument{Type: r.Type, ID: r.ForeignID, Display: r.Display, Active: r.Active, TenantID: r.TenantID, User: r.UserID})
}
