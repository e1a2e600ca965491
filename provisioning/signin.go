package provisioning

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// signIn is one attempt of a person whom a provider vouched for.
type signIn struct {
	s      *Service
	tx     *store.Tx
	c      identity.Connection
	claims identity.Claims
	by     identity.Actor
	key    string // the address as EmailKey makes it; empty when there is none that can be compared
	ruled  bool   // the connection's rules gave the person roles before
	trace  *identity.Trace
}

// SignIn decides who a person is whom a provider vouched for (docs/architecture.md): the link, the directory's own id, exactly one proven
// address, a new user in SSO Landing, or a refusal. A refusal is Forbidden with the code of its reason and changes nothing. The checks are
// added to the trace; the caller stores it. The protocol's own checks were all passed before.
func (s *Service) SignIn(ctx context.Context, c identity.Connection, claims identity.Claims, trace *identity.Trace) (identity.User, error) {
	protocolChecks := trace.Checks
	var out identity.User
	run := func(tx *store.Tx) (err error) {
		trace.Checks = protocolChecks
		if err := s.model.Refresh(ctx, tx); err != nil {
			return err
		}
		a := s.newSignIn(tx, c, claims, trace)
		out, err = a.decide(ctx)
		return err
	}
	err := s.db.Update(ctx, run)
	if overtaken(err) {
		err = s.db.Update(ctx, run) // somebody created, deleted or joined the same person at the same time: now it can be seen who is there
	}
	if overtaken(err) {
		out = identity.User{}
	}
	err = s.unsettled(trace, err)
	trace.UserID = out.ID
	if trace.TenantID == "" {
		trace.TenantID = out.TenantID // through the installation's own provider: her administrators may see it
	}
	if err != nil && reviewable[identity.CodeOf(err)] {
		if failed := s.openReview(ctx, c, claims, *trace, err); failed != nil {
			return out, failed
		}
	}
	return out, err
}

func (s *Service) newSignIn(tx *store.Tx, c identity.Connection, claims identity.Claims, trace *identity.Trace) signIn {
	return signIn{
		s: s, tx: tx, c: c, claims: claims, trace: trace,
		by: identity.Actor{Kind: identity.ActorConnection, ID: string(c.ID), Label: c.Name, TenantID: c.TenantID, Door: "sso", IP: trace.IP},
	}
}

// overtaken reports whether a sign-in met somebody who changed at the same time what it had read.
func overtaken(err error) bool {
	code := identity.CodeOf(err)
	switch identity.KindOf(err) {
	case identity.Conflict:
		return code == "" || code == store.ChangedMeanwhile
	case identity.NotFound:
		return code == ""
	}
	return false
}

// unsettled makes a refusal of what a sign-in met in the database.
func (s *Service) unsettled(trace *identity.Trace, err error) error {
	switch {
	case identity.KindOf(err) == identity.NotFound && overtaken(err) || identity.CodeOf(err) == store.ChangedMeanwhile:
		return refuse(trace, "signin.changed", "The account, or what it belongs to, was deleted or joined with another while the person signed in.", "Start again at the sign-in page.", err)
	case identity.KindOf(err) == identity.Conflict:
		return s.nameOfStranger(trace, err)
	}
	return err
}

// nameOfStranger is the refusal of a new person whose user name somebody has.
func (s *Service) nameOfStranger(trace *identity.Trace, cause error) error {
	return refuse(trace, "user_name.taken", "The user name is taken by somebody whom this connection may not match.", "Link the person by hand, or rename the other account.", cause)
}

// refuse adds a failed check and returns the refusal.
func refuse(trace *identity.Trace, code, message, fix string, cause error) error {
	trace.Checks = append(trace.Checks, identity.Check{Name: code, Result: identity.Failed, Got: message, Fix: fix})
	return identity.Errorf(identity.Forbidden, "%s %s", message, fix).WithCode(code).WithCause(cause)
}

func (a *signIn) pass(name, got string) {
	a.trace.Checks = append(a.trace.Checks, identity.Check{Name: name, Result: identity.Passed, Got: got})
}

func (a *signIn) refuse(code, message, fix string) error {
	return refuse(a.trace, code, message, fix, nil)
}

func (a *signIn) note(name, got, fix string) {
	a.trace.Checks = append(a.trace.Checks, identity.Check{Name: name, Result: identity.Skipped, Got: got, Fix: fix})
}

// decide finds the person, and lets the connection's rules follow what the provider says of them now.
func (a *signIn) decide(ctx context.Context) (identity.User, error) {
	if a.claims.Subject == "" || a.claims.Issuer == "" {
		return identity.User{}, a.refuse("claims.no_subject", "The provider named no subject.", "Let it send a NameID or sub that stays the same for one person.")
	}
	if err := a.readable(); err != nil {
		return identity.User{}, err
	}
	if err := a.switchedOn(ctx); err != nil {
		return identity.User{}, err
	}
	u, err := a.find(ctx)
	if err != nil || len(a.c.Options.Rules) == 0 && !a.ruled {
		return u, err
	}
	return a.follow(ctx, u)
}

func (a *signIn) find(ctx context.Context) (identity.User, error) {
	found, err := a.tx.FindLink(ctx, a.c.ID, a.claims.Issuer, a.claims.Subject)
	if identity.KindOf(err) == identity.NotFound {
		a.note("match.link", "nobody is linked to this subject yet", "")
		return a.firstTime(ctx)
	}
	if err != nil {
		return identity.User{}, err
	}
	u, err := a.anyUser(ctx, found.UserID)
	if err != nil {
		return u, err
	}
	if u.DeletedAt != nil && a.mayReturnAsNew() {
		if err := a.forget(ctx, found.Link, u); err != nil {
			return u, err
		}
		return a.firstTime(ctx)
	}
	a.ruled = found.Ruled
	return a.byLink(ctx, found, u)
}

// firstTime is a subject that nobody is linked to: the directory's own id, exactly one proven address, a new user, or a refusal.
func (a *signIn) firstTime(ctx context.Context) (identity.User, error) {
	if err := a.stillThere(ctx); err != nil {
		return identity.User{}, err
	}
	u, found, err := a.byExternalID(ctx)
	if err != nil || found {
		return u, err
	}
	if err := a.proveEmail(); err != nil {
		return u, err
	}
	u, found, err = a.byEmail(ctx)
	if err != nil || found {
		return u, err
	}
	return a.create(ctx)
}

// stillThere refuses a first sign-in through a connection that was switched off or deleted while the person was at the provider. One that was off before is only
// being tried.
func (a *signIn) stillThere(ctx context.Context) error {
	now, err := a.tx.Connection(ctx, store.Everything(), a.c.ID)
	if identity.KindOf(err) == identity.NotFound {
		return a.refuse("connection.unknown", "The connection was deleted meanwhile.", "Start again at the sign-in page.")
	}
	if err == nil && a.c.Enabled && !now.Enabled {
		err = a.refuse("connection.disabled", "The connection was switched off meanwhile.", "Switch it on to let people sign in.")
	}
	return err
}

// readable refuses claims that no database could keep as they are. Issuer and subject are a key: entity ids have at most 1024 characters, NameIDs that stay and
// subs 255 (SAML core 8.3.6 and 8.3.7, OpenID Connect core 2).
func (a *signIn) readable() error {
	ok := len(a.claims.Issuer) <= 1024 && len(a.claims.Subject) <= 1024
	for _, s := range []string{a.claims.Issuer, a.claims.Subject, a.claims.Email, a.claims.GivenName, a.claims.FamilyName, a.claims.DisplayName, a.claims.SessionIndex} {
		ok = ok && readableText(s)
	}
	if !ok {
		return a.refuse("claims.unreadable", "The provider sent text with invalid characters, a subject of more than 1024 bytes, or other text of more than 4096.", "Correct the person's attributes at the provider.")
	}
	return nil
}

// readableText reports whether every database keeps a text as it is.
func readableText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsRune(s, 0) && len(s) <= 4096
}

// byLink is step 1: the link decides, whatever the address says now.
func (a *signIn) byLink(ctx context.Context, found store.FoundLink, u identity.User) (identity.User, error) {
	a.pass("match.link", "linked to "+u.UserName)
	if err := a.mayComeIn(ctx, u); err != nil {
		return u, err
	}
	if err := a.mayOpen(u); err != nil {
		return u, err
	}
	if err := a.noteEmail(ctx, &found.Link, u); err != nil {
		return u, err
	}
	if found.Reviewed {
		if err := a.tx.SettleReviews(ctx, found.Link, a.c.Name, "signed in"); err != nil {
			return u, err
		}
	}
	return u, a.tx.TouchLink(ctx, found.Link)
}

// noteEmail writes down that the provider says another address than before. It changes nobody: the account keeps its own, and whoever has that address theirs.
func (a *signIn) noteEmail(ctx context.Context, l *identity.Link, u identity.User) error {
	said := strings.TrimSpace(a.claims.Email)
	before := l.Email
	if before == "" {
		before = u.Email() // the link is older than the memory of what was said
	}
	if said == "" || sameAddress(before, said) {
		return nil
	}
	l.Email = said
	a.note("email.changed", said+"; it was "+before+", and the account keeps its own", "")
	e := about(a.by, identity.UserEmailSaid, u)
	e.Changes = []identity.Change{{Field: "e-mail at " + a.c.Name, Before: orNil(before), After: said}}
	return a.tx.InsertEvent(ctx, e)
}

// sameAddress compares addresses as EmailKey does; what is no address is compared as it stands.
func sameAddress(x, y string) bool {
	a, err := identity.EmailKey(x)
	if err != nil {
		return x == y
	}
	b, err := identity.EmailKey(y)
	return err == nil && a == b
}

// forget unties the subject from an account that was deleted, so that the person can come in as a new one.
func (a *signIn) forget(ctx context.Context, l identity.Link, u identity.User) error {
	a.note("match.link", "linked to "+u.UserName+", which was deleted: this connection lets the person come in as a new one", "")
	if err := a.tx.DeleteLink(ctx, l); err != nil {
		return err
	}
	e := about(a.by, identity.UserUnlinked, u)
	e.Reason = "the account was deleted and the person signed in again"
	e.Changes = []identity.Change{{Field: "connection", Before: a.c.Name}, {Field: "subject", Before: l.Subject}}
	return a.tx.InsertEvent(ctx, e)
}

// mayOpen refuses a tenant's connection at somebody who stands above all tenants: no customer's provider opens the installation. Somebody
// whom a Super Admin placed in another tenant goes on signing in where they did: that was the Super Admin's word.
func (a *signIn) mayOpen(u identity.User) error {
	if a.c.TenantID != "" && u.TenantID == "" {
		return a.refuse("link.above_tenants", "The account "+u.UserName+" stands above all tenants, and the connection is one tenant's.", "Sign in through a connection of the installation, or with a password.")
	}
	return nil
}

// mayComeIn refuses those who are out; signing in never lets them in again.
func (a *signIn) mayComeIn(ctx context.Context, u identity.User) error {
	switch {
	case u.DeletedAt != nil:
		return a.refuse("user.deleted", "The account "+u.UserName+" was deleted.", identity.AccountFix("user.deleted"))
	case !u.Enabled:
		return a.inactive(ctx, u)
	case u.LockedAt != nil:
		return a.refuse("user.locked", "The account "+u.UserName+" is locked.", identity.AccountFix("user.locked"))
	}
	a.pass("user.status", "active")
	return nil
}

// inactive is the refusal of somebody who is deactivated: whom the own start or end keeps out is not let in by activating them.
func (a *signIn) inactive(ctx context.Context, u identity.User) error {
	terms, err := a.tx.Terms(ctx, u.ID)
	if err != nil {
		return err
	}
	fix := identity.AccountFix("user.out_of_time")
	switch {
	case terms.Ended:
		return a.refuse("user.inactive", "The time of the account "+u.UserName+" was over at the end date "+endCell(terms.EndsAt)+".", fix)
	case terms.Out():
		return a.refuse("user.inactive", "The account "+u.UserName+" starts on "+startCell(terms.StartsAt)+" only.", fix)
	}
	return a.refuse("user.inactive", "The account "+u.UserName+" is deactivated.", identity.AccountFix("user.inactive"))
}

// anyUser returns a user, deleted or not.
func (a *signIn) anyUser(ctx context.Context, id identity.UserID) (identity.User, error) {
	u, err := a.tx.User(ctx, store.Everything(), id)
	if identity.KindOf(err) == identity.NotFound {
		return a.tx.DeletedUserForUpdate(ctx, store.Everything(), id)
	}
	return u, err
}
