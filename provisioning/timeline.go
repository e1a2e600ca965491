package provisioning

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// EntryKind says what an entry of somebody's timeline is.
type EntryKind string

// The kinds of entry.
const (
	EntryChange  EntryKind = "change"  // something changed, or was done to the account
	EntrySignIn  EntryKind = "signin"  // an attempt to sign in
	EntryRequest EntryKind = "request" // a directory sent something about the person that failed; what succeeded shows as its changes
	EntryMail    EntryKind = "mail"
	EntryPlan    EntryKind = "plan" // what a plan says about the person
)

// TimelineEntry is one thing that happened to somebody. Of the ids only those are set that lead somewhere.
type TimelineEntry struct {
	At       time.Time
	ID       string // of the entry, for TimelineQuery.Before
	Kind     EntryKind
	Sentence string
	Actor    string // who did it, for people
	Door     string
	Failed   bool
	UserID   identity.UserID // whose: the person, or one who was joined with them
	Changes  []identity.Change
	Reason   string

	Event   identity.EventID
	Type    identity.EventType // of a change that its type names well enough; empty: the sentence says more
	Request identity.RequestID
	Trace   identity.TraceID
	Mail    identity.MailID
	Plan    identity.PlanID
	Line    int // of the plan

	twins []string // what else tells of the same thing: a trace, a session
}

// TimelineQuery says which entries are wanted; empty fields do not narrow.
type TimelineQuery struct {
	Since  time.Time
	Before string    // behind the entry whose Cursor this is
	Kind   EntryKind // only these
	Limit  int       // 0: timelinePage
}

// Cursor returns what TimelineQuery.Before wants for the entries behind this one.
func (e *TimelineEntry) Cursor() string { return e.At.UTC().Format(time.RFC3339Nano) + "/" + e.ID }

const (
	timelinePage = 50
	maxTimeline  = 1000
	sameMoment   = 100 // entries of one moment that one page may have read and left out
)

// timeline is one person's story in the making.
type timeline struct {
	s      *Service
	by     identity.Actor
	scope  store.Scope
	kind   EntryKind // empty: all
	q      store.PeopleQuery
	edge   TimelineEntry // entries at or before this one in the list are not wanted
	people []string      // ids
	out    []TimelineEntry
}

// Timeline returns what happened to somebody, newest first: changes, sign-ins, mails, what plans say, and what directories sent in vain. Those who were joined with the
// person are read together with them. An administrator of a tenant gets what is the tenant's; traces need the right to read the audit, requests that of the platform.
func (s *Service) Timeline(ctx context.Context, by identity.Actor, id identity.UserID, q TimelineQuery) (identity.Page[TimelineEntry], error) {
	var page identity.Page[TimelineEntry]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return page, err
	}
	if by.Kind == identity.ActorDirectory || id == "" || !validIDs(&id) {
		return page, noUser()
	}
	limit := min(cmp.Or(max(q.Limit, 0), timelinePage), maxTimeline)
	t := &timeline{s: s, by: by, scope: scope, kind: q.Kind, q: store.PeopleQuery{Users: []identity.UserID{id}, Since: q.Since, Limit: limit + 1 + sameMoment}}
	if err := t.from(q.Before); err != nil {
		return page, err
	}
	if err := s.db.View(ctx, t.read(ctx, id)); err != nil {
		return page, err
	}
	t.tidy()
	page.Items, page.More = t.out, len(t.out) > limit
	if page.More {
		page.Items = t.out[:limit]
	}
	return page, nil
}

// from reads a cursor.
func (t *timeline) from(before string) error {
	if before == "" {
		return nil
	}
	at, id, _ := strings.Cut(before, "/")
	moment, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return identity.Errorf(identity.Invalid, "This is no place in a timeline; give what the page before it said comes next.").WithField("before").WithCause(err)
	}
	t.edge = TimelineEntry{At: moment, ID: id}
	t.q.Until = moment.Add(time.Microsecond)
	return nil
}

// read gathers the newest entries of each sort.
func (t *timeline) read(ctx context.Context, id identity.UserID) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		t.out = nil
		joined, err := tx.MergedInto(ctx, id)
		if err != nil {
			return err
		}
		t.q.Users = append([]identity.UserID{id}, joined...)
		t.people = asStrings(t.q.Users)
		for _, part := range t.parts() {
			if err := part(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}
}

// parts are what has to be read for the kind that is wanted.
func (t *timeline) parts() []func(context.Context, *store.Tx) error {
	type parts = []func(context.Context, *store.Tx) error
	switch t.kind {
	case EntryChange:
		return parts{t.events, t.members}
	case EntrySignIn:
		return parts{t.events, t.signIns}
	case EntryMail:
		return parts{t.mails}
	case EntryPlan:
		return parts{t.steps}
	case EntryRequest:
		return parts{t.requests}
	}
	return parts{t.events, t.members, t.mails, t.steps, t.signIns, t.requests}
}

// signInEvents are the events that somebody who looks for sign-ins wants to see, and who looks for changes does not.
var signInEvents = []identity.EventType{
	identity.SessionStarted, identity.SessionEnded, identity.SignInRefused, identity.SignInBreakGlass, identity.PasswordLocked, identity.UserLocked, identity.UserUnlocked,
	identity.SecondFactorLocked, identity.RecoveryCodeUsed,
}

// eventTypes are those of the kind that is wanted; nil: all.
func (t *timeline) eventTypes() []identity.EventType {
	switch t.kind {
	case EntrySignIn:
		return signInEvents
	case EntryChange:
		return slices.DeleteFunc(slices.Sorted(maps.Keys(identity.EventTypes)), func(e identity.EventType) bool { return slices.Contains(signInEvents, e) })
	}
	return nil
}

func asStrings[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// tidy puts the entries in order, newest first, and drops what the page before had and what is told twice.
func (t *timeline) tidy() {
	traced := map[string]bool{}
	for _, e := range t.out {
		for _, id := range e.twins {
			traced[id] = traced[id] || e.Kind == EntrySignIn
		}
	}
	t.out = slices.DeleteFunc(t.out, func(e TimelineEntry) bool {
		behind := t.edge.ID == "" || newestFirst(t.edge, e) < 0
		return !behind || e.Kind == EntryChange && slices.ContainsFunc(e.twins, func(id string) bool { return traced[id] })
	})
	slices.SortFunc(t.out, newestFirst)
}

func newestFirst(a, b TimelineEntry) int {
	if c := b.At.Compare(a.At); c != 0 {
		return c
	}
	return strings.Compare(b.ID, a.ID)
}

// events are the changes. What a sign-in trace tells in full is left to it.
func (t *timeline) events(ctx context.Context, tx *store.Tx) error {
	q := EventQuery{UserID: t.q.Users[0], Merged: t.q.Users[1:], Since: t.q.Since, Until: t.q.Until, Types: t.eventTypes(), Limit: t.q.Limit}
	page, err := tx.Events(ctx, t.scope, q)
	for _, e := range page.Items {
		t.out = append(t.out, t.ofEvent(e))
	}
	return err
}

// members are the groups that the person came into or left.
func (t *timeline) members(ctx context.Context, tx *store.Tx) error {
	list, err := tx.MemberEvents(ctx, t.scope, t.q)
	for _, e := range list {
		entry := t.ofEvent(e)
		entry.Changes, entry.UserID, entry.Type = nil, t.q.Users[0], "" // the other members are nobody's business here
		entry.Sentence = "Came into the group " + e.ObjectLabel
		if e.Type == identity.MembersRemoved {
			entry.Sentence = "Left the group " + e.ObjectLabel
		}
		t.out = append(t.out, entry)
	}
	return err
}

func (t *timeline) ofEvent(e identity.Event) TimelineEntry {
	out := TimelineEntry{
		At: e.At, ID: string(e.ID), Kind: EntryChange, Sentence: eventSentence(e), Actor: e.ActorLabel, Door: e.Door, UserID: e.UserID, Changes: e.Changes, Reason: e.Reason,
		Event: e.ID, Type: e.Type, Request: e.RequestID,
	}
	switch {
	case e.ObjectKind == "trace":
		out.Trace, out.Failed, out.twins = identity.TraceID(e.ObjectID), true, []string{e.ObjectID}
	case e.Type == identity.SessionStarted:
		out.twins = []string{e.ObjectID}
	}
	return out
}

func (t *timeline) mails(ctx context.Context, tx *store.Tx) error {
	list, err := tx.MailsOfPeople(ctx, t.scope, t.q)
	for _, m := range list {
		out := TimelineEntry{At: m.CreatedAt, ID: string(m.ID), Kind: EntryMail, UserID: m.UserID, Mail: m.ID, Actor: "Drawbridge", Door: "mail", Reason: m.Failure}
		out.Sentence = "Mail to " + m.To + ": " + m.Subject + " (" + string(m.State()) + ")"
		out.Failed = m.State() == identity.MailFailed || m.State() == identity.MailUncertain
		t.out = append(t.out, out)
	}
	return err
}

func (t *timeline) steps(ctx context.Context, tx *store.Tx) error {
	list, err := tx.StepsOfPeople(ctx, t.scope, t.q)
	for _, step := range list {
		t.out = append(t.out, TimelineEntry{
			At: step.At, ID: string(step.PlanID) + "." + lineText(step.Line), Kind: EntryPlan, Sentence: stepSentence(step), Actor: step.By, Door: string(step.Kind), UserID: step.UserID,
			Plan: step.PlanID, Line: step.Line, Reason: step.Detail, Failed: step.State == identity.StepFailed || step.Action == identity.StepConflict || step.Action == identity.StepError,
		})
	}
	return err
}

func (t *timeline) signIns(ctx context.Context, tx *store.Tx) error {
	scope, err := t.s.scopeFor(t.by, auditRead)
	if identity.KindOf(err) == identity.Forbidden {
		return nil
	}
	if err != nil {
		return err
	}
	list, err := tx.TracesOfPeople(ctx, scope, t.q)
	for _, trace := range list {
		t.out = append(t.out, TimelineEntry{
			At: trace.At, ID: string(trace.ID), Kind: EntrySignIn, Sentence: traceSentence(trace), Actor: cmp.Or(trace.Email, trace.Subject), Door: "sso", UserID: trace.UserID,
			Trace: trace.ID, Failed: !trace.OK, Reason: trace.Message, twins: []string{string(trace.ID), string(trace.SessionID)},
		})
	}
	return err
}

// requests are those that failed, wholly or in part, and name or changed the person.
func (t *timeline) requests(ctx context.Context, tx *store.Tx) error {
	if t.s.platform(t.by) != nil {
		return nil
	}
	page, err := tx.Requests(ctx, store.Everything(), RequestQuery{Failed: true, About: t.people, Since: t.q.Since, Until: t.q.Until, Limit: t.q.Limit})
	if err != nil {
		return err
	}
	names := map[identity.DirectoryID]string{}
	for _, r := range page.Items {
		name, known := names[r.DirectoryID]
		if !known && r.DirectoryID != "" {
			d, err := tx.Directory(ctx, store.Everything(), r.DirectoryID)
			if err != nil && identity.KindOf(err) != identity.NotFound {
				return err
			}
			name, names[r.DirectoryID] = d.Name, d.Name
		}
		t.out = append(t.out, TimelineEntry{
			At: r.At, ID: string(r.ID), Kind: EntryRequest, Sentence: requestSentence(r), Actor: name, Door: "scim", UserID: t.q.Users[0], Request: r.ID, Failed: true, Reason: r.Detail,
		})
	}
	return nil
}
