package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/drawbridge-id/drawbridge/identity"
)

// OpenManager is a person and the word of a source for the manager whom nobody was found for.
type OpenManager struct {
	UserID identity.UserID
	Word   string
}

// OpenManagers returns whose manager a source named without anybody being found, behind one, in the order of ids, at most limit. Deleted people are left out, and, unless
// managed is set, those whom a directory manages: directories alone write their attributes.
func (tx *Tx) OpenManagers(ctx context.Context, tenant identity.TenantID, source string, managed bool, after identity.UserID, limit int) ([]OpenManager, error) {
	var out []OpenManager
	err := tx.each(ctx, tx.bind(`SELECT u.id, k.manager FROM source_users k JOIN users u ON u.id = k.user_id WHERE k.source = ? AND k.manager <> '' AND COALESCE(k.tenant_id, `+nobody+`) = COALESCE(`+tx.cast()+`, `+nobody+`)
		AND u.deleted_at IS NULL AND u.id > COALESCE(`+tx.cast()+`, `+nobody+`) AND (? OR NOT EXISTS (SELECT 1 FROM directory_users d WHERE d.user_id = u.id)) ORDER BY u.id LIMIT ?`),
		[]any{source, null(tenant), null(after), managed, limit}, func(rows *sql.Rows) error {
			var id text
			var o OpenManager
			err := rows.Scan(&id, &o.Word)
			o.UserID = identity.UserID(id)
			out = append(out, o)
			return err
		})
	return out, err
}

// CloseManagers notes that the managers whom a source named were found.
func (tx *Tx) CloseManagers(ctx context.Context, tenant identity.TenantID, source string, ids []identity.UserID) error {
	in, args := idList(tx, "user_id", ids)
	return tx.exec(ctx, `UPDATE source_users SET manager = '' WHERE source = ? AND COALESCE(tenant_id, `+nobody+`) = COALESCE(`+tx.cast()+`, `+nobody+`) AND `+in, append([]any{source, null(tenant)}, args...)...)
}

// UsersForUpdate returns users who are not deleted, with their rows locked until the transaction ends, in the order of their ids.
func (tx *Tx) UsersForUpdate(ctx context.Context, ids []identity.UserID) ([]identity.User, error) {
	in, args := idList(tx, "u.id", ids)
	var rows []userRow
	err := tx.list(ctx, &rows, `SELECT `+userColumns+userTables+` WHERE u.deleted_at IS NULL AND `+in+` ORDER BY u.id`+tx.lockRows("u"), append([]any{nil}, args...)...)
	if err != nil {
		return nil, err
	}
	return usersOf(rows)
}

// PutAttributes writes the SCIM attributes and the version of locked users, all in one statement. Whatever is searched for is not among what changes.
func (tx *Tx) PutAttributes(ctx context.Context, users []identity.User) error {
	type row struct {
		ID         identity.UserID `json:"id"`
		Attributes string          `json:"attributes"`
		Version    int64           `json:"version"`
	}
	list := make([]row, len(users))
	for i, u := range users {
		list[i] = row{u.ID, attributes(u.Attributes), u.Version}
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return err
	}
	from := `(SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.attributes') AS attributes, json_extract(value, '$.version') AS version FROM json_each(?))`
	value := "v.attributes"
	if tx.postgres() {
		from, value = `json_to_recordset(CAST(? AS json))`, "CAST(v.attributes AS jsonb)"
		from += ` AS v (id uuid, attributes text, version bigint)`
	} else {
		from += ` AS v`
	}
	return tx.exec(ctx, `UPDATE users SET attributes = `+value+`, version = v.version, updated_at = `+tx.castTime()+` FROM `+from+` WHERE users.id = v.id`, tx.now, string(raw))
}

// DoneStepsOf returns the steps of a plan that were carried out for some people.
func (tx *Tx) DoneStepsOf(ctx context.Context, plan identity.PlanID, ids []identity.UserID) ([]identity.PlanStep, error) {
	in, args := idList(tx, "s.user_id", ids)
	var rows []stepRow
	err := tx.list(ctx, &rows, `SELECT `+stepColumns+` FROM plan_steps s WHERE s.plan_id = ? AND s.state = ? AND `+in, append([]any{string(plan), string(identity.StepDone)}, args...)...)
	if err != nil {
		return nil, err
	}
	return tx.stepsOf(rows)
}

// managerPath is where SCIM keeps who leads somebody (RFC 7643 4.3).
const managerPath = `{"` + employeeNumber + `",manager}`

// EraseLeader takes a user out of those whom they lead, and out of what sources said of these; words are by what sources may have named the user. It reads all users.
func (tx *Tx) EraseLeader(ctx context.Context, id identity.UserID, words []string) error {
	without, led := `json_remove(attributes, '$."`+employeeNumber+`".manager')`, `json_extract(attributes, '$."`+employeeNumber+`".manager.value')`
	said, word := `json_remove(said, '$.manager')`, `json_extract(said, '$.manager')`
	if tx.postgres() {
		without, led = `attributes #- '`+managerPath+`'`, `attributes #>> '{"`+employeeNumber+`",manager,value}'`
		said, word = `said - 'manager'`, `said ->> 'manager'`
	}
	if err := tx.exec(ctx, `UPDATE users SET attributes = `+without+`, version = version + 1, updated_at = ? WHERE `+led+` = ?`, tx.now, string(id)); err != nil {
		return err
	}
	words = lowered(append(words, string(id)))
	in, arg := tx.textList("lower("+word+")", words)
	if err := tx.exec(ctx, `UPDATE source_users SET said = `+said+` WHERE said IS NOT NULL AND `+in, arg); err != nil {
		return err
	}
	in, arg = tx.textList("lower(manager)", words)
	return tx.exec(ctx, `UPDATE source_users SET manager = '' WHERE manager <> '' AND `+in, arg)
}

// MoveSources makes what sources say of one user, and the terms, those of another; what they say of the other already stays, and terms that keep the one out do not keep out the
// other.
func (tx *Tx) MoveSources(ctx context.Context, from, to identity.UserID) error {
	err := tx.exec(ctx, `UPDATE source_users SET user_id = ? WHERE user_id = ? AND NOT EXISTS (SELECT 1 FROM source_users o
		WHERE o.user_id = ? AND o.source = source_users.source AND COALESCE(o.tenant_id, `+nobody+`) = COALESCE(source_users.tenant_id, `+nobody+`))`, string(to), string(from), string(to))
	if err != nil {
		return err
	}
	tx.factsOf(string(from))
	tx.factsOf(string(to))
	return tx.exec(ctx, `UPDATE user_terms SET user_id = ? WHERE user_id = ? AND NOT ended AND (starts_at IS NULL OR started) AND NOT EXISTS (SELECT 1 FROM user_terms o WHERE o.user_id = ?)`,
		string(to), string(from), string(to))
}
