package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/outbox"
)

// warnEvery is how often it is looked whether something ends soon; each thing is told of a few times only, whoever looks.
const warnEvery = time.Hour

// lookAfter runs what goes on beside the answering of requests until ctx ends: metadata is read again, ends are warned of, mails are sent.
func (b *bridge) lookAfter(ctx context.Context, background *sync.WaitGroup, log *slog.Logger) {
	if b.settings.MetadataRefresh > 0 {
		background.Go(func() { b.door.KeepMetadata(ctx, b.settings.MetadataRefresh) })
	}
	background.Go(func() { b.warnOfEnds(ctx, log) })
	background.Go(func() { b.lookAfterPeople(ctx, log) })
	background.Go(func() { b.keepTerms(ctx, log) })
	background.Go(func() { b.workPlans(ctx, log) })
	background.Go(func() { b.keepFolders(ctx, log) })
	background.Go(func() { b.mails(log).Run(ctx) })
}

// mails returns the outbox with the mail server of the settings.
func (b *bridge) mails(log *slog.Logger) *outbox.Outbox {
	return outbox.New(outbox.Options{DB: b.db, Server: mailServer(b.settings.SMTP), From: b.settings.SMTPFrom.Address, URL: b.settings.URL, Log: log})
}

func mailServer(s config.SMTP) outbox.Server {
	server := outbox.Server{Host: s.Host, Port: s.Port, User: s.User, Password: s.Password, Security: outbox.StartTLS}
	switch {
	case s.Implicit:
		server.Security = outbox.Implicit
	case s.Plain:
		server.Security = outbox.Plain
	}
	return server
}

// warnOfEnds writes the mails about what ends soon and about reviews of access, and begins those that are due, again and again, until ctx ends.
func (b *bridge) warnOfEnds(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(warnEvery)
	defer tick.Stop()
	for {
		if _, err := b.people.WarnOfEnds(ctx, identity.System()); err != nil && ctx.Err() == nil {
			log.Error("what ends soon could not be looked up; it will be tried again", "in", warnEvery, "error", err)
		}
		if _, _, err := b.people.KeepAccessReviews(ctx, identity.System()); err != nil && ctx.Err() == nil {
			log.Error("reviews of access could not be looked after; it will be tried again", "in", warnEvery, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
