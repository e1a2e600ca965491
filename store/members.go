package store

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

type memberRow struct {
	GroupID text `db:"group_id"`
	ID      text `db:"member_id"`
	Type    text `db:"member_type"`
	Display text `db:"display"`
	Name    text `db:"user_name"`
	Group   text `db:"group_name"`
	Attrs   text `db:"attributes"`
}

const memberQuery = `SELECT m.group_id, m.member_id, m.member_type, u.display_name AS display, u.user_name, u.attributes, g.display_name AS group_name
	FROM group_members m LEFT JOIN users u ON u.id = m.member_id LEFT JOIN groups g ON g.id = m.member_id WHERE `

// Members returns the members of some groups in the order of their ids.
func (tx *Tx) Members(ctx context.Context, groups []identity.GroupID) (map[identity.GroupID][]identity.Member, error) {
	in, args := idList(tx, "m.group_id", groups)
	var rows []memberRow
	err := tx.list(ctx, &rows, memberQuery+in+` ORDER BY m.group_id, m.member_id`, args...)
	out := make(map[identity.GroupID][]identity.Member, len(groups))
	for i := range rows {
		id := identity.GroupID(rows[i].GroupID)
		out[id] = append(out[id], rows[i].member())
	}
	return out, err
}

// FewMembers returns the members of a group when there are at most so many; false when there are more.
func (tx *Tx) FewMembers(ctx context.Context, group identity.GroupID, most int) ([]identity.Member, bool, error) {
	var rows []memberRow
	if err := tx.list(ctx, &rows, memberQuery+`m.group_id = ? ORDER BY m.member_id LIMIT ?`, string(group), most+1); err != nil || len(rows) > most {
		return nil, false, err
	}
	out := make([]identity.Member, len(rows))
	for i := range rows {
		out[i] = rows[i].member()
	}
	return out, true, nil
}

func (r *memberRow) member() identity.Member {
	m := identity.Member{ID: string(r.ID), Type: identity.MemberType(r.Type), Display: string(r.Group)}
	if m.Type == identity.MemberUser {
		u := identity.User{DisplayName: string(r.Display), UserName: string(r.Name), Attributes: []byte(r.Attrs)}
		m.Display = u.Label()
	}
	return m
}

// InsertMembers adds members and returns those who were not there before, in the order given.
func (tx *Tx) InsertMembers(ctx context.Context, group identity.GroupID, members []identity.Member) ([]identity.Member, error) {
	if len(members) == 0 {
		return nil, nil
	}
	fresh := make(map[string]bool, len(members))
	for _, kind := range []identity.MemberType{identity.MemberUser, identity.MemberGroup} {
		ids := idsOf(members, kind)
		if len(ids) == 0 {
			continue
		}
		var added []string
		if err := tx.list(ctx, &added, tx.insertMembersSQL(), string(group), string(kind), tx.idArg(ids)); err != nil {
			return nil, err
		}
		for _, id := range added {
			fresh[id] = true
		}
	}
	var out []identity.Member
	for _, m := range members {
		if fresh[m.ID] {
			out = append(out, m)
			delete(fresh, m.ID)
		}
	}
	return out, nil
}

func (tx *Tx) insertMembersSQL() string {
	if tx.postgres() {
		return `INSERT INTO group_members (group_id, member_type, member_id) SELECT CAST(? AS uuid), ?, id FROM unnest(CAST(? AS uuid[])) AS id ON CONFLICT DO NOTHING RETURNING member_id`
	}
	return `INSERT INTO group_members (group_id, member_type, member_id) SELECT ?, ?, value FROM json_each(?) WHERE TRUE ON CONFLICT DO NOTHING RETURNING member_id`
}

// idArg returns a list of ids as one argument.
func (tx *Tx) idArg(ids []string) any {
	_, args := idList(tx, "", ids)
	return args[0]
}

// DeleteMembers removes members and returns the ids of those who were there.
func (tx *Tx) DeleteMembers(ctx context.Context, group identity.GroupID, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	in, args := idList(tx, "member_id", ids)
	var gone []string
	err := tx.list(ctx, &gone, `DELETE FROM group_members WHERE group_id = ? AND `+in+` RETURNING member_id`, append([]any{string(group)}, args...)...)
	return gone, err
}

// DeleteMembersWhere removes the members that match a filter on members and returns their ids.
func (tx *Tx) DeleteMembersWhere(ctx context.Context, group identity.GroupID, match *identity.Filter) ([]string, error) {
	c := compiler{tx: tx, table: groupsTable}
	r := groupsTable.rows["members"]
	c.element = r.element
	cond := c.compile(match)
	query := `DELETE FROM group_members WHERE group_id = ? AND member_id IN (SELECT x.member_id FROM ` + r.from + ` WHERE x.group_id = ? AND ` + cond + `) RETURNING member_id`
	var gone []string
	err := tx.listBuilt(ctx, &gone, query, append([]any{string(group), string(group)}, c.args...)...)
	return gone, err
}

// DeleteMembersExcept removes all members but these and returns the ids of those who went.
func (tx *Tx) DeleteMembersExcept(ctx context.Context, group identity.GroupID, keep []string) ([]string, error) {
	in, args := idList(tx, "member_id", keep)
	var gone []string
	err := tx.list(ctx, &gone, `DELETE FROM group_members WHERE group_id = ? AND NOT (`+in+`) RETURNING member_id`, append([]any{string(group)}, args...)...)
	return gone, err
}

// DeleteMembershipsOf removes a user from every group and returns the groups.
func (tx *Tx) DeleteMembershipsOf(ctx context.Context, id identity.UserID) ([]identity.GroupID, error) {
	var gone []identity.GroupID
	err := tx.list(ctx, &gone, `DELETE FROM group_members WHERE member_id = ? RETURNING group_id`, string(id))
	return gone, err
}

// BumpGroups gives groups a new version, because their members changed.
func (tx *Tx) BumpGroups(ctx context.Context, ids []identity.GroupID) error {
	if len(ids) == 0 {
		return nil
	}
	in, args := idList(tx, "id", ids)
	return tx.exec(ctx, `UPDATE groups SET version = version + 1, updated_at = ? WHERE `+in, append([]any{tx.now}, args...)...)
}

type membershipRow struct {
	UserID  text `db:"user_id"`
	GroupID text `db:"group_id"`
	Display text `db:"display_name"`
	Direct  bool `db:"direct"`
	Nested  bool `db:"nested"` // the group is a member of another one
}

// Memberships returns the groups of some users: the directory's own, or all of them without a directory; nested groups are followed.
func (tx *Tx) Memberships(ctx context.Context, directory identity.DirectoryID, users []identity.UserID) (map[identity.UserID][]identity.Membership, error) {
	in, args := idList(tx, "m.member_id", users)
	own := ""
	if directory != "" {
		own = " AND g.directory_id = ?"
		args = append(args, string(directory))
	}
	var rows []membershipRow
	err := tx.list(ctx, &rows, `SELECT m.member_id AS user_id, m.group_id, g.display_name, TRUE AS direct, EXISTS (SELECT 1 FROM group_members p WHERE p.member_id = m.group_id) AS nested
		FROM group_members m JOIN groups g ON g.id = m.group_id WHERE `+in+own+` ORDER BY m.member_id, m.group_id`, args...)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(rows, func(r membershipRow) bool { return r.Nested }) {
		if rows, err = tx.nestedMemberships(ctx, in, own, args); err != nil { // rare, and dearer
			return nil, err
		}
	}
	out := make(map[identity.UserID][]identity.Membership, len(users))
	for _, r := range rows {
		u := identity.UserID(r.UserID)
		out[u] = append(out[u], identity.Membership{UserID: u, GroupID: identity.GroupID(r.GroupID), Display: string(r.Display), Direct: r.Direct})
	}
	return out, nil
}

// nestedMemberships is the query of Memberships with every group above followed.
func (tx *Tx) nestedMemberships(ctx context.Context, in, own string, args []any) ([]membershipRow, error) {
	var rows []membershipRow
	err := tx.list(ctx, &rows, `WITH RECURSIVE up (user_id, group_id, direct) AS (
			SELECT m.member_id, m.group_id, 1 FROM group_members m WHERE `+in+`
			UNION SELECT up.user_id, m.group_id, 0 FROM up JOIN group_members m ON m.member_id = up.group_id)
		SELECT up.user_id, up.group_id, g.display_name, max(up.direct) = 1 AS direct, FALSE AS nested FROM up JOIN groups g ON g.id = up.group_id`+own+`
		GROUP BY up.user_id, up.group_id, g.display_name ORDER BY up.user_id, up.group_id`, args...)
	return rows, err
}

// Above returns which of the ids are the group itself or a group that it is in, directly or through others: nested in the group, they would make a circle.
func (tx *Tx) Above(ctx context.Context, group identity.GroupID, ids []identity.GroupID) ([]identity.GroupID, error) {
	in, args := idList(tx, "up.id", ids)
	var found []identity.GroupID
	err := tx.list(ctx, &found, `WITH RECURSIVE up (id) AS (
			SELECT g.id FROM groups g WHERE g.id = ?
			UNION SELECT m.group_id FROM up JOIN group_members m ON m.member_id = up.id)
		SELECT up.id FROM up WHERE `+in, append([]any{string(group)}, args...)...)
	return found, err
}

func idsOf(members []identity.Member, kind identity.MemberType) []string {
	var ids []string
	for _, m := range members {
		if m.Type == kind {
			ids = append(ids, m.ID)
		}
	}
	return ids
}
