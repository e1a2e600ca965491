package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// detailMails is how many mails a user's page shows.
const detailMails = 10

// UserDetail is everything that a user's page shows.
type UserDetail struct {
	User        identity.User
	Tenant      identity.Tenant
	Assignments []identity.Assignment
	Links       []identity.Link
	Directories []identity.DirectoryLink
	Memberships []identity.Membership
	Sessions    []identity.Session
	Password    bool            // has a local password
	Mails       []identity.Mail // that went to the person lately, without their texts
	Invited     bool            // was invited and has not joined yet
	Standing    Standing
	Records     []identity.Record // of applications, that the person is tied to
	Origin      Origin
	Terms       identity.Terms
	LastSignIn  *SignedIn       // nil: never, or longer ago than events are kept
	Out         *identity.Event // who keeps the person out, or what locked the account; nil: nobody and nothing does
}

// UserDetail returns a user with all that hangs on it, or NotFound.
func (s *Service) UserDetail(ctx context.Context, by identity.Actor, id identity.UserID) (UserDetail, error) {
	var d UserDetail
	u, err := s.User(ctx, by, id)
	if err != nil {
		return d, err
	}
	d.User = u
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if err := loadDetail(ctx, tx, &d); err != nil {
			return err
		}
		return s.loadOrganisation(ctx, tx, &d)
	})
	return d, err
}

// loadOrganisation fills in where a person stands and came from, and the last sign-in.
func (s *Service) loadOrganisation(ctx context.Context, tx *store.Tx, d *UserDetail) (err error) {
	if d.Standing, err = s.standing(ctx, tx, d.User); err != nil {
		return err
	}
	if len(s.model.LinkTypes()) > 0 {
		if d.Records, err = tx.RecordsOf(ctx, d.User.ID); err != nil {
			return err
		}
	}
	if d.Origin, err = originOf(ctx, tx, d); err != nil {
		return err
	}
	if d.LastSignIn, err = lastSignIn(ctx, tx, d.User); err != nil {
		return err
	}
	d.Out, err = loadOut(ctx, tx, d.User)
	return err
}

func loadDetail(ctx context.Context, tx *store.Tx, d *UserDetail) (err error) {
	u := d.User
	if u.TenantID != "" {
		if d.Tenant, err = tx.Tenant(ctx, store.Everything(), u.TenantID); err != nil {
			return err
		}
	}
	if d.Assignments, err = tx.Assignments(ctx, u.ID); err != nil {
		return err
	}
	if d.Links, err = tx.Links(ctx, u.ID); err != nil {
		return err
	}
	if d.Password, err = tx.HasCredential(ctx, u.ID); err != nil {
		return err
	}
	if d.Directories, err = tx.DirectoryLinks(ctx, u.ID); err != nil {
		return err
	}
	memberships, err := tx.Memberships(ctx, "", []identity.UserID{u.ID})
	if err != nil {
		return err
	}
	d.Memberships = memberships[u.ID]
	if d.Mails, err = tx.MailsOf(ctx, u.ID, detailMails); err != nil {
		return err
	}
	if d.Invited, err = tx.InvitationOpen(ctx, u.ID); err != nil {
		return err
	}
	if d.Terms, err = tx.Terms(ctx, u.ID); err != nil {
		return err
	}
	d.Sessions, err = tx.SessionsOf(ctx, u.ID)
	return err
}
