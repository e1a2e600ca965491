package provisioning

import (
	"context"
	"maps"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// knows reports whether the source knows somebody already as it would after a row.
func (p *planner) knows(is standing, r importRow) bool {
	was := p.knownAs(is)
	if was == nil || was.Away != "" {
		return false
	}
	if said := r.fields[fieldExternalID]; said != "" && said != was.ExternalID && !slices.Contains(is.externalIDs(p.plan.TenantID, p.plan.Source), said) {
		return false
	}
	if r.recalled || !p.fromSource() {
		return true
	}
	for field, value := range r.fields {
		if before, ok := was.Said[field]; p.saying(r, field) && (!ok || before != value) {
			return false
		}
	}
	return was.Manager == r.open || !r.has(fieldManager, p.plan.Options.Clear)
}

// known is how the source knows somebody new. It and know write all that a source said.
func (p *planner) known(u identity.User, r importRow) []store.SourceUser {
	s := p.heard(store.SourceUser{TenantID: p.plan.TenantID, Source: p.plan.Source, UserID: u.ID, ExternalID: r.fields[fieldExternalID]}, r)
	if u.Held && p.fromSource() {
		s.Away = store.AwayByRow
	}
	return []store.SourceUser{s}
}

// heard is what a source said until now with what a row says.
func (p *planner) heard(s store.SourceUser, r importRow) store.SourceUser {
	if r.recalled || !p.fromSource() {
		return s
	}
	said := make(map[string]string, len(r.fields)+len(s.Said))
	maps.Copy(said, s.Said)
	for field := range r.fields {
		if p.saying(r, field) {
			said[field] = r.fields[field]
		}
	}
	s.Said = said
	if r.has(fieldManager, p.plan.Options.Clear) {
		s.Manager = r.open
	}
	return s
}

// saying reports whether a field of a row is a word of the source that is kept.
func (p *planner) saying(r importRow, field string) bool {
	return field != fieldID && r.has(field, p.plan.Options.Clear)
}

// openManager returns a row with the manager whom nobody was found for.
func (r importRow) openManager(led importRow) importRow {
	r.open = led.open
	return r
}

// know notes that the source knows the person and what it said, with its own id for them where the row has one that nobody else gave.
func (p *planner) know(ctx context.Context, tx *store.Tx, t *rowStep, r importRow) error {
	is := &t.is
	at := slices.IndexFunc(is.sources, func(s store.SourceUser) bool { return s.Source == p.plan.Source && s.TenantID == p.plan.TenantID })
	old := store.SourceUser{TenantID: p.plan.TenantID, Source: p.plan.Source, UserID: is.user.ID}
	if at >= 0 {
		old = is.sources[at]
	}
	now := p.heard(old, r)
	if said := r.fields[fieldExternalID]; said != "" && !slices.Contains(is.externalIDs(p.plan.TenantID, p.plan.Source), said) {
		now.ExternalID = said
	}
	now.Away = p.awayNow(t, r, old.Away)
	if t.was.user.Enabled != is.user.Enabled {
		old.Away = "" // the switch forgot it
	}
	if at >= 0 && now.Same(old) {
		return nil
	}
	is.sources = append(slices.Clone(is.sources[:max(at, 0)]), is.sources[at+1:]...)
	is.sources = append(is.sources, now)
	return tx.PutSourceUser(ctx, now)
}

// knownAs returns how the source knows somebody; nil when it does not.
func (p *planner) knownAs(w standing) *store.SourceUser {
	for _, s := range w.sources {
		if s.Source == p.plan.Source && s.TenantID == p.plan.TenantID {
			return &s
		}
	}
	return nil
}
