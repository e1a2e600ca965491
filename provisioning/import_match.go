package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// matcher finds out whom the rows of a file are about, and whether two of them are about the same person.
type matcher struct {
	plan    identity.Plan
	scope   store.Scope
	repeats *lineSet // the keys that more than one row may have; nil: all
	lines   lineSet  // keys that were in the file -> the first line that has them
	people  lineSet  // whom rows are about -> the line; below zero: who may be meant by it
}

func newMatcher(plan identity.Plan, scope store.Scope) *matcher {
	return &matcher{plan: plan, scope: scope}
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
	k := m.ownKeys(rows)
	k.Names, k.Addresses = namesIn(rows), addressesIn(rows)
	return m.known(ctx, tx, k, found{})
}

// lookToMatch is look for rows of which no more is asked than whom they are about: whoever is found by an id or a number is not looked for by name and address.
func (m *matcher) lookToMatch(ctx context.Context, tx *store.Tx, rows []importRow) (found, error) {
	known, err := m.known(ctx, tx, m.ownKeys(rows), found{})
	if err != nil {
		return nil, err
	}
	var left []importRow
	for i := range rows {
		if !m.decided(rows[i], known) {
			rows[i].addressKey()
			left = append(left, rows[i])
		}
	}
	return m.known(ctx, tx, store.Keys{Names: namesIn(left), Addresses: addressesIn(left)}, known)
}

// decided reports whether match would not get as far as names and addresses: somebody of the plan's own tenant, and no row can say another one, has a key that goes before them.
func (m *matcher) decided(r importRow, known found) bool {
	if m.plan.TenantID == "" || len(m.plan.Options.Rules) > 0 || r.fields[fieldTenant] != "" {
		return false
	}
	for _, field := range []string{fieldID, fieldExternalID, fieldEmployeeNumber} {
		if slices.ContainsFunc(known[field][r.key(field)], func(k store.Known) bool { return k.TenantID == m.plan.TenantID }) {
			return true
		}
	}
	return false
}

// known reads who has some keys, and adds them to those who were found before.
func (m *matcher) known(ctx context.Context, tx *store.Tx, k store.Keys, out found) (found, error) {
	list, err := tx.KnownBy(ctx, m.scope, k)
	for _, w := range list {
		if out[string(w.Kind)] == nil {
			out[string(w.Kind)] = map[string][]store.Known{}
		}
		out[string(w.Kind)][w.Key] = append(out[string(w.Kind)][w.Key], w)
	}
	return out, err
}

// ownKeys are the ids and numbers of some rows.
func (m *matcher) ownKeys(rows []importRow) store.Keys {
	k := store.Keys{TenantID: m.plan.TenantID, Source: m.plan.Source}
	for _, r := range rows {
		if key := r.key(fieldID); key != "" {
			k.IDs = append(k.IDs, identity.UserID(key))
		}
		if v := r.fields[fieldExternalID]; v != "" {
			k.ExternalIDs = append(k.ExternalIDs, v)
		}
		if v := r.fields[fieldEmployeeNumber]; v != "" {
			k.Numbers = append(k.Numbers, v)
		}
	}
	return k
}

// namesIn are the user names that people of some rows may have.
func namesIn(rows []importRow) []string {
	var out []string
	for i := range rows {
		r := &rows[i]
		if v := r.fields[fieldUserName]; v != "" {
			out = append(out, v)
		}
		if key := r.addressKey(); key != "" {
			if key != identity.NameKey(r.fields[fieldUserName]) {
				out = append(out, key) // people may sign in with it as their name
			}
			if r.fields[fieldUserName] == "" {
				out = append(out, r.fields[fieldEmail]) // it becomes the user name of somebody new
			}
		}
	}
	return out
}

// addressesIn are those of some rows, as EmailKey makes them.
func addressesIn(rows []importRow) []string {
	var out []string
	for i := range rows {
		if key := rows[i].addressKey(); key != "" {
			out = append(out, key)
		}
	}
	return out
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
				m.mayMean(w.UserID, r.line)
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
