package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// positionFields are the fields of where somebody stands.
var positionFields = []string{fieldType, fieldUnit, fieldTeam, fieldLevel, fieldExternal}

// position writes what a row says of where a person stands into what was said before; what is so already, by the access model's default or by word, stays unsaid. A
// unit that is another one leaves the team of the old one.
func (p *planner) position(ctx context.Context, tx *store.Tx, r importRow, u identity.User, now personFields, at *identity.Position) error {
	for _, field := range positionFields {
		if !r.has(field, p.plan.Options.Clear) || r.fields[field] == now[field] {
			continue
		}
		if err := p.stands(ctx, tx, field, r.fields[field], u, at); err != nil {
			return err
		}
	}
	return nil
}

// stands writes one field of a position; an empty value takes it away.
func (p *planner) stands(ctx context.Context, tx *store.Tx, field, value string, u identity.User, at *identity.Position) error {
	switch field {
	case fieldType:
		at.Type = ""
		if value != "" {
			t, err := p.names.userType(ctx, tx, value)
			at.Type = t.ID
			return err
		}
	case fieldUnit:
		id, err := p.unit(ctx, tx, identity.KindUnit, "", value, u)
		if id != at.UnitID {
			at.UnitID, at.TeamID = id, ""
		}
		return err
	case fieldTeam:
		id, err := p.unit(ctx, tx, identity.KindTeam, at.UnitID, value, u)
		at.TeamID = id
		return err
	case fieldLevel:
		at.DataLevel = identity.NameKey(value)
	case fieldExternal:
		at.External = value == yesNo(true)
	}
	return nil
}

func (p *planner) unit(ctx context.Context, tx *store.Tx, kind identity.UnitKind, within identity.UnitID, word string, u identity.User) (identity.UnitID, error) {
	if word == "" || u.TenantID == "" {
		return "", nil
	}
	return p.names.unit(ctx, tx, u.TenantID, kind, within, word)
}

// stand changes where somebody stands to what a row says.
func (p *planner) stand(ctx context.Context, tx *store.Tx, is *standing, now personFields, r importRow, reason string) error {
	after := is.position
	if err := p.position(ctx, tx, r, is.user, now, &after); err != nil || after == is.position {
		return err
	}
	_, err := p.s.setPosition(ctx, tx, p.by, is.user, func(at *identity.Position) error {
		at.Type, at.UnitID, at.TeamID, at.DataLevel, at.External = after.Type, after.UnitID, after.TeamID, after.DataLevel, after.External
		return nil
	}, reason)
	if err != nil {
		return err
	}
	is.position, err = tx.Position(ctx, is.user.ID)
	return err
}
