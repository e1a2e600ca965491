package provisioning

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxNote is the longest note of a review in bytes.
const maxNote = 500

// Settlement is how an administrator settles a review by a link.
type Settlement struct {
	User    identity.UserID
	Replace bool // the user's link to another subject of the connection goes
	Note    string
}

// LinkFromReview ties the subject of a review to a user and settles everything that waited because of it. Only a Super Admin may choose somebody who may manage
// people. Conflict when the subject belongs to somebody else, or the user is linked to another subject of this connection and Replace is not set.
func (s *Service) LinkFromReview(ctx context.Context, by identity.Actor, id identity.ReviewID, n Settlement) error {
	if n.User == "" || !validIDs(&n.User) {
		return identity.Errorf(identity.Invalid, "Choose whom this subject belongs to.").WithField("user")
	}
	return s.settle(ctx, by, id, n.Note, func(tx *store.Tx, scope store.Scope, r *identity.Review) error {
		u, err := tx.UserForUpdate(ctx, scope, n.User)
		if err != nil {
			return sharpen(err, noUser)
		}
		r.UserID = u.ID
		return s.tie(ctx, tx, by, u, tieing{Link: linkOf(*r), Replace: n.Replace, Reason: settledBecause(*r, n.Note)})
	})
}

// CreateFromReview creates the person of a review in a tenant with a role and links the subject, by an administrator's word. The provider must have sent an
// address that can be used; a taken user name is a Conflict.
func (s *Service) CreateFromReview(ctx context.Context, by identity.Actor, id identity.ReviewID, tenant identity.TenantID, role identity.RoleID, note string) (identity.User, error) {
	var u identity.User
	if !validIDs(&tenant) {
		return u, noTenant()
	}
	err := s.settle(ctx, by, id, note, func(tx *store.Tx, _ store.Scope, r *identity.Review) error {
		key, err := identity.EmailKey(strings.TrimSpace(r.Email))
		if err != nil {
			return identity.Errorf(identity.Invalid, "The provider sent no address that can be used. Create the person by hand, then link the subject.").WithField("email").WithCause(err)
		}
		n := NewUser{Role: role, Reason: settledBecause(*r, note), User: identity.User{
			TenantID: tenant, UserName: key, DisplayName: r.Name, Attributes: []byte("{}"), Emails: []identity.Email{{Value: strings.TrimSpace(r.Email), Type: "work", Primary: true}},
		}}
		if u, err = s.addUser(ctx, tx, by, n); err != nil {
			return err
		}
		r.UserID = u.ID
		return s.tie(ctx, tx, by, u, tieing{Link: linkOf(*r), Reason: n.Reason})
	})
	if identity.KindOf(err) == identity.Conflict && identity.CodeOf(err) == "" {
		err = taken(u.UserName).WithField("tenant").WithCause(err)
	}
	return u, err
}

// DismissReview closes a review without doing anything for the person; further attempts do not open it again. A reason is needed.
func (s *Service) DismissReview(ctx context.Context, by identity.Actor, id identity.ReviewID, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return identity.Errorf(identity.Invalid, "Say why, so that the next administrator knows: further attempts of this subject stay out of the inbox.").WithField("reason")
	}
	return s.settle(ctx, by, id, reason, func(_ *store.Tx, _ store.Scope, r *identity.Review) error {
		r.State = identity.ReviewDismissed
		return nil
	})
}

// settle does act on a locked review that is open or was dismissed, closes it and writes the event.
func (s *Service) settle(ctx context.Context, by identity.Actor, id identity.ReviewID, note string, act func(*store.Tx, store.Scope, *identity.Review) error) error {
	scope, err := s.reviewScope(by)
	if err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noReview()
	}
	if len(note) > maxNote {
		return identity.Errorf(identity.Invalid, "Write at most %d bytes.", maxNote).WithField("reason")
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.ReviewForUpdate(ctx, scope, id)
		if err != nil {
			return sharpen(err, noReview)
		}
		if r.State == identity.ReviewSettled {
			return identity.Errorf(identity.Precondition, "%s settled this already.", r.SettledBy)
		}
		before := r.State
		r.State = identity.ReviewSettled
		if err := act(tx, scope, &r); err != nil {
			return err
		}
		now := tx.Now()
		r.SettledBy, r.SettledAt, r.Note = by.Label, &now, strings.TrimSpace(note)
		if err := tx.CloseReview(ctx, r); err != nil {
			return err
		}
		e := aboutReview(by, identity.ReviewClosed, r)
		e.Changes = []identity.Change{{Field: "state", Before: before, After: r.State}, {Field: "note", After: orNil(r.Note)}}
		return tx.InsertEvent(ctx, e)
	})
}

func linkOf(r identity.Review) identity.Link {
	return identity.Link{ConnectionID: r.ConnectionID, ConnectionName: r.ConnectionName, Issuer: r.Issuer, Subject: r.Subject, Email: r.Email}
}

func settledBecause(r identity.Review, note string) string {
	reason := "settled by hand: " + r.Code
	if note = strings.TrimSpace(note); note != "" {
		reason += "; " + note
	}
	return reason
}
