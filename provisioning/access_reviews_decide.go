package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// MaxDecisions is how many decisions one call takes.
const MaxDecisions = 500

// AccessVerdict is what a reviewer says about one item of a review.
type AccessVerdict struct {
	Item     identity.AssignmentID
	Decision identity.AccessDecision
	Role     identity.RoleID // of AccessChange: what takes its place
	Reason   string          // needed for everything but keeping
}

// AccessOutcome is what became of a verdict.
type AccessOutcome struct {
	Item identity.AccessReviewItem
	Err  error
}

// DecideAccessReview decides about items of an open review and does at once what was decided, each by itself and by the rules of SetRoles and DeactivateUser. Nobody decides
// about the own access. What a directory or a provider gives cannot be taken away here (Conflict, "role_source"). An item may be decided again while the review is open.
func (s *Service) DecideAccessReview(ctx context.Context, by identity.Actor, id identity.AccessReviewID, verdicts []AccessVerdict) ([]AccessOutcome, error) {
	scope, err := s.accessReviewScope(by, usersWrite)
	if err != nil {
		return nil, err
	}
	if id == "" || !validIDs(&id) {
		return nil, noAccessReview()
	}
	if len(verdicts) > MaxDecisions {
		return nil, identity.Errorf(identity.TooLarge, "At most %d decisions at once.", MaxDecisions)
	}
	err = s.db.View(ctx, func(tx *store.Tx) error { // one that is not there, or closed, is refused as a whole
		r, err := tx.AccessReview(ctx, scope, id)
		if err != nil {
			return sharpen(err, noAccessReview)
		}
		return refuseClosed(r)
	})
	if err != nil {
		return nil, err
	}
	out := make([]AccessOutcome, len(verdicts))
	for i, v := range verdicts {
		out[i].Err = s.update(ctx, by, func(tx *store.Tx) (err error) {
			out[i].Item, err = s.decideItem(ctx, tx, by, scope, id, v)
			return err
		})
	}
	return out, nil
}

func (s *Service) decideItem(ctx context.Context, tx *store.Tx, by identity.Actor, scope store.Scope, id identity.AccessReviewID, v AccessVerdict) (identity.AccessReviewItem, error) {
	var item identity.AccessReviewItem
	if v.Item == "" || !validIDs(&v.Item) {
		return item, noItem()
	}
	v.Reason = strings.TrimSpace(v.Reason)
	switch {
	case !slices.Contains([]identity.AccessDecision{identity.AccessKeep, identity.AccessRevoke, identity.AccessChange, identity.AccessDeactivate}, v.Decision):
		return item, identity.Errorf(identity.Invalid, "A decision is keep, revoke, change or deactivate.").WithField("decision")
	case v.Reason == "" && v.Decision != identity.AccessKeep:
		return item, identity.Errorf(identity.Invalid, "Say why: it is kept with the decision.").WithField("reason").WithCode("reason_required")
	case len(v.Reason) > maxReason:
		return item, identity.Errorf(identity.Invalid, "A reason has at most %d bytes.", maxReason).WithField("reason")
	}
	r, err := s.openAccessReview(ctx, tx, scope, id)
	if err != nil {
		return item, err
	}
	if item, err = tx.AccessReviewItem(ctx, id, v.Item); err != nil {
		return item, sharpen(err, noItem)
	}
	if by.UserID() != "" && by.UserID() == item.UserID {
		return item, identity.Errorf(identity.Forbidden, "Somebody else decides about your own access.").WithCode("access_review.own")
	}
	if !item.Held && v.Decision != identity.AccessKeep {
		return item, identity.Errorf(identity.Conflict, "It is not held any more; there is nothing to take away.").WithCode("access_review.gone")
	}
	if err := s.carryOut(ctx, tx, by, scope, r, item, v); err != nil {
		return item, err
	}
	item.Decision, item.DecidedBy, item.Reason = v.Decision, by.Label, v.Reason
	if err := tx.DecideAccessReviewItem(ctx, item); err != nil {
		return item, err
	}
	e := aboutAccessReview(by, identity.AccessReviewDecided, r)
	e.UserID, e.Reason = item.UserID, v.Reason
	e.Changes = []identity.Change{{Field: "decision", After: string(v.Decision)}, {Field: "reviewed role", After: s.heldTitle(item)}}
	return item, tx.InsertEvent(ctx, e)
}

func noItem() *identity.Error {
	return identity.Errorf(identity.NotFound, "This review has no such item.").WithField("item")
}

// heldTitle names what an item is about.
func (s *Service) heldTitle(item identity.AccessReviewItem) string {
	if item.RoleID == "" {
		label, _ := s.model.AdminFlag()
		return label
	}
	return s.roleTitle(item.RoleID)
}

// carryOut does what was decided.
func (s *Service) carryOut(ctx context.Context, tx *store.Tx, by identity.Actor, scope store.Scope, r identity.AccessReview, item identity.AccessReviewItem, v AccessVerdict) error {
	if v.Decision == identity.AccessKeep {
		return nil
	}
	u, facts, err := tx.UserForChange(ctx, scope, item.UserID)
	if err != nil {
		return sharpen(err, noUser)
	}
	because := "review " + r.Name + ": " + v.Reason
	switch {
	case v.Decision == identity.AccessDeactivate:
		_, err := s.change(ctx, tx, by, u, facts, because, func(u *identity.User) error {
			u.Enabled, u.Held = false, true
			return nil
		})
		return err
	case item.RoleID == "":
		return s.takeFlag(ctx, tx, by, u, v, because)
	}
	change := rolesOf{tx: tx, by: by, user: u, reason: because}
	_, err = s.changeHeld(ctx, &change, func(c *rolesOf) error { return s.replaceReviewed(ctx, c, item, v) })
	return err
}

// replaceReviewed says which roles are left when one is taken away or changed. Where everybody needs a role the least one takes its place.
func (s *Service) replaceReviewed(ctx context.Context, c *rolesOf, item identity.AccessReviewItem, v AccessVerdict) error {
	i := slices.IndexFunc(c.held, func(a identity.Assignment) bool { return a.ID == item.ID })
	if i >= 0 && !byAdministrator(c.held[i]) {
		return s.sourceKeeps(ctx, c, item.RoleID)
	}
	c.wanted = slices.DeleteFunc(c.own(), func(id identity.RoleID) bool { return id == item.RoleID })
	if v.Decision == identity.AccessChange {
		c.wanted = append(c.wanted, v.Role)
		return nil
	}
	least, _ := s.model.AssignmentBounds()
	if len(union(c.wanted, c.synced())) >= least {
		return nil
	}
	_, lowest := s.model.Landing()
	if lowest == item.RoleID || c.user.TenantID == "" {
		return identity.Errorf(identity.Conflict, "%s has no other role, and everybody needs %s: choose another role or deactivate the person.", c.user.Label(), several(least, "role")).WithCode("role_bounds")
	}
	c.wanted = append(c.wanted, lowest)
	return nil
}

// takeFlag takes the admin flag away.
func (s *Service) takeFlag(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, v AccessVerdict, because string) error {
	if v.Decision == identity.AccessChange {
		return identity.Errorf(identity.Invalid, "A flag is kept or taken away; there is no other.").WithField("decision")
	}
	_, err := s.setPosition(ctx, tx, by, u, func(p *identity.Position) error {
		p.Admin = false
		return nil
	}, because)
	return err
}
