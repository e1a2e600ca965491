package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
)

// auditor looks at the database itself, at one moment of it, and knows the rules only by heart: it shares nothing with the program that keeps them.
type auditor struct {
	db      *sql.DB
	options sql.TxOptions
	model   *access.Model
	reached map[string]bool   // seats that were taken once, so that they must be ever after
	names   map[string]string // user names as they were first seen, where they stay
	owned   map[string]bool   // tenants that had an owner once
	looks   int
}

// audited is a person at that moment.
type audited struct {
	id, tenant, name, kind string
	enabled, deleted, flag bool
	roles, given           map[string]bool // all roles; those that no provider's claims gave
}

func newAuditor(t testing.TB, e *estate, address string) *auditor {
	t.Helper()
	driver, at := "postgres", address
	options := sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true} // all questions are about one moment, as with SQLite
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, at = "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)"
		options = sql.TxOptions{}
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &auditor{db: db, options: options, model: e.model, reached: map[string]bool{}, names: map[string]string{}, owned: map[string]bool{}}
}

// look returns what is broken at this moment.
func (a *auditor) look(ctx context.Context) error {
	tx, err := a.db.BeginTx(ctx, &a.options)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	people, err := a.people(ctx, tx)
	if err != nil {
		return err
	}
	owners, err := twoColumns(ctx, tx, `SELECT CAST(id AS TEXT), COALESCE(CAST(owner_id AS TEXT), '') FROM tenants`)
	if err != nil {
		return err
	}
	scopes, err := twoColumns(ctx, tx, `SELECT id, scope FROM roles`)
	if err != nil {
		return err
	}
	withdrawn, err := twoColumns(ctx, tx, `SELECT DISTINCT CAST(user_id AS TEXT), 'yes' FROM events WHERE type = 'role.removed' AND actor_kind = 'connection'`)
	if err != nil {
		return err
	}
	a.looks++
	return errors.Join(a.kinds(people, scopes), a.seats(people, owners), a.owners(people, owners), a.bounds(people, withdrawn), a.types(people), a.userNames(people))
}

func (a *auditor) people(ctx context.Context, tx *sql.Tx) (map[string]*audited, error) {
	people := map[string]*audited{}
	rows, err := tx.QueryContext(ctx, `SELECT CAST(u.id AS TEXT), COALESCE(CAST(u.tenant_id AS TEXT), ''), u.user_name, u.enabled, u.deleted_at IS NOT NULL, COALESCE(p.user_type, ''), COALESCE(p.administrator, FALSE)
		FROM users u LEFT JOIN positions p ON p.user_id = u.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		p := &audited{roles: map[string]bool{}, given: map[string]bool{}}
		if err := rows.Scan(&p.id, &p.tenant, &p.name, &p.enabled, &p.deleted, &p.kind, &p.flag); err != nil {
			return nil, err
		}
		people[p.id] = p
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	held, err := tx.QueryContext(ctx, `SELECT CAST(user_id AS TEXT), role_id, source FROM assignments`)
	if err != nil {
		return nil, err
	}
	defer held.Close()
	for held.Next() {
		var id, role, source string
		if err := held.Scan(&id, &role, &source); err != nil {
			return nil, err
		}
		people[id].roles[role] = true
		if source != string(identity.SourceClaim) {
			people[id].given[role] = true
		}
	}
	return people, held.Err()
}

func twoColumns(ctx context.Context, tx *sql.Tx, query string) (map[string]string, error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, rows.Err()
}

// kinds: a platform role and a tenant exclude each other.
func (a *auditor) kinds(people map[string]*audited, scopes map[string]string) (err error) {
	for _, p := range people {
		for role := range p.roles {
			if (scopes[role] == string(identity.ScopePlatform)) != (p.tenant == "") {
				err = errors.Join(err, fmt.Errorf("%s of the tenant %q holds %s, a role of the %s", p.name, p.tenant, role, scopes[role]))
			}
		}
	}
	return err
}

// seats: once there were enough administrators there always are.
func (a *auditor) seats(people map[string]*audited, tenants map[string]string) (err error) {
	homes := []string{""}
	for id := range tenants {
		homes = append(homes, id)
	}
	for _, home := range homes {
		for _, r := range a.model.Roles() {
			if (r.Scope == identity.ScopePlatform) == (home == "") {
				err = errors.Join(err, a.seat(people, home, string(r.ID), a.model.Minimum(r.ID), func(p *audited) bool { return p.roles[string(r.ID)] }))
			}
		}
		if home != "" {
			err = errors.Join(err, a.seat(people, home, "the admin flag", a.model.MinimumAdmins(), func(p *audited) bool { return p.flag }))
		}
	}
	return err
}

func (a *auditor) seat(people map[string]*audited, home, what string, least int, sits func(*audited) bool) error {
	n := 0
	for _, p := range people {
		if p.tenant == home && p.enabled && !p.deleted && sits(p) {
			n++
		}
	}
	key := home + " " + what
	if least == 0 || n < least && !a.reached[key] {
		return nil
	}
	a.reached[key] = true
	if n < least {
		return fmt.Errorf("%d people have %s in the tenant %q, and %d must", n, what, home, least)
	}
	return nil
}

// owners: whoever owns a tenant is there, may come in, and has the owner's role and no other; and nobody else has it.
func (a *auditor) owners(people map[string]*audited, tenants map[string]string) (err error) {
	rule, ok := a.model.Owner()
	if !ok {
		return nil
	}
	role := string(rule.Role)
	for tenant, owner := range tenants {
		p := people[owner]
		a.owned[tenant] = a.owned[tenant] || owner != ""
		switch {
		case a.owned[tenant] && p == nil:
			err = errors.Join(err, fmt.Errorf("the tenant %s lost its owner", tenant))
		case p != nil && (p.tenant != tenant || !p.enabled || p.deleted || len(p.roles) != 1 || !p.roles[role]):
			err = errors.Join(err, fmt.Errorf("the owner of %s is %+v", tenant, *p))
		}
	}
	for _, p := range people {
		if p.roles[role] && tenants[p.tenant] != p.id {
			err = errors.Join(err, fmt.Errorf("%s has the owner's role and owns nothing", p.name))
		}
	}
	return err
}

// bounds: nobody has more roles than the model lets administrators give, nor fewer, unless a provider took them back.
func (a *auditor) bounds(people map[string]*audited, withdrawn map[string]string) (err error) {
	least, most := a.model.AssignmentBounds()
	for _, p := range people {
		if most > 0 && len(p.given) > most {
			err = errors.Join(err, fmt.Errorf("%s was given %d roles, and %d are the most", p.name, len(p.given), most))
		}
		if len(p.roles) < least && withdrawn[p.id] == "" {
			err = errors.Join(err, fmt.Errorf("%s has %d roles, and %d are the least", p.name, len(p.roles), least))
		}
	}
	return err
}

// types: no type has more people than it may.
func (a *auditor) types(people map[string]*audited) (err error) {
	for _, t := range a.model.UserTypes() {
		n := 0
		for _, p := range people {
			if p.kind == string(t.ID) && !p.deleted {
				n++
			}
		}
		if t.MaxUsers > 0 && n > t.MaxUsers {
			err = errors.Join(err, fmt.Errorf("%d people are %s, and %d may", n, t.Title, t.MaxUsers))
		}
	}
	return err
}

// userNames: where nobody may change a user name, nobody's changes.
func (a *auditor) userNames(people map[string]*audited) (err error) {
	if a.model.Identifier() == access.IdentifierEmail || a.model.UserNameMutableBy("admin") {
		return nil
	}
	for id, p := range people {
		if was, seen := a.names[id]; seen && !strings.EqualFold(was, p.name) {
			err = errors.Join(err, fmt.Errorf("%s was called %s", p.name, was))
		}
		a.names[id] = p.name
	}
	return err
}
