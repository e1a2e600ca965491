package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// demoAdmin signs in to the console of the demo, with a password that is made for one run.
const demoAdmin = "admin@drawbridge.example"

// demo returns the command that shows everything at work.
func (p *program) demo() *cobra.Command {
	var once bool
	var keep, model string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a bridge, a fake Okta and Entra, a fake identity provider, and a tour; nothing is kept",
		Long: `Starts Drawbridge on a temporary database, with a fake Okta and a fake Entra that push people and groups by SCIM, and a fake identity
provider that signs them in by SAML and OpenID Connect. A tour goes once through the real HTTP doors and tells each step. Then everything stays
up for you to look at, until Ctrl-C removes it. Settings of your own are not read.`,
		Example: `  drawbridge demo
  drawbridge demo --model fluentpro-backup
  drawbridge demo --once --json
  drawbridge demo --keep ./demo`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			for key := range p.flags.overrides() {
				if key != "listen" && key != "access_model" {
					return usage("demo", "the demo has settings of its own: only --listen and --access-model may be given with it (--keep DIR keeps its database)")
				}
			}
			return p.runDemo(ctx, keep, cmp.Or(model, p.flags.overrides()["access_model"]), once)
		}),
	}
	cmd.Flags().BoolVar(&once, "once", false, "end after the tour")
	cmd.Flags().StringVar(&model, "model", "", "the access model, with people who fit it: the name of a preset or the path of a YAML file")
	cmd.Flags().StringVar(&keep, "keep", "", "keep the database in this folder, which must be empty or new")
	return cmd
}

// runDemo sets the stage, gives the tour and, unless it is only once, stays up until ctx ends.
func (p *program) runDemo(ctx context.Context, keep, model string, once bool) (err error) {
	dir, remove, err := demoFolder(keep)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	listener, err := p.demoListen(ctx)
	if err != nil {
		return err
	}
	b, err := p.demoBridge(ctx, dir, model, "http://"+listener.Addr().String())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, b.db.Close()) }()

	ctx, stop := context.WithCancel(ctx)
	log := logger(p.stderr, "text", slog.LevelWarn)
	served := make(chan error, 1)
	go func() { served <- b.run(ctx, listener, log) }()
	err = p.showDemo(ctx, b, keep, once)
	stop()
	return errors.Join(err, <-served)
}

// showDemo is what happens between the start and the end of the demo.
func (p *program) showDemo(ctx context.Context, b *bridge, keep string, once bool) error {
	idp, err := newFakeIdP(ctx, b.settings.URL)
	if err != nil {
		return err
	}
	defer idp.close()
	s, err := b.stage(ctx, idp, &guide{p: p})
	if err != nil {
		return err
	}
	if err := s.tour(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // somebody pressed Ctrl-C meanwhile
		}
		return err
	}
	if once {
		return nil
	}
	s.farewell(keep)
	<-ctx.Done()
	return nil
}

// demoFolder returns a folder for the database, and what removes it.
func demoFolder(keep string) (string, func() error, error) {
	if keep == "" {
		dir, err := os.MkdirTemp("", "drawbridge-demo-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	if err := os.MkdirAll(keep, 0o700); err != nil {
		return "", nil, identity.Errorf(identity.Invalid, "--keep: %v.", err)
	}
	there, err := os.ReadDir(keep)
	if err == nil && len(there) > 0 {
		err = identity.Errorf(identity.Conflict, "--keep: %s is not empty. Name a new folder; what a demo kept is opened with 'drawbridge serve --database sqlite:%s'.", keep, filepath.Join(keep, demoFile))
	}
	return keep, func() error { return nil }, err
}

// demoFile is the name of the demo's database.
const demoFile = "drawbridge.db"

// demoListen opens the address of --listen, or the usual port, or any that is free.
func (p *program) demoListen(ctx context.Context) (net.Listener, error) {
	if address := p.flags.overrides()["listen"]; address != "" {
		return listen(ctx, address)
	}
	l, err := listen(ctx, "127.0.0.1:8080")
	if err != nil {
		return listen(ctx, "127.0.0.1:0")
	}
	return l, nil
}

// demoBridge opens a bridge on a new database. The environment is not read: a demo never touches a real database.
func (p *program) demoBridge(ctx context.Context, dir, model, url string) (*bridge, error) {
	s, err := config.Load(map[string]string{
		"database": "sqlite:" + filepath.Join(dir, demoFile), "url": url, "access_model": model,
		"allow_private_providers": "true", "log_level": "warn",
	}, func(string) string { return "" }, os.ReadFile)
	if err != nil {
		return nil, err
	}
	return open(ctx, s)
}

// administrator creates the demo's Super Admin and returns the password, which is made for this run.
func (b *bridge) administrator(ctx context.Context) (string, error) {
	_, role, err := b.administrators(ctx)
	if err != nil {
		return "", err
	}
	password := identity.NewSecret("Demo-7")[:20] // with every sort of character that an access model may ask for
	phc, err := b.authn.HashPassword(ctx, password)
	if err != nil {
		return "", err
	}
	_, err = b.people.CreateUser(ctx, identity.Operator(), provisioning.NewUser{
		User: identity.User{
			UserName: demoAdmin, DisplayName: "Demo Admin", Enabled: true,
			Emails: []identity.Email{{Value: demoAdmin, Type: "work", Primary: true}},
		},
		Role: role, PasswordHash: phc, Reason: "the demo's administrator",
	})
	return password, err
}

// farewell says what to open and how to sign in.
func (s *stage) farewell(keep string) {
	s.guide.say("\nOpen %s and sign in as", s.b.settings.URL)
	const row = "  %-17s  %-25s  %s"
	s.guide.say(row, "the Super Admin", demoAdmin, "with the password  "+s.password)
	for _, who := range s.cast() {
		s.guide.say(row, who.name(), who.email, who.note)
	}
	s.guide.say("The fake people need no password: the fake identity provider (%s) asks who you are.", s.idp.url)
	if keep == "" {
		s.guide.say("\nCtrl-C ends the demo and removes everything.")
		return
	}
	s.guide.say("\nCtrl-C ends the demo. The database stays in %s.", keep)
	s.guide.say("Open it again with: %s", fmt.Sprintf("drawbridge serve --listen %s --database sqlite:%s", s.b.address(), filepath.Join(keep, demoFile)))
}
