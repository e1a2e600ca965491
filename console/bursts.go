package console

import (
	"context"
	"net/http"
	"strconv"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

const burstsPath = "/console/bursts"

func (d *Door) burstRoutes() []route {
	return []route{
		{"GET /console/bursts", usersWrite, d.bursts},
		{"GET /console/bursts/{id}", usersWrite, d.burst},
		{"GET /console/bursts/{id}/approve", usersWrite, d.asksBurst(askApproveBurst)},
		{"POST /console/bursts/{id}/approve", usersWrite, d.actsBurst(askApproveBurst, d.prov.ApproveBurst)},
		{"GET /console/bursts/{id}/reject", usersWrite, d.asksBurst(askRejectBurst)},
		{"POST /console/bursts/{id}/reject", usersWrite, d.actsBurst(askRejectBurst, d.prov.RejectBurst)},
		{"GET /console/directories/{id}/guard", tenantsWrite, d.guardForm},
		{"POST /console/directories/{id}/guard", tenantsWrite, d.setGuard},
	}
}

type burstsBody struct {
	Bursts []identity.Burst
	Pager  pager
}

// bursts lists when directories would have kept out many people at once, newest first.
func (d *Door) bursts(w http.ResponseWriter, r *http.Request, v visit) error {
	found, err := d.prov.Bursts(r.Context(), v.Actor, identity.Query{Limit: pageSize, After: r.FormValue("after")})
	if err != nil {
		return err
	}
	b := burstsBody{Bursts: found.Items, Pager: onward(r, found, func(b identity.Burst) string { return string(b.ID) })}
	return d.show(w, r, v, "bursts", screen{Title: "Many at once", Nav: "imports", Body: b})
}

// pathBurst finds the burst of an address among those that the visitor may see.
func (d *Door) pathBurst(r *http.Request, v visit) (identity.Burst, error) {
	id, err := pathID[identity.BurstID](r, "id")
	if err != nil {
		return identity.Burst{}, err
	}
	for q := (identity.Query{Limit: pageSize}); ; {
		page, err := d.prov.Bursts(r.Context(), v.Actor, q)
		if err != nil {
			return identity.Burst{}, err
		}
		for _, b := range page.Items {
			if b.ID == id {
				return b, nil
			}
			q.After = string(b.ID)
		}
		if !page.More {
			return identity.Burst{}, identity.Errorf(identity.NotFound, "There is no such burst here.")
		}
	}
}

type burstBody struct {
	Burst  identity.Burst
	People []identity.Departure
	Pager  pager
}

// burst shows whom a directory would keep out, and what was decided.
func (d *Door) burst(w http.ResponseWriter, r *http.Request, v visit) error {
	b, err := d.pathBurst(r, v)
	if err != nil {
		return err
	}
	page, err := d.prov.Departures(r.Context(), v.Actor, b.ID, identity.Query{Limit: pageSize, After: r.FormValue("after")})
	if err != nil {
		return err
	}
	body := burstBody{Burst: b, People: page.Items, Pager: onward(r, page, func(d identity.Departure) string { return string(d.UserID) })}
	body.Pager.Lines = true
	return d.show(w, r, v, "burst", screen{Title: b.Directory, Nav: "imports", Body: body})
}

func askApproveBurst(b identity.Burst) confirmBody {
	at := burstsPath + "/" + string(b.ID)
	return confirmBody{
		Title: "Let " + b.Directory + " keep out " + count(b.Count, "person", "people") + "?", Button: "Approve it", Danger: true, Reason: true, Action: at + "/approve", Back: at,
		Facts: []string{
			"Those whom Drawbridge keeps for the directory are kept out now; the others as soon as the directory asks again.",
			"For a day whoever else it lets go is not held either.",
		},
	}
}

func askRejectBurst(b identity.Burst) confirmBody {
	at := burstsPath + "/" + string(b.ID)
	return confirmBody{
		Title: "Refuse what " + b.Directory + " asked for?", Button: "Refuse it", Danger: true, Reason: true, Action: at + "/reject", Back: at,
		Facts: []string{"Nobody of it is kept out. For a day the directory hears that an administrator refused it."},
	}
}

func (d *Door) asksBurst(ask func(identity.Burst) confirmBody) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		b, err := d.pathBurst(r, v)
		if err != nil {
			return err
		}
		return d.confirm(w, r, v, "imports", ask(b))
	}
}

// actsBurst decides; what is refused is said beside the same question.
func (d *Door) actsBurst(ask func(identity.Burst) confirmBody, act func(context.Context, identity.Actor, identity.BurstID, string) (identity.Burst, error)) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		f, err := readForm(w, r, "reason")
		if err != nil {
			return err
		}
		b, err := d.pathBurst(r, v)
		if err != nil {
			return err
		}
		if _, err = act(r.Context(), v.Actor, b.ID, f.Value("reason")); err == nil {
			http.Redirect(w, r, burstsPath+"/"+string(b.ID), http.StatusSeeOther)
			return nil
		}
		if !f.refused(err) {
			return err
		}
		body := ask(b)
		body.Form = f
		return d.confirm(w, r, v, "imports", body)
	}
}

type guardBody struct {
	Form      form
	Directory identity.Directory
	Default   identity.DirectoryGuard // what holds where nothing is said
}

func (d *Door) guardForm(w http.ResponseWriter, r *http.Request, v visit) error {
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	text := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	g := dir.Guard
	f := blank("most", text(g.Most), "minutes", text(g.Minutes), "answer", string(g.Answer))
	if g.Percent != 0 {
		f.Values.Set("percent", strconv.FormatFloat(g.Percent, 'f', -1, 64))
	}
	if g.EndSession {
		f.Values.Set("endsessions", "1")
	}
	return d.guardPage(w, r, v, dir, f)
}

func (d *Door) guardPage(w http.ResponseWriter, r *http.Request, v visit, dir identity.Directory, f form) error {
	s := screen{Title: "Guard of " + dir.Name, Nav: "directories", Body: guardBody{f, dir, identity.DirectoryGuard{}.For(dir.Dialect)}}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "directory_guard", s)
}

func (d *Door) setGuard(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "most", "percent", "minutes", "answer")
	if err != nil {
		return err
	}
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	var numbers [3]float64
	for i, name := range []string{"most", "percent", "minutes"} {
		if err == nil {
			numbers[i], err = formNumber(f, name)
		}
	}
	if err == nil {
		_, err = d.prov.UpdateDirectory(r.Context(), v.Actor, dir.ID, func(d *identity.Directory) error {
			d.Guard = identity.DirectoryGuard{
				Most: int(numbers[0]), Percent: numbers[1], Minutes: int(numbers[2]), Answer: identity.BurstAnswer(f.Value("answer")), EndSession: f.Value("endsessions") != "",
			}
			return nil
		})
	}
	if err == nil {
		http.Redirect(w, r, "/console/directories/"+string(dir.ID)+"?done=guard-set", http.StatusSeeOther)
		return nil
	}
	if f.refused(err) {
		return d.guardPage(w, r, v, dir, f)
	}
	return err
}
