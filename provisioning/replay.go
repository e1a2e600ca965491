package provisioning

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ReplayOptions say what of the journal is replayed, and how.
type ReplayOptions struct {
	Since    time.Time // requests of directories from then on are sent again; what was before is rebuilt from the events
	Until    time.Time // exclusive; zero: to the end. With an end there is nothing to compare with
	Send     SendAgain
	Progress func(events int)
}

// SendAgain sends what a directory sent to the SCIM door of the scratch installation.
type SendAgain func(ctx context.Context, r ReplayedRequest) (ReplayAnswer, error)

// ReplayedRequest is a request of the journal with the ids of the scratch installation.
type ReplayedRequest struct {
	Token  string // of the same directory there
	Method string
	Path   string
	Body   string
}

// ReplayAnswer is what the scratch installation answered.
type ReplayAnswer struct {
	Request identity.RequestID
	Status  int
	Detail  string
}

// ReplayReport says what a replay did and what came of it.
type ReplayReport struct {
	Events   int // read
	Requests int // sent again
	Applied  int // events that were applied as they tell
	Beside   int // events that change no person, group or role, such as sessions and mails
	Left     []ReplayLeft
	Compared bool
	Same     ReplayCounts
	Unkept   []string // fields whose values no journal keeps; they are not compared

	Differences []ReplayDifference
	More        int // differences beyond those that are listed
}

// ReplayCounts counts what is the same on both sides.
type ReplayCounts struct {
	People, Roles, Groups, Members int
}

// ReplayLeft is something that was not replayed.
type ReplayLeft struct {
	What  string // what it is, and why it is not replayed
	Count int
	First string // the id of the first event or request
}

// ReplayDifference is one thing that is not as the journal makes it.
type ReplayDifference struct {
	Kind  string // "person", "group" or "answer"
	Who   string // tenant and user name, or directory and name of the group
	Field string
	Here  string // in the installation
	There string // as the journal makes it

	UserID  identity.UserID // here
	Request identity.RequestID
	Event   identity.EventID // the last one that spoke of it
}

// maxDifferences is how many differences are listed; the others are counted.
const maxDifferences = 1000

// replaying is a replay on its way.
type replaying struct {
	from, into *Service
	o          ReplayOptions
	report     ReplayReport
	left       map[string]int // what -> index in report.Left

	ids    map[string]string // here -> there: people, groups, tenants, directories
	groups map[string]bool   // ids here that are groups
	tokens map[string]string // directory here -> token there
	roles  map[string]identity.RoleID
	sent   map[identity.RequestID]bool
	apart  map[identity.RequestID]bool // are not sent: their events are applied
	erased map[identity.UserID]bool
	unkept map[string]bool
}

// Replay runs the journal of this installation into another one, which must be empty, and compares the people, groups, members and roles of both. What directories sent is
// sent again through the door of SCIM, in the order of time, as far as the journal has it whole; everything else is applied as its events tell. What can be neither is named in the
// report. Ids differ; people are the same by tenant and user name, groups by directory and name. This installation is only read. Only the platform replays.
func (s *Service) Replay(ctx context.Context, by identity.Actor, into *Service, o ReplayOptions) (ReplayReport, error) {
	r := &replaying{
		from: s, into: into, o: o, left: map[string]int{}, ids: map[string]string{}, groups: map[string]bool{}, tokens: map[string]string{}, roles: map[string]identity.RoleID{},
		sent: map[identity.RequestID]bool{}, apart: map[identity.RequestID]bool{}, erased: map[identity.UserID]bool{}, unkept: map[string]bool{},
	}
	if err := s.platform(by); err != nil {
		return r.report, err
	}
	if err := r.prepare(ctx); err != nil {
		return r.report, err
	}
	if err := r.run(ctx); err != nil || !o.Until.IsZero() {
		return r.report, err
	}
	return r.report, r.compare(ctx)
}

// prepare refuses a database that is not empty, and makes the settings the same: the access model with its roles, and the tenants that are there from the start.
func (r *replaying) prepare(ctx context.Context) error {
	err := r.into.db.View(ctx, func(tx *store.Tx) error {
		people, err := tx.Users(ctx, store.Everything(), identity.Query{Limit: 1, Total: true})
		if err != nil {
			return err
		}
		events, err := tx.EventsInOrder(ctx, "", time.Time{}, 1)
		if err == nil && (len(people.Items) > 0 || len(events) > 0) {
			err = identity.Errorf(identity.Precondition, "The database to replay into is not empty. Name a new one: nobody's people are ever mixed with those of a replay.").WithField("into").WithCode("replay_not_empty")
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := r.copyModel(ctx); err != nil {
		return err
	}
	if err := r.mapSeeded(ctx); err != nil {
		return err
	}
	return r.readAhead(ctx)
}

// copyModel puts the access model of here in force there, with the roles as they are now.
func (r *replaying) copyModel(ctx context.Context) error {
	var model store.AccessModelRecord
	var roles []identity.RoleDefinition
	err := r.from.db.View(ctx, func(tx *store.Tx) (err error) {
		if model, err = tx.AccessModelRecord(ctx, identity.DefaultApplication); err != nil {
			return err
		}
		roles, err = tx.RoleDefinitions(ctx, identity.DefaultApplication)
		return err
	})
	if err != nil {
		return err
	}
	err = r.into.db.Update(ctx, func(tx *store.Tx) error {
		there, err := tx.RoleDefinitions(ctx, identity.DefaultApplication)
		if err != nil {
			return err
		}
		for _, d := range there {
			if err := tx.DeleteRole(ctx, d.Application, d.ID); err != nil {
				return err
			}
		}
		for _, d := range roles {
			if err := tx.PutRole(ctx, d); err != nil {
				return err
			}
		}
		return tx.PutAccessModel(ctx, model)
	})
	if err != nil {
		return err
	}
	for _, d := range roles {
		r.roles[d.Title] = d.ID
	}
	return r.into.db.View(ctx, func(tx *store.Tx) error { return r.into.model.Refresh(ctx, tx) })
}

// mapSeeded pairs the tenants that every installation has.
func (r *replaying) mapSeeded(ctx context.Context) error {
	here, err := r.from.Landing(ctx)
	if err != nil {
		return err
	}
	there, err := r.into.Landing(ctx)
	if err != nil {
		return err
	}
	r.ids[string(here.ID)] = string(there.ID)
	if here, err = r.from.MainTenant(ctx); identity.KindOf(err) == identity.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if there, err = r.into.MainTenant(ctx); err != nil {
		return err
	}
	r.ids[string(here.ID)] = string(there.ID)
	return nil
}

// readAhead reads what has to be known from the start: what roles were called, and who was erased for good.
func (r *replaying) readAhead(ctx context.Context) error {
	return r.eachEvent(ctx, func(e identity.Event) error {
		if e.Type == identity.UserErased {
			r.erased[e.UserID] = true
			return nil
		}
		for _, title := range append([]string{e.ObjectLabel}, texts(e.Changes, "name")...) {
			if _, known := r.roles[title]; !known && title != "" {
				r.roles[title] = identity.RoleID(e.ObjectID)
			}
		}
		return nil
	}, identity.UserErased, identity.RoleCreated, identity.RoleUpdated, identity.RoleDeleted)
}

// texts returns the texts that a field had and got.
func texts(changes []identity.Change, field string) []string {
	var out []string
	for _, c := range changes {
		for _, v := range []any{c.Before, c.After} {
			if text, ok := v.(string); ok && c.Field == field {
				out = append(out, text)
			}
		}
	}
	return out
}

// replayPage is how many events are read at once.
const replayPage = 500

// eachEvent goes through the events of here, oldest first.
func (r *replaying) eachEvent(ctx context.Context, fn func(identity.Event) error, kinds ...identity.EventType) error {
	var after identity.EventID
	for {
		var events []identity.Event
		err := r.from.db.View(ctx, func(tx *store.Tx) (err error) {
			events, err = tx.EventsInOrder(ctx, after, r.o.Until, replayPage, kinds...)
			return err
		})
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			if err := fn(e); err != nil {
				return err
			}
		}
		after = events[len(events)-1].ID
	}
}

// run replays everything in the order of time.
func (r *replaying) run(ctx context.Context) error {
	return r.eachEvent(ctx, func(e identity.Event) error {
		r.report.Events++
		if r.o.Progress != nil {
			r.o.Progress(r.report.Events)
		}
		if r.sent[e.RequestID] {
			return nil
		}
		if e.ActorKind == identity.ActorDirectory && e.RequestID != "" && !e.At.Before(r.o.Since) && !r.apart[e.RequestID] && !r.nameless(e) {
			done, err := r.again(ctx, e)
			if done || err != nil {
				return err
			}
			r.apart[e.RequestID] = true
		}
		return r.apply(ctx, e)
	})
}

// leave notes what was not replayed.
func (r *replaying) leave(what, id string) {
	i, known := r.left[what]
	if !known {
		i = len(r.report.Left)
		r.left[what] = i
		r.report.Left = append(r.report.Left, ReplayLeft{What: what, First: id})
	}
	r.report.Left[i].Count++
}

var anyID = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)

// there writes the ids of the scratch installation in the place of those of here, as far as they are known.
func (r *replaying) there(text string) string {
	return anyID.ReplaceAllStringFunc(text, func(id string) string {
		if other, known := r.ids[strings.ToLower(id)]; known {
			return other
		}
		return id
	})
}

// differ notes a difference.
func (r *replaying) differ(d ReplayDifference) {
	if len(r.report.Differences) == maxDifferences {
		r.report.More++
		return
	}
	r.report.Differences = append(r.report.Differences, d)
}
