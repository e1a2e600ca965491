package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/api"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/console"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/scim"
	"github.com/drawbridge-id/drawbridge/sso"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/web"
)

// bridge is the floors below the doors, built on one database.
type bridge struct {
	settings config.Settings
	model    *access.Model
	named    []byte // the document of DRAWBRIDGE_ACCESS_MODEL
	db       *store.DB
	people   *provisioning.Service
	authn    *authn.Service
	schemas  *scim.Schemas // nil: those of the standard
	door     *sso.Door     // made with the routes
}

// open builds the floors: the model is read, the database opened, brought up to date and given the landing tenant and the model's roles.
// The caller closes it.
func open(ctx context.Context, s config.Settings) (*bridge, error) {
	model, err := access.Load(s.AccessModel)
	if err != nil {
		return nil, err
	}
	schemas, err := readSchemas(s.SCIMSchemas)
	if err != nil {
		return nil, err
	}
	if err := s.EnsureSecretKey(); err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, s.Database, store.Options{SecretKey: s.SecretKey})
	if err != nil {
		// Whoever runs this command has the machine in hand: here the cause helps and is no secret.
		return nil, identity.Errorf(identity.Precondition, "The database %s cannot be opened: %v", config.RedactDatabase(s.Database), err).WithCause(err)
	}
	b := &bridge{settings: s, model: model, named: model.Source(), db: db, people: provisioning.New(db, model), authn: authn.New(db, model), schemas: schemas}
	b.people.Resolve(provisioning.NewResolver(s.DNSResolver))
	b.people.KeepTraces(s.SigninAge())
	b.people.LeadTo(s.URL)
	b.people.MakePasswords(b.authn.TemporaryPassword)
	b.people.AllowRegistration(s.Registration)
	b.authn.LimitSessions(s.SessionIdle, s.SessionAge)
	if err := b.prepare(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return b, nil
}

// readSchemas reads what the installation declares beside the schemas of the standard; an empty path is nothing.
func readSchemas(path string) (*scim.Schemas, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "DRAWBRIDGE_SCIM_SCHEMAS: %v. Write the path of a readable JSON file.", err).WithCause(err)
	}
	s, err := scim.ReadSchemas(raw)
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "DRAWBRIDGE_SCIM_SCHEMAS (%s): %v", path, err)
	}
	return s, nil
}

// prepare brings the database up to date. Several programs may do it at once.
func (b *bridge) prepare(ctx context.Context) error {
	if err := b.db.Migrate(ctx); err != nil {
		return err
	}
	if err := b.db.Seed(ctx, b.model); err != nil {
		return err
	}
	return b.db.View(ctx, func(tx *store.Tx) error { return b.model.Refresh(ctx, tx) })
}

// with runs a command's work on the bridge of the settings in force, and closes it.
func (p *program) with(ctx context.Context, work func(*bridge) error) error {
	s, err := p.settings()
	if err != nil {
		return err
	}
	b, err := open(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(work(b), b.db.Close())
}

// routes joins the doors to one tree of routes.
func (b *bridge) routes(log *slog.Logger) *http.ServeMux {
	cookies := web.Cookies{Secure: b.settings.Secure()}
	mux := http.NewServeMux()
	scim.New(scim.Options{
		Provisioning: b.people, Authn: b.authn, URL: b.settings.URL, Limits: limits(b.settings), Schemas: b.schemas, Log: log,
	}).Routes(mux)
	door := b.ssoDoor(log)
	door.Routes(mux)
	b.door = door
	console.New(console.Options{
		Provisioning: b.people, Authn: b.authn, URL: b.settings.URL, Cookies: cookies, Metadata: b.samlSettings, Refresh: door.Refresh, Logout: door.Logout,
		Explain: door.Explain, Begin: door.Begin, Installed: b.installation(), Log: log,
	}).Routes(mux)
	api.New(api.Options{Provisioning: b.people, Authn: b.authn, QueryKeys: b.settings.APIKeyInQuery}).Routes(mux)
	return mux
}

// installation is what the settings pages say of how the program was started.
func (b *bridge) installation() console.Installation {
	out := console.Installation{NamedModel: b.settings.AccessModel, NamedSource: b.named, JournalAge: b.settings.JournalAge()}
	if server := mailServer(b.settings.SMTP); server.Host != "" {
		out.MailServer, out.MailFrom = server.String(), b.settings.SMTPFrom.String()
	}
	return out
}

// ssoDoor returns the door of single sign-on as the settings want it.
func (b *bridge) ssoDoor(log *slog.Logger) *sso.Door {
	return sso.New(sso.Options{
		Provisioning: b.people, Authn: b.authn, URL: b.settings.URL, Cookies: web.Cookies{Secure: b.settings.Secure()}, AllowPrivate: b.settings.AllowPrivateProviders, Log: log,
	})
}

// limits are those of the SCIM door that the settings say.
func limits(s config.Settings) scim.Limits {
	return scim.Limits{
		Body: int64(s.SCIMMaxBody), Bulk: s.SCIMMaxBulk, Patch: s.SCIMMaxPatch, Depth: s.SCIMMaxDepth,
		Filter: s.SCIMMaxFilter, FilterTerms: s.SCIMMaxFilterTerms, FilterDepth: s.SCIMMaxFilterDepth,
		Page: s.SCIMMaxPage, PageDefault: s.SCIMPage, Rate: s.SCIMRate, Burst: s.SCIMBurst,
	}
}
