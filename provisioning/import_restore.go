package provisioning

import (
	"context"
	"maps"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// decided are the codes of refusals that somebody has to decide about; a row that is refused otherwise cannot be used.
var decided = []string{"ambiguous", "uniqueness", "held_by_hand", "changed_by_hand", "other_tenant", "placement_refused"}

// refusedAs says what a step is whose row was refused.
func refusedAs(refused *identity.Error) identity.PlanAction {
	if slices.Contains(decided, refused.Code) {
		return identity.StepConflict
	}
	return identity.StepError
}

// gone is whom a source knew and who was deleted, by key.
type gone struct {
	by map[string][]store.Tombstone
}

func goneKey(field string, tenant identity.TenantID, key string) string {
	return field + "\x00" + string(tenant) + "\x00" + key
}

// comeFields are by what somebody deleted is known again, the surest first.
var comeFields = []string{fieldExternalID, fieldEmployeeNumber, fieldUserName, fieldEmail}

// lookGone reads once who was deleted: they are few beside the rows of a file.
func (p *planner) lookGone(ctx context.Context, tx *store.Tx) error {
	if p.gone != nil {
		return nil
	}
	g := &gone{by: map[string][]store.Tombstone{}}
	err := tx.TombstonesOf(ctx, p.scope, p.plan.TenantID, p.plan.Source, func(d store.Tombstone) error {
		for _, field := range comeFields {
			for _, key := range tombstoneKeys(d, field) {
				g.by[goneKey(field, d.TenantID, key)] = append(g.by[goneKey(field, d.TenantID, key)], d)
			}
		}
		return nil
	})
	if err == nil {
		p.gone = g
	}
	return err
}

func tombstoneKeys(d store.Tombstone, field string) []string {
	var keys []string
	add := func(key string) {
		if key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	switch field {
	case fieldExternalID:
		add(d.ExternalID)
	case fieldEmployeeNumber:
		add(d.Number)
	case fieldUserName:
		add(d.UserNameKey)
	case fieldEmail:
		for _, e := range d.Emails {
			key, _ := identity.EmailKey(e.Value)
			add(key)
		}
	}
	return keys
}

// deleted returns the one tombstone that a row is about, or "". An address or a name that somebody else had before, by another number or id of the source, is no sign.
func (g *gone) deleted(r importRow) identity.UserID {
	for _, field := range comeFields {
		key := matchKey(field, r.fields[field])
		if key == "" {
			continue
		}
		who := slices.Clone(g.by[goneKey(field, r.tenant, key)])
		who = slices.DeleteFunc(who, func(d store.Tombstone) bool { return contradicts(r, d) })
		if len(who) == 1 {
			return who[0].UserID
		}
	}
	return ""
}

func contradicts(r importRow, d store.Tombstone) bool {
	differs := func(said, was string) bool { return said != "" && was != "" && said != was }
	return differs(r.fields[fieldExternalID], d.ExternalID) || differs(r.fields[fieldEmployeeNumber], d.Number)
}

// absent returns how to find the person of a row whom match does not know: deleted, or at home in another tenant.
func (p *planner) absent(ctx context.Context, tx *store.Tx, rows []importRow, known found) (func(importRow) identity.UserID, error) {
	if !p.fromSource() {
		return func(importRow) identity.UserID { return "" }, nil
	}
	if err := p.lookGone(ctx, tx); err != nil {
		return nil, err
	}
	elsewhere, err := p.elsewhere(ctx, tx, rows, known)
	return func(r importRow) identity.UserID {
		if id := elsewhere(r); id != "" {
			return id
		}
		return p.gone.deleted(r)
	}, err
}

// away says how the source keeps somebody out.
func (p *planner) away(s standing) string {
	if own := p.knownAs(s); own != nil {
		return own.Away
	}
	return ""
}

// awayNow says how the source keeps somebody out after a row.
func (p *planner) awayNow(t *rowStep, r importRow, was string) string {
	switched := t.was.user.Enabled && !t.is.user.Enabled || !t.was.user.Held && t.is.user.Held
	switch {
	case t.is.user.Enabled || !t.is.user.Held || !p.fromSource():
		return ""
	case r.recalled && switched:
		return store.AwayMissing
	case r.fields[fieldActive] == yesNo(false) && (switched || was != ""):
		return store.AwayByRow
	}
	return was
}

// comeBack lets somebody in again who was deleted, or whom this source kept out, where the row says so: with a yes, with another start, or by being there where it was missed. What an
// administrator said a file does not undo.
func (p *planner) comeBack(ctx context.Context, tx *store.Tx, t *rowStep, r importRow, reason string) (importRow, error) {
	u := t.is.user
	no, yes := r.fields[fieldActive] == yesNo(false), r.fields[fieldActive] == yesNo(true)
	away := p.away(t.is)
	switch {
	case u.DeletedAt != nil && no:
		t.out.action, t.out.after, t.out.known = identity.StepSkip, t.out.before, true
		t.out.note("deleted, and the row lets nobody in")
		return r, nil
	case u.DeletedAt != nil:
		return r, p.raise(ctx, tx, t, away, reason)
	case u.Enabled || !u.Held || no || r.recalled || !p.fromSource():
		return r, nil
	case !yes && away != store.AwayMissing && !newStart(r, t.now):
		return r, nil
	case away == "":
		return r, heldByHand(u)
	}
	t.out.action = identity.StepRestore
	return r.with(fieldActive, yesNo(true)), nil
}

func heldByHand(u identity.User) *identity.Error {
	return identity.Errorf(identity.Conflict, "%s was deactivated by hand, not by this source. Activate the person by hand if they may come in again.", u.Label()).
		WithField(fieldActive).WithCode("held_by_hand")
}

// raise brings a tombstone back under its old id, with the old roles, unless an administrator kept the person out before.
func (p *planner) raise(ctx context.Context, tx *store.Tx, t *rowStep, away, reason string) error {
	u := t.is.user
	if u.Held && away == "" {
		page, err := tx.Events(ctx, store.Everything(), store.EventQuery{UserID: u.ID, Types: []identity.EventType{identity.UserDeleted}, Limit: 1})
		if err != nil {
			return err
		}
		for _, e := range page.Items {
			for _, c := range e.Changes {
				if c.Field == "active" && c.Before == false {
					return heldByHand(u)
				}
			}
		}
	}
	if _, err := p.s.unbury(ctx, tx, p.by, u, reason); err != nil {
		return err
	}
	t.out.action = identity.StepRestore
	return p.reread(ctx, tx, t)
}

// reread reads a person once more who was changed in a way that leaves more behind than the record.
func (p *planner) reread(ctx context.Context, tx *store.Tx, t *rowStep) error {
	u, facts, err := tx.UserForChange(ctx, p.scope, t.is.user.ID)
	if err != nil {
		return err
	}
	all, err := peopleOf(ctx, tx, p.scope, []identity.User{u})
	if err != nil {
		return err
	}
	t.is, t.facts = all[0], facts
	t.now, err = p.names.fields(ctx, tx, t.is, p.plan.TenantID, p.plan.Source)
	return err
}

// with returns the row with another value of a field.
func (r importRow) with(field, value string) importRow {
	r.fields = maps.Clone(r.fields)
	r.fields[field] = value
	return r
}

// without returns the row without a field, as if the file had no such column.
func (r importRow) without(field string) importRow {
	r.fields = maps.Clone(r.fields)
	delete(r.fields, field)
	r.kept = append(slices.Clone(r.kept), field)
	if field == fieldTenant {
		r.tenant = ""
	}
	return r
}
