package authn

import (
	"cmp"
	"context"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// What holds where the access model does not say otherwise.
const (
	minPassword   = 12 // characters; a model may ask for more, never for fewer
	maxFailures   = 10
	failureWindow = 24 * time.Hour
	unlockAfter   = 15 * time.Minute
	sessionIdle   = 8 * time.Hour
	sessionAge    = 24 * time.Hour
)

// touchEvery is how often a session or a token notes its last use, so that reading does not become writing.
const touchEvery = time.Minute

// The capabilities that the access model binds its permissions to.
const (
	usersRead  = "users.read"
	usersWrite = "users.write"
)

// Service is the package's one type. It is safe for use by many goroutines, and any number of replicas may run on one database.
type Service struct {
	db      *store.DB
	model   *access.Model
	idle    time.Duration // what the installation says of sessions; 0: what the access model says
	age     time.Duration
	hashes  chan struct{} // one token for each hash that may be computed now
	large   chan struct{} // the one hash that takes more memory than ours
	queue   chan struct{} // one token for each hash that is computed or waits for that
	tried   *attempts     // passwords
	asked   *attempts     // where an address leads
	clients *attempts     // OAuth clients
	guesses *attempts     // secrets in links
	mailed  *attempts     // mails that strangers cause
	begun   *attempts     // sign-ins at providers
	keys    *attempts     // API keys
	passes  passes
}

// New returns a service on a database whose migrations are done.
func New(db *store.DB, model *access.Model) *Service {
	return &Service{
		db: db, model: model, hashes: make(chan struct{}, min(runtime.NumCPU(), mostHashes)), large: make(chan struct{}, 1), queue: make(chan struct{}, queueOfOne*min(runtime.NumCPU(), mostHashes)),
		tried: &attempts{sources: map[netip.Prefix]*source{}}, clients: &attempts{sources: map[netip.Prefix]*source{}},
		keys:    &attempts{sources: map[netip.Prefix]*source{}, refusal: "Too many wrong API keys came from your network. Wait a quarter of an hour, then try again."},
		mailed:  &attempts{sources: map[netip.Prefix]*source{}, most: maxMailed, refusal: "Too many mails were asked for from your network. Wait a quarter of an hour, then try again."},
		guesses: &attempts{sources: map[netip.Prefix]*source{}, refusal: "Too many wrong links were opened from your network. Wait a quarter of an hour, then try again."},
		asked:   &attempts{sources: map[netip.Prefix]*source{}, most: maxQuestions, refusal: "Too many questions came from your network. Wait a quarter of an hour, then try again."},
		begun: &attempts{
			sources: map[netip.Prefix]*source{}, most: maxBegun,
			refusal: "Too many sign-ins were begun from one network address. Wait a quarter of an hour; if all your people have the address of one proxy, name it in DRAWBRIDGE_TRUSTED_PROXIES.",
		},
	}
}

// LimitSessions sets how long a session may be unused, and how old it may become, where the installation says other than its access model; 0 leaves that. It
// holds for sessions that were begun before too. Call it before the service is used.
func (s *Service) LimitSessions(idle, age time.Duration) {
	s.idle, s.age = idle, age
}

// policy is what holds now: the access model's word, never less than the least length of a password, and what the installation says of sessions.
func (s *Service) policy() access.Policy {
	p := s.model.Policy()
	p.MinPassword = min(max(p.MinPassword, minPassword), maxPassword/2)
	p.MaxFailures = cmp.Or(p.MaxFailures, maxFailures)
	p.FailureWindow = cmp.Or(p.FailureWindow, failureWindow)
	p.UnlockAfter = cmp.Or(p.UnlockAfter, unlockAfter)
	p.SessionIdle = cmp.Or(s.idle, p.SessionIdle, sessionIdle)
	p.SessionAge = cmp.Or(s.age, p.SessionAge, sessionAge)
	return p
}

// Sweep deletes what is past its end: sessions, sign-ins that nobody finished, remembered assertions and access tokens. It may run at any time and on every replica.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Update(ctx, func(tx *store.Tx) error { return tx.Sweep(ctx, tx.Now()) })
}

// verdict is why somebody may not come in; its zero value means that they may.
type verdict struct{ code, why string }

func (v verdict) refused() bool { return v.code != "" }

// standing says whether a user may be signed in at all, with these roles.
func (s *Service) standing(u identity.User, roles []identity.RoleID) verdict {
	interactive := func(id identity.RoleID) bool {
		r, ok := s.model.Role(id)
		return ok && r.Interactive
	}
	switch {
	case u.DeletedAt != nil:
		return verdict{"user.deleted", "The user is deleted."}
	case !u.Enabled:
		return verdict{"user.inactive", "The user is deactivated."}
	case u.LockedAt != nil:
		return verdict{"user.locked", "The user is locked; an administrator must unlock it."}
	case u.Admin: // the flag grants everything, whatever the roles are
		return verdict{}
	case len(roles) == 0:
		return verdict{"user.no_role", "The user has no role."}
	case !slices.ContainsFunc(roles, interactive):
		return verdict{"user.not_interactive", "The user's role is for programs; it may not sign in."}
	}
	return verdict{}
}

// rightsOf returns the ids of a user's roles as they are now, and fills in the admin flag where the access model has one.
func (s *Service) rightsOf(ctx context.Context, tx *store.Tx, u *identity.User) ([]identity.RoleID, error) {
	if _, ok := s.model.AdminFlag(); ok {
		var err error
		if u.Admin, err = tx.Administrator(ctx, u.ID); err != nil {
			return nil, err
		}
	}
	assigned, err := tx.Assignments(ctx, u.ID)
	var roles []identity.RoleID
	for _, a := range assigned {
		if a.Application == identity.DefaultApplication && !slices.Contains(roles, a.RoleID) {
			roles = append(roles, a.RoleID)
		}
	}
	return roles, err
}

// withRoles fills in the roles that the model knows.
func (s *Service) withRoles(u identity.User, ids []identity.RoleID) identity.User {
	u.Roles = nil
	for _, id := range ids {
		if r, ok := s.model.Role(id); ok {
			u.Roles = append(u.Roles, r)
		}
	}
	return u
}

// person returns a user whom the actor may look after: oneself, or with the capability everybody of the actor's tenant (of the installation
// for an actor without one). Somebody out of sight is NotFound, somebody in sight without the right is Forbidden. With the capability to write, the row is locked.
func (s *Service) person(ctx context.Context, tx *store.Tx, by identity.Actor, id identity.UserID, capability string) (identity.User, error) {
	id, ok := identity.ParseID[identity.UserID](string(id))
	if !ok {
		return identity.User{}, noUser()
	}
	read := tx.User
	if capability == usersWrite {
		read = tx.UserForUpdate
	}
	u, err := read(ctx, store.Everything(), id)
	if identity.KindOf(err) == identity.NotFound {
		return u, noUser()
	}
	if err != nil || by.UserID() == u.ID {
		return u, err
	}
	if err := s.permit(by, u, capability); err != nil || capability != usersWrite {
		return u, err
	}
	return u, s.keepOwner(ctx, tx, by, u)
}

// keepOwner keeps the people of a tenant from the password, the second factor, the keys and the sessions of its owner, where the access model protects one: who
// sets an owner's password is the owner. The platform may, since somebody must be able to help.
func (s *Service) keepOwner(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User) error {
	rule, ok := s.model.Owner()
	if !ok || !rule.Denies(access.DenyEdit) || by.Kind != identity.ActorUser || by.TenantID == "" {
		return nil
	}
	owner, err := tx.Owner(ctx, u.TenantID)
	if err == nil && owner == u.ID {
		err = identity.Errorf(identity.Forbidden, "%s owns the tenant: nobody else of it sets the password or the second factor of an owner, or touches the sessions and keys.", u.Label()).WithCode("tenant_owner")
	}
	return err
}

func (s *Service) permit(by identity.Actor, u identity.User, capability string) error {
	switch by.Kind {
	case identity.ActorOperator, identity.ActorSystem:
		return nil
	case identity.ActorUser:
		if by.TenantID != "" && by.TenantID != u.TenantID {
			return noUser()
		}
		if d := s.model.Allows(access.Who(by), capability); !d.Allowed {
			return identity.Errorf(identity.Forbidden, "You may not do this: it needs the right %s. %s.", capability, d.Reason)
		}
		return nil
	}
	return identity.Errorf(identity.Forbidden, "A %s may not do this.", by.Kind)
}

func noUser() error { return identity.Errorf(identity.NotFound, "There is no such user.") }

// eventBy starts an event of an actor about a user.
func eventBy(by identity.Actor, kind identity.EventType, u identity.User) identity.Event {
	return identity.Event{
		Type: kind, ActorKind: by.Kind, ActorID: by.ID, ActorLabel: by.Label, Door: by.Door, RequestID: by.RequestID, IP: by.IP,
		TenantID: u.TenantID, UserID: u.ID, ObjectKind: "user", ObjectID: string(u.ID), ObjectLabel: u.Label(),
	}
}

// self is the actor of what somebody does by signing in.
func self(u identity.User, roles []identity.RoleID, door string) identity.Actor {
	return identity.Actor{Kind: identity.ActorUser, ID: string(u.ID), Label: u.Label(), TenantID: u.TenantID, Roles: roles, Admin: u.Admin, Door: door}
}

// clean makes what a client sent fit to be stored and shown: valid text without control characters, at most n characters.
func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
