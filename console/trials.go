package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// trialBody is the page before a trial, when Start is set, and of its result.
type trialBody struct {
	Connection identity.Connection // empty where the reader may not know it
	Trial      identity.Trial
	Trace      identity.Trace
	Start      string // the address that goes to the provider, once
	Back       string
}

// Failed is the first check that failed, or nil.
func (b trialBody) Failed() *identity.Check {
	for i := range b.Trace.Checks {
		if b.Trace.Checks[i].Result == identity.Failed {
			return &b.Trace.Checks[i]
		}
	}
	return nil
}

// beginTrial makes a trial of a connection and says what will happen; its link leads to the provider. The page posts nothing, because what a form leads to may
// not be on another host.
func (d *Door) beginTrial(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	return d.trialPage(w, r, v, c)
}

// trialPage makes the trial and shows where it begins.
func (d *Door) trialPage(w http.ResponseWriter, r *http.Request, v visit, c identity.Connection) error {
	t, secret, err := d.prov.BeginTrial(r.Context(), v.Actor, c.ID)
	if err != nil {
		return err
	}
	body := trialBody{Connection: c, Trial: t, Start: trialStart(t, secret), Back: "/console/connections/" + string(c.ID)}
	return d.show(w, r, v, "trial", screen{Title: "Test " + c.Name, Nav: "connections", Body: body})
}

func trialStart(t identity.Trial, secret string) string {
	return "/sso/" + string(t.ConnectionID) + "/test?key=" + secret
}

// trial shows how a trial ended, to whoever began it: the administrator's session, or the browser that has its secret.
func (d *Door) trial(w http.ResponseWriter, r *http.Request, _ visit) error {
	v, err := d.visit(r)
	if err != nil {
		v = visit{}
	}
	id, err := pathID[identity.TrialID](r, "id")
	if err != nil {
		return err
	}
	t, trace, err := d.prov.TrialResult(r.Context(), v.Actor, id, d.cookies.Value(r, web.TrialCookie))
	if err != nil {
		return err
	}
	body := trialBody{Trial: t, Trace: trace}
	if v.User.ID != "" && v.User.ID == t.UserID {
		if body.Connection, err = d.prov.Connection(r.Context(), v.Actor, t.ConnectionID); err != nil {
			return err
		}
		body.Back = "/console/connections/" + string(t.ConnectionID)
	}
	return d.show(w, r, v, "trial", screen{Title: "Test", Nav: "connections", Wide: true, Body: body})
}
