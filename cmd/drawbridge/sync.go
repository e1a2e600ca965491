package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// syncing is what the flags of sync say.
type syncing struct {
	source, tenant, folder, pattern, at string
	once, watch, yes, full              bool
	every                               time.Duration
}

// settle is how long a file has to stay as it is before it is taken by a look that is not repeated.
const settle = 2 * time.Second

// syncFolder returns the command that takes files from a folder.
func (p *program) syncFolder() *cobra.Command {
	var o syncing
	cmd := &cobra.Command{
		Use:   "sync --source NAME",
		Short: "Take the files of a source from a folder where they are dropped, once or again and again",
		Long: `Takes CSV and XLSX files that a source drops into a folder: the one that its settings name, or --folder. A file is taken when it did not change between
two looks; each is taken once, whatever number of programs look. It becomes a plan, which is carried out when no guard holds it and the source is set to
auto-apply or --yes is given. Then the file is moved to done, held or failed within the folder, with the time in its name and two reports beside it:
NAME.report.json and NAME.report.txt. A file that a broken-off run left in working is taken up again, and nothing is done twice. Links are refused.

--once (the default) looks twice, two seconds apart, and ends: call it from cron. --watch goes on until Ctrl-C, --every some time or --at a time of the day;
'drawbridge serve' does the same each minute for all sources whose settings name a folder.

The exit status of --once is 0 when every file was carried out, 3 when a plan is held or waits for somebody, 1 when a file could not be read.`,
		Example: `  drawbridge sync --source hr --tenant Acme --folder /srv/hr --once --yes
  drawbridge sync --source hr --watch --every 5m
  drawbridge sync --source hr --watch --at 03:00 --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.syncSource(ctx, b, o) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.source, "source", "", "where the files come from, such as hr")
	f.StringVar(&o.tenant, "tenant", "", "whose people the files have, by name or id")
	f.StringVar(&o.folder, "folder", "", "the folder where files are dropped (default: as the source says)")
	f.StringVar(&o.pattern, "pattern", "", `which files, such as "people-*.csv" (default: as the source says, else *.csv and *.xlsx)`)
	f.BoolVar(&o.once, "once", false, "look once and end (the default)")
	f.BoolVar(&o.watch, "watch", false, "go on until Ctrl-C")
	f.DurationVar(&o.every, "every", time.Minute, "how often to look, with --watch")
	f.StringVar(&o.at, "at", "", "when to look each day, as 03:00 in the time of this machine, with --watch")
	f.BoolVar(&o.full, "full", false, "each file is the whole list: people of the source who are not in it leave")
	f.BoolVar(&o.yes, "yes", false, "carry plans out that no guard holds, also where the source is not set to auto-apply")
	require(cmd, "source")
	return cmd
}

func (o *syncing) check() error {
	switch {
	case o.once && o.watch:
		return usage("sync", "--once and --watch say the opposite; give one of them")
	case o.at != "" && !o.watch:
		return usage("sync", "--at needs --watch")
	case o.every < time.Second:
		return usage("sync", "--every is %s; give at least 1s", o.every)
	}
	if _, err := time.Parse("15:04", o.at); err != nil && o.at != "" {
		return usage("sync", "--at is %q; write a time of the day such as 03:00", o.at)
	}
	return nil
}

func (p *program) syncSource(ctx context.Context, b *bridge, o syncing) error {
	d, err := b.dropFolder(ctx, o)
	if err != nil {
		return err
	}
	var taken []droppedView
	d.took = func(file dropped) {
		v := viewDropped(file)
		taken = append(taken, v)
		if o.watch {
			p.showDropped(v)
		}
	}
	if o.watch {
		return p.watch(ctx, d, o, waitUntil)
	}
	if err := p.lookTwice(ctx, d, waitUntil); err != nil {
		return err
	}
	err = p.show(listView[droppedView]{Items: append([]droppedView{}, taken...)}, func(w io.Writer) {
		if len(taken) == 0 {
			fmt.Fprintln(w, "There is no file to take.")
		}
		for _, v := range taken {
			v.words(w)
		}
	})
	return errors.Join(err, outcome(taken))
}

// outcome is the error that stands for files that were not carried out.
func outcome(taken []droppedView) error {
	failed, waiting := 0, 0
	for _, v := range taken {
		switch {
		case v.Failed != nil:
			failed++
		case v.State != string(identity.PlanDone):
			waiting++
		}
	}
	switch {
	case failed > 0:
		return identity.Errorf(identity.Invalid, "%d of %d files could not be taken; why stands in their reports.", failed, len(taken)).WithCode("files_failed")
	case waiting > 0:
		return identity.Errorf(identity.Precondition, "%d of %d files wait for somebody: their plans are held, or not applied by themselves.", waiting, len(taken)).WithCode(planHeld)
	}
	return nil
}

// dropFolder returns the folder of a source, as the flags and the settings of the source say.
func (b *bridge) dropFolder(ctx context.Context, o syncing) (*dropFolder, error) {
	tenant, err := b.findTenant(ctx, o.tenant)
	if err != nil {
		return nil, err
	}
	source, err := b.people.Source(ctx, identity.Operator(), tenant.ID, o.source)
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return nil, err
	}
	source.TenantID, source.Name = tenant.ID, o.source
	if o.folder != "" {
		if source.Settings.Folder, err = filepath.Abs(o.folder); err != nil {
			return nil, identity.Errorf(identity.Invalid, "--folder: %v.", err)
		}
	}
	if o.pattern != "" {
		source.Settings.Pattern = o.pattern
	}
	if source.Settings.Folder == "" {
		return nil, usage("sync", "the source %q names no folder; give one with --folder, or write it down: drawbridge source set %s --folder DIR", o.source, o.source)
	}
	d := b.folderOf(identity.Operator(), source)
	d.apply, d.options.Missing = o.yes, o.full
	return d, nil
}

// folderOf returns the folder that a source names.
func (b *bridge) folderOf(by identity.Actor, source identity.Source) *dropFolder {
	return &dropFolder{
		b: b, by: by, source: source.Name, path: source.Settings.Folder, pattern: source.Settings.Pattern, seen: map[string]look{},
		options: provisioning.ImportOptions{Tenant: source.TenantID, ElseWelcome: identity.WelcomeInvite, Hash: b.authn.NewPassword, CheckHash: authn.ImportPasswordHash},
	}
}

// pause waits for some time, or returns why it did not.
type pause func(ctx context.Context, d time.Duration) error

func waitUntil(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// lookTwice takes what does not change for a moment.
func (p *program) lookTwice(ctx context.Context, d *dropFolder, wait pause) error {
	held, err := d.pass(ctx)
	if err == nil && held && len(d.seen) > 0 {
		if err = wait(ctx, settle); err == nil {
			held, err = d.pass(ctx)
		}
	}
	if err == nil && !held {
		return identity.Errorf(identity.Precondition, "Another program looks into the folder of %s now. It takes the files.", d.source).WithCode("source_taken")
	}
	return err
}

// watch looks again and again until ctx ends. What fails is said, and tried again at the next look.
func (p *program) watch(ctx context.Context, d *dropFolder, o syncing, wait pause) error {
	if !p.json {
		fmt.Fprintf(p.stderr, "Watching %s. Ctrl-C ends it.\n", clean(d.path))
	}
	for {
		var err error
		if o.at == "" {
			_, err = d.pass(ctx)
		} else if err = wait(ctx, untilDaily(time.Now(), o.at)); err == nil {
			err = p.lookTwice(ctx, d, wait)
		}
		if err != nil && ctx.Err() == nil {
			p.complain(err)
		}
		if ctx.Err() != nil || o.at == "" && wait(ctx, o.every) != nil {
			return nil
		}
	}
}

// untilDaily is how long it is until a time of the day comes next.
func untilDaily(now time.Time, at string) time.Duration {
	clock, err := time.Parse("15:04", at)
	if err != nil {
		return 24 * time.Hour // it was checked when the flags were read
	}
	next := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, now.Location())
	if !next.After(now) {
		next = next.AddDate(0, 0, 1)
	}
	return next.Sub(now)
}

// showDropped says what became of a file while others are awaited: in JSON one object a line.
func (p *program) showDropped(v droppedView) {
	if p.json {
		p.writeLine(p.stdout, v)
		return
	}
	v.words(p.stdout)
}
