package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

const eventsPath = "/console/events"

func (d *Door) eventRoutes() []route {
	return []route{
		{"GET " + eventsPath, auditRead, d.events},
		{"GET " + eventsPath + "/{id}", auditRead, d.event},
	}
}

// eventFilterNames are the filters of the audit in an address; an export keeps them.
var eventFilterNames = []string{"q", "who", "whom", "type", "from", "until", "tenant", "user", "object"}

// eventFilters are what the form of the audit asks for, as it was typed.
type eventFilters struct {
	Word   string
	Who    string // by whom: a part of a name, or a whole e-mail address
	Whom   string // to whom: likewise
	Type   string // a type of event, or the start of some, such as "user"
	From   string // 2006-01-02
	Until  string // 2006-01-02, inclusive
	Tenant identity.TenantID
	User   identity.UserID // from the page of somebody
	Object string          // from the page of something
}

// Any reports whether the list is narrowed.
func (f eventFilters) Any() bool { return f != eventFilters{} }

// More reports whether a filter is set that the form hides at first.
func (f eventFilters) More() bool { return f.Who+f.Whom+f.From+f.Until != "" }

// readEventFilters reads them by their names, from an address or from a form.
func readEventFilters(values func(name string) string) eventFilters {
	field := func(name string) string {
		s := strings.ReplaceAll(strings.ToValidUTF8(values(name), ""), "\x00", "")
		return strings.TrimSpace(clip(s, maxSearch))
	}
	f := eventFilters{Word: field("q"), Who: field("who"), Whom: field("whom"), From: field("from"), Until: field("until")}
	if kind := field("type"); identity.EventTypes[identity.EventType(kind)] != "" || eventKinds[kind] != "" {
		f.Type = kind
	}
	f.Tenant, _ = identity.ParseID[identity.TenantID](field("tenant"))
	f.User, _ = identity.ParseID[identity.UserID](field("user"))
	f.Object, _ = identity.ParseID[string](field("object"))
	return f
}

// query turns the filters into a question, or says what is wrong with them: to leave one out would show what was not asked for. Somebody's whole e-mail address
// stands for the person, whatever the name was then.
func (d *Door) eventQuery(r *http.Request, v visit, f eventFilters) (q provisioning.EventQuery, problem string, err error) {
	q = provisioning.EventQuery{TenantID: f.Tenant, UserID: f.User, ObjectID: f.Object, Word: f.Word, Who: f.Who, Whom: f.Whom, Limit: pageSize}
	if eventKinds[f.Type] != "" {
		q.Types = typesOf(f.Type)
	} else {
		q.Type = identity.EventType(f.Type)
	}
	if q.Since, err = day(f.From); err != nil {
		return q, "Write the first day as 2026-01-31.", nil
	}
	if q.Until, err = day(f.Until); err != nil {
		return q, "Write the last day as 2026-01-31.", nil
	}
	if !q.Until.IsZero() {
		q.Until = q.Until.AddDate(0, 0, 1)
	}
	if id, err := d.addressed(r, v, f.Who); err != nil || id != "" {
		q.ActorID, q.Who = id, ""
		if err != nil {
			return q, "", err
		}
	}
	if id, err := d.addressed(r, v, f.Whom); (err != nil || id != "") && q.UserID == "" {
		q.UserID, q.Whom = id, ""
		return q, "", err
	}
	return q, "", nil
}

// addressed returns the one person with an e-mail address, or "".
func (d *Door) addressed(r *http.Request, v visit, word string) (identity.UserID, error) {
	if _, err := identity.EmailKey(word); err != nil || !v.Can(usersRead) {
		return "", nil
	}
	found, err := d.prov.Users(r.Context(), v.Actor, identity.Query{Search: word, Limit: 2})
	if err != nil || len(found.Items) != 1 || found.More {
		return "", err
	}
	return found.Items[0].ID, nil
}

type eventsBody struct {
	Events  []identity.Event
	Pager   pager
	Filter  eventFilters
	Problem string
	Kinds   []eventKind
	Tenants []identity.Tenant
	Who     string // of the user filter
	Beyond  bool   // nothing here, but older events were not read yet
	Export  string // where the list is taken out as it is filtered
}

// events is the audit trail, newest first.
func (d *Door) events(w http.ResponseWriter, r *http.Request, v visit) error {
	b := eventsBody{Filter: readEventFilters(r.URL.Query().Get), Kinds: eventChoices(), Export: exportURL(exportAudit, r)}
	q, problem, err := d.eventQuery(r, v, b.Filter)
	if err != nil {
		return err
	}
	if b.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
		return err
	}
	if b.Problem = problem; problem == "" {
		q.After, _ = identity.ParseID[identity.EventID](r.FormValue("after"))
		if err := d.findEvents(r, v, q, &b); err != nil {
			return err
		}
	}
	return d.show(w, r, v, "events", screen{Title: "Audit", Nav: "events", Body: b})
}

func (d *Door) findEvents(r *http.Request, v visit, q provisioning.EventQuery, b *eventsBody) error {
	found, next, err := d.prov.SearchEvents(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	if err := d.nameIDs(r.Context(), v, found.Items); err != nil {
		return err
	}
	b.Events, b.Pager = found.Items, pager{Shown: len(found.Items)}
	if found.More {
		b.Pager.Older = withQuery(r, "after", string(next))
	}
	if r.FormValue("after") != "" {
		b.Pager.Newer = withQuery(r, "", "")
	}
	b.Beyond = len(found.Items) == 0 && found.More
	if q.UserID != "" && b.Filter.User != "" && len(found.Items) > 0 {
		b.Who = found.Items[0].ObjectLabel
	}
	return nil
}

type eventBody struct {
	Event  identity.Event
	Tenant string
	Title  string
}

// event is one event with everything that is known of it.
func (d *Door) event(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.EventID](r, "id")
	if err != nil {
		return err
	}
	e, err := d.prov.Event(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	list := []identity.Event{e}
	if err := d.nameIDs(r.Context(), v, list); err != nil {
		return err
	}
	b := eventBody{Event: list[0], Title: eventName(e.Type)}
	if v.Can(tenantsWrite) && e.TenantID != "" {
		switch t, err := d.prov.Tenant(r.Context(), v.Actor, e.TenantID); {
		case err == nil:
			b.Tenant = t.Name
		case identity.KindOf(err) != identity.NotFound:
			return err
		}
	}
	return d.show(w, r, v, "event", screen{Title: b.Title, Nav: "events", Body: b})
}

// eventKinds are what events are about, by what stands before the dot of their types.
var eventKinds = map[string]string{
	"user": "People", "invitation": "Invitations", "email": "E-mail addresses", "review": "Sign-ins of unknown people", "offboarding": "Offboarding", "holding": "What people own", "ownership": "Hand-overs",
	"role": "Roles", "access": "Reports of access", "access_review": "Reviews of access", "model": "Access model",
	"session": "Sessions", "signin": "Sign-ins", "password": "Passwords", "second_factor": "Second factors", "break_glass": "Accounts for emergencies", "api_key": "API keys",
	"directory": "Directories", "group": "Groups", "resource": "Other objects of directories", "connection": "Connections", "setup_link": "Setup links", "domain": "Domains",
	"plan": "Imports and bulk changes", "source": "Sources", "users": "Exports of users", "events": "Exports of the audit",
	"tenant": "Tenants", "unit": "Business units", "user_type": "User types", "record": "Records", "mail": "Mails", "mail_template": "Words of mails",
}

// eventKind is one group of the select of types.
type eventKind struct {
	Key, Title string
	Types      []identity.EventType
}

// eventChoices are the types of events by what they are about, each by its name.
func eventChoices() []eventKind {
	var out []eventKind
	for key, title := range eventKinds {
		out = append(out, eventKind{Key: key, Title: title, Types: typesOf(key)})
	}
	slices.SortFunc(out, func(a, b eventKind) int { return cmp.Compare(a.Title, b.Title) })
	return out
}

// typesOf are the types of one kind, in the order of their names.
func typesOf(kind string) []identity.EventType {
	var out []identity.EventType
	for t := range identity.EventTypes {
		if strings.HasPrefix(string(t), kind+".") {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b identity.EventType) int { return cmp.Compare(eventName(a)+string(a), eventName(b)+string(b)) })
	return out
}

// EventRow is the page of an event in the audit, as far as the visitor may read it; "" for none.
func (v visit) EventRow(e identity.Event) string {
	if !v.Can(auditRead) || e.ID == "" {
		return ""
	}
	return eventsPath + "/" + string(e.ID)
}

// AuditAround is the audit of the day of an event.
func (v visit) AuditAround(e identity.Event) string {
	day := e.At.UTC().Format(time.DateOnly)
	return eventsPath + "?" + url.Values{"from": {day}, "until": {day}}.Encode()
}
