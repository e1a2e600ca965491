package authn

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp/hotp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The codes of a sign-in that a second factor stopped, as the trace has them.
const (
	codePending = "second_factor.pending"
	codeWrong   = "second_factor.wrong"
	codeLocked  = "second_factor.locked"
	codeGone    = "second_factor.gone"
)

// The brake on codes, for each account: six digits are soon guessed.
const (
	maxCodeFailures = 5
	codeWait        = 15 * time.Minute
)

// A code (RFC 6238) holds for one step; the one before and the one after are taken too, because clocks differ (5.2).
const (
	codeStep   = 30 // seconds
	codeDrift  = 1  // steps
	codeDigits = 6
)

// Recovery codes have 80 random bits in four groups, so that their SHA-256 needs no salt.
const (
	recoveryCodes = 10
	recoveryBytes = 10
	recoveryChars = 16
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// takeCode judges a code of a user whose row is locked, uses it up or counts it as wrong. A right one while the account waits is refused too.
func (s *Service) takeCode(ctx context.Context, tx *store.Tx, u identity.User, code string) (verdict, error) {
	f, err := tx.SecondFactor(ctx, u.ID)
	if identity.KindOf(err) == identity.NotFound || err == nil && f.ConfirmedAt == nil {
		return verdict{codeGone, "The account has no second factor any more."}, nil
	}
	if err != nil {
		return verdict{}, err
	}
	if until, waits := codesWait(f, tx.Now()); waits {
		return verdict{codeLocked, fmt.Sprintf("%d wrong codes; the account takes none until %s.", f.Failures, until.Format(time.RFC3339))}, nil
	}
	used, err := useCode(ctx, tx, u, f, code)
	if err != nil {
		return verdict{}, err
	}
	if used {
		return verdict{}, tx.ClearCodeFailures(ctx, u.ID)
	}
	return verdict{codeWrong, "The code is wrong, too old, or was used before."}, s.countCode(ctx, tx, u, f)
}

// codesWait says until when an account takes no code.
func codesWait(f store.SecondFactor, now time.Time) (time.Time, bool) {
	if f.Failures < maxCodeFailures || f.LastFailedAt == nil {
		return time.Time{}, false
	}
	until := f.LastFailedAt.Add(codeWait)
	return until, now.Before(until)
}

// countCode counts a wrong code; the one too many is an event.
func (s *Service) countCode(ctx context.Context, tx *store.Tx, u identity.User, f store.SecondFactor) error {
	if f.Failures >= maxCodeFailures { // the wait is over: a new count begins
		if err := tx.ClearCodeFailures(ctx, u.ID); err != nil {
			return err
		}
	}
	n, err := tx.RecordCodeFailure(ctx, u.ID, tx.Now())
	if err != nil || n != maxCodeFailures {
		return err
	}
	e := eventBy(identity.System(), identity.SecondFactorLocked, u)
	e.Reason = fmt.Sprintf("%d wrong codes in a row", n)
	return tx.InsertEvent(ctx, e)
}

// useCode uses up a code of the app, or a recovery code. No step of time and no recovery code counts twice.
func useCode(ctx context.Context, tx *store.Tx, u identity.User, f store.SecondFactor, code string) (bool, error) {
	code = plainCode(code)
	var err error
	switch len(code) {
	case codeDigits:
		step, ok := matchStep(f.Secret, code, tx.Now())
		if !ok {
			return false, nil
		}
		err = tx.TakeStep(ctx, u.ID, step)
	case recoveryChars:
		err = useRecoveryCode(ctx, tx, u, code)
	default:
		return false, nil
	}
	if identity.KindOf(err) == identity.NotFound {
		return false, nil
	}
	return err == nil, err
}

func useRecoveryCode(ctx context.Context, tx *store.Tx, u identity.User, code string) error {
	if err := tx.TakeRecoveryCode(ctx, u.ID, identity.HashSecret(code)); err != nil {
		return err
	}
	left, err := tx.RecoveryCodes(ctx, u.ID)
	if err != nil {
		return err
	}
	e := eventBy(self(u, nil, "console"), identity.RecoveryCodeUsed, u)
	e.Changes = []identity.Change{{Field: "recovery codes left", After: left}}
	return tx.InsertEvent(ctx, e)
}

// plainCode takes away what people type for their eyes.
func plainCode(code string) string {
	if len(code) > 64 {
		return ""
	}
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
}

// matchStep returns the step of time whose code this is. Every step is computed, so that the time tells nothing.
func matchStep(secret []byte, code string, now time.Time) (int64, bool) {
	var found int64
	ok := false
	middle := now.Unix() / codeStep
	for step := middle - codeDrift; step <= middle+codeDrift; step++ {
		want, err := hotp.GenerateCode(base32Text.EncodeToString(secret), uint64(step))
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found, ok = step, true
		}
	}
	return found, ok
}

// newRecoveryCodes returns codes as people read them, and the hashes to keep.
func newRecoveryCodes() (codes []string, hashes [][]byte) {
	for range recoveryCodes {
		var b [recoveryBytes]byte
		rand.Read(b[:]) // never fails since Go 1.24
		plain := base32Text.EncodeToString(b[:])
		hashes = append(hashes, identity.HashSecret(plain))
		codes = append(codes, strings.ToLower(plain[:4]+"-"+plain[4:8]+"-"+plain[8:12]+"-"+plain[12:]))
	}
	return codes, hashes
}
