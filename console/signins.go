package console

import (
	"context"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

type signinsBody struct {
	Traces      []identity.Trace
	Pager       pager
	Refused     bool
	User        identity.UserID
	Connection  identity.ConnectionID
	Connections []identity.Connection
	Names       map[identity.ConnectionID]string
}

// signins lists attempts to sign in, through a provider or with a password, newest first.
func (d *Door) signins(w http.ResponseWriter, r *http.Request, v visit) error {
	q := provisioning.TraceQuery{Refused: r.FormValue("refused") == "1", Limit: pageSize}
	q.After, _ = identity.ParseID[string](r.FormValue("after"))
	q.ConnectionID, _ = identity.ParseID[identity.ConnectionID](r.FormValue("connection"))
	q.UserID, _ = identity.ParseID[identity.UserID](r.FormValue("user"))
	found, err := d.prov.Traces(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	connections, names, err := d.connectionNames(r.Context(), v)
	if err != nil {
		return err
	}
	body := signinsBody{
		Traces: found.Items, Refused: q.Refused, User: q.UserID, Connection: q.ConnectionID, Connections: connections, Names: names,
		Pager: onward(r, found, func(t identity.Trace) string { return string(t.ID) }),
	}
	return d.show(w, r, v, "signins", screen{Title: "Sign-ins", Nav: "signins", Body: body})
}

// connectionNames are the connections by id, as far as the visitor may see them.
func (d *Door) connectionNames(ctx context.Context, v visit) ([]identity.Connection, map[identity.ConnectionID]string, error) {
	names := map[identity.ConnectionID]string{"": "Password"}
	if !v.Can(tenantsWrite) {
		return nil, names, nil
	}
	p, err := d.prov.Connections(ctx, v.Actor, identity.Query{Limit: maxOptions})
	for _, c := range p.Items {
		names[c.ID] = c.Name
	}
	return p.Items, names, err
}

type traceBody struct {
	Trace      identity.Trace
	Connection string
}

// trace is one attempt, check by check.
func (d *Door) trace(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.TraceID](r, "id")
	if err != nil {
		return err
	}
	t, err := d.prov.Trace(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	_, names, err := d.connectionNames(r.Context(), v)
	if err != nil {
		return err
	}
	return d.show(w, r, v, "signin_trace", screen{Title: "Sign-in", Nav: "signins", Body: traceBody{t, names[t.ConnectionID]}})
}
