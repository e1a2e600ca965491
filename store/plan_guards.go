package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// EndedSession is a session that is over.
type EndedSession struct {
	ID       identity.SessionID
	UserID   identity.UserID
	TenantID identity.TenantID // of the user
}

// EndSessions ends all sessions of some people and returns them.
func (tx *Tx) EndSessions(ctx context.Context, users []identity.UserID) ([]EndedSession, error) {
	in, args := idList(tx, "s.user_id", users)
	var out []EndedSession
	err := tx.each(ctx, tx.bind(`SELECT s.id, s.user_id, u.tenant_id FROM sessions s JOIN users u ON u.id = s.user_id WHERE `+in+` ORDER BY s.id`), args, func(rows *sql.Rows) error {
		var id, user, tenant text
		err := rows.Scan(&id, &user, &tenant)
		out = append(out, EndedSession{identity.SessionID(id), identity.UserID(user), identity.TenantID(tenant)})
		return err
	})
	if err != nil || len(out) == 0 {
		return out, err
	}
	in, args = idList(tx, "user_id", users)
	return out, tx.exec(ctx, `DELETE FROM sessions WHERE `+in, args...)
}

// mayComeIn is what makes a member of a group or the holder of a role count.
const mayComeIn = `u.enabled AND u.deleted_at IS NULL`

// GroupsEmptiedBy returns the names of the scope's groups that at least so many may come in by now, and nobody when some people may no longer; 50 of them at most.
func (tx *Tx) GroupsEmptiedBy(ctx context.Context, scope Scope, users []identity.UserID, least int) ([]string, error) {
	if len(users) == 0 {
		return nil, nil
	}
	visible, own := scope.tenants("g.tenant_id")
	member, ids := idList(tx, "m.member_id", users)
	gone, again := idList(tx, "u.id", users)
	there := `FROM group_members m JOIN users u ON u.id = m.member_id WHERE m.group_id = g.id AND ` + mayComeIn
	args := append(append(append(append([]any{}, own...), ids...), least), again...)
	var names []string
	err := tx.list(ctx, &names, `SELECT g.display_name FROM groups g WHERE `+visible+` AND g.id IN (SELECT m.group_id FROM group_members m WHERE `+member+`)
		AND (SELECT count(*) `+there+`) >= ? AND NOT EXISTS (SELECT 1 `+there+` AND NOT (`+gone+`)) ORDER BY g.display_name LIMIT 50`, args...)
	return names, err
}

// HeldRole is how many people hold a role and may come in.
type HeldRole struct {
	RoleID identity.RoleID `db:"role_id"`
	All    int             `db:"people"`
	Others int             `db:"others"` // without those who were named
}

// RolesHeld counts the people of the scope who hold a role and may come in, all of them and without some.
func (tx *Tx) RolesHeld(ctx context.Context, scope Scope, without []identity.UserID) ([]HeldRole, error) {
	visible, own := scope.tenants("u.tenant_id")
	gone, ids := idList(tx, "u.id", without)
	var out []HeldRole
	err := tx.list(ctx, &out, `SELECT a.role_id, count(DISTINCT u.id) AS people, count(DISTINCT CASE WHEN `+gone+` THEN NULL ELSE u.id END) AS others
		FROM assignments a JOIN users u ON u.id = a.user_id WHERE `+visible+` AND `+mayComeIn+` GROUP BY a.role_id ORDER BY a.role_id`, append(ids, own...)...)
	return out, err
}

// StepsOfOwners returns the steps of a plan that change the owner of a tenant.
func (tx *Tx) StepsOfOwners(ctx context.Context, plan identity.PlanID) ([]identity.PlanStep, error) {
	var rows []stepRow
	err := tx.list(ctx, &rows, `SELECT `+stepColumns+` FROM plan_steps s JOIN tenants t ON t.owner_id = s.user_id WHERE s.plan_id = ? AND s.action IN ('update', 'deactivate', 'move') ORDER BY s.line`, string(plan))
	if err != nil {
		return nil, err
	}
	return tx.stepsOf(rows)
}

// SetStepState writes what became of some steps of a plan.
func (tx *Tx) SetStepState(ctx context.Context, plan identity.PlanID, lines []int, state identity.StepState, detail string) error {
	if len(lines) == 0 {
		return nil
	}
	args := []any{string(state), detail, string(plan)}
	for _, line := range lines {
		args = append(args, line)
	}
	return tx.exec(ctx, `UPDATE plan_steps SET state = ?, detail = ? WHERE plan_id = ? AND line IN (?`+strings.Repeat(", ?", len(lines)-1)+`)`, args...)
}

// CountSteps counts the steps of a plan by their states.
func (tx *Tx) CountSteps(ctx context.Context, plan identity.PlanID) (map[identity.StepState]int, error) {
	out := map[identity.StepState]int{}
	err := tx.each(ctx, tx.bind(`SELECT s.state, count(*) FROM plan_steps s WHERE s.plan_id = ? GROUP BY s.state`), []any{string(plan)}, func(rows *sql.Rows) error {
		var state text
		var n int
		err := rows.Scan(&state, &n)
		out[identity.StepState(state)] = n
		return err
	})
	return out, err
}
