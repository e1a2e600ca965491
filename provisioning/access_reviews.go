package provisioning

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// reviewTime is how long reviewers have when nobody says otherwise, longestReview how long they may have.
const (
	reviewTime    = 14 * 24 * time.Hour
	longestReview = 366 * 24 * time.Hour
)

// NewAccessReview is what StartAccessReview needs.
type NewAccessReview struct {
	Tenant identity.TenantID // empty: the actor's own, or the whole installation for the platform
	Name   string            // empty: made of what is looked at and the day
	Scope  identity.AccessReviewScope
	Due    time.Time // zero: in 14 days
}

// StartAccessReview begins a review: what is held now is to be kept or taken away by people who may change users. The administrators get a mail.
func (s *Service) StartAccessReview(ctx context.Context, by identity.Actor, n NewAccessReview) (identity.AccessReview, error) {
	var r identity.AccessReview
	if _, err := s.accessReviewScope(by, usersWrite); err != nil {
		return r, err
	}
	if !validIDs(&n.Tenant) {
		return r, noTenant()
	}
	if by.Kind == identity.ActorUser && by.TenantID != "" {
		if n.Tenant != "" && n.Tenant != by.TenantID {
			return r, noTenant()
		}
		n.Tenant = by.TenantID
	}
	if _, ok := s.model.Role(n.Scope.Role); n.Scope.Role != "" && !ok {
		return r, identity.Errorf(identity.Invalid, "There is no role %q in the access model %s.", n.Scope.Role, s.model.Name()).WithField("scope")
	}
	if _, err := identity.ParseAccessReviewScope(n.Scope.String()); err != nil {
		return r, err
	}
	if n.Name = strings.TrimSpace(n.Name); len(n.Name) > maxTitle || oneLine(n.Name) != n.Name {
		return r, identity.Errorf(identity.Invalid, "The name of a review is one line of at most %d bytes.", maxTitle).WithField("name")
	}
	err := s.update(ctx, by, func(tx *store.Tx) (err error) {
		r, err = s.startReview(ctx, tx, by, n)
		return err
	})
	return r, err
}

// accessReviewScope says whose reviews the actor sees, or decides. A directory has none.
func (s *Service) accessReviewScope(by identity.Actor, capability string) (store.Scope, error) {
	if by.Kind == identity.ActorDirectory {
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A directory reviews nobody's access.")
	}
	return s.scopeFor(by, capability)
}

func (s *Service) startReview(ctx context.Context, tx *store.Tx, by identity.Actor, n NewAccessReview) (identity.AccessReview, error) {
	r := identity.AccessReview{ID: identity.NewID[identity.AccessReviewID](), TenantID: n.Tenant, Name: n.Name, Scope: n.Scope, CreatedBy: by.Label, CreatedAt: tx.Now(), DueAt: n.Due.UTC()}
	if n.Due.IsZero() {
		r.DueAt = tx.Now().Add(reviewTime)
	}
	if !r.DueAt.After(tx.Now()) || r.DueAt.After(tx.Now().Add(longestReview)) {
		return r, identity.Errorf(identity.Invalid, "A review is due within a year from now.").WithField("due")
	}
	if n.Tenant != "" {
		t, err := tx.Tenant(ctx, store.Everything(), n.Tenant)
		if err != nil {
			return r, sharpen(err, noTenant)
		}
		r.TenantName = t.Name
	}
	if r.Name == "" {
		r.Name = s.reviewTitle(r.Scope) + ", " + dayOf(tx.Now())
	}
	if err := tx.InsertAccessReview(ctx, r); err != nil {
		return r, err
	}
	var err error
	if r.Items, err = tx.InsertAccessReviewItems(ctx, r.ID, s.reviewedAccess(tx.Now(), r)); err != nil {
		return r, err
	}
	r.Undecided = r.Items
	e := aboutAccessReview(by, identity.AccessReviewStarted, r)
	e.Changes = []identity.Change{{Field: "scope", After: r.Scope.String()}, {Field: "due", After: dayOf(r.DueAt)}, {Field: "items", After: r.Items}}
	if err := tx.InsertEvent(ctx, e); err != nil {
		return r, err
	}
	return r, s.tell(ctx, tx, r.TenantID, mailReview(r, "A review of access has begun"))
}

// reviewTitle names what a review looks at.
func (s *Service) reviewTitle(scope identity.AccessReviewScope) string {
	switch scope.Kind {
	case identity.ReviewAdministrators:
		return "Administrators"
	case identity.ReviewRole:
		return s.roleTitle(scope.Role)
	case identity.ReviewSensitive:
		return "Sensitive permissions"
	case identity.ReviewDormant:
		return fmt.Sprintf("Not seen for %d days", scope.Days)
	}
	return "Everybody"
}

// reviewedAccess says what a review takes up.
func (s *Service) reviewedAccess(now time.Time, r identity.AccessReview) store.ReviewedAccess {
	w := store.ReviewedAccess{Tenant: r.TenantID}
	_, flag := s.model.AdminFlag()
	switch r.Scope.Kind {
	case identity.ReviewAdministrators:
		for _, role := range s.model.Roles() {
			if s.model.Privileged(role.ID) {
				w.Roles = append(w.Roles, role.ID)
			}
		}
		w.Flagged = flag && s.model.AdminPrivileged()
	case identity.ReviewRole:
		w.Roles = []identity.RoleID{r.Scope.Role}
	case identity.ReviewSensitive:
		h := s.holdersFor(AccessQuery{Sensitive: true})
		w.Roles, w.Flagged = h.Roles, h.Flagged
	case identity.ReviewDormant:
		w.Everything, w.Flagged, w.UnseenFor = true, flag, now.Add(-time.Duration(r.Scope.Days)*24*time.Hour)
	case identity.ReviewEverybody:
		w.Everything, w.Flagged = true, flag
	}
	return w
}

func aboutAccessReview(by identity.Actor, kind identity.EventType, r identity.AccessReview) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = r.TenantID, "access review", string(r.ID), r.Name
	return e
}

func noAccessReview() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such review of access here.")
}

// AccessReviewQuery says which reviews are wanted.
type AccessReviewQuery = store.AccessReviewQuery

// AccessReviews returns a page of the reviews of the actor's tenant, or of all, newest first. It needs the right to see users.
func (s *Service) AccessReviews(ctx context.Context, by identity.Actor, q AccessReviewQuery) (identity.Page[identity.AccessReview], error) {
	var page identity.Page[identity.AccessReview]
	scope, err := s.accessReviewScope(by, usersRead)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.AccessReviews(ctx, scope, q)
		return err
	})
	return page, err
}

// AccessReviewDetail is a review with a page of what it looks at.
type AccessReviewDetail struct {
	Review identity.AccessReview
	Items  identity.Page[identity.AccessReviewItem]
}

// AccessReview returns a review with a page of its items by q (After, Limit, Total), all of them or those that nobody decided, or NotFound.
func (s *Service) AccessReview(ctx context.Context, by identity.Actor, id identity.AccessReviewID, undecided bool, q identity.Query) (AccessReviewDetail, error) {
	var d AccessReviewDetail
	scope, err := s.accessReviewScope(by, usersRead)
	if err != nil {
		return d, err
	}
	if id == "" || !validIDs(&id) {
		return d, noAccessReview()
	}
	q.After = cursor(q.After)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if d.Review, err = tx.AccessReview(ctx, scope, id); err != nil {
			return sharpen(err, noAccessReview)
		}
		if d.Items, err = tx.AccessReviewItems(ctx, id, undecided, q); err != nil {
			return err
		}
		return s.describeItems(ctx, tx, d.Items.Items)
	})
	return d, err
}

// describeItems fills in whom and what items are about.
func (s *Service) describeItems(ctx context.Context, tx *store.Tx, items []identity.AccessReviewItem) error {
	if len(items) == 0 {
		return nil
	}
	var ids []identity.UserID
	for _, item := range items {
		if !slices.Contains(ids, item.UserID) {
			ids = append(ids, item.UserID)
		}
	}
	found, err := tx.UsersOf(ctx, ids)
	if err != nil {
		return err
	}
	users := make([]identity.User, 0, len(found))
	for _, id := range ids {
		users = append(users, found[id])
	}
	if err := s.describe(ctx, tx, users); err != nil {
		return err
	}
	for _, u := range users {
		found[u.ID] = u
	}
	known, err := tx.DirectoryLinksOf(ctx, ids)
	sensitive := map[identity.RoleID][]string{}
	for i, item := range items {
		if _, ok := sensitive[item.RoleID]; !ok {
			sensitive[item.RoleID] = s.titlesOfSensitive(item.RoleID)
		}
		items[i].User, items[i].Known, items[i].Sensitive = found[item.UserID], known[item.UserID], sensitive[item.RoleID]
	}
	return err
}

// CloseAccessReview ends a review. What nobody decided stays as it is; the review and its event say how much that was.
func (s *Service) CloseAccessReview(ctx context.Context, by identity.Actor, id identity.AccessReviewID, note string) (identity.AccessReview, error) {
	var r identity.AccessReview
	scope, err := s.accessReviewScope(by, usersWrite)
	if err != nil {
		return r, err
	}
	if id == "" || !validIDs(&id) {
		return r, noAccessReview()
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		if r, err = s.openAccessReview(ctx, tx, scope, id); err != nil {
			return err
		}
		at := tx.Now()
		r.ClosedAt, r.ClosedBy = &at, by.Label
		if err := tx.CloseAccessReview(ctx, id, by.Label); err != nil {
			return err
		}
		e := aboutAccessReview(by, identity.AccessReviewClosed, r)
		e.Reason, e.Changes = strings.TrimSpace(note), []identity.Change{{Field: "items", After: r.Items}, {Field: "undecided", After: r.Undecided}}
		return tx.InsertEvent(ctx, e)
	})
	return r, err
}

// openAccessReview returns a review that is still open, locked.
func (s *Service) openAccessReview(ctx context.Context, tx *store.Tx, scope store.Scope, id identity.AccessReviewID) (identity.AccessReview, error) {
	r, err := tx.AccessReviewForUpdate(ctx, scope, id)
	if err != nil {
		return r, sharpen(err, noAccessReview)
	}
	return r, refuseClosed(r)
}

func refuseClosed(r identity.AccessReview) error {
	if r.ClosedAt == nil {
		return nil
	}
	return identity.Errorf(identity.Conflict, "%s closed this review already; begin another one.", r.ClosedBy).WithCode("access_review.closed")
}
