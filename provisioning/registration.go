package provisioning

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// How many mails of registrations leave: to one mailbox in a day, and from the installation in an hour. Nobody uses the page to fill strangers' mailboxes.
const (
	maxRegistrations    = 3
	maxAllRegistrations = 200
)

// AllowRegistration lets strangers found tenants of their own, where the access model lets them too. It is called before the service is used.
func (s *Service) AllowRegistration(on bool) { s.register = on }

// RegistrationOpen reports whether strangers may found tenants: the access model and the installation must both say so.
func (s *Service) RegistrationOpen() bool { return s.register && s.model.SelfRegistration() }

func noRegistration() *identity.Error {
	return identity.Errorf(identity.NotFound, "Nobody registers here. Ask whoever runs this installation for an account.").WithCode("registration.off")
}

// Registration is what somebody who founds a tenant enters.
type Registration struct {
	Organisation        string
	Email               string
	FirstName, LastName string
	PasswordHash        string // PHC, from authn; empty: whoever founds it signs in with Restore password the next time
}

// Register writes the mail with which somebody goes on to found a tenant. Whether the name or the address is known here changes nothing of the answer: it is in the mail. NotFound with the code "registration.off" where
// nobody may, Invalid with the field "organisation" or "email". More mails than a mailbox should get are not written, and that is no error either.
func (s *Service) Register(ctx context.Context, r Registration) error {
	if !s.RegistrationOpen() {
		return noRegistration()
	}
	name, err := tenantName(r.Organisation)
	if err != nil {
		return err
	}
	r.Email = strings.TrimSpace(r.Email)
	key, err := identity.EmailKey(r.Email)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.Lock(ctx, "registrations"); err != nil {
			return err
		}
		mine, err := tx.CountMailLinks(ctx, identity.LinkRegistration, key, tx.Now().Add(-24*time.Hour))
		if err != nil {
			return err
		}
		all, err := tx.CountMailLinks(ctx, identity.LinkRegistration, "", tx.Now().Add(-time.Hour))
		if err != nil || mine >= maxRegistrations || all >= maxAllRegistrations {
			return err
		}
		return s.sendRegistration(ctx, tx, name, r.Email, key)
	})
}

// tenantName tidies the name of a tenant.
func tenantName(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || len(name) > 200 || !plainText(name) {
		return "", identity.Errorf(identity.Invalid, "Enter the name of your organisation, at most 200 bytes.").WithField("organisation")
	}
	return name, nil
}

// sendRegistration writes the mail: with the link, or to somebody who signs in here already with what to do.
func (s *Service) sendRegistration(ctx context.Context, tx *store.Tx, name, email, key string) error {
	by := identity.System()
	l := identity.MailLink{Kind: identity.LinkRegistration, Email: email, ExpiresAt: tx.Now().Add(identity.RegistrationAge), Data: identity.MailLinkData{Organisation: name}}
	mail := letter{Tenant: name, Email: email, By: by.Label, Button: "Finish the registration"}
	known, err := tx.LoginCandidates(ctx, key)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		_, err = s.sendLink(ctx, tx, by, l, identity.MailRegistration, mail)
		return err
	}
	mail.Advice = "There is an account with this address already. Sign in at " + s.origin + "/signin; if you have forgotten the password, use Restore password there. To register another organisation, use another address."
	return s.sendAdvice(ctx, tx, by, l, identity.MailRegistration, mail)
}

// FoundTenant finishes a registration whose mailbox has the link: the tenant and its owner are one transaction. The caller starts the session with authn. Errors are those of OpenMailLink; NotFound with
// the code "registration.off" where nobody may any more; Conflict with the field "organisation" when the name is taken; Invalid with a field where something is missing.
func (s *Service) FoundTenant(ctx context.Context, token string, r Registration) (identity.User, error) {
	var out identity.User
	if !s.RegistrationOpen() {
		return out, noRegistration()
	}
	j := Joining{FirstName: r.FirstName, LastName: r.LastName}
	if err := checkNames(&j, JoinForm{FirstName: true, LastName: true}); err != nil {
		return out, err
	}
	name, err := tenantName(r.Organisation)
	if err != nil {
		return out, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		opened, err := openMailLink(ctx, tx, identity.LinkRegistration, token)
		if err != nil {
			return err
		}
		if err := use(ctx, tx, opened.Link); err != nil {
			return err
		}
		out, err = s.found(ctx, tx, opened.Link, name, j, r.PasswordHash)
		return err
	})
	return out, sharpen(err, func() *identity.Error {
		return identity.Errorf(identity.Conflict, "There is an organisation with this name here already. If it is yours, ask your colleagues to invite you; if not, write the name in another way.").WithField("organisation").WithCode("uniqueness")
	})
}

// founder returns the role of whoever founds a tenant: the owner where the access model has one, else the first role within a tenant that manages people.
func (s *Service) founder() (identity.RoleID, error) {
	if owner, ok := s.model.Owner(); ok {
		return owner.Role, nil
	}
	for _, r := range s.model.Roles() {
		if r.Scope == identity.ScopeTenant && r.Interactive && s.model.Privileged(r.ID) {
			return r.ID, nil
		}
	}
	return "", noRegistration()
}

// found creates the tenant and its owner. Its events are the work of the founder.
func (s *Service) found(ctx context.Context, tx *store.Tx, l identity.MailLink, name string, j Joining, hash string) (identity.User, error) {
	var none identity.User
	role, err := s.founder()
	if err != nil {
		return none, err
	}
	t := identity.Tenant{ID: identity.NewID[identity.TenantID](), Name: name, CreatedAt: tx.Now()}
	if err := tx.InsertTenant(ctx, t); err != nil {
		return none, err
	}
	u := identity.User{
		TenantID: t.ID, UserName: l.Email, DisplayName: strings.TrimSpace(j.FirstName + " " + j.LastName), Enabled: true,
		Emails: []identity.Email{{Value: l.Email, Type: "work", Primary: true}},
	}
	if u.Attributes, err = withName(nil, j.FirstName, j.LastName); err != nil {
		return none, err
	}
	by := identity.System()
	by.Door = "mail"
	u, err = s.insertUser(ctx, tx, by, u, NewUser{Role: role, Reason: "registered " + name}, identity.SourceManual)
	if err != nil {
		return none, err
	}
	if err := tx.SetOwner(ctx, t.ID, u.ID); err != nil {
		return none, err
	}
	by = themselves(u)
	for _, e := range []identity.Event{event(by, identity.TenantCreated), event(by, identity.TenantRegistered)} {
		e.TenantID, e.UserID, e.ObjectKind, e.ObjectID, e.ObjectLabel = t.ID, u.ID, "tenant", string(t.ID), t.Name
		if err := tx.InsertEvent(ctx, e); err != nil {
			return none, err
		}
	}
	if hash != "" {
		if err := giveFirstPassword(ctx, tx, by, u, hash); err != nil {
			return none, err
		}
	}
	mail, err := letterTo(ctx, tx, by, u)
	if err != nil {
		return none, err
	}
	mail.Link, mail.Button = s.origin+"/signin", "Sign in"
	return u, s.post(ctx, tx, identity.Mail{UserID: u.ID, TenantID: t.ID}, identity.MailWelcome, mail)
}
