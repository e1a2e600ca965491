package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// shareRow is one link with what it shows.
type shareRow struct {
	identity.TraceShare
	Connection string
}

// State is "open", "revoked" or "over".
func (s shareRow) State() string {
	switch {
	case s.RevokedAt != nil:
		return "revoked"
	case !s.Live(time.Now()):
		return "over"
	}
	return "open"
}

type linksBody struct {
	Form       form
	Trace      identity.TraceID // a new link would show this one, or
	Connection *identity.Connection
	Links      []shareRow
	Pager      pager
}

// links lists the links to sign-ins, newest first; with ?trace= or ?connection= those to one, and a form for a new one.
func (d *Door) links(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.linksPage(w, r, v, blank("trace", r.FormValue("trace"), "connection", r.FormValue("connection"), "hours", "24"))
}

func (d *Door) linksPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	body := linksBody{Form: f}
	q := provisioning.ShareQuery{Limit: pageSize}
	q.After, _ = identity.ParseID[string](r.FormValue("after"))
	connections, names, err := d.connectionNames(r.Context(), v)
	if err != nil {
		return err
	}
	if id, ok := identity.ParseID[identity.TraceID](f.Value("trace")); ok {
		if _, err := d.prov.Trace(r.Context(), v.Actor, id); err != nil {
			return err
		}
		body.Trace, q.TraceID = id, id
	}
	for i, c := range connections {
		if string(c.ID) == f.Value("connection") {
			body.Connection, q.ConnectionID = &connections[i], c.ID
		}
	}
	found, err := d.prov.TraceShares(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	for _, s := range found.Items {
		body.Links = append(body.Links, shareRow{s, names[s.ConnectionID]})
	}
	body.Pager = onward(r, found, func(s identity.TraceShare) string { return string(s.ID) })
	s := screen{Title: "Links to sign-ins", Nav: "signins", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "signin_links", s)
}

type linkBody struct {
	Share identity.TraceShare
	URL   string
}

// createLink makes a link and shows it: the only page that ever does.
func (d *Door) createLink(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "hours", "until")
	if err != nil {
		return err
	}
	var share identity.TraceShare
	share.TraceID, _ = identity.ParseID[identity.TraceID](f.Value("trace"))
	share.ConnectionID, _ = identity.ParseID[identity.ConnectionID](f.Value("connection"))
	hours, _ := strconv.Atoi(f.Value("hours")) // no number is no time, which is refused
	share.ExpiresAt = time.Now().Add(time.Duration(min(max(hours, 0), 10_000)) * time.Hour)
	share, token, err := d.prov.CreateTraceShare(r.Context(), v.Actor, share)
	switch {
	case err == nil:
		body := linkBody{Share: share, URL: d.url + "/shared/signins/" + token}
		return d.show(w, r, v, "signin_link", screen{Title: "A new link", Nav: "signins", Body: body})
	case identity.KindOf(err) == identity.Invalid && f.refused(err):
		return d.linksPage(w, r, v, f)
	}
	return err
}

func (d *Door) confirmRevokeLink(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.ShareID](r, "link")
	if err != nil {
		return err
	}
	if _, err := d.prov.TraceShare(r.Context(), v.Actor, id); err != nil {
		return err
	}
	return d.confirm(w, r, v, "signins", confirmBody{
		Title: "Revoke this link?", Button: "Revoke the link", Danger: true, Action: "/console/signins/links/" + string(id) + "/revoke", Back: "/console/signins/links",
		Facts: []string{"Whoever has it sees nothing from this moment on. It cannot be brought back; you can make a new one."},
	})
}

func (d *Door) revokeLink(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.ShareID](r, "link")
	if err != nil {
		return err
	}
	if err := d.prov.RevokeTraceShare(r.Context(), v.Actor, id); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/signins/links?done=link-revoked", http.StatusSeeOther)
	return nil
}

type sharedBody struct {
	Connection string
	Until      time.Time
	One        bool // one sign-in, not the refused ones of a connection
	Traces     []checklist
}

// shared is what a link shows to somebody without an account. It is read only, and nothing on it leads into the console.
func (d *Door) shared(w http.ResponseWriter, r *http.Request, _ visit) error {
	h := w.Header()
	h.Set("Referrer-Policy", "no-referrer") // the address is the secret
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
	ip := web.ClientIP(r)
	if err := d.authn.TakeGuess(ip); err != nil {
		return err
	}
	found, err := d.prov.SharedTrace(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	d.authn.GuessedRight(ip)
	body := sharedBody{Connection: found.Connection, Until: found.Share.ExpiresAt, One: found.Share.TraceID != ""}
	for _, t := range found.Traces {
		body.Traces = append(body.Traces, listOf(t))
	}
	return d.show(w, r, visit{}, "shared_signins", screen{Title: "Sign-ins", Body: body})
}
