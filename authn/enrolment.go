package authn

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// enrolmentAge is how long a second factor that was begun may wait for its first code.
const enrolmentAge = 15 * time.Minute

// imageSize is the width and height of the QR code in pixels.
const imageSize = 240

// SecondFactor is what a person and an administrator may know of a second factor.
type SecondFactor struct {
	On       bool
	Since    time.Time // when On
	Recovery int       // recovery codes that are left
}

// Enrolment is a second factor that was begun: what an app is given. It is for the person alone, and only until the first code was entered.
type Enrolment struct {
	Secret string // base32, for those who cannot scan
	URI    string // otpauth://totp/...
	Image  []byte // the same as a QR code, PNG
}

// SecondFactor says whether a user has a second factor: one's own, or with the right to read users somebody else's.
func (s *Service) SecondFactor(ctx context.Context, by identity.Actor, user identity.UserID) (SecondFactor, error) {
	var out SecondFactor
	err := s.db.View(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, user, usersRead)
		if err != nil {
			return err
		}
		f, err := tx.SecondFactor(ctx, u.ID)
		if identity.KindOf(err) == identity.NotFound || err == nil && f.ConfirmedAt == nil {
			return nil
		}
		if err != nil {
			return err
		}
		out.On, out.Since = true, *f.ConfirmedAt
		out.Recovery, err = tx.RecoveryCodes(ctx, u.ID)
		return err
	})
	return out, err
}

// EnrolTOTP begins a second factor for the actor, who proves the password; ConfirmTOTP ends it. issuer is what the app shows, such as "Drawbridge (id.example.com)".
// Errors are those of Prove, and Conflict when there is a second factor already.
func (s *Service) EnrolTOTP(ctx context.Context, by identity.Actor, issuer, password string) (Enrolment, error) {
	if err := s.withoutFactor(ctx, by); err != nil {
		return Enrolment{}, err
	}
	if err := s.Prove(ctx, by.UserID(), password, ""); err != nil {
		return Enrolment{}, err
	}
	return s.begin(ctx, by, issuer)
}

// begin writes a new second factor that waits for its first code.
func (s *Service) begin(ctx context.Context, by identity.Actor, issuer string) (Enrolment, error) {
	var e Enrolment
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, by.UserID(), usersWrite)
		if err != nil {
			return err
		}
		key, err := appKey(u, issuer, nil)
		if err != nil {
			return err
		}
		secret, err := base32Text.DecodeString(key.Secret())
		if err != nil {
			return err
		}
		if e, err = enrolment(key); err != nil {
			return err
		}
		err = tx.BeginSecondFactor(ctx, u.ID, secret)
		if identity.KindOf(err) == identity.Conflict && identity.CodeOf(err) == "" {
			return hasFactor()
		}
		return err
	})
	return e, err
}

// withoutFactor refuses somebody who has a second factor: its codes would not be asked for.
func (s *Service) withoutFactor(ctx context.Context, by identity.Actor) error {
	f, err := s.SecondFactor(ctx, by, by.UserID())
	if err == nil && f.On {
		err = hasFactor()
	}
	return err
}

func hasFactor() error {
	return identity.Errorf(identity.Conflict, "You have a second factor already. Turn it off first, with a code of the app that you used until now.").WithCode("second_factor.on")
}

// PendingTOTP returns the actor's enrolment that waits for its first code, or NotFound when there is none or it is older than a quarter of an hour.
func (s *Service) PendingTOTP(ctx context.Context, by identity.Actor, issuer string) (Enrolment, error) {
	var e Enrolment
	err := s.db.View(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, by.UserID(), usersRead)
		if err != nil {
			return err
		}
		f, err := pending(ctx, tx, u)
		if err != nil {
			return err
		}
		key, err := appKey(u, issuer, f.Secret)
		if err != nil {
			return err
		}
		e, err = enrolment(key)
		return err
	})
	return e, err
}

func pending(ctx context.Context, tx *store.Tx, u identity.User) (store.SecondFactor, error) {
	f, err := tx.SecondFactor(ctx, u.ID)
	if err == nil && (f.ConfirmedAt != nil || tx.Now().Sub(f.CreatedAt) >= enrolmentAge) || identity.KindOf(err) == identity.NotFound {
		return f, identity.Errorf(identity.NotFound, "No second factor waits to be confirmed; it may have taken too long. Begin again.")
	}
	return f, err
}

// ConfirmTOTP turns the actor's second factor on with a first code of the app, and returns ten recovery codes, which are shown once and kept as hashes. Invalid with the
// field "code" when it is wrong; NotFound when nothing waits.
func (s *Service) ConfirmTOTP(ctx context.Context, by identity.Actor, code string) ([]string, error) {
	codes, hashes := newRecoveryCodes()
	err := s.db.Update(ctx, func(tx *store.Tx) error { return s.confirm(ctx, tx, by, code, hashes) })
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// confirm turns a second factor on that waits for its first code.
func (s *Service) confirm(ctx context.Context, tx *store.Tx, by identity.Actor, code string, hashes [][]byte) error {
	u, err := s.person(ctx, tx, by, by.UserID(), usersWrite)
	if err != nil {
		return err
	}
	f, err := pending(ctx, tx, u)
	if err != nil {
		return err
	}
	step, ok := matchStep(f.Secret, plainCode(code), tx.Now())
	if !ok {
		return identity.Errorf(identity.Invalid, "This is not the code that the app should show now. Check that the clock of the device is right, and enter the next code.").WithField("code").WithCode(codeWrong)
	}
	if err := tx.TakeStep(ctx, u.ID, step); err != nil {
		return err
	}
	if err := tx.ConfirmSecondFactor(ctx, u.ID); err != nil {
		return err
	}
	if err := tx.ReplaceRecoveryCodes(ctx, u.ID, hashes); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, eventBy(by, identity.SecondFactorOn, u))
}

// NewRecoveryCodes replaces the actor's recovery codes. It needs the proof of Prove.
func (s *Service) NewRecoveryCodes(ctx context.Context, by identity.Actor, password, code string) ([]string, error) {
	if err := s.Prove(ctx, by.UserID(), password, code); err != nil {
		return nil, err
	}
	codes, hashes := newRecoveryCodes()
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, by.UserID(), usersWrite)
		if err != nil {
			return err
		}
		has, err := tx.HasSecondFactor(ctx, u.ID)
		if err != nil {
			return err
		}
		if !has {
			return noFactor()
		}
		if err := tx.ReplaceRecoveryCodes(ctx, u.ID, hashes); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, eventBy(by, identity.RecoveryCodesRenewed, u))
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// DisableTOTP takes the actor's second factor away. It needs the proof of Prove. An account for emergencies keeps its own: Conflict.
func (s *Service) DisableTOTP(ctx context.Context, by identity.Actor, password, code string) error {
	if err := s.Prove(ctx, by.UserID(), password, code); err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, by.UserID(), usersWrite)
		if err != nil {
			return err
		}
		emergency, err := tx.BreakGlass(ctx, u.ID)
		if err != nil {
			return err
		}
		if emergency {
			return identity.Errorf(identity.Conflict, "This is an account for emergencies, which needs its second factor. Let a Super Admin make it an ordinary one first.").WithCode("break_glass")
		}
		if err := deleteFactor(ctx, tx, u); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, eventBy(by, identity.SecondFactorOff, u))
	})
}

// ResetSecondFactor takes somebody else's second factor away, such as after a lost phone, and ends all sessions: the next sign-in asks for the password alone. It needs the right
// to write users; one's own is taken away with DisableTOTP. NotFound when there is none.
func (s *Service) ResetSecondFactor(ctx context.Context, by identity.Actor, user identity.UserID, reason string) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, user, usersWrite)
		if err != nil {
			return err
		}
		if by.UserID() == u.ID {
			return identity.Errorf(identity.Forbidden, "Turn off your own second factor in My account, with its code; or let another administrator do it.")
		}
		if err := deleteFactor(ctx, tx, u); err != nil {
			return err
		}
		if _, err := endAll(ctx, tx, by, u, ""); err != nil {
			return err
		}
		e := eventBy(by, identity.SecondFactorReset, u)
		e.Reason = clean(strings.TrimSpace(reason), 500)
		return tx.InsertEvent(ctx, e)
	})
}

func deleteFactor(ctx context.Context, tx *store.Tx, u identity.User) error {
	has, err := tx.HasSecondFactor(ctx, u.ID)
	if err == nil && !has {
		err = noFactor()
	}
	if err != nil {
		return err
	}
	if err := tx.DeleteSignInStepsOf(ctx, u.ID); err != nil {
		return err
	}
	return tx.DeleteSecondFactor(ctx, u.ID)
}

func noFactor() error {
	return identity.Errorf(identity.NotFound, "There is no second factor on this account.").WithCode(codeGone)
}

// appKey returns the key that an app is given; without a secret a new one is made.
func appKey(u identity.User, issuer string, secret []byte) (*otp.Key, error) {
	account := u.Email()
	if account == "" {
		account = u.UserName
	}
	plain := strings.NewReplacer(":", " ") // it parts issuer and account
	key, err := totp.Generate(totp.GenerateOpts{Issuer: plain.Replace(issuer), AccountName: plain.Replace(account), Period: codeStep, Digits: codeDigits, Secret: secret})
	if err != nil {
		return nil, fmt.Errorf("second factor of user %s: %w", u.ID, err)
	}
	return key, nil
}

func enrolment(key *otp.Key) (Enrolment, error) {
	img, err := key.Image(imageSize, imageSize)
	if err != nil {
		return Enrolment{}, fmt.Errorf("the QR code of a second factor: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return Enrolment{}, err
	}
	return Enrolment{Secret: key.Secret(), URI: key.String(), Image: b.Bytes()}, nil
}
