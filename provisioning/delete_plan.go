package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// DeletePlan is what a dialog shows before somebody is deleted or deactivated: what deleting means here, and all that ends with it.
type DeletePlan struct {
	User        identity.User
	Mode        access.DeleteMode
	Refused     string // why the person cannot be deleted; empty: they can
	Deactivate  bool   // deactivating is offered beside it, or instead
	Sessions    int
	Keys        []identity.APIKey // that work
	Groups      []identity.Membership
	Links       []identity.Link
	Directories []identity.DirectoryLink // that will push the person again
	Holdings    []identity.Holding       // what the person owns or has to do, at most mostHoldings
}

// OpenTasks returns what the person has to do and nobody else has been named for.
func (p DeletePlan) OpenTasks() []identity.Holding {
	return slices.DeleteFunc(slices.Clone(p.Holdings), func(h identity.Holding) bool { return h.Kind != identity.OpenTask || h.Transfer != nil })
}

// DeletePlan returns what deleting or deactivating a person would end. It changes nothing.
func (s *Service) DeletePlan(ctx context.Context, by identity.Actor, id identity.UserID) (DeletePlan, error) {
	p := DeletePlan{Mode: s.model.DeleteMode(), Deactivate: s.model.Deactivates()}
	d, err := s.UserDetail(ctx, by, id)
	if err != nil {
		return p, err
	}
	if _, err := s.removeScope(by); err != nil {
		p.Refused = messageFor(err)
	}
	if p.Mode == access.DeleteHidden && !trusted(by) {
		p.Refused = deletingHidden().Message
	}
	if by.UserID() == d.User.ID {
		p.Refused = "You cannot delete yourself; ask another administrator."
	}
	p.User, p.Sessions, p.Groups, p.Links = d.User, len(d.Sessions), d.Memberships, d.Links
	p.Directories = slices.DeleteFunc(d.Directories, func(l identity.DirectoryLink) bool { return !l.Active })
	err = s.db.View(ctx, func(tx *store.Tx) error { return s.loadPlan(ctx, tx, by, &p) })
	return p, err
}

// mostKeys is how many keys of programs a person may have to be told of.
const mostKeys = 100

func (s *Service) loadPlan(ctx context.Context, tx *store.Tx, by identity.Actor, p *DeletePlan) error {
	keys, err := tx.APIKeys(ctx, p.User.ID, mostKeys)
	if err != nil {
		return err
	}
	p.Keys = slices.DeleteFunc(keys, func(k identity.APIKey) bool { return k.RevokedAt != nil })
	page, err := tx.Holdings(ctx, store.Everything(), store.HoldingQuery{UserID: p.User.ID, Limit: mostHoldings})
	p.Holdings = page.Items
	if err != nil || p.Refused != "" {
		return err
	}
	if _, err := s.keepPerson(ctx, tx, by, p.User, access.DenyDelete); err != nil {
		if p.Refused = messageFor(err); p.Refused == "" {
			return err
		}
	}
	return nil
}
