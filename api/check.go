package api

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// answerDocument is one decision with its reason.
type answerDocument struct {
	Resource string         `json:"resource"`
	Action   string         `json:"action"`
	Allowed  bool           `json:"allowed"`
	Reason   string         `json:"reason"`
	Scope    *scopeDocument `json:"scope,omitempty"`
}

// scopeDocument is the filter with which an application shows the records of a scoped resource: all that has every id which is given here. Units are
// all units and teams whose records the person sees, where the level is branch or team.
type scopeDocument struct {
	Level    string            `json:"level"`
	TenantID identity.TenantID `json:"tenantId,omitempty"`
	UserID   identity.UserID   `json:"userId,omitempty"`
	Units    []identity.UnitID `json:"units,omitempty"`
	Nothing  bool              `json:"nothing,omitempty"`
}

// check says whether somebody may do something; without a user it is about the key's own person.
func (c *call) check() error {
	var n struct {
		User     identity.UserID `json:"user"`
		Resource string          `json:"resource"`
		Action   string          `json:"action"`
	}
	if err := c.read(&n); err != nil {
		return err
	}
	if n.User == "" {
		n.User = c.User.ID
	}
	a, err := c.prov.Check(c.r.Context(), c.Actor, n.User, n.Resource, n.Action)
	if err != nil {
		return err
	}
	d, err := c.decision(n.User, a)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, d)
}

func (c *call) decision(user identity.UserID, a provisioning.Answer) (answerDocument, error) {
	d := answerDocument{Resource: a.Resource.ID, Action: a.Action, Allowed: a.Allowed, Reason: a.Reason}
	if !a.Allowed || a.Scope.Level == "" {
		return d, nil
	}
	d.Scope = &scopeDocument{Level: a.Scope.Level, TenantID: a.Scope.TenantID, UserID: a.Scope.UserID, Nothing: a.Scope.Nothing}
	if a.Scope.UnitID == "" && a.Scope.TeamID == "" {
		return d, nil
	}
	reach, err := c.prov.Reach(c.r.Context(), c.Actor, user, a.Scope.Level)
	d.Scope.Units = reach.Units
	return d, err
}

// permissions lists every decision about a person, in the order of the catalogue.
func (c *call) permissions() error {
	all, err := c.prov.Permissions(c.r.Context(), c.Actor, c.id())
	if err != nil {
		return err
	}
	out := struct {
		User        personDocument   `json:"user"`
		Permissions []answerDocument `json:"permissions"`
	}{User: person(all.User), Permissions: []answerDocument{}}
	for _, a := range all.Answers {
		d, err := c.decision(all.User.ID, a)
		if err != nil {
			return err
		}
		out.Permissions = append(out.Permissions, d)
	}
	return c.answer(http.StatusOK, out)
}
