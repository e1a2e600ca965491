package provisioning

import (
	"context"
	"encoding/json"
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
		a := s.newSignIn(tx, c, claims, trace)
		out, err = a.decide(ctx)
		return err
	}
	err := s.db.Update(ctx, run)
	if identity.KindOf(err) == identity.Conflict && identity.CodeOf(err) == "" {
		err = s.db.Update(ctx, run) // somebody created the same person at the same time: now they are there
	}
	if identity.KindOf(err) == identity.Conflict {
		err = s.nameOfStranger(trace, err)
	}
	trace.UserID = out.ID
	if trace.TenantID == "" {
		trace.TenantID = out.TenantID // through the installation's own provider: her administrators may see it
	}
	return out, err
}

func (s *Service) newSignIn(tx *store.Tx, c identity.Connection, claims identity.Claims, trace *identity.Trace) signIn {
	return signIn{
		s: s, tx: tx, c: c, claims: claims, trace: trace,
		by: identity.Actor{Kind: identity.ActorConnection, ID: string(c.ID), Label: c.Name, TenantID: c.TenantID, Door: "sso"},
	}
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

func (a *signIn) decide(ctx context.Context) (identity.User, error) {
	if a.claims.Subject == "" || a.claims.Issuer == "" {
		return identity.User{}, a.refuse("claims.no_subject", "The provider named no subject.", "Let it send a NameID or sub that stays the same for one person.")
	}
	if err := a.readable(); err != nil {
		return identity.User{}, err
	}
	link, err := a.tx.Link(ctx, a.c.ID, a.claims.Issuer, a.claims.Subject)
	if err == nil {
		return a.byLink(ctx, link)
	}
	if identity.KindOf(err) != identity.NotFound {
		return identity.User{}, err
	}
	a.trace.Checks = append(a.trace.Checks, identity.Check{Name: "match.link", Result: identity.Skipped, Got: "nobody is linked to this subject yet"})
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

// readable refuses claims that no database could keep as they are.
func (a *signIn) readable() error {
	for _, s := range []string{a.claims.Issuer, a.claims.Subject, a.claims.Email, a.claims.GivenName, a.claims.FamilyName, a.claims.DisplayName, a.claims.SessionIndex} {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || len(s) > 4096 {
			return a.refuse("claims.unreadable", "The provider sent text with invalid characters, or of more than 4096 bytes.", "Correct the person's attributes at the provider.")
		}
	}
	return nil
}

// byLink is step 1: the link decides, whatever the address says now.
func (a *signIn) byLink(ctx context.Context, link identity.Link) (identity.User, error) {
	u, err := a.anyUser(ctx, link.UserID)
	if err != nil {
		return u, err
	}
	a.pass("match.link", "linked to "+u.UserName)
	if err := a.mayComeIn(u); err != nil {
		return u, err
	}
	if err := a.mayOpen(u); err != nil {
		return u, err
	}
	return u, a.tx.TouchLink(ctx, link)
}

// mayOpen refuses a tenant's connection at somebody who stands above all tenants: no customer's provider opens the installation. Somebody
// whom a Super Admin placed in another tenant goes on signing in where they did: that was the Super Admin's word.
func (a *signIn) mayOpen(u identity.User) error {
	if a.c.TenantID != "" && u.TenantID == "" {
		return a.refuse("link.above_tenants", "The account "+u.UserName+" stands above all tenants, and the connection is one tenant's.", "Sign in through a connection of the installation, or with a password.")
	}
	return nil
}

// byExternalID is step 2: the connection names a directory, and that directory knows the subject as its own id.
func (a *signIn) byExternalID(ctx context.Context) (identity.User, bool, error) {
	if a.c.DirectoryID == "" {
		return identity.User{}, false, nil
	}
	d, err := a.tx.Directory(ctx, store.Everything(), a.c.DirectoryID)
	if err != nil {
		return identity.User{}, false, err
	}
	users, err := a.tx.UsersByExternalID(ctx, store.OfDirectory(d.ID, d.TenantID), a.claims.Subject, 2)
	if err != nil || len(users) == 0 {
		return identity.User{}, false, err
	}
	if len(users) > 1 {
		return users[0], false, a.refuse("external_id.ambiguous", "The directory "+d.Name+" gave this externalId to two people.", "Correct it in the directory.")
	}
	u := users[0]
	if u.TenantID == "" {
		return u, false, a.refuse("link.requires_admin", "The account stands above all tenants and is never linked by itself.", "A Super Admin links it by hand.")
	}
	a.pass("match.external_id", d.Name+" knows the subject as "+u.UserName)
	u, err = a.link(ctx, u)
	return u, err == nil, err
}

// proveEmail checks that the address may be used at all: it can be compared, it is proven, and its domain is the connection's.
func (a *signIn) proveEmail() error {
	if strings.TrimSpace(a.claims.Email) == "" {
		return a.refuse("email.missing", "The provider sent no e-mail address.", "Let it send one: the claim email, or the attribute that the connection names.")
	}
	key, err := identity.EmailKey(strings.TrimSpace(a.claims.Email))
	if err != nil {
		return a.refuse("email.invalid", err.Error(), "Correct the address at the provider.")
	}
	a.key = key
	domain := identity.EmailDomain(key)
	if v := a.claims.EmailVerified; v != nil && !*v {
		return a.refuse("email.not_verified", "The provider says that the address is not verified.", "Let the person verify it at the provider.")
	}
	if !a.c.Trusts(domain) {
		a.trace.Checks = append(a.trace.Checks, identity.Check{
			Name: "email.domain", Result: identity.Failed, Got: domain, Expected: strings.Join(a.c.Domains, ", "),
			Fix: "Add the domain to the connection, if this provider may speak for it.",
		})
		return identity.Errorf(identity.Forbidden, "The connection is not trusted for the domain %s.", domain).WithCode("email.domain_not_allowed")
	}
	a.pass("email.domain", domain)
	return nil
}

// byEmail is step 3: exactly one person of the connection's scope has the address.
func (a *signIn) byEmail(ctx context.Context) (identity.User, bool, error) {
	same, err := a.candidates(ctx)
	if err != nil || len(same) == 0 {
		return identity.User{}, false, err
	}
	if len(same) > 1 {
		return same[0], false, a.refuse("email.ambiguous", "Two people have the address "+a.key+".", "Link the right one by hand, or correct the addresses.")
	}
	u := same[0]
	if err := a.mayComeIn(u); err != nil {
		return u, false, err
	}
	protected, err := a.s.privileged(ctx, a.tx, u)
	if err != nil {
		return u, false, err
	}
	if protected {
		return u, false, a.refuse("link.requires_admin", "The account may manage people and is never linked by an address alone.", "A Super Admin links it by hand.")
	}
	links, err := a.tx.Links(ctx, u.ID)
	if err != nil {
		return u, false, err
	}
	for _, l := range links {
		if l.ConnectionID == a.c.ID && l.Issuer == a.claims.Issuer && l.Subject == a.claims.Subject {
			u, err = a.byLink(ctx, l) // made since step 1 looked, by the same person's other window
			return u, err == nil, err
		}
		if l.ConnectionID == a.c.ID {
			return u, false, a.refuse("link.conflict", "The account is linked to another subject of this provider: the address was given to somebody else there.", "If it is the same person, remove the old link first.")
		}
	}
	a.pass("match.email", a.key+" is the address of "+u.UserName)
	u, err = a.link(ctx, u)
	return u, err == nil, err
}

// candidates returns who has the address in the connection's scope: those who are not deleted, or the deleted when there is nobody else.
func (a *signIn) candidates(ctx context.Context) ([]identity.User, error) {
	scope := store.Everything()
	if a.c.TenantID != "" {
		scope = store.OfTenant(a.c.TenantID)
	}
	found, err := a.tx.UsersByEmail(ctx, scope, a.key, 20)
	if err != nil {
		return nil, err
	}
	if a.c.TenantID != "" {
		landed, err := a.landedHere(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, landed...)
	}
	var live []identity.User
	for _, u := range found {
		if u.DeletedAt == nil {
			live = append(live, u)
		}
	}
	if len(live) == 0 && len(found) > 0 {
		return found[:1], nil
	}
	return live, nil
}

// landedHere returns the people in SSO Landing with the address whom this tenant's connection brought there.
func (a *signIn) landedHere(ctx context.Context) ([]identity.User, error) {
	landing, err := a.tx.LandingTenant(ctx)
	if err != nil || landing.ID == a.c.TenantID {
		return nil, err
	}
	found, err := a.tx.UsersByEmail(ctx, store.OfTenant(landing.ID), a.key, 20)
	if err != nil {
		return nil, err
	}
	var out []identity.User
	for _, u := range found {
		links, err := a.tx.Links(ctx, u.ID)
		if err != nil {
			return nil, err
		}
		for _, l := range links {
			if l.ConnectionID == a.c.ID {
				out = append(out, u)
				break
			}
		}
	}
	return out, nil
}

// create is step 4: a new user in the landing tenant as Viewer, or in the connection's own tenant by a Super Admin's word.
func (a *signIn) create(ctx context.Context) (identity.User, error) {
	if a.c.Unknown == identity.UnknownRefuse {
		return identity.User{}, a.refuse("jit.off", "Nobody has the address "+a.key+", and this connection creates nobody.", "Create or invite the person first, or let the connection create unknown people.")
	}
	tenant, err := a.tx.LandingTenant(ctx)
	if err != nil {
		return identity.User{}, err
	}
	_, role := a.s.model.Landing()
	if a.c.Unknown == identity.UnknownTenant {
		role = a.c.UnknownRole
		if tenant, err = a.tx.Tenant(ctx, store.Everything(), a.c.TenantID); err != nil {
			return identity.User{}, err
		}
	}
	attributes, err := a.attributes()
	if err != nil {
		return identity.User{}, err
	}
	u := identity.User{
		TenantID: tenant.ID, UserName: a.key, DisplayName: a.displayName(), Enabled: true, Attributes: attributes,
		Emails: []identity.Email{{Value: strings.TrimSpace(a.claims.Email), Type: "work", Primary: true}},
	}
	u, err = a.s.insertUser(ctx, a.tx, a.by, u, NewUser{Role: role, Reason: "first sign-in through " + a.c.Name}, identity.SourceDefault)
	if err != nil {
		return identity.User{}, err
	}
	a.pass("jit.created", "a new user in "+tenant.Name+" as "+a.s.roleTitle(role))
	return a.link(ctx, u)
}

// attributes returns the name as SCIM keeps it.
func (a *signIn) attributes() (json.RawMessage, error) {
	name := identity.Name{GivenName: a.claims.GivenName, FamilyName: a.claims.FamilyName}
	if name == (identity.Name{}) {
		return json.RawMessage("{}"), nil
	}
	return json.Marshal(map[string]any{"name": name})
}

func (a *signIn) displayName() string {
	if a.claims.DisplayName != "" {
		return a.claims.DisplayName
	}
	return strings.TrimSpace(a.claims.GivenName + " " + a.claims.FamilyName)
}

// link ties the subject to the user, once.
func (a *signIn) link(ctx context.Context, u identity.User) (identity.User, error) {
	if err := a.mayComeIn(u); err != nil {
		return u, err
	}
	now := a.tx.Now()
	err := a.tx.InsertLink(ctx, identity.Link{ConnectionID: a.c.ID, Issuer: a.claims.Issuer, Subject: a.claims.Subject, UserID: u.ID, CreatedAt: now, LastUsedAt: &now})
	if err != nil {
		return u, err
	}
	e := about(a.by, identity.UserLinked, u)
	e.Changes = []identity.Change{{Field: "connection", After: a.c.Name}, {Field: "subject", After: a.claims.Subject}}
	return u, a.tx.InsertEvent(ctx, e)
}

// mayComeIn refuses those who are out; signing in never lets them in again.
func (a *signIn) mayComeIn(u identity.User) error {
	switch {
	case u.DeletedAt != nil:
		return a.refuse("user.deleted", "The account "+u.UserName+" was deleted.", "Restore it, or let the directory push the person again.")
	case !u.Enabled:
		return a.refuse("user.inactive", "The account "+u.UserName+" is deactivated.", "Activate it where it was deactivated: at the directory, or here.")
	case u.LockedAt != nil:
		return a.refuse("user.locked", "The account "+u.UserName+" is locked.", "An administrator unlocks it.")
	}
	a.pass("user.status", "active")
	return nil
}

// anyUser returns a user, deleted or not.
func (a *signIn) anyUser(ctx context.Context, id identity.UserID) (identity.User, error) {
	u, err := a.tx.User(ctx, store.Everything(), id)
	if identity.KindOf(err) == identity.NotFound {
		return a.tx.DeletedUserForUpdate(ctx, store.Everything(), id)
	}
	return u, err
}
