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
	r.FirstName, r.LastName = j.FirstName, j.LastName
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
		out, err = s.foundTenant(ctx, tx, opened.Link, name, r)
		return err
	})
	return out, sharpen(err, func() *identity.Error {
		return identity.Errorf(identity.Conflict, "There is an organisation with this name here already. If it is yours, ask your colleagues to invite you; if not, write the name in another way.").WithField("organisation").WithCode("uniqueness")
	})
}

// foundTenant creates the tenant and its owner. Its events are the work of the founder.
func (s *Service) foundTenant(ctx context.Context, tx *store.Tx, l identity.MailLink, name string, r Registration) (identity.User, error) {
	t := identity.Tenant{ID: identity.NewID[identity.TenantID](), Name: name, CreatedAt: tx.Now()}
	if err := s.writeTenant(ctx, tx, t); err != nil {
		return identity.User{}, err
	}
	u, err := s.insertFounder(ctx, tx, t, l.Email, r)
	if err != nil {
		return u, err
	}
	by := themselves(u)
	for _, e := range []identity.Event{event(by, identity.TenantCreated), event(by, identity.TenantRegistered)} {
		e.TenantID, e.UserID, e.ObjectKind, e.ObjectID, e.ObjectLabel = t.ID, u.ID, "tenant", string(t.ID), t.Name
		if err := tx.InsertEvent(ctx, e); err != nil {
			return u, err
		}
	}
	if r.PasswordHash != "" {
		if err := s.giveFirstPassword(ctx, tx, by, u, r.PasswordHash); err != nil {
			return u, err
		}
	}
	mail, err := letterTo(ctx, tx, by, u)
	if err != nil {
		return u, err
	}
	mail.Link, mail.Button = s.origin+"/signin", "Sign in"
	return u, s.post(ctx, tx, identity.Mail{UserID: u.ID, TenantID: t.ID}, identity.MailWelcome, mail)
}

// insertFounder creates whoever founds a tenant: its owner where the access model has one, else somebody with the first role within a tenant that manages people.
func (s *Service) insertFounder(ctx context.Context, tx *store.Tx, t identity.Tenant, email string, r Registration) (identity.User, error) {
	u := identity.User{
		TenantID: t.ID, UserName: email, DisplayName: strings.TrimSpace(r.FirstName + " " + r.LastName), Enabled: true,
		Emails: []identity.Email{{Value: email, Type: "work", Primary: true}},
	}
	var err error
	if u.Attributes, err = withName(nil, r.FirstName, r.LastName); err != nil {
		return u, err
	}
	by := identity.System()
	by.Door = "mail"
	why := "registered " + t.Name
	if _, owned := s.model.Owner(); owned {
		if u, err = s.insertUser(ctx, tx, by, u, NewUser{Reason: why}, identity.SourceManual); err != nil {
			return u, err
		}
		return u, s.found(ctx, tx, by, t, u, why)
	}
	for _, role := range s.model.Roles() {
		if role.Scope == identity.ScopeTenant && role.Interactive && s.model.Privileged(role.ID) {
			return s.insertUser(ctx, tx, by, u, NewUser{Role: role.ID, Reason: why}, identity.SourceManual)
		}
	}
	return u, noRegistration()
}
