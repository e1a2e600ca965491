package api

import (
	"net/http"
	"slices"

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

// scopeDocument is the filter with which an application shows the records of a scoped resource: the person's own always, and beside them those of the units
// and teams, or with All every one of the tenant.
type scopeDocument struct {
	Level string            `json:"level"`
	All   bool              `json:"all"`
	Units []identity.UnitID `json:"units"`
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
	return c.answer(http.StatusOK, decision(a))
}

func decision(a provisioning.Answer) answerDocument {
	d := answerDocument{Resource: a.Resource.ID, Action: a.Action, Allowed: a.Allowed, Reason: a.Reason}
	if a.Allowed && a.Reach.Level != "" {
		d.Scope = &scopeDocument{Level: a.Reach.Level, All: a.Reach.All, Units: slices.Concat([]identity.UnitID{}, a.Reach.Units)}
	}
	return d
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
		out.Permissions = append(out.Permissions, decision(a))
	}
	return c.answer(http.StatusOK, out)
}
