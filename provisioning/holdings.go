package provisioning

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noHolding() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such thing that somebody owns or has to do.")
}

// The most bytes of what an application says about a holding.
const (
	maxHoldingID   = 200
	maxHoldingName = 300
)

// PutHolding keeps what an application says: that a person owns something or has to do it. The same key again says it anew. When the application names the successor of an
// open transfer, that acknowledges it; when it names a third person, the transfer is over.
func (s *Service) PutHolding(ctx context.Context, by identity.Actor, h identity.Holding) (identity.Holding, error) {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return h, err
	}
	if err := checkHolding(&h); err != nil {
		return h, err
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		u, err := tx.User(ctx, scope, h.UserID)
		if err != nil {
			return sharpen(err, noUser)
		}
		if u.TenantID == "" {
			return identity.Errorf(identity.Invalid, "%s belongs to no tenant; what is owned or to be done belongs to one.", u.Label()).WithField("user")
		}
		h.TenantID, h.Transfer = u.TenantID, nil
		before, err := tx.HoldingForUpdate(ctx, h.HoldingKey)
		switch {
		case identity.KindOf(err) == identity.NotFound:
			return s.writeHolding(ctx, tx, by, identity.HoldingSet, identity.Holding{}, h)
		case err != nil:
			return err
		case before.TenantID != h.TenantID:
			return identity.Errorf(identity.Conflict, "%s is the id of something else already.", h.HoldingKey).WithField("id").WithCode("uniqueness")
		case before.UserID == h.UserID && before.Display == h.Display:
			h = before
			return nil
		}
		kind := identity.HoldingSet
		if before.Transfer != nil && before.Transfer.Successor == h.UserID {
			kind = identity.TransferAcknowledged
		}
		if before.UserID == h.UserID {
			h.Transfer = before.Transfer
		}
		return s.writeHolding(ctx, tx, by, kind, before, h)
	})
	return h, err
}

// checkHolding refuses what an application cannot mean.
func checkHolding(h *identity.Holding) error {
	if h.Application == "" {
		h.Application = identity.DefaultApplication
	}
	switch {
	case !h.Kind.Valid():
		return identity.Errorf(identity.Invalid, "The kind is %s or %s.", identity.Ownership, identity.OpenTask).WithField("kind")
	case len(h.Application) > maxHoldingID || strings.Contains(h.Application, "/") || !readableText(h.Application):
		return identity.Errorf(identity.Invalid, "The application is a short name without a slash.").WithField("application")
	case h.ForeignID == "" || len(h.ForeignID) > maxHoldingID || !readableText(h.ForeignID):
		return identity.Errorf(identity.Invalid, "The id is needed, with at most %d bytes.", maxHoldingID).WithField("id")
	case len(h.Display) > maxHoldingName || !readableText(h.Display):
		return identity.Errorf(identity.Invalid, "The name has at most %d bytes.", maxHoldingName).WithField("display")
	}
	if h.UserID == "" || !validIDs(&h.UserID) {
		return noUser()
	}
	return nil
}

// writeHolding writes a holding that changed, with its event on the page of who has it now.
func (s *Service) writeHolding(ctx context.Context, tx *store.Tx, by identity.Actor, kind identity.EventType, before, after identity.Holding) error {
	if err := tx.PutHolding(ctx, after); err != nil {
		return err
	}
	e := aboutHolding(by, kind, after)
	e.Changes = []identity.Change{{Field: "user", Before: orNil(string(before.UserID)), After: string(after.UserID)}}
	if before.Display != after.Display {
		e.Changes = append(e.Changes, identity.Change{Field: "display", Before: orNil(before.Display), After: orNil(after.Display)})
	}
	if before.Transfer != nil {
		e.Reason = before.Transfer.Reason
		e.Changes = append(e.Changes, identity.Change{Field: "transfer", Before: string(before.Transfer.ID)})
	}
	return tx.InsertEvent(ctx, e)
}

// aboutHolding starts an event about a holding, on the page of who has it.
func aboutHolding(by identity.Actor, kind identity.EventType, h identity.Holding) identity.Event {
	e := event(by, kind)
	e.TenantID, e.UserID, e.ObjectKind, e.ObjectID, e.ObjectLabel = h.TenantID, h.UserID, "holding", h.String(), h.Display
	if e.ObjectLabel == "" {
		e.ObjectLabel = h.String()
	}
	return e
}

// DeleteHolding forgets what an application said: it is done, or gone. NotFound when nobody has it.
func (s *Service) DeleteHolding(ctx context.Context, by identity.Actor, k identity.HoldingKey) error {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return err
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		h, err := tx.HoldingForUpdate(ctx, k)
		if err != nil {
			return err
		}
		if _, err := tx.Tenant(ctx, scope, h.TenantID); err != nil {
			return err
		}
		if err := tx.DeleteHolding(ctx, k); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, aboutHolding(by, identity.HoldingRemoved, h))
	})
	return sharpen(err, noHolding)
}

// HoldingQuery says which holdings are wanted; empty fields do not narrow.
type HoldingQuery = store.HoldingQuery

// mostHoldings is how many holdings are listed or handed over at once at most.
const mostHoldings = 1000

// Holdings returns a page of what people own or have to do, as far as the actor may see them; one's own always.
func (s *Service) Holdings(ctx context.Context, by identity.Actor, q HoldingQuery) (identity.Page[identity.Holding], error) {
	var page identity.Page[identity.Holding]
	scope, err := s.scopeFor(by, usersRead)
	if by.UserID() != "" && by.UserID() == q.UserID {
		scope, err = store.Everything(), nil
	}
	if err != nil || !validIDs(&q.UserID) || !validIDs(&q.TenantID) {
		return page, err
	}
	if q.Limit <= 0 || q.Limit > mostHoldings {
		q.Limit = mostHoldings
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Holdings(ctx, scope, q)
		return err
	})
	return page, err
}

// openAssignments returns what somebody has to do and nobody else has been named for, at most mostHoldings.
func openAssignments(ctx context.Context, tx *store.Tx, u identity.User) ([]identity.Holding, error) {
	page, err := tx.Holdings(ctx, store.Everything(), store.HoldingQuery{UserID: u.ID, Kind: identity.OpenTask, Unassigned: true, Limit: mostHoldings})
	return page.Items, err
}

// workText names a few of some holdings.
func workText(work []identity.Holding) string {
	const few = 5
	var names []string
	for _, h := range work[:min(len(work), few)] {
		names = append(names, cmp.Or(h.Display, h.ForeignID))
	}
	if more := len(work) - few; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
