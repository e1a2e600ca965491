package authn

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
)

// FirstPassword is the password of somebody who is about to be created, as provisioning's NewUser takes it. Without a hash there is none.
type FirstPassword struct {
	Hash  string
	Terms identity.PasswordTerms
	Made  string // a temporary one that was made up, to be shown once
}

// FirstPassword returns the password that somebody gives to a person whom they create by hand: the one that was typed, or with Temporary and none typed one that is made up. Where people get their password from
// who creates them (the access model's onboarding is "password"), one is needed: Invalid with the field "password". Elsewhere none is fine: people get an invitation, or come in through a provider. Those whom a
// directory, a provider or an invitation brings need no password, and nobody asks this for them. Errors are those of CheckRepeated and NewPassword.
func (s *Service) FirstPassword(ctx context.Context, by identity.Actor, u identity.User, g GivenPassword) (FirstPassword, error) {
	u.ID = "" // there is nothing to read yet
	if g.Repeated != nil {
		if err := CheckRepeated(g.Password, *g.Repeated); err != nil {
			return FirstPassword{}, err
		}
	}
	if g.Password == "" && !g.Temporary {
		if s.model.Onboarding().Default == access.OnboardPassword {
			return FirstPassword{}, badPassword("password.needed", "A password is needed. Type one, or have a temporary one made.")
		}
		return FirstPassword{}, nil
	}
	if err := checkLasts(g.For); err != nil {
		return FirstPassword{}, err
	}
	var out FirstPassword
	var err error
	out.Hash, out.Terms, out.Made, err = s.given(ctx, by, u, g)
	return out, err
}
