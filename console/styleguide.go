package console

import (
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// styleRoutes is the page that shows what pages are made of; docs/console.md says how it is used.
func (d *Door) styleRoutes() []route {
	return []route{{"GET /console/styleguide", signedIn, d.styleguide}}
}

type styleBody struct {
	Colours  []string
	Statuses []identity.User
	Wrong    form
	Pager    pager
	At       time.Time
	Changes  []identity.Change
}

// colours are the custom properties of drawbridge.css that carry a meaning.
var colours = []string{"page", "surface", "sunk", "hover", "line", "line-strong", "control", "ink", "ink-2", "ink-3", "accent", "accent-soft", "good", "good-soft", "warn", "warn-soft", "bad", "bad-soft"}

func (d *Door) styleguide(w http.ResponseWriter, r *http.Request, v visit) error {
	at := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	wrong := blank("wrong", "ada@", "right", "ada@acme.example")
	wrong.Problem, wrong.fields = identity.Errorf(identity.Invalid, "Write an address with a domain, such as ada@acme.example.").WithField("wrong"), []string{"wrong"}
	return d.show(w, r, v, "styleguide", screen{Title: "Styleguide", Nav: "styleguide", Body: styleBody{
		Colours: colours, Wrong: wrong, At: at, Pager: pager{Shown: 50, Older: "/console/styleguide", Newer: "/console/styleguide"},
		Statuses: []identity.User{{Enabled: true, LastLoginAt: &at}, {Enabled: true}, {}, {Enabled: true, LockedAt: &at}},
		Changes:  []identity.Change{{Field: "displayName", Before: "Ada Byron", After: "Ada Lovelace"}, {Field: "active", Before: true, After: false}},
	}})
}
