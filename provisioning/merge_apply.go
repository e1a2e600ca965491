package provisioning

import (
	"context"
	"fmt"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// merge does what a plan says with two locked users.
func (s *Service) merge(ctx context.Context, tx *store.Tx, by identity.Actor, p *MergePlan, reason string) error {
	held, err := s.mergeBelongings(ctx, tx, p)
	if err != nil {
		return err
	}
	if _, err := s.keepPerson(ctx, tx, by, p.Drop, access.DenyDelete); err != nil {
		return err
	}
	before := p.Keep
	after := before
	after.Enabled = p.Enabled
	for _, address := range p.Emails {
		after.Emails = append(after.Emails[:len(after.Emails):len(after.Emails)], identity.Email{Value: address, Type: "other"})
	}
	if err := s.dropMerged(ctx, tx, by, *p, reason); err != nil {
		return err
	}
	sessions, err := tx.SessionsOf(ctx, before.ID)
	if err != nil {
		return err
	}
	if p.Keep, err = s.writeUser(ctx, tx, by, before, after, len(sessions), reason, diffUsers(before, after)); err != nil {
		return err
	}
	if seen := p.Drop.LastLoginAt; seen != nil && (before.LastLoginAt == nil || before.LastLoginAt.Before(*seen)) {
		if err := tx.SetLastLogin(ctx, before.ID, *seen); err != nil {
			return err
		}
	}
	e := about(by, identity.UserMerged, p.Keep)
	e.Reason = reason
	e.Changes = p.changes(s, held)
	return tx.InsertEvent(ctx, e)
}

// mergeBelongings moves what hangs on the one who goes, and returns how many holdings that were.
func (s *Service) mergeBelongings(ctx context.Context, tx *store.Tx, p *MergePlan) (int, error) {
	from, to := p.Drop.ID, p.Keep.ID
	if err := tx.MoveLinks(ctx, from, to); err != nil {
		return 0, err
	}
	if err := tx.MoveDirectoryLinks(ctx, from, to); err != nil {
		return 0, err
	}
	if _, err := tx.MoveMemberships(ctx, from, to, p.Keep.Label()); err != nil {
		return 0, err
	}
	for _, a := range p.Roles {
		if err := tx.MoveAssignment(ctx, a.ID, to); err != nil {
			return 0, err
		}
	}
	for _, r := range p.Records {
		r.UserID = to
		if err := tx.PutRecord(ctx, r); err != nil {
			return 0, err
		}
	}
	if err := tx.MoveAvatar(ctx, from, to); err != nil {
		return 0, err
	}
	if err := tx.MoveTracks(ctx, from, to); err != nil {
		return 0, err
	}
	if err := tx.MoveOffboardings(ctx, from, to); err != nil {
		return 0, err
	}
	if err := tx.MoveSources(ctx, from, to); err != nil {
		return 0, err
	}
	return tx.MoveHoldings(ctx, from, to)
}

// dropMerged deletes the one who goes, after what happened to them was made a part of the other's story.
func (s *Service) dropMerged(ctx context.Context, tx *store.Tx, by identity.Actor, p MergePlan, reason string) error {
	if err := tx.InsertMerged(ctx, p.Drop.ID, p.Keep.ID); err != nil {
		return err
	}
	e := about(by, identity.UserMerged, p.Drop)
	e.Reason = reason
	e.Changes = []identity.Change{{Field: "joined with", After: string(p.Keep.ID)}, {Field: "active", Before: p.Drop.Enabled, After: false}}
	if err := tx.DeleteUser(ctx, p.Drop); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, e)
}

// changes says in an event what the one who stays got.
func (p MergePlan) changes(s *Service, holdings int) []identity.Change {
	out := []identity.Change{{Field: "joined", After: string(p.Drop.ID)}}
	add := func(field string, n int) {
		if n > 0 {
			out = append(out, identity.Change{Field: field, After: fmt.Sprintf("%d more", n)})
		}
	}
	add("links", len(p.Links))
	add("directories", len(p.Directories))
	add("groups", len(p.Groups))
	add("records", len(p.Records))
	add("holdings", holdings)
	for _, a := range p.Roles {
		out = append(out, identity.Change{Field: "role", After: s.roleTitle(a.RoleID)})
	}
	return out
}
