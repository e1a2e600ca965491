package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/console"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/web"
)

// readsEvery is how often the count of successful reads is written.
const readsEvery = 3 * time.Second

// sweepEvery is how often expired rows are deleted; sessions and states that expired are refused at once anyway.
const sweepEvery = 5 * time.Minute

// gcPercent lets the heap grow to a few times what is in use, which is little, before it is swept: a fifth of the time of a small request
// went into sweeping. Near memoryGoal, in bytes, it is swept as often as that takes. GOGC or GOMEMLIMIT say otherwise where they are set.
const (
	gcPercent  = 300
	memoryGoal = 48 << 20
	planGoal   = 96 << 20 // of a program that does nothing but a plan
)

// serve returns the command that is the product.
func (p *program) serve() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run Drawbridge: SCIM, single sign-on and the console",
		Long: `Brings the database up to date and serves SCIM, single sign-on and the console until it is asked to stop (SIGTERM or Ctrl-C).
Put a proxy that speaks https in front and set DRAWBRIDGE_URL to its public origin.`,
		Example: `  drawbridge serve
  drawbridge serve --listen :8080 --url https://id.example.com
  DRAWBRIDGE_DATABASE=postgres://drawbridge@db/drawbridge DRAWBRIDGE_SECRET_KEY_FILE=/run/secrets/key drawbridge serve`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error { return p.serveUntil(ctx, b) })
		}),
	}
}

// sweepSeldom gives the heap room up to a goal in bytes, unless somebody set it otherwise.
func (p *program) sweepSeldom(goal int64) {
	if p.getenv("GOGC") == "" && p.getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(gcPercent)
		debug.SetMemoryLimit(goal)
	}
}

func (p *program) serveUntil(ctx context.Context, b *bridge) error {
	listener, err := listen(ctx, b.settings.Listen)
	if err != nil {
		return err
	}
	format := b.settings.LogFormat
	if p.json {
		format = "json"
	}
	log := logger(p.stderr, format, b.settings.LogLevel)
	p.sweepSeldom(memoryGoal)
	if err := b.announce(ctx, log, listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	return b.run(ctx, listener, log)
}

// logger returns a logger of one line a record.
func logger(w io.Writer, format string, level slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// listen opens the address, or says what to do when that cannot be.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, identity.Errorf(identity.Conflict,
			"%s is taken by another program. Stop it, or choose another port with --listen or DRAWBRIDGE_LISTEN.", address).WithCause(err)
	case errors.Is(err, syscall.EACCES):
		return nil, identity.Errorf(identity.Forbidden,
			"This user may not listen on %s. Choose a port above 1023 with --listen or DRAWBRIDGE_LISTEN.", address).WithCause(err)
	case err != nil:
		return nil, identity.Errorf(identity.Invalid, "Listening on %s failed: %v. Choose another address with --listen or DRAWBRIDGE_LISTEN.", address, err).WithCause(err)
	}
	return l, nil
}

// announce logs the one line of the start, and how to make the first administrator where there is none.
func (b *bridge) announce(ctx context.Context, log *slog.Logger, at net.Addr) error {
	attrs := []any{"url", b.settings.URL, "listen", at.String(), "version", build().Version, "model", b.model.Name()}
	admins, role, err := b.administrators(ctx)
	if err != nil {
		return err
	}
	if admins == 0 {
		attrs = append(attrs, "next", fmt.Sprintf("there is no administrator yet: drawbridge user create --email you@example.com --role %s --password-file -", role))
	}
	log.Info("Drawbridge is ready", attrs...)
	b.warnOfModel(log)
	return nil
}

// warnOfModel says what to type when the settings name another access model than the one that the database keeps.
func (b *bridge) warnOfModel(log *slog.Logger) {
	if b.people.ModelDiffers(b.named) {
		log.Warn("the database keeps its access model; DRAWBRIDGE_ACCESS_MODEL says something else and counts at the first start only", "in force", b.model.Name(),
			"named", b.settings.AccessModel, "next", fmt.Sprintf("drawbridge model plan %[1]s, then drawbridge model apply %[1]s", b.settings.AccessModel))
	}
}

// run serves until ctx ends; then requests in progress may finish. Meanwhile it sweeps what has expired.
func (b *bridge) run(ctx context.Context, l net.Listener, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() { b.sweep(ctx, log) })
	background.Go(func() { b.writeReads(ctx, log) })
	routes := b.routes(log)
	background.Go(func() { b.door.KeepProviders(ctx) })
	b.lookAfter(ctx, &background, log)
	background.Go(func() { b.recheckDomains(ctx, log) })
	server := web.New(web.Options{
		Log: log, Ready: b.db.Ping, URL: b.settings.URL, TrustedProxies: b.settings.TrustedProxies,
		MaxBody: max(web.DefaultMaxBody, int64(b.settings.SCIMMaxBody)), Uploads: console.Uploads(),
	})
	err := server.Serve(ctx, l, server.Handler(routes))
	stop()
	background.Wait()
	log.Info("Drawbridge has stopped")
	return err
}

// sweep deletes what has expired, again and again, until ctx ends.
func (b *bridge) sweep(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		_, err := b.people.SweepRequests(ctx, b.settings.JournalAge())
		err = errors.Join(err, b.authn.Sweep(ctx), b.people.SweepTraces(ctx), b.people.SweepMailLinks(ctx), b.people.SweepPlans(ctx), b.people.SweepKeptFiles(ctx), b.people.SweepUploads(ctx))
		if err != nil && ctx.Err() == nil {
			log.Error("deleting what has expired failed; it will be tried again", "in", sweepEvery, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// writeReads writes the count of successful reads, again and again, and once more when ctx has ended.
func (b *bridge) writeReads(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(readsEvery)
	defer tick.Stop()
	write := func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readsEvery)
		defer cancel()
		if err := b.people.WriteReads(ctx); err != nil {
			log.Warn("the count of reads could not be written; it will be tried again", "in", readsEvery, "error", err)
		}
	}
	for {
		select {
		case <-ctx.Done():
			write(ctx)
			return
		case <-tick.C:
			write(ctx)
		}
	}
}

// administrators counts the enabled people who hold a role of the platform, and returns such a role's id.
func (b *bridge) administrators(ctx context.Context) (count int, role identity.RoleID, err error) {
	nobody := identity.NewID[identity.UserID]() // except whom: an id that nobody has
	err = b.db.View(ctx, func(tx *store.Tx) error {
		for _, r := range b.model.Roles() {
			if r.Scope != identity.ScopePlatform {
				continue
			}
			n, err := tx.CountHolders(ctx, r.ID, nobody)
			if err != nil {
				return err
			}
			count, role = count+n, firstOf(role, r.ID)
		}
		return nil
	})
	return count, role, err
}
