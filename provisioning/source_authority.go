package provisioning

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// heeded leaves out of a row what another source alone may say, and what somebody changed by hand since this source said it, as the policies of the source have it. A change
// that somebody has to decide about is a Conflict.
func (p *planner) heeded(ctx context.Context, tx *store.Tx, t *rowStep, r importRow) (importRow, error) {
	if r.recalled || !p.fromSource() {
		return r, nil
	}
	said := map[string]string{}
	if own := p.knownAs(t.was); own != nil {
		said = own.Said
	}
	for _, field := range slices.Sorted(maps.Keys(p.plan.Options.Fields)) {
		policy := p.plan.Options.Fields[field]
		if !r.has(field, p.plan.Options.Clear) && !(field == fieldTenant && r.tenant != "") {
			continue
		}
		differs, err := p.differs(ctx, tx, t, r, field)
		if err != nil || !differs {
			if err != nil {
				return r, err
			}
			continue
		}
		if p.othersWord(t.was, policy.Authority, field) {
			t.out.note(fmt.Sprintf("%s is for %s to say", field, policy.Authority))
			r = r.without(field)
			continue
		}
		if last, ok := said[field]; !ok || last != r.fields[field] {
			continue // the source never said it before, or says something new
		}
		switch policy.Manual {
		case identity.ManualKeep:
			t.out.note(fmt.Sprintf("%s stays %q: changed since this source said it", field, t.now[field]))
			r = r.without(field)
		case identity.ManualFlag:
			return r, identity.Errorf(identity.Conflict, "%s of %s is %q: it was changed since this source said %q. Decide which of them is right: change it back, or in the source.", field, t.was.user.Label(), t.now[field], r.fields[field]).
				WithField(field).WithCode("changed_by_hand")
		}
	}
	return r, nil
}

// othersWord reports whether another source is the authority for a field and has said something about the person.
func (p *planner) othersWord(s standing, authority, field string) bool {
	return authority != "" && authority != p.plan.Source && slices.ContainsFunc(s.sources, func(k store.SourceUser) bool {
		return k.Source == authority && k.TenantID == p.plan.TenantID && k.Said[field] != ""
	})
}

// differs reports whether a row would change a field.
func (p *planner) differs(ctx context.Context, tx *store.Tx, t *rowStep, r importRow, field string) (bool, error) {
	value, now := r.fields[field], t.now[field]
	switch field {
	case fieldTenant:
		return r.tenant != "" && r.tenant != t.is.user.TenantID, nil
	case fieldRole:
		wanted, err := p.names.roles(value)
		return err == nil && p.changesRoles(t.is.roles, wanted), nil // what cannot be read is refused later
	case fieldManager:
		id := r.manager
		if p.plan.State == identity.PlanComputing {
			id = p.leaders.among(value, t.is.user.TenantID)
		}
		is := readAttributes(t.is.user.Attributes).manager().ID
		return value != now && (value == "" && is != "" || id != "" && string(id) != is), nil
	case fieldEmail:
		return !sameAddress(value, now), nil
	case fieldUserName:
		return identity.NameKey(value) != identity.NameKey(now), nil
	}
	if !slices.Contains(positionFields, field) {
		return value != now, nil
	}
	at := t.is.position
	err := p.position(ctx, tx, importRow{fields: personFields{field: value}, tenant: r.tenant}, t.is.user, t.now, &at)
	if refusalOf(err) != nil {
		return false, nil // likewise
	}
	return at != t.is.position, err
}

// changesRoles reports whether importRoles would give or take a role.
func (p *planner) changesRoles(held []identity.Assignment, wanted []identity.RoleID) bool {
	for _, a := range held {
		if !slices.Contains(wanted, a.RoleID) && p.ours(a) {
			return true
		}
	}
	return slices.ContainsFunc(wanted, func(id identity.RoleID) bool { return !slices.Contains(heldRoles(held), id) })
}

// checkPolicies refuses policies for fields that are not there, or that say what is not known.
func (s *Service) checkPolicies(policies map[string]identity.FieldPolicy) error {
	for field, policy := range policies {
		if !s.hasField(field) || field == fieldID || field == fieldPassword || field == fieldPasswordHash || field == fieldInactive {
			return identity.Errorf(identity.Invalid, "There is no field %q with a policy. Use one of: %s.", field, s.fieldNames()).WithField("fields")
		}
		switch policy.Manual {
		case "", identity.ManualOverwrite, identity.ManualKeep, identity.ManualFlag:
		default:
			return identity.Errorf(identity.Invalid, "There is no policy %q for what was changed by hand. Use overwrite, keep or flag.", policy.Manual).WithField("fields")
		}
		if len(policy.Authority) > maxSourceName {
			return identity.Errorf(identity.Invalid, "The name of a source has at most %d bytes.", maxSourceName).WithField("fields")
		}
	}
	return nil
}
