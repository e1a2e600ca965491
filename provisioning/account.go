package provisioning

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// My Account: what everybody may do with the own account, without any role. The password, the second factor and the sessions are authn's.

// OwnData is what people change of themselves. What is nil stays.
type OwnData struct {
	DisplayName *string
	FirstName   *string
	LastName    *string
	Locale      *string // a language tag such as de-AT; empty: none
	Version     int64   // of the account as the person saw it; 0: whatever it is by now
}

// ownAccount returns the actor's own account, with its row locked, or Forbidden for an actor who is nobody.
func (s *Service) ownAccount(ctx context.Context, tx *store.Tx, by identity.Actor) (identity.User, store.UserFacts, error) {
	if by.UserID() == "" {
		return identity.User{}, store.UserFacts{}, identity.Errorf(identity.Forbidden, "Only people have an account of their own.")
	}
	u, facts, err := tx.UserForChange(ctx, store.Everything(), by.UserID())
	if err == nil && !u.Enabled {
		err = identity.Errorf(identity.Forbidden, "This account is deactivated.").WithCode("user.inactive")
	}
	return u, facts, sharpen(err, noUser)
}

// UpdateOwn changes the actor's own names and language. Forbidden where a directory manages the person: what it says counts. Precondition when the account was
// changed since the version that was given.
func (s *Service) UpdateOwn(ctx context.Context, by identity.Actor, d OwnData) (identity.User, error) {
	var out identity.User
	err := s.update(ctx, by, func(tx *store.Tx) error {
		before, facts, err := s.ownAccount(ctx, tx, by)
		if err != nil {
			return err
		}
		if d.Version != 0 && d.Version != before.Version {
			out = before
			return stale()
		}
		out, err = s.change(ctx, tx, by, before, facts, "", func(u *identity.User) error { return d.apply(u) })
		return err
	})
	return out, err
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8}){0,4}$`)

// apply writes what was given into a record.
func (d OwnData) apply(u *identity.User) error {
	if d.DisplayName != nil {
		n := strings.TrimSpace(*d.DisplayName)
		if n == "" || len(n) > maxName || !plainText(n) {
			return identity.Errorf(identity.Invalid, "A name is plain text of 1 to %d bytes.", maxName).WithField("display_name")
		}
		u.DisplayName = n
	}
	if d.FirstName != nil || d.LastName != nil {
		j := Joining{FirstName: or(d.FirstName, u.Name().GivenName), LastName: or(d.LastName, u.Name().FamilyName)}
		if err := checkNames(&j, JoinForm{}); err != nil {
			return err
		}
		var err error
		if u.Attributes, err = withName(u.Attributes, j.FirstName, j.LastName); err != nil {
			return err
		}
	}
	if d.Locale == nil {
		return nil
	}
	if *d.Locale != "" && !languageTag.MatchString(*d.Locale) {
		return identity.Errorf(identity.Invalid, "A language is written as en, or de-AT.").WithField("locale")
	}
	return setAttribute(u, "locale", *d.Locale)
}

func or(given *string, otherwise string) string {
	if given != nil {
		return *given
	}
	return otherwise
}

// setAttribute writes one text attribute of a record; an empty one is taken away.
func setAttribute(u *identity.User, name, value string) error {
	all := object(u.Attributes)
	if all == nil {
		all = map[string]any{}
	}
	if all[name] = value; value == "" {
		delete(all, name)
	}
	raw, err := json.Marshal(all)
	u.Attributes = raw
	return err
}
