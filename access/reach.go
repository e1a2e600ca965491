package access

import (
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The levels of data access, from the narrowest to the widest. A model uses those that it needs.
const (
	LevelPersonal = "personal" // one's own records
	LevelTeam     = "team"     // those of one's team
	LevelBranch   = "branch"   // those of one's business unit, and with the visibility "subtree" of every unit below it
	LevelGlobal   = "global"   // all records of the tenant
)

// Place is where a person or a record stands in the organisation.
type Place struct {
	User  identity.UserID
	Team  identity.UnitID
	Unit  identity.UnitID
	Above []identity.UnitID // the units above Unit
}

// Sees reports whether an allowed decision about somebody reaches a record: its level, seen from where the person stands. One's own records are within
// every level, so that a wider one never shows less. A decision without a level reaches every record; one that denies reaches none. A person without a
// team or unit has nobody else's records there.
func (m *Model) Sees(d Decision, person, record Place) bool {
	if !d.Allowed {
		return false
	}
	switch own := person.User != "" && person.User == record.User; d.Level {
	case "", LevelGlobal:
		return true
	case LevelBranch:
		u, _ := m.Units()
		return own || u.Visibility == "all" || person.Unit != "" && (person.Unit == record.Unit || u.Visibility == "subtree" && slices.Contains(record.Above, person.Unit))
	case LevelTeam:
		return own || person.Team != "" && person.Team == record.Team
	default:
		return own
	}
}
