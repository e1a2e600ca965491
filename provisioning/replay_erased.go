package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The events about somebody who was erased for good still say from when until when that person was there, in which tenant, with which roles, and whether the person might come in. That
// decided what others could do, such as letting the last but one administrator go: so somebody without a name stands in the scratch installation until the event of the erasure.

// nameless reports whether an event is about somebody who was erased for good: the id stands in it for the name. So it does for those who had been joined with that person.
func (r *replaying) nameless(e identity.Event) bool {
	if e.UserID != "" && e.ObjectLabel == string(e.UserID) {
		r.erased[e.UserID] = true
	}
	return r.erased[e.UserID]
}

// erase takes somebody without a name away.
func (t *told) erase(ctx context.Context, tx *store.Tx) error {
	u, err := t.now(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := tx.DeleteMembershipsOf(ctx, u.ID); err != nil {
		return err
	}
	return tx.DeleteUser(ctx, u)
}

// mergeNameless takes away the one of two without a name who was joined with the other, and gives the other the roles that went over.
func (t *told) mergeNameless(ctx context.Context, tx *store.Tx) error {
	for _, c := range t.Changes {
		if c.Field == "joined with" {
			return t.erase(ctx, tx)
		}
	}
	if err := t.change(ctx, tx); err != nil {
		return err
	}
	return t.assign(ctx, tx)
}
