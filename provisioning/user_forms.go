package provisioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Furnishing is what somebody who is created by hand gets at once, or nothing is created.
type Furnishing struct {
	Avatar []byte     // a picture as SetAvatar takes it; nil: the initials
	Record *RecordKey // of an application, that nobody is tied to; the tenant is the person's
}

// furnishing is a Furnishing that was looked at.
type furnishing struct {
	avatar []byte
	record *RecordKey
}

// furnishing refuses what cannot be given to anybody, before anybody is created.
func (s *Service) furnishing(ctx context.Context, f Furnishing) (out furnishing, err error) {
	if len(f.Avatar) > 0 {
		if out.avatar, err = squareAvatar(ctx, f.Avatar); err != nil {
			return out, err
		}
	}
	if f.Record != nil {
		key := *f.Record
		if _, err := s.checkKey(&key); err != nil {
			return out, recordField(err)
		}
		out.record = &key
	}
	return out, nil
}

// recordField names the field of a form on which a record is chosen.
func recordField(err error) error {
	if e := refusalOf(err); e != nil {
		again := *e
		again.Field = "record"
		return &again
	}
	return err
}

// furnish gives somebody new what was asked for, in the transaction that creates them.
func (s *Service) furnish(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, f furnishing, reason string) error {
	if f.avatar != nil {
		sum := sha256.Sum256(f.avatar)
		a := identity.Avatar{UserID: u.ID, Content: f.avatar, Hash: hex.EncodeToString(sum[:16]), UpdatedAt: tx.Now()}
		if err := tx.PutAvatar(ctx, a); err != nil {
			return err
		}
	}
	if f.record == nil {
		return nil
	}
	kind, err := s.checkKey(f.record)
	if err != nil {
		return err
	}
	before, err := s.lockedRecord(ctx, tx, u.TenantID, *f.record)
	if identity.KindOf(err) == identity.NotFound {
		return identity.Errorf(identity.Invalid, "No %s has the id %q.", kind.Title, f.record.ForeignID).WithField("record")
	}
	if err != nil {
		return err
	}
	_, err = s.writeRecord(ctx, tx, by, kind, before, RecordChange{User: &u.ID, Reason: reason})
	return recordField(err)
}

// UserEdit is a change of a person and of where they stand that is made at once or not at all. The functions may run more than once.
type UserEdit struct {
	User     func(*identity.User) error     // as UpdateUser takes it
	Position func(*identity.Position) error // as SetPosition takes it; nil: stays
	Stood    time.Time                      // when the position was written that the change was made from; used where Position is there
	Avatar   []byte                         // a picture as SetAvatar takes it; nil: stays
	Reason   string
}

// EditUser is UpdateUser and SetPosition in one. A version other than 0 must be the current one, and so must the position, else Precondition.
func (s *Service) EditUser(ctx context.Context, by identity.Actor, id identity.UserID, version int64, e UserEdit) (identity.User, error) {
	if _, err := s.byHand(by); err != nil {
		return identity.User{}, err
	}
	reason := strings.TrimSpace(e.Reason)
	if len(reason) > maxReason {
		return identity.User{}, identity.Errorf(identity.Invalid, "A reason has at most %d bytes.", maxReason).WithField("reason")
	}
	things, err := s.furnishing(ctx, Furnishing{Avatar: e.Avatar})
	if err != nil {
		return identity.User{}, err
	}
	return s.updateUserThen(ctx, by, id, version, reason, e.User, func(tx *store.Tx, u identity.User) (identity.User, error) {
		if err := s.newAvatar(ctx, tx, by, u, things); err != nil {
			return u, err
		}
		if e.Position == nil {
			return u, nil
		}
		_, err := s.setPosition(ctx, tx, by, u, func(p *identity.Position) error {
			if version != 0 && !p.UpdatedAt.Equal(e.Stood) {
				return stale()
			}
			return e.Position(p)
		}, reason)
		return u, err
	})
}

// newAvatar puts another picture in the place of somebody's, with its event.
func (s *Service) newAvatar(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, f furnishing) error {
	if f.avatar == nil {
		return nil
	}
	before, err := tx.AvatarHash(ctx, u.ID)
	if err != nil {
		return err
	}
	if err := s.furnish(ctx, tx, by, u, f, ""); err != nil {
		return err
	}
	after, err := tx.AvatarHash(ctx, u.ID)
	if err != nil || before == after {
		return err
	}
	e := about(by, identity.UserUpdated, u)
	e.Changes = []identity.Change{{Field: "avatar", Before: orNil(before), After: orNil(after)}}
	return tx.InsertEvent(ctx, e)
}
