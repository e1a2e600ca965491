package provisioning

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// JoinForm is what the page of an invitation asks for.
type JoinForm struct {
	Password  bool
	FirstName bool
	LastName  bool
	Button    string // its caption
}

// JoinForm returns what is asked of a user who joins: what the access model says, and the names of whom nobody knows by name where administrators must give one. Where new people get a password by
// default, whoever joins by a link chooses one.
func (s *Service) JoinForm(u identity.User) JoinForm {
	o := s.model.Onboarding()
	f := JoinForm{
		Password:  o.SetsPassword || o.Default == access.OnboardPassword || slices.Contains(o.AcceptFields, "password"),
		FirstName: slices.Contains(o.AcceptFields, "first_name"), LastName: slices.Contains(o.AcceptFields, "last_name"),
		Button: o.AcceptButton,
	}
	if o.Default != access.OnboardInvite && greeting(u) == "" {
		f.FirstName, f.LastName = true, true
	}
	return f
}

// Joining is what somebody who joins has entered.
type Joining struct {
	FirstName, LastName string
	PasswordHash        string // PHC, from authn.HashPassword; empty where none is asked for
}

// AcceptInvitation lets the person of an invitation join: the link is used up, the names and the password are kept, and the mailbox is proven. The caller starts the
// session with authn. Errors are those of OpenMailLink; Invalid with the field "first_name", "last_name" or "password" where something is missing; Forbidden with the
// code "user.inactive" for somebody who was deactivated meanwhile; Conflict when somebody else signs in with this address already.
func (s *Service) AcceptInvitation(ctx context.Context, token string, j Joining) (identity.User, error) {
	var out identity.User
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		opened, err := openMailLink(ctx, tx, identity.LinkInvitation, token)
		if err != nil {
			return err
		}
		u, err := tx.UserForUpdate(ctx, store.Everything(), opened.User.ID)
		if err != nil {
			return err
		}
		if state := stateOf(opened.Link, u, tx.Now()); state != identity.MailLinkOpen { // changed since it was read
			return linkOver(opened.Link, state)
		}
		if err := use(ctx, tx, opened.Link); err != nil {
			return err
		}
		out, err = s.join(ctx, tx, u, j)
		return err
	})
	return out, sharpen(err, unknownLink)
}

// join lets a locked user in for the first time.
func (s *Service) join(ctx context.Context, tx *store.Tx, u identity.User, j Joining) (identity.User, error) {
	if !u.Enabled || u.LockedAt != nil {
		return u, identity.Errorf(identity.Forbidden, "This account is deactivated. Ask whoever invited you.").WithCode("user.inactive")
	}
	f := s.JoinForm(u)
	if err := checkNames(&j, f); err != nil {
		return u, err
	}
	if f.Password && j.PasswordHash == "" {
		return u, identity.Errorf(identity.Invalid, "Choose a password.").WithField("password")
	}
	by := themselves(u)
	u, err := s.nameThemselves(ctx, tx, by, u, j)
	if err != nil {
		return u, err
	}
	if j.PasswordHash != "" {
		if err := s.giveFirstPassword(ctx, tx, by, u, j.PasswordHash); err != nil {
			return u, err
		}
	}
	return u, tx.InsertEvent(ctx, about(by, identity.InvitationUsed, u))
}

// giveFirstPassword sets the password of somebody who has just proven the mailbox.
func (s *Service) giveFirstPassword(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, hash string) error {
	err := s.putPassword(ctx, tx, u, hash, identity.PasswordTerms{})
	if identity.KindOf(err) == identity.Conflict {
		return identity.Errorf(identity.Conflict, "Somebody signs in with this e-mail address here already, in another organisation. Ask whoever invited you to invite another address of yours.").
			WithField("email").WithCode("uniqueness").WithCause(err)
	}
	if err != nil {
		return err
	}
	return tx.InsertEvent(ctx, about(by, identity.PasswordSet, u))
}

// checkNames tidies the names, and asks for those that the access model names.
func checkNames(j *Joining, f JoinForm) error {
	for _, n := range []struct {
		name   *string
		field  string
		needed bool
		say    string
	}{{&j.FirstName, "first_name", f.FirstName, "Enter your first name."}, {&j.LastName, "last_name", f.LastName, "Enter your last name."}} {
		*n.name = strings.TrimSpace(*n.name)
		if n.needed && *n.name == "" {
			return identity.Errorf(identity.Invalid, "%s", n.say).WithField(n.field)
		}
		if len(*n.name) > maxName || !plainText(*n.name) {
			return identity.Errorf(identity.Invalid, "A name is plain text of at most %d bytes.", maxName).WithField(n.field)
		}
	}
	return nil
}

// plainText reports whether a text that somebody entered is fit to be shown on one line.
func plainText(s string) bool {
	return readableText(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// maxName is how long a name may be that somebody enters, in bytes.
const maxName = 200

// nameThemselves writes the names that somebody gave, unless a directory manages the person.
func (s *Service) nameThemselves(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.User, j Joining) (identity.User, error) {
	links, err := tx.DirectoryLinks(ctx, before.ID)
	if err != nil || len(links) > 0 || j.FirstName+j.LastName == "" {
		return before, err
	}
	after := before
	if after.Attributes, err = withName(before.Attributes, j.FirstName, j.LastName); err != nil {
		return before, err
	}
	if before.DisplayName == "" || before.DisplayName == before.UserName || before.DisplayName == before.Email() {
		after.DisplayName = strings.TrimSpace(j.FirstName + " " + j.LastName)
	}
	changes := diffUsers(before, after)
	if len(changes) == 0 {
		return before, nil
	}
	return s.writeUser(ctx, tx, by, before, after, 0, "", changes)
}

// withName returns a user's attributes with another name (RFC 7643 4.1.1); what else it had, such as a middle name, stays.
func withName(attributes json.RawMessage, given, family string) (json.RawMessage, error) {
	all := object(attributes)
	if all == nil {
		all = map[string]any{}
	}
	name, ok := all["name"].(map[string]any)
	if !ok {
		name = map[string]any{}
	}
	put := func(field, value string) {
		if name[field] = value; value == "" {
			delete(name, field)
		}
	}
	put("givenName", given)
	put("familyName", family)
	put("formatted", strings.TrimSpace(given+" "+family))
	if all["name"] = name; len(name) == 0 {
		delete(all, "name")
	}
	return json.Marshal(all)
}
