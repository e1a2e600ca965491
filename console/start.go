package console

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// How much of each kind the start page shows. What is more is one click away, and nothing on this page is counted without an end.
const (
	startRefused  = 5
	startFailed   = 5
	startNotices  = 8
	startMails    = 200
	startPeople   = 21 // an installation with fewer is being set up
	startReviews  = 20
	reviewDueSoon = 14 * 24 * time.Hour
)

type startBody struct {
	Add     addButton
	Todo    startTodo
	Steps   startSteps
	SignIns *startSignIns // nil: the visitor may not see any
	Pushes  *startPushes  // likewise
}

// startTodo is what waits for somebody.
type startTodo struct {
	Placement, Reviews, Plans int64
	Bursts                    []identity.Burst
	Due                       []identity.AccessReview // reviews of access that are due soon, or overdue
	Overdue                   map[identity.AccessReviewID]bool
	Domains                   []identity.Domain // whose record is gone
	Mails                     int64             // of the last ones: given up
	Notices                   []notice
	MoreNotices               int
}

// None reports whether nothing waits.
func (t startTodo) None() bool {
	return t.Placement+t.Reviews+t.Plans+t.Mails == 0 && len(t.Bursts)+len(t.Due)+len(t.Domains)+len(t.Notices) == 0
}

// startSteps are the first steps of an installation, and which are done.
type startSteps struct {
	Show                          bool
	Connects                      bool // the visitor may connect something
	Directory, Connection, People bool
}

type startSignIns struct {
	Lately  provisioning.Lately
	Refused []checklist
}

type startPushes struct {
	Rows   []startPush
	More   bool
	Failed []identity.Request
	Names  map[identity.DirectoryID]string
}

// startPush is what one directory sent lately.
type startPush struct {
	provisioning.DirectoryCount
	Name string
}

// start is the first page: somebody to look for, what waits, and what happened lately, as far as the visitor's role goes. Who may see nobody has only the own account.
func (d *Door) start(w http.ResponseWriter, r *http.Request, v visit) error {
	if !v.Can(usersRead) {
		http.Redirect(w, r, "/account", http.StatusSeeOther)
		return nil
	}
	ctx := r.Context()
	if q := search(r); q != "" {
		return d.find(w, r, v, q)
	}
	b := startBody{Add: d.addButton(v)}
	var err error
	if b.Todo, err = d.todo(ctx, v); err != nil {
		return err
	}
	if b.Steps, err = d.firstSteps(ctx, v); err != nil {
		return err
	}
	if v.Can(auditRead) {
		if err := d.lately(ctx, v, &b); err != nil {
			return err
		}
	}
	return d.show(w, r, v, "start", screen{Title: "Start", Nav: "start", Body: b})
}

// find leads to the one person whom the words name, or to the list of those.
func (d *Door) find(w http.ResponseWriter, r *http.Request, v visit, words string) error {
	found, err := d.prov.Users(r.Context(), v.Actor, identity.Query{Search: words, Limit: 2, Newest: true})
	if err != nil {
		return err
	}
	to := "/console/users?" + url.Values{"q": {words}}.Encode()
	if len(found.Items) == 1 && !found.More {
		to = "/console/users/" + string(found.Items[0].ID)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// todo gathers what waits, each kind only for those who can do something about it.
func (d *Door) todo(ctx context.Context, v visit) (startTodo, error) {
	t := startTodo{Overdue: map[identity.AccessReviewID]bool{}}
	gather := []struct {
		need string
		of   func(context.Context, visit, *startTodo) error
	}{
		{tenantsWrite, func(ctx context.Context, v visit, t *startTodo) error { t.Placement = d.waiting(ctx, v); return nil }},
		{usersWrite, d.todoPeople},
		{usersWrite, d.todoReviews},
		{tenantsWrite, d.todoMails},
		{auditRead, d.todoNotices},
	}
	for _, g := range gather {
		if !v.Can(g.need) {
			continue
		}
		if err := g.of(ctx, v, &t); err != nil && identity.KindOf(err) != identity.Forbidden {
			return t, err
		}
	}
	return t, nil
}

// todoPeople are the decisions about people: reviews, held plans and bursts, and domains whose record is gone.
func (d *Door) todoPeople(ctx context.Context, v visit, t *startTodo) error {
	t.Reviews, t.Plans = d.waitingReviews(ctx, v), d.waitingPlans(ctx, v)
	bursts, err := d.prov.Bursts(ctx, v.Actor, identity.Query{Limit: startNotices})
	if err != nil {
		return err
	}
	for _, b := range bursts.Items {
		if b.State == identity.BurstHeld {
			t.Bursts = append(t.Bursts, b)
		}
	}
	domains, err := d.prov.Domains(ctx, v.Actor, identity.Query{Limit: pageSize})
	for _, domain := range domains.Items {
		if domain.FailingSince != nil {
			t.Domains = append(t.Domains, domain)
		}
	}
	return err
}

// todoReviews are the reviews of access that have to be done soon.
func (d *Door) todoReviews(ctx context.Context, v visit, t *startTodo) error {
	open, err := d.prov.AccessReviews(ctx, v.Actor, provisioning.AccessReviewQuery{Open: true, Limit: startReviews})
	now := time.Now()
	for _, review := range open.Items {
		if review.DueAt.After(now.Add(reviewDueSoon)) {
			continue
		}
		t.Due = append(t.Due, review)
		t.Overdue[review.ID] = review.DueAt.Before(now)
	}
	return err
}

// todoMails counts the mails among the last ones that could not be delivered.
func (d *Door) todoMails(ctx context.Context, v visit, t *startTodo) error {
	mails, err := d.prov.Mails(ctx, v.Actor, startMails)
	for _, mail := range mails {
		if mail.GaveUpAt != nil {
			t.Mails++
		}
	}
	return err
}

// todoNotices are what ends soon or cannot be reached; whoever runs one tenant reads them without links to pages of others.
func (d *Door) todoNotices(ctx context.Context, v visit, t *startTodo) error {
	if v.Can(tenantsWrite) {
		all, err := d.prov.Connections(ctx, v.Actor, identity.Query{Limit: maxOptions})
		if err != nil {
			return err
		}
		if t.Notices, err = d.noticesOf(ctx, v, all.Items); err != nil {
			return err
		}
	} else {
		warnings, err := d.prov.ConnectionWarnings(ctx, v.Actor)
		if err != nil {
			return err
		}
		for _, w := range warnings {
			tone := "warn"
			if w.Days < 0 {
				tone = "bad"
			}
			t.Notices = append(t.Notices, notice{Tone: tone, Text: w.Text})
		}
	}
	if most := len(t.Notices); most > startNotices {
		t.Notices, t.MoreNotices = t.Notices[:startNotices], most-startNotices
	}
	return nil
}

// firstSteps are shown as long as there are few people and something to begin with is left.
func (d *Door) firstSteps(ctx context.Context, v visit) (startSteps, error) {
	s := startSteps{Connects: v.Can(tenantsWrite)}
	if !v.Can(usersWrite) {
		return s, nil
	}
	people, err := d.prov.Users(ctx, v.Actor, identity.Query{Limit: startPeople, Newest: true})
	if err != nil || len(people.Items) >= startPeople {
		return s, err
	}
	s.People = len(people.Items) > 1
	if s.Connects {
		directories, err := d.prov.Directories(ctx, v.Actor, identity.Query{Limit: 1})
		if err != nil {
			return s, err
		}
		connections, err := d.prov.Connections(ctx, v.Actor, identity.Query{Limit: 1})
		if err != nil {
			return s, err
		}
		s.Directory, s.Connection = len(directories.Items) > 0, len(connections.Items) > 0
	}
	s.Show = !s.People || s.Connects && (!s.Directory || !s.Connection)
	return s, nil
}

// lately is what happened in the last day: sign-ins with the last that were refused, and what directories sent with the last that failed.
func (d *Door) lately(ctx context.Context, v visit, b *startBody) error {
	counts, err := d.prov.Lately(ctx, v.Actor)
	if err != nil {
		return err
	}
	refused, err := d.prov.Traces(ctx, v.Actor, provisioning.TraceQuery{Refused: true, Since: counts.Since, Limit: startRefused})
	if err != nil {
		return err
	}
	b.SignIns = &startSignIns{Lately: counts}
	for _, t := range refused.Items {
		b.SignIns.Refused = append(b.SignIns.Refused, listOf(t))
	}
	if !v.Can(tenantsWrite) {
		return nil
	}
	b.Pushes, err = d.latelyPushed(ctx, v, counts)
	return err
}

func (d *Door) latelyPushed(ctx context.Context, v visit, counts provisioning.Lately) (*startPushes, error) {
	directories, err := d.prov.Directories(ctx, v.Actor, identity.Query{Limit: maxOptions})
	if err != nil || len(directories.Items) == 0 {
		return nil, err
	}
	p := &startPushes{Names: map[identity.DirectoryID]string{}, More: counts.MoreSent}
	for _, dir := range directories.Items {
		p.Names[dir.ID] = dir.Name
	}
	for _, c := range counts.Directories {
		if p.Names[c.DirectoryID] != "" {
			p.Rows = append(p.Rows, startPush{c, p.Names[c.DirectoryID]})
		}
	}
	failed, err := d.prov.Requests(ctx, v.Actor, provisioning.RequestQuery{Failed: true, Since: counts.Since, Limit: startFailed})
	p.Failed = failed.Items
	return p, err
}
