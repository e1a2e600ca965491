package console

import (
	"net/http"
	"strconv"

	"github.com/drawbridge-id/drawbridge/identity"
)

// confirmDeleteConnection says who loses what. What it counted goes with the answer, so that nobody deletes more than they saw.
func (d *Door) confirmDeleteConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	links, sessions, err := d.prov.ConnectionUse(r.Context(), v.Actor, c.ID)
	if err != nil {
		return err
	}
	back := "/console/connections/" + string(c.ID)
	facts := []string{
		"Nobody can sign in through this provider any more, and its addresses here answer no more. It cannot be brought back.",
		"Its sign-ins stay in the list of sign-ins, and the audit stays.",
	}
	if links > 0 {
		facts = append(facts, count(links, "person is", "people are")+" linked to it. They stay as users, but lose this way in: a new connection has to find them again by their e-mail address.")
	}
	if sessions > 0 {
		facts = append(facts, count(sessions, "session", "sessions")+" that came through it end at once.")
	}
	return d.confirm(w, r, v, "connections", confirmBody{
		Title: "Delete " + c.Name + "?", Button: "Delete " + c.Name, Danger: true, Action: back + "/delete?links=" + strconv.Itoa(links), Back: back, Facts: facts,
	})
}

func (d *Door) deleteConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.ConnectionID](r, "id")
	if err != nil {
		return err
	}
	links, _ := strconv.Atoi(r.URL.Query().Get("links"))
	if err := d.prov.DeleteConnection(r.Context(), v.Actor, id, links > 0); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/connections?done=connection-deleted", http.StatusSeeOther)
	return nil
}
