package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// A plan of a directory is its word, and who manages people by hand cannot say otherwise. Undoing such a plan takes the word back, so it is written in the directory's
// name: what a directory said of access, and the attributes that it manages.

// whoseWord returns in whose name a person's record is put back: the directory's whose plan is undone, or the actor's. It asks once. A directory that is gone says nothing
// any more, and one that is switched off is Forbidden.
func (p *planner) whoseWord(ctx context.Context, tx *store.Tx) (identity.Actor, error) {
	if p.word != nil {
		return *p.word, nil
	}
	by := p.by
	for id := p.plan.ParentID; id != ""; { // an undo may itself be undone
		parent, err := tx.Plan(ctx, store.Everything(), id)
		if identity.KindOf(err) == identity.NotFound {
			break // thrown away
		}
		if err != nil {
			return by, err
		}
		if parent.DirectoryID != "" {
			d, err := tx.Directory(ctx, store.Everything(), parent.DirectoryID)
			switch {
			case identity.KindOf(err) == identity.NotFound:
			case err != nil:
				return by, err
			default:
				if by, err = actorOf(d); err != nil {
					return by, err
				}
			}
			break
		}
		id = parent.ParentID
	}
	p.word = &by
	return by, nil
}

// writeAs is write for a directory: what others say of access, and the dates of the person, are not its word.
func (w *wasPerson) writeAs(by identity.Actor) func(*identity.User) error {
	if by.Kind != identity.ActorDirectory || w.User.Enabled || !w.User.Held && !w.Terms.Out() {
		return w.write
	}
	return func(u *identity.User) error {
		said := u.Enabled
		err := w.write(u)
		u.Enabled = said
		return err
	}
}
