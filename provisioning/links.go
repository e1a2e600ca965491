package provisioning

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noLink() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such link; somebody may have removed it already.")
}

// tieing is a link that somebody makes on purpose.
type tieing struct {
	identity.Link
	Replace bool // a link of the user to another subject of the connection goes
	Own     bool // by the owner of the account, who has proven to be themselves on both sides
	Reason  string
}

// tie links a subject to a locked user by somebody's word, and settles what waited because of the subject. Who may do it for whom is decided here.
func (s *Service) tie(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, t tieing) error {
	c, err := tx.Connection(ctx, store.Everything(), t.ConnectionID)
	if err != nil {
		return sharpen(err, noConnection)
	}
	if err := s.mayTie(ctx, tx, by, c, u, t.Own); err != nil {
		return err
	}
	found, err := tx.FindLink(ctx, c.ID, t.Issuer, t.Subject)
	if err == nil && found.UserID != u.ID {
		return identity.Errorf(identity.Conflict, "This subject is linked to another account already; remove that link first.").WithField("subject").WithCode("link.taken")
	}
	if err == nil {
		return tx.SettleReviews(ctx, found.Link, by.Label, "linked already")
	}
	if identity.KindOf(err) != identity.NotFound {
		return err
	}
	if err := s.makeRoomForLink(ctx, tx, by, u, t); err != nil {
		return err
	}
	t.UserID, t.CreatedAt, t.LastUsedAt = u.ID, tx.Now(), nil
	if err := tx.InsertLink(ctx, t.Link); err != nil {
		return err
	}
	if err := tx.SettleReviews(ctx, t.Link, by.Label, t.Reason); err != nil {
		return err
	}
	e := about(by, identity.UserLinked, u)
	e.Reason = t.Reason
	e.Changes = []identity.Change{{Field: "connection", After: c.Name}, {Field: "subject", After: t.Subject}}
	return tx.InsertEvent(ctx, e)
}

// mayTie refuses links that would let a provider into an account that it must not open.
func (s *Service) mayTie(ctx context.Context, tx *store.Tx, by identity.Actor, c identity.Connection, u identity.User, own bool) error {
	if u.DeletedAt != nil {
		return noUser()
	}
	if c.TenantID != "" && u.TenantID == "" {
		return identity.Errorf(identity.Forbidden, "%s stands above all tenants, and %s is one tenant's provider.", u.Label(), c.Name).WithField("user").WithCode("link.above_tenants")
	}
	landing, err := s.landingID(ctx, tx)
	if err != nil {
		return err
	}
	if c.TenantID != "" && u.TenantID != c.TenantID && u.TenantID != landing && s.platform(by) != nil {
		return identity.Errorf(identity.Forbidden, "%s is the provider of another tenant than %s's.", c.Name, u.Label()).WithField("user")
	}
	if own {
		return nil
	}
	protected, err := s.privileged(ctx, tx, u)
	if err == nil && protected && s.platform(by) != nil {
		err = identity.Errorf(identity.Forbidden, "%s may manage people: only a Super Admin links such an account.", u.Label()).WithField("user").WithCode("link.requires_admin")
	}
	return err
}

// makeRoomForLink removes the user's link to another subject of the connection, or refuses.
func (s *Service) makeRoomForLink(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, t tieing) error {
	links, err := tx.Links(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.ConnectionID != t.ConnectionID {
			continue
		}
		if !t.Replace {
			return identity.Errorf(identity.Conflict, "%s is linked to another subject of this provider. If it is the same person, replace that link.", u.Label()).WithField("user").WithCode("link.conflict")
		}
		if err := s.untie(ctx, tx, by, u, l, "replaced by another subject"); err != nil {
			return err
		}
	}
	return nil
}

// untie removes a link, ends the sessions that it began and takes away the roles that the connection's rules gave.
func (s *Service) untie(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, l identity.Link, reason string) error {
	if err := tx.DeleteLink(ctx, l); err != nil {
		return sharpen(err, noLink)
	}
	sessions, err := tx.SessionsOfSubject(ctx, l.ConnectionID, l.Issuer, l.Subject)
	if err != nil {
		return err
	}
	for _, session := range sessions {
		if err := tx.DeleteSession(ctx, session.ID); err != nil {
			return err
		}
	}
	e := about(by, identity.UserUnlinked, u)
	e.Reason = reason
	e.Changes = []identity.Change{{Field: "connection", Before: l.ConnectionName}, {Field: "subject", Before: l.Subject}}
	if n := len(sessions); n > 0 {
		e.Changes = append(e.Changes, identity.Change{Field: "sessions", Before: n, After: 0})
	}
	events := []identity.Event{e}
	gone, kept, err := s.claimed(ctx, tx, u, l.ConnectionID)
	if err != nil {
		return err
	}
	if err := s.keepAdministrators(ctx, tx, departure{User: u, Roles: lacking(roleIDs(gone), roleIDs(kept))}); err != nil {
		return err
	}
	for _, h := range gone {
		removed, err := s.unassign(ctx, tx, by, u, h, "the link to "+l.ConnectionName+" was removed")
		if err != nil {
			return err
		}
		events = append(events, removed)
	}
	return tx.InsertEvent(ctx, events...)
}

// claimed parts the roles that a connection's rules gave from the others.
func (s *Service) claimed(ctx context.Context, tx *store.Tx, u identity.User, connection identity.ConnectionID) (gone, kept []identity.Assignment, err error) {
	held, err := tx.Assignments(ctx, u.ID)
	for _, h := range held {
		if h.Source == identity.SourceClaim && h.SourceID == string(connection) {
			gone = append(gone, h)
		} else {
			kept = append(kept, h)
		}
	}
	return gone, kept, err
}

// LinkUser ties a subject of a provider to a user by an administrator's word. The issuer may be left out: then it is the connection's own.
func (s *Service) LinkUser(ctx context.Context, by identity.Actor, id identity.UserID, l identity.Link, reason string) error {
	scope, err := s.reviewScope(by)
	if err != nil {
		return err
	}
	l.Issuer, l.Subject = strings.TrimSpace(l.Issuer), strings.TrimSpace(l.Subject)
	if id == "" || !validIDs(&id) {
		return noUser()
	}
	if l.ConnectionID == "" || !validIDs(&l.ConnectionID) {
		return identity.Errorf(identity.Invalid, "Choose the connection.").WithField("connection")
	}
	if l.Subject == "" || len(l.Subject) > 1024 || len(l.Issuer) > 1024 || !readableText(l.Subject) || !readableText(l.Issuer) {
		return identity.Errorf(identity.Invalid, "The subject is needed, as the provider sends it (NameID or sub), with at most 1024 bytes.").WithField("subject")
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.UserForUpdate(ctx, scope, id)
		if err != nil {
			return sharpen(err, noUser)
		}
		c, err := tx.Connection(ctx, store.Everything(), l.ConnectionID)
		if err != nil {
			return sharpen(err, noConnection)
		}
		if by.Kind == identity.ActorUser && by.TenantID != "" && c.TenantID != by.TenantID {
			return noConnection() // another tenant's, or the installation's, which a Super Admin answers for
		}
		if l.Issuer == "" {
			l.Issuer = c.SAML.EntityID + c.OIDC.Issuer // one of them is empty
		}
		return s.tie(ctx, tx, by, u, tieing{Link: l, Reason: reason})
	})
}

// UnlinkUser removes a link of a user: the sessions that it began end, and what the connection's rules gave goes. An administrator may do it for others; one's own
// needs another way to sign in (Forbidden with the code "link.last"), and the caller has asked for proof before.
func (s *Service) UnlinkUser(ctx context.Context, by identity.Actor, id identity.UserID, l identity.Link, reason string) error {
	if id == "" || !validIDs(&id) {
		return noUser()
	}
	if l.ConnectionID == "" || !validIDs(&l.ConnectionID) {
		return noLink()
	}
	own := by.UserID() == id
	scope := store.Everything()
	if !own {
		var err error
		if scope, err = s.reviewScope(by); err != nil {
			return err
		}
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.UserForUpdate(ctx, scope, id)
		if err != nil {
			return sharpen(err, noUser)
		}
		found, err := tx.FindLink(ctx, l.ConnectionID, l.Issuer, l.Subject)
		if err != nil {
			return sharpen(err, noLink)
		}
		if found.UserID != id {
			return noLink()
		}
		if own {
			if err := s.keepWayIn(ctx, tx, u, found.Link); err != nil {
				return err
			}
		}
		return s.untie(ctx, tx, by, u, found.Link, reason)
	})
}

// keepWayIn refuses to remove the last way to sign in: there must be a password, or a link to another connection that is switched on.
func (s *Service) keepWayIn(ctx context.Context, tx *store.Tx, u identity.User, gone identity.Link) error {
	has, err := tx.HasCredential(ctx, u.ID)
	if err != nil || has {
		return err
	}
	links, err := tx.Links(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.ConnectionID == gone.ConnectionID {
			continue
		}
		c, err := tx.Connection(ctx, store.Everything(), l.ConnectionID)
		if err != nil {
			return err
		}
		if c.Enabled {
			return nil
		}
	}
	return identity.Errorf(identity.Forbidden, "This is your only way to sign in. Set a password or connect another provider first.").WithCode("link.last")
}
