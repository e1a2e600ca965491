package provisioning

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// byExternalID is step 2: the connection names a directory, and that directory knows the subject, or the claim that the connection names, as its own id.
func (a *signIn) byExternalID(ctx context.Context) (identity.User, bool, error) {
	id := a.directoryKey()
	if a.c.DirectoryID == "" || id == "" {
		return identity.User{}, false, nil
	}
	d, err := a.tx.Directory(ctx, store.Everything(), a.c.DirectoryID)
	if err != nil {
		return identity.User{}, false, err
	}
	users, err := a.tx.UsersByExternalID(ctx, store.OfDirectory(d.ID, d.TenantID), id, 2)
	if err != nil || len(users) == 0 {
		return identity.User{}, false, err
	}
	if len(users) > 1 {
		return users[0], false, a.refuse("external_id.ambiguous", "The directory "+d.Name+" gave this externalId to two people.", "Correct it in the directory.")
	}
	if users[0].DeletedAt != nil && a.mayReturnAsNew() {
		return identity.User{}, false, nil
	}
	a.pass("match.external_id", d.Name+" knows "+id+" as "+users[0].UserName)
	u, err := a.adoptLink(ctx, users[0])
	return u, err == nil, err
}

// directoryKey returns what the directory's externalId is compared with: the subject, or the one value of the claim that the connection names; "" for none.
func (a *signIn) directoryKey() string {
	name := a.c.Options.DirectoryKey
	if name == "" {
		return a.claims.Subject
	}
	values := a.claims.Attributes[name]
	if len(values) == 1 && readableText(values[0]) {
		return values[0]
	}
	a.note("match.external_id", "the claim "+name+" has no single value", "Let the provider send the claim "+name+", with the id by which the directory knows the person.")
	return ""
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
		return a.notVerified()
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

func (a *signIn) notVerified() error {
	if len(a.c.OIDC.TenantIDs) > 0 {
		return a.refuse("email.not_verified", "The provider speaks for many organisations, and does not say that the person's own organisation owns the domain of the address.",
			"Add the optional claim xms_edov to the ID token of the application at Entra, or use the issuer of the one organisation.")
	}
	return a.refuse("email.not_verified", "The provider says that the address is not verified.", "Let the person verify it at the provider.")
}

// byEmail is step 3: exactly one person of the connection's scope has the address.
func (a *signIn) byEmail(ctx context.Context) (identity.User, bool, error) {
	same, err := a.candidates(ctx)
	if err == nil && len(same) > 1 {
		same, err = a.joinedFirst(ctx, same)
	}
	if err != nil || len(same) == 0 {
		return identity.User{}, false, err
	}
	if len(same) > 1 {
		return identity.User{}, false, a.refuse("email.ambiguous", "Two people have the address "+a.key+".", "Link the right one by hand, or correct the addresses.")
	}
	if same[0].DeletedAt != nil && a.mayReturnAsNew() {
		return identity.User{}, false, nil
	}
	u, err := a.adoptLink(ctx, same[0])
	return u, err == nil, err
}

// joinedFirst leaves out who was only invited, where there is somebody else with the address: an invitation must not keep anybody from an account.
func (a *signIn) joinedFirst(ctx context.Context, same []identity.User) ([]identity.User, error) {
	var joined []identity.User
	for _, u := range same {
		open, err := a.tx.InvitationOpen(ctx, u.ID)
		if err != nil {
			return nil, err
		}
		if !open {
			joined = append(joined, u)
		}
	}
	if len(joined) == 0 {
		return same, nil
	}
	return joined, nil
}

// mayReturnAsNew reports whether the connection treats somebody whose account was deleted as a person whom nobody knows.
func (a *signIn) mayReturnAsNew() bool {
	return a.c.Options.DeletedAsNew && a.c.Unknown != identity.UnknownRefuse
}

// adoptLink ties the subject to somebody who has none of this provider yet, when that may happen without anybody's word. The person is locked, and so is neither erased nor
// made an administrator before the link is there.
func (a *signIn) adoptLink(ctx context.Context, u identity.User) (identity.User, error) {
	if u.DeletedAt == nil {
		locked, err := a.tx.UserForUpdate(ctx, store.Everything(), u.ID)
		if err != nil {
			return u, err
		}
		u = locked
	}
	if err := a.mayComeIn(ctx, u); err != nil {
		return u, err
	}
	links, err := a.tx.Links(ctx, u.ID)
	if err != nil {
		return u, err
	}
	for _, l := range links {
		if l.ConnectionID == a.c.ID && l.Issuer == a.claims.Issuer && l.Subject == a.claims.Subject {
			return a.byLink(ctx, store.FoundLink{Link: l}, u) // made since step 1 looked, by the same person's other window
		}
		if l.ConnectionID == a.c.ID {
			return u, a.refuse("link.conflict", "The account is linked to another subject of this provider: the address was given to somebody else there.", "If it is the same person, remove the old link first.")
		}
	}
	if err := a.mayLinkAlone(ctx, u); err != nil {
		return u, err
	}
	if a.key != "" {
		a.pass("match.email", a.key+" is the address of "+u.UserName)
	}
	return a.link(ctx, u)
}

// mayLinkAlone refuses an account that is never tied to a provider by what the provider says alone.
func (a *signIn) mayLinkAlone(ctx context.Context, u identity.User) error {
	protected, err := a.s.privileged(ctx, a.tx, u)
	if err != nil {
		return err
	}
	if protected {
		return a.refuse("link.requires_admin", "The account may manage people and is never linked by itself.", "A Super Admin links it by hand.")
	}
	proof, err := a.needsProof(ctx, u)
	if err == nil && proof {
		err = a.refuse("link.requires_proof", "The account has a password of its own here, and whoever has only the address must not get in.", "Sign in with the password once, in the same browser within ten minutes, and confirm the link in My Account; or an administrator links it by hand.")
	}
	return err
}

// needsProof reports whether the owner of an account must sign in with its password once before it is linked. Where the tenant's people come in through their provider
// only, no password could be asked for.
func (a *signIn) needsProof(ctx context.Context, u identity.User) (bool, error) {
	if a.c.Options.LinkProof == identity.LinkProofNever {
		return false, nil
	}
	has, err := a.tx.HasCredential(ctx, u.ID)
	if err != nil || !has {
		return false, err
	}
	retired, err := a.passwordRetired(ctx, u)
	if err != nil || retired || a.c.Options.LinkProof == identity.LinkProofAlways {
		return err == nil && !retired, err
	}
	return a.tx.HasSecondFactor(ctx, u.ID)
}

// passwordRetired reports whether the tenant of an account signs its people in through its provider only, and the account is none for emergencies.
func (a *signIn) passwordRetired(ctx context.Context, u identity.User) (bool, error) {
	required, err := a.tx.RequiresSSO(ctx, u.TenantID)
	if err != nil || !required {
		return false, err
	}
	exempt, err := a.tx.BreakGlass(ctx, u.ID)
	return err == nil && !exempt, err
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
