package provisioning

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// matcher finds out whom the rows of a file are about, and whether two of them are about the same person. It grows by some bytes a row.
type matcher struct {
	plan    identity.Plan
	scope   store.Scope
	numbers map[string][]store.Known // who has a personnel number; nil until a row asks
	lines   map[[16]byte]int         // keys that were in the file -> the first line that has them
	people  map[identity.UserID]int  // whom rows are about -> the line; below zero: who may be meant by it
}

func newMatcher(plan identity.Plan, scope store.Scope) *matcher {
	return &matcher{plan: plan, scope: scope, lines: map[[16]byte]int{}, people: map[identity.UserID]int{}}
}

// matchFields are by what people are found, the first first.
var matchFields = []string{fieldID, fieldExternalID, fieldEmployeeNumber, fieldUserName, fieldEmail}

// matchKey returns how a value of a field is compared; "" is no key.
func matchKey(field, value string) string {
	switch field {
	case fieldID:
		id, _ := identity.ParseID[string](value)
		return id
	case fieldUserName:
		return identity.NameKey(value)
	case fieldEmail:
		key, _ := identity.EmailKey(value)
		return key
	}
	return value
}

// found is who is known by the keys of some rows.
type found map[string]map[string][]store.Known // field -> key -> people

// look reads who is known by the keys of some rows.
func (m *matcher) look(ctx context.Context, tx *store.Tx, rows []importRow) (found, error) {
	k := store.Keys{TenantID: m.plan.TenantID, Source: m.plan.Source}
	numbered := false
	for i := range rows {
		r := &rows[i]
		if key := matchKey(fieldID, r.fields[fieldID]); key != "" {
			k.IDs = append(k.IDs, identity.UserID(key))
		}
		if v := r.fields[fieldExternalID]; v != "" {
			k.ExternalIDs = append(k.ExternalIDs, v)
		}
		if v := r.fields[fieldUserName]; v != "" {
			k.Names = append(k.Names, v)
		}
		if key := r.addressKey(); key != "" {
			k.Addresses = append(k.Addresses, key)
			k.Names = append(k.Names, key) // people may sign in with it as their name
			if r.fields[fieldUserName] == "" {
				k.Names = append(k.Names, r.fields[fieldEmail]) // it becomes the user name of somebody new
			}
		}
		numbered = numbered || r.fields[fieldEmployeeNumber] != ""
	}
	if numbered && m.numbers == nil {
		if err := m.number(ctx, tx); err != nil {
			return nil, err
		}
	}
	known, err := tx.KnownBy(ctx, m.scope, k)
	out := found{fieldEmployeeNumber: m.numbers}
	for _, w := range known {
		if out[string(w.Kind)] == nil {
			out[string(w.Kind)] = map[string][]store.Known{}
		}
		out[string(w.Kind)][w.Key] = append(out[string(w.Kind)][w.Key], w)
	}
	return out, err
}

// number reads everybody's personnel number once: they stand among the attributes, which have no index.
func (m *matcher) number(ctx context.Context, tx *store.Tx) error {
	m.numbers = map[string][]store.Known{}
	return tx.EmployeeNumbers(ctx, m.scope, func(number string, id identity.UserID, tenant identity.TenantID) {
		m.numbers[number] = append(m.numbers[number], store.Known{Key: number, UserID: id, TenantID: tenant})
	})
}

// match returns whom a row is about, or "" for somebody new. Two people whom one key names are a Conflict: a guess would give one person's account to another.
func (m *matcher) match(r importRow, known found) (identity.UserID, error) {
	for _, field := range matchFields {
		value := r.fields[field]
		if value == "" {
			continue
		}
		var who []store.Known
		for _, w := range known[field][r.key(field)] {
			if field == fieldID || r.tenant == "" || w.TenantID == r.tenant {
				who = append(who, w)
			}
		}
		switch {
		case len(who) == 1:
			return who[0].UserID, nil
		case len(who) > 1:
			for _, w := range who { // none of them is missing from the file
				if _, ok := m.people[w.UserID]; !ok {
					m.people[w.UserID] = -r.line
				}
			}
			return "", identity.Errorf(identity.Conflict, "%s people have the %s %q: %s. Put the id of the one who is meant in a column id.", countWord(len(who)), field, value, idsOf(who)).
				WithField(field).WithCode("ambiguous")
		case field == fieldID:
			return "", identity.Errorf(identity.NotFound, "Nobody here has the id %q. Take the id out if the person is new.", value).WithField(fieldID)
		}
	}
	return "", nil
}

func countWord(n int) string {
	if n == 2 {
		return "Two"
	}
	return "Several"
}

func idsOf(who []store.Known) string {
	var ids []string
	for _, w := range who {
		ids = append(ids, string(w.UserID))
	}
	slices.Sort(ids)
	return strings.Join(ids, ", ")
}

// repeated refuses a row that has a key of an earlier one.
func (m *matcher) repeated(r importRow) *identity.Error {
	var refused *identity.Error
	for _, field := range matchFields {
		key := r.key(field)
		if key == "" {
			continue
		}
		sum := sha256.Sum256([]byte(field + "\x00" + string(r.tenant) + "\x00" + key))
		short := [16]byte(sum[:16])
		if line, ok := m.lines[short]; ok && refused == nil {
			refused = identity.Errorf(identity.Conflict, "The same %s is in line %d. Leave one of the two out.", field, line).WithField(field).WithCode("repeated")
		} else if !ok {
			m.lines[short] = r.line
		}
	}
	return refused
}

// claim notes that a row is about somebody; two rows about one person are refused.
func (m *matcher) claim(id identity.UserID, line int) *identity.Error {
	if first := m.people[id]; first > 0 && first != line {
		return identity.Errorf(identity.Conflict, "Line %d is about the same person. Leave one of the two out.", first).WithCode("repeated")
	}
	m.people[id] = line
	return nil
}
