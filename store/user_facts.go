package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// UserFacts is what a change of a user must know besides the user.
type UserFacts struct {
	Links    []identity.DirectoryLink // of every directory that knows the user
	Sessions int
	Out      bool // by the terms of the user: not started, or ended
}

// UserForChange is UserForUpdate with the facts and the asking directory's groups, read after the row was locked: nobody changes any of it
// until the transaction ends, but for groups.
func (tx *Tx) UserForChange(ctx context.Context, scope Scope, id identity.UserID) (identity.User, UserFacts, error) {
	var f UserFacts
	u, err := tx.UserForUpdate(ctx, scope, id)
	if err != nil {
		return u, f, err
	}
	var links, groups text
	err = tx.each(ctx, tx.bind(`SELECT `+tx.factsSQL("?")), []any{string(id), string(id), string(id), string(id), null(scope.directory)}, func(rows *sql.Rows) error {
		return rows.Scan(&links, &f.Sessions, &f.Out, &groups)
	})
	if err != nil {
		return u, f, err
	}
	return tx.withFacts(ctx, scope, u, f, links, groups)
}

// withFacts fills in what is read as JSON.
func (tx *Tx) withFacts(ctx context.Context, scope Scope, u identity.User, f UserFacts, links, groups text) (identity.User, UserFacts, error) {
	var err error
	if f.Links, err = linksFromJSON(links); err != nil {
		return u, f, err
	}
	nested, err := groupsOf(&u, groups)
	if err == nil && nested {
		list := []identity.User{u}
		err = tx.nestedGroups(ctx, scope, list)
		u = list[0]
	}
	return u, f, err
}

// outSQL asks whether the terms of a user keep them out.
const outSQL = `EXISTS (SELECT 1 FROM user_terms m WHERE m.user_id = u.id AND (m.ended OR m.starts_at IS NOT NULL AND NOT m.started)), `

// factsSQL returns the columns of the facts of a user, who is named four times, and of the groups of a directory.
func (tx *Tx) factsSQL(user string) string {
	if tx.postgres() {
		return strings.ReplaceAll(`(SELECT json_agg(json_build_object('DirectoryID', l.directory_id, 'DirectoryName', d.name, 'TenantID', COALESCE(CAST(d.tenant_id AS text), ''), 'UserID', l.user_id,
				'ExternalID', COALESCE(l.external_id, ''), 'Active', l.active, 'CreatedAt', l.created_at) ORDER BY l.created_at, l.directory_id)
				FROM directory_users l JOIN directories d ON d.id = l.directory_id WHERE l.user_id = u.id),
			(SELECT count(*) FROM sessions s WHERE s.user_id = u.id), `+outSQL+pushedGroupsPostgres, "u.id", user)
	}
	return strings.ReplaceAll(`(SELECT json_group_array(json_object('DirectoryID', l.directory_id, 'DirectoryName', d.name, 'TenantID', COALESCE(d.tenant_id, ''), 'UserID', l.user_id,
			'ExternalID', COALESCE(l.external_id, ''), 'Active', json(CASE WHEN l.active THEN 'true' ELSE 'false' END),
			'CreatedAt', strftime('%Y-%m-%dT%H:%M:%fZ', l.created_at)) ORDER BY l.created_at, l.directory_id)
			FROM directory_users l JOIN directories d ON d.id = l.directory_id WHERE l.user_id = u.id),
		(SELECT count(*) FROM sessions s WHERE s.user_id = u.id), `+outSQL+pushedGroupsSQLite, "u.id", user)
}

func linksFromJSON(raw text) (links []identity.DirectoryLink, err error) {
	if raw == "" || raw == "[]" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(raw), &links)
	for i := range links {
		links[i].CreatedAt = links[i].CreatedAt.UTC()
	}
	return links, err
}
