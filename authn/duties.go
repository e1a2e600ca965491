package authn

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// EnrolRequired begins a second factor for a visitor who must have one; FinishEnrolment ends it. It asks for no password, which people of a provider have none of: whoever visits has just signed
// in, and reaches nothing else. Forbidden for everybody else: they use EnrolTOTP.
func (s *Service) EnrolRequired(ctx context.Context, v Visit, issuer string) (Enrolment, error) {
	if v.Must != MustEnrol {
		return Enrolment{}, identity.Errorf(identity.Forbidden, "Turn on a second factor in My account.")
	}
	return s.begin(ctx, v.Actor, issuer)
}

// FinishEnrolment is ConfirmTOTP in a session that must have a second factor: from then on it reaches everything.
func (s *Service) FinishEnrolment(ctx context.Context, v Visit, code string) ([]string, error) {
	codes, hashes := newRecoveryCodes()
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if err := s.confirm(ctx, tx, v.Actor, code, hashes); err != nil {
			return err
		}
		return proved(ctx, tx, v.Session.ID)
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// GiveCode takes a code of the app, or a recovery code, in a session that began without one, such as one through a provider that asked for a password only. Invalid with the field "code" when it is
// wrong; TooMany when the account takes none for a quarter of an hour.
func (s *Service) GiveCode(ctx context.Context, v Visit, code string) error {
	var verdict verdict
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, v.Actor, v.User.ID, usersWrite)
		if err != nil {
			return err
		}
		if verdict, err = s.takeCode(ctx, tx, u, code); err != nil || verdict.refused() {
			return err
		}
		return proved(ctx, tx, v.Session.ID)
	})
	if err != nil {
		return err
	}
	return verdict.unproven()
}

// proved notes in a session that a code of ours was given.
func proved(ctx context.Context, tx *store.Tx, id identity.SessionID) error {
	session, err := tx.Session(ctx, id)
	if identity.KindOf(err) == identity.NotFound {
		return signedOut(err)
	}
	if err != nil {
		return err
	}
	now := tx.Now()
	session.Upstream.CodeAt = &now
	return tx.SessionProved(ctx, id, session.Upstream)
}
