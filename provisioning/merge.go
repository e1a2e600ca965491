package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Merge says that two users are one person: Keep stays and gets what Drop has. The versions are those that were seen; 0 means any.
type Merge struct {
	Keep, Drop PlacedUser
	Reason     string
}

// MergePlan is what a merge would do, or did.
type MergePlan struct {
	Keep, Drop  identity.User
	Refused     string                   // why they cannot be joined; empty: they can
	Links       []identity.Link          // go to the one who stays
	Directories []identity.DirectoryLink // likewise: these directories know the one who stays from then on
	Groups      []identity.Membership
	Roles       []identity.Assignment // go to the one who stays
	LostRoles   []identity.Assignment // end: the one who stays has them already, or may not have more
	Records     []identity.Record
	LostRecords []identity.Record // are tied to nobody: the one who stays has one of that kind
	Holdings    []identity.Holding
	Emails      []string // are added to the addresses of the one who stays
	Enabled     bool     // whether the one who stays may come in afterwards
	Notes       []string // what else ends or changes
}

// PlanMerge says what MergeUsers would do and changes nothing.
func (s *Service) PlanMerge(ctx context.Context, by identity.Actor, m Merge) (MergePlan, error) {
	var p MergePlan
	scope, err := s.checkMerge(by, &m)
	if err != nil {
		return p, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		p, err = s.planMerge(ctx, tx, scope, m, (*store.Tx).User)
		return err
	})
	return p, err
}

// MergeUsers joins two users who are one person, in one transaction: links, directories, groups, roles within the bounds of the access model, records, holdings
// and addresses go to the one who stays, and the other is gone; the events of both are read on one timeline. Accounts that may manage people, the owner of a tenant, and people of two
// tenants are refused, as are two whom one directory or one provider knows as two.
func (s *Service) MergeUsers(ctx context.Context, by identity.Actor, m Merge) (MergePlan, error) {
	var p MergePlan
	scope, err := s.checkMerge(by, &m)
	if err != nil {
		return p, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if p, err = s.planMerge(ctx, tx, scope, m, (*store.Tx).UserForUpdate); err != nil {
			return err
		}
		if p.Refused != "" {
			return identity.Errorf(identity.Conflict, "Nobody was joined: %s", p.Refused).WithCode("merge_refused")
		}
		return s.merge(ctx, tx, by, &p, m.Reason)
	})
	return p, err
}

func (s *Service) checkMerge(by identity.Actor, m *Merge) (store.Scope, error) {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return scope, err
	}
	if by.Kind == identity.ActorDirectory {
		return scope, identity.Errorf(identity.Forbidden, "A directory joins nobody.")
	}
	if m.Keep.ID == "" || m.Drop.ID == "" || !validIDs(&m.Keep.ID) || !validIDs(&m.Drop.ID) {
		return scope, noUser()
	}
	if m.Keep.ID == m.Drop.ID {
		return scope, identity.Errorf(identity.Invalid, "Choose two users.").WithField("drop")
	}
	if by.UserID() == m.Keep.ID || by.UserID() == m.Drop.ID {
		return scope, identity.Errorf(identity.Forbidden, "You cannot join your own account with another; ask another administrator.")
	}
	return scope, nil
}

func (s *Service) planMerge(ctx context.Context, tx *store.Tx, scope store.Scope, m Merge, read readUser) (MergePlan, error) {
	var p MergePlan
	for _, placed := range inOrder(m.Keep, m.Drop) { // locked in one order whoever asks
		u, err := read(tx, ctx, scope, placed.ID)
		if err != nil {
			return p, sharpen(err, noUser)
		}
		if placed.Version != 0 && placed.Version != u.Version {
			return p, stale()
		}
		if u.ID == m.Keep.ID {
			p.Keep = u
		} else {
			p.Drop = u
		}
	}
	why, err := s.whyNotMerged(ctx, tx, p.Keep, p.Drop)
	if err != nil || why != "" {
		p.Refused = why
		return p, err
	}
	if err := s.planDoors(ctx, tx, &p); err != nil || p.Refused != "" {
		return p, err
	}
	return p, s.planBelongings(ctx, tx, &p)
}

func inOrder(a, b PlacedUser) []PlacedUser {
	if a.ID > b.ID {
		return []PlacedUser{b, a}
	}
	return []PlacedUser{a, b}
}

// whyNotMerged returns the reason why two users must not become one, or "". An account that may manage people would be opened by whatever opens the other.
func (s *Service) whyNotMerged(ctx context.Context, tx *store.Tx, keep, drop identity.User) (string, error) {
	if keep.TenantID != drop.TenantID {
		return keep.Label() + " and " + drop.Label() + " belong to two tenants; place one of them first.", nil
	}
	for _, u := range []identity.User{keep, drop} {
		owner, err := tx.OwnsTenant(ctx, u.ID)
		if err != nil {
			return "", err
		}
		if owner {
			return u.Label() + " owns the tenant; hand that over first.", nil
		}
		protected, err := s.privileged(ctx, tx, u)
		if err != nil {
			return "", err
		}
		if !protected {
			protected, err = tx.BreakGlass(ctx, u.ID)
		}
		if err != nil {
			return "", err
		}
		if protected {
			return u.Label() + " may manage people or is an account for emergencies; such an account is joined with no other.", nil
		}
	}
	return "", nil
}

// planDoors says through what the two come in, and refuses what cannot be one: a directory or a provider that knows both would go on to know two.
func (s *Service) planDoors(ctx context.Context, tx *store.Tx, p *MergePlan) error {
	own, err := tx.Links(ctx, p.Keep.ID)
	if err != nil {
		return err
	}
	if p.Links, err = tx.Links(ctx, p.Drop.ID); err != nil {
		return err
	}
	for _, l := range p.Links {
		if slices.ContainsFunc(own, func(o identity.Link) bool { return o.ConnectionID == l.ConnectionID }) {
			p.Refused = "both sign in through " + l.ConnectionName + ", as two; remove one of the two links first."
		}
	}
	known, err := tx.DirectoryLinks(ctx, p.Keep.ID)
	if err != nil {
		return err
	}
	if p.Directories, err = tx.DirectoryLinks(ctx, p.Drop.ID); err != nil {
		return err
	}
	for _, d := range p.Directories {
		if slices.ContainsFunc(known, func(k identity.DirectoryLink) bool { return k.DirectoryID == d.DirectoryID }) {
			p.Refused = "the directory " + d.DirectoryName + " knows both, as two; remove one of them there first: it would push the person again."
		}
	}
	out, err := tx.OutOfTerms(ctx, p.Keep.ID)
	if err != nil {
		return err
	}
	p.Enabled = letsIn(p.Keep, append(known, p.Directories...)) && !out
	if p.Keep.Enabled && !p.Enabled {
		p.Notes = append(p.Notes, "A directory that knows "+p.Drop.Label()+" keeps that person out: nobody comes in afterwards until it lets them in.")
	}
	return nil
}

// planBelongings says what goes over.
func (s *Service) planBelongings(ctx context.Context, tx *store.Tx, p *MergePlan) error {
	groups, err := tx.Memberships(ctx, "", []identity.UserID{p.Drop.ID})
	if err != nil {
		return err
	}
	p.Groups = slices.DeleteFunc(groups[p.Drop.ID], func(m identity.Membership) bool { return !m.Direct })
	if err := s.planRoles(ctx, tx, p); err != nil {
		return err
	}
	if err := s.planRecords(ctx, tx, p); err != nil {
		return err
	}
	page, err := tx.Holdings(ctx, store.Everything(), store.HoldingQuery{UserID: p.Drop.ID, Limit: mostHoldings})
	if err != nil {
		return err
	}
	p.Holdings = page.Items
	for _, e := range p.Drop.Emails {
		if key, err := identity.EmailKey(e.Value); err == nil && !hasAddress(p.Keep, key) {
			p.Emails = append(p.Emails, e.Value)
		}
	}
	has, err := tx.HasCredential(ctx, p.Drop.ID)
	if has {
		p.Notes = append(p.Notes, "The password of "+p.Drop.Label()+" ends, and so do the keys for programs of that account.")
	}
	return err
}

// planRoles says which roles go over: no role twice from one source, and no more roles than the access model lets one person have.
func (s *Service) planRoles(ctx context.Context, tx *store.Tx, p *MergePlan) error {
	own, err := tx.Assignments(ctx, p.Keep.ID)
	if err != nil {
		return err
	}
	theirs, err := tx.Assignments(ctx, p.Drop.ID)
	if err != nil {
		return err
	}
	_, most := s.model.AssignmentBounds()
	held := map[identity.RoleID]bool{}
	for _, a := range own {
		held[a.RoleID] = true
	}
	for _, a := range theirs {
		twice := slices.ContainsFunc(own, func(o identity.Assignment) bool {
			return o.RoleID == a.RoleID && o.Application == a.Application && o.Source == a.Source && o.SourceID == a.SourceID
		})
		if twice || !held[a.RoleID] && most > 0 && len(held) >= most {
			p.LostRoles = append(p.LostRoles, a)
			continue
		}
		held[a.RoleID] = true
		p.Roles = append(p.Roles, a)
	}
	return nil
}

// planRecords says which records go over: one of each kind, where the access model has them one to one.
func (s *Service) planRecords(ctx context.Context, tx *store.Tx, p *MergePlan) error {
	own, err := tx.RecordsOf(ctx, p.Keep.ID)
	if err != nil {
		return err
	}
	theirs, err := tx.RecordsOf(ctx, p.Drop.ID)
	for _, r := range theirs {
		unique := false
		for _, l := range s.model.LinkTypes() {
			unique = unique || l.Type == r.Type && l.Unique
		}
		if unique && slices.ContainsFunc(own, func(o identity.Record) bool { return o.Type == r.Type }) {
			p.LostRecords = append(p.LostRecords, r)
			continue
		}
		p.Records, own = append(p.Records, r), append(own, r)
	}
	return err
}
