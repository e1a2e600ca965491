package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// A plan that an HR system sent is carried out in the name of its directory, and by the rules of directories: a person is tied to it, its word about access is one
// among others, it takes over nobody of the platform or who manages people, nobody outside of its domains, and changes nobody by a hand's rights.

// addPushed is addUser for a directory: somebody who is already there, or was, is taken over as by a push; others land where the directory's people do. Roles and
// places are those that an administrator wrote into the rules of the source.
func (s *Service) addPushed(ctx context.Context, tx *store.Tx, by identity.Actor, n NewUser) (identity.User, error) {
	n.User.Enabled, n.User.Held = !n.out, false // what the directory says; the dates of the person say the rest
	known, err := s.findPushed(ctx, tx, by, store.OfDirectory(by.DirectoryID(), by.TenantID), n.User)
	if err != nil {
		return n.User, err
	}
	if known != nil {
		return s.adopt(ctx, tx, by, *known, n.User)
	}
	if n.User.TenantID == "" {
		if n.User.TenantID, err = s.homeOfPushed(ctx, tx, by); err != nil {
			return n.User, err
		}
	}
	if by.TenantID != "" && n.User.TenantID != by.TenantID {
		return n.User, identity.Errorf(identity.Forbidden, "A directory of a tenant brings people into that tenant only.").WithField(fieldTenant)
	}
	source := identity.SourceImport
	if _, least := s.model.Landing(); n.Role == "" || n.Role == least {
		n.Role, source, n.sourceID = least, identity.SourceDefault, ""
	}
	if err := s.checkRole(ctx, tx, by, n.Role, n.User.TenantID); err != nil && source != identity.SourceDefault {
		return n.User, err
	}
	if err := s.checkPosition(ctx, tx, by, n.User, identity.Position{}, &n.Position); err != nil {
		return n.User, err
	}
	n.User.Enabled = !n.out && !n.waits
	u, err := s.insertUser(ctx, tx, by, n.User, n, source)
	if err != nil {
		return u, err
	}
	return u, tx.PutDirectoryLink(ctx, identity.DirectoryLink{DirectoryID: by.DirectoryID(), UserID: u.ID, Active: !n.out})
}

// homeOfPushed is where a directory's new people land.
func (s *Service) homeOfPushed(ctx context.Context, tx *store.Tx, by identity.Actor) (identity.TenantID, error) {
	if by.TenantID != "" {
		return by.TenantID, nil
	}
	return s.landingID(ctx, tx)
}

// tie keeps the id that a directory gives a person, as a push does.
func (p *planner) tie(ctx context.Context, tx *store.Tx, u identity.User, r importRow) error {
	said := r.fields[fieldExternalID]
	if p.by.Kind != identity.ActorDirectory || said == "" || u.ID == "" {
		return nil
	}
	links, err := tx.DirectoryLinks(ctx, u.ID)
	if err != nil {
		return err
	}
	own, linked := ownLink(p.by, links, u)
	if !linked || own.ExternalID == said {
		return nil
	}
	e := about(p.by, identity.UserUpdated, u)
	e.Reason, e.Changes = p.reason(r), []identity.Change{{Field: fieldExternalID, Before: orNil(own.ExternalID), After: said}}
	own.ExternalID = said
	if err := tx.PutDirectoryLink(ctx, own); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, e)
}
