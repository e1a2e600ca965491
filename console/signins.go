package console

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// signinFilters are what the form of the sign-ins asks for, as it was typed.
type signinFilters struct {
	Word       string // a reference, an address, a part of a subject, issuer or code
	Refused    bool
	Connection identity.ConnectionID
	User       identity.UserID
	Email      string
	Subject    string
	Code       string
	Since      string // 2006-01-02T15:04 or 2006-01-02, UTC
	Until      string
}

func (d *Door) signinTraceRoutes() []route {
	return []route{
		{"GET /console/signins", auditRead, d.signins},
		{"GET /console/signins/{id}", auditRead, d.trace},
		{"GET /console/signins/explain", auditRead, d.explainForm},
		{"POST /console/signins/explain", auditRead, d.explainMessage},
		{"GET /console/signins/links", usersWrite, d.links},
		{"POST /console/signins/links", usersWrite, d.createLink},
		{"GET /console/signins/links/{link}/revoke", usersWrite, d.confirmRevokeLink},
		{"POST /console/signins/links/{link}/revoke", usersWrite, d.revokeLink},
		{"GET /shared/signins/{token}", anybody, d.shared},
	}
}

// Any reports whether the list is narrowed.
func (f signinFilters) Any() bool { return f != signinFilters{} }

// More reports whether a filter is set that the form hides at first.
func (f signinFilters) More() bool { return f.Email+f.Subject+f.Code+f.Since+f.Until != "" }

func readSigninFilters(r *http.Request) signinFilters {
	field := func(name string) string {
		s := strings.ReplaceAll(strings.ToValidUTF8(r.URL.Query().Get(name), ""), "\x00", "")
		return strings.TrimSpace(clip(s, maxSearch))
	}
	f := signinFilters{
		Word: field("q"), Refused: field("refused") == "1", Email: field("email"), Subject: field("subject"), Code: field("code"),
		Since: field("since"), Until: field("until"),
	}
	f.Connection, _ = identity.ParseID[identity.ConnectionID](field("connection"))
	f.User, _ = identity.ParseID[identity.UserID](field("user"))
	return f
}

// query turns the filters into a question, or says what is wrong with them: to leave one out would show what was not asked for.
func (f signinFilters) query() (q provisioning.TraceQuery, problem string) {
	q = provisioning.TraceQuery{
		Refused: f.Refused, ConnectionID: f.Connection, UserID: f.User, Email: f.Email, Subject: f.Subject, Code: f.Code, Word: f.Word, Limit: pageSize,
	}
	if key, err := identity.EmailKey(f.Word); err == nil && f.Email == "" {
		q.Word, q.Email = "", key // a whole address has an index
	}
	var err error
	if q.Since, err = minute(f.Since, 0); err != nil {
		return q, "Write the start as 2026-01-31T09:00 or 2026-01-31, in UTC."
	}
	if q.Until, err = minute(f.Until, 1); err != nil {
		return q, "Write the end as 2026-01-31T17:00 or 2026-01-31, in UTC."
	}
	return q, ""
}

// minute reads a time to the minute, or a day; none is the zero time. later is how many minutes, or days, are added: an end is inclusive.
func minute(s string, later int) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse("2006-01-02T15:04", s); err == nil {
		return at.Add(time.Duration(later) * time.Minute), nil
	}
	at, err := time.Parse(time.DateOnly, s)
	return at.AddDate(0, 0, later), err
}

// reference finds the id in what people copy from the page of a refusal.
var reference = regexp.MustCompile(`(?i)^(?:reference:?\s*)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.?$`)

// referenceIn returns the id of a trace that somebody typed, with or without the word "Reference".
func referenceIn(s string) (identity.TraceID, bool) {
	if m := reference.FindStringSubmatch(strings.TrimSpace(s)); m != nil {
		return identity.ParseID[identity.TraceID](m[1])
	}
	return "", false
}

type signinsBody struct {
	Traces      []identity.Trace
	Pager       pager
	Filter      signinFilters
	Problem     string
	Connections []identity.Connection
	Names       map[identity.ConnectionID]string
	NotKept     []notKept
	Shares      bool // the visitor may make links
}

// notKept is how many refusals of a connection were only counted.
type notKept struct {
	Name  string
	Count int64
}

// signins lists attempts to sign in, through a provider or with a password, newest first. A reference leads to its attempt.
func (d *Door) signins(w http.ResponseWriter, r *http.Request, v visit) error {
	if id, ok := referenceIn(r.URL.Query().Get("reference")); ok {
		http.Redirect(w, r, "/console/signins/"+string(id), http.StatusSeeOther)
		return nil
	}
	body := signinsBody{Filter: readSigninFilters(r), Shares: v.MayShare()}
	if id, ok := referenceIn(body.Filter.Word); ok {
		_, err := d.prov.Trace(r.Context(), v.Actor, id)
		if err == nil {
			http.Redirect(w, r, "/console/signins/"+string(id), http.StatusSeeOther)
			return nil
		}
		if identity.KindOf(err) != identity.NotFound { // else it may be a subject
			return err
		}
	}
	var err error
	if body.Connections, body.Names, err = d.connectionNames(r.Context(), v); err != nil {
		return err
	}
	if err := d.findTraces(r, v, &body); err != nil {
		return err
	}
	return d.show(w, r, v, "signins", screen{Title: "Sign-ins", Nav: "signins", Body: body})
}

func (d *Door) findTraces(r *http.Request, v visit, body *signinsBody) error {
	q, problem := body.Filter.query()
	if body.Problem = problem; problem != "" {
		return nil
	}
	q.After, _ = identity.ParseID[string](r.FormValue("after"))
	found, err := d.prov.Traces(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	body.Traces, body.Pager = found.Items, onward(r, found, func(t identity.Trace) string { return string(t.ID) })
	counts, err := d.prov.TracesNotKept(r.Context(), v.Actor)
	for _, c := range body.Connections {
		if n := counts[c.ID]; n > 0 {
			body.NotKept = append(body.NotKept, notKept{c.Name, n})
		}
	}
	return err
}

// connectionNames are the connections by id, as far as the visitor may see their sign-ins.
func (d *Door) connectionNames(ctx context.Context, v visit) ([]identity.Connection, map[identity.ConnectionID]string, error) {
	names := map[identity.ConnectionID]string{"": "Password"}
	p, err := d.prov.SignInConnections(ctx, v.Actor, identity.Query{Limit: maxOptions})
	for _, c := range p.Items {
		names[c.ID] = c.Name
	}
	return p.Items, names, err
}

// checklist is a trace as the part "checklist" shows it.
type checklist struct {
	identity.Trace
	Failed  *identity.Check // the first one: the cause
	Missing string          // what to say when there are no checks
}

func listOf(t identity.Trace) checklist {
	out := checklist{Trace: t, Missing: "The attempt ended before the first check."}
	if c, ok := t.Failure(); ok {
		out.Failed = &c
	}
	return out
}

// Advice is what to do, or the sentence of the refusal where no check says it.
func (c checklist) Advice() string {
	if c.Failed != nil && c.Failed.Fix != "" {
		return c.Failed.Fix
	}
	return c.Message
}

// Sentence is what was said about the refusal beside the advice; "" when the advice says it all.
func (c checklist) Sentence() string {
	if c.Failed == nil || strings.Contains(c.Message, c.Failed.Fix) {
		return ""
	}
	return c.Message
}

// Told is what the failed check says as a whole sentence, when it compares nothing; "" when it does.
func (c checklist) Told() string {
	if c.Failed == nil || c.Failed.Expected != "" || !strings.HasSuffix(c.Failed.Got, ".") {
		return ""
	}
	return c.Failed.Got
}

// For is what the person came for, in words; "" for an ordinary sign-in.
func (c checklist) For() string { return purposeTexts[c.Purpose] }

var purposeTexts = map[identity.SignInPurpose]string{
	identity.PurposeTest: "a test of the connection: nobody was created, linked or signed in", identity.PurposeLink: "tying the provider’s account to one’s own",
	identity.PurposeLogout: "signing out at the provider",
}

type traceBody struct {
	checklist
	Connection string
	Shares     bool
	Days       string
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
	body := traceBody{checklist: listOf(t), Connection: names[t.ConnectionID], Shares: v.MayShare(), Days: count(int(d.prov.TraceAge().Hours()/24), "day", "days")}
	return d.show(w, r, v, "signin_trace", screen{Title: "Sign-in", Nav: "signins", Body: body})
}

// MayShare reports whether the visitor may make links for people without an account.
func (v visit) MayShare() bool { return v.Can(auditRead) && v.Can(usersWrite) }
