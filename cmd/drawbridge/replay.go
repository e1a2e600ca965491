package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// replay returns the command that runs the journal into a scratch database and compares.
func (p *program) replay() *cobra.Command {
	var since, until, into string
	cmd := &cobra.Command{
		Use:   "replay --into DATABASE",
		Short: "Run the journal into a scratch database, and say what is not as the journal makes it",
		Long: `Runs the journal into a scratch database and compares the people, groups, members and roles at the end. What directories sent is sent again through
the door of SCIM, in the order of time; what administrators, sign-ins and imports did, and what the journal has no longer whole, is applied as the
events tell. What cannot be replayed is named. The installation's own database is only read. The status is 1 when something differs.

DATABASE is written as DRAWBRIDGE_DATABASE is, or the path of a new SQLite file. It must be new or empty.`,
		Example: `  drawbridge replay --into ./scratch.db
  drawbridge replay --since 7d --into postgres://drawbridge@localhost/scratch --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			var o provisioning.ReplayOptions
			var err error
			if since != "0" {
				if o.Since, err = readMoment("replay", "since", since, time.Now()); err != nil {
					return err
				}
			}
			if o.Until, err = readMoment("replay", "until", until, time.Now()); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.runReplay(ctx, b, into, o) })
		}),
	}
	fs := cmd.Flags()
	fs.StringVar(&since, "since", "0", "send again what directories sent from then on: how long ago, such as 7d, or a time; what was before is applied as the events tell. 0 is everything")
	fs.StringVar(&until, "until", "", "stop before then, and compare nothing")
	fs.StringVar(&into, "into", "", "the scratch database: new, or empty")
	require(cmd, "into")
	return cmd
}

func (p *program) runReplay(ctx context.Context, b *bridge, into string, o provisioning.ReplayOptions) (err error) {
	scratch, err := b.scratch(ctx, into)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scratch.db.Close()) }()
	door, err := openScratchDoor(ctx, scratch)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, door.close()) }()
	line := p.progress()
	o.Send, o.Progress = door.send, func(n int) { line.say("%d events …", n) }
	report, err := b.people.Replay(ctx, identity.Operator(), scratch.people, o)
	line.end()
	if err != nil {
		return err
	}
	if err := p.show(viewReplay(report), func(w io.Writer) { writeReplay(w, report) }); err != nil {
		return err
	}
	if n := len(report.Differences) + report.More; n > 0 {
		return identity.Errorf(identity.Conflict, "%d things are not as the journal makes them.", n).WithCode("replay_differs")
	}
	return nil
}

// scratch opens the database to replay into: with the settings of this installation, and its own access model. One that somebody uses is refused before anything is written to it.
func (b *bridge) scratch(ctx context.Context, database string) (*bridge, error) {
	if !strings.Contains(database, ":") {
		database = "sqlite:" + database
	}
	if sameDatabase(database, b.settings.Database) {
		return nil, identity.Errorf(identity.Precondition, "This is the installation's own database. Name a new one.").WithField("into").WithCode("replay_not_empty")
	}
	db, err := store.Open(ctx, database, store.Options{SecretKey: b.settings.SecretKey})
	if err != nil {
		return nil, identity.Errorf(identity.Precondition, "The database %s cannot be opened: %v", config.RedactDatabase(database), err).WithField("into").WithCause(err)
	}
	unused, err := db.Unused(ctx)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	if !unused {
		return nil, identity.Errorf(identity.Precondition, "The database to replay into is not empty. Name a new one: nobody's people are ever mixed with those of a replay.").WithField("into").WithCode("replay_not_empty")
	}
	s := b.settings
	s.Database, s.SCIMRate, s.SCIMBurst = database, scratchRate, scratchRate
	return open(ctx, s)
}

// scratchRate is how many requests a second the scratch installation takes: nobody but the replay sends any.
const scratchRate = 1_000_000

// sameDatabase reports whether two addresses are one database, as far as they tell.
func sameDatabase(a, b string) bool {
	pathA, fileA := strings.CutPrefix(a, "sqlite:")
	pathB, fileB := strings.CutPrefix(b, "sqlite:")
	if !fileA || !fileB {
		return a == b
	}
	fullA, errA := filepath.Abs(pathA)
	fullB, errB := filepath.Abs(pathB)
	return errA == nil && errB == nil && fullA == fullB
}

// replayView is the report of a replay for programs.
type replayView struct {
	Events      int              `json:"events"`
	Requests    int              `json:"requests"` // sent again
	Applied     int              `json:"applied"`  // events
	Beside      int              `json:"beside"`   // events that change no person, group or role
	Left        []replayLeftView `json:"not_replayed"`
	Unkept      []string         `json:"not_kept,omitempty"` // fields that are not compared
	Compared    bool             `json:"compared"`
	People      int              `json:"same_people"`
	Roles       int              `json:"same_roles"`
	Groups      int              `json:"same_groups"`
	Members     int              `json:"same_members"`
	Differences []differenceView `json:"differences"`
	More        int              `json:"more_differences,omitempty"`
}

type replayLeftView struct {
	What  string `json:"what"`
	Count int    `json:"count"`
	First string `json:"first"`
}

type differenceView struct {
	Kind    string             `json:"kind"`
	Who     string             `json:"who"`
	Field   string             `json:"field"`
	Here    string             `json:"here"`
	There   string             `json:"replayed"`
	UserID  identity.UserID    `json:"user_id,omitempty"`
	Request identity.RequestID `json:"request_id,omitempty"`
	Event   identity.EventID   `json:"event_id,omitempty"`
}

func viewReplay(r provisioning.ReplayReport) replayView {
	v := replayView{
		Events: r.Events, Requests: r.Requests, Applied: r.Applied, Beside: r.Beside, Left: []replayLeftView{}, Unkept: r.Unkept, Compared: r.Compared,
		People: r.Same.People, Roles: r.Same.Roles, Groups: r.Same.Groups, Members: r.Same.Members, Differences: []differenceView{}, More: r.More,
	}
	for _, l := range r.Left {
		v.Left = append(v.Left, replayLeftView(l))
	}
	for _, d := range r.Differences {
		v.Differences = append(v.Differences, differenceView(d))
	}
	return v
}

// writeReplay prints the report of a replay for people.
func writeReplay(w io.Writer, r provisioning.ReplayReport) {
	fmt.Fprintf(w, "%d events: %d requests were sent again, %d events were applied, %d change no person, group or role.\n", r.Events, r.Requests, r.Applied, r.Beside)
	if len(r.Left) > 0 {
		t := table{heading: []string{"NOT REPLAYED", "COUNT", "FIRST"}}
		for _, l := range r.Left {
			t.add(l.What, fmt.Sprint(l.Count), l.First)
		}
		fmt.Fprintln(w)
		t.write(w)
	}
	if !r.Compared {
		fmt.Fprintln(w, "\nNothing was compared: the replay ended before the present.")
		return
	}
	fmt.Fprintf(w, "\nThe same: %d people, %d roles, %d groups, %d members.\n", r.Same.People, r.Same.Roles, r.Same.Groups, r.Same.Members)
	if len(r.Unkept) > 0 {
		fmt.Fprintln(w, "Not compared, since no journal keeps the values: "+clean(strings.Join(r.Unkept, ", "))+".")
	}
	t := table{heading: []string{"DIFFERS", "WHO", "FIELD", "HERE", "AS THE JOURNAL MAKES IT", "LAST SAID BY"}, none: "Nothing differs."}
	for _, d := range r.Differences {
		t.add(d.Kind, d.Who, d.Field, orDash(d.Here), orDash(d.There), orDash(saidBy(d)))
	}
	t.write(w)
	if r.More > 0 {
		fmt.Fprintf(w, "%d more differences are not shown.\n", r.More)
	}
}

// saidBy says which request or event spoke last of what differs.
func saidBy(d provisioning.ReplayDifference) string {
	switch {
	case d.Request != "":
		return "request " + string(d.Request)
	case d.Event != "":
		return "event " + string(d.Event)
	}
	return ""
}
