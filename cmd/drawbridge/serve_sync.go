package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// syncEvery is how often the folders of sources are looked into. A file is taken when it is as it was at the look before.
const syncEvery = time.Minute

// syncFolders takes the files that sources drop into the folders that their settings name, again and again, until ctx ends.
func (b *bridge) syncFolders(ctx context.Context, log *slog.Logger, ticks <-chan time.Time) {
	folders := map[string]*dropFolder{}
	for {
		if err := b.lookIntoFolders(ctx, log, folders); err != nil && ctx.Err() == nil {
			log.Error("the sources could not be read; it will be tried again", "in", syncEvery, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

// keepFolders is syncFolders by the clock.
func (b *bridge) keepFolders(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	b.syncFolders(ctx, log, tick.C)
}

// lookIntoFolders looks once into each folder. What was seen there is kept for the next look.
func (b *bridge) lookIntoFolders(ctx context.Context, log *slog.Logger, folders map[string]*dropFolder) error {
	q := identity.Query{Limit: maxList}
	for {
		page, err := b.people.Sources(ctx, identity.System(), q)
		if err != nil {
			return err
		}
		for _, source := range page.Items {
			q.After = source.Name
			if source.Settings.Folder == "" {
				continue
			}
			if err := b.lookIntoFolder(ctx, log, folders, source); err != nil && ctx.Err() == nil {
				log.Error("a folder could not be looked into; it will be tried again", "source", source.Name, "folder", source.Settings.Folder, "error", explain(err))
			}
		}
		if !page.More || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func (b *bridge) lookIntoFolder(ctx context.Context, log *slog.Logger, folders map[string]*dropFolder, source identity.Source) error {
	key := string(source.TenantID) + "/" + source.Name
	d := b.folderOf(identity.System(), source)
	if old := folders[key]; old != nil && old.path == d.path && old.pattern == d.pattern {
		d.seen = old.seen
	}
	folders[key] = d
	d.took = func(file dropped) {
		attrs := []any{"source", source.Name, "file", file.Name, "to", file.To}
		if file.Error != nil {
			log.Warn("a file was dropped that cannot be taken", append(attrs, "error", explain(file.Error))...)
			return
		}
		log.Info("a file was taken", append(attrs, "plan", file.Plan.Plan, "state", file.Plan.State, "create", file.Plan.Create, "update", file.Plan.Update, "deactivate", file.Plan.Deactivate)...)
	}
	_, err := d.pass(ctx)
	return err
}
