package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/drawbridge-id/drawbridge/identity"
)

// memberChunk is how many members one row of a query holds.
const memberChunk = 10000

// memberEnd ends a member in such a row. No display holds it.
const memberEnd = "\x1e"

// Members returns the members of some groups in the order of their ids.
func (tx *Tx) Members(ctx context.Context, groups []identity.GroupID) (map[identity.GroupID][]identity.Member, error) {
	out := make(map[identity.GroupID][]identity.Member, len(groups))
	for _, g := range groups {
		var list []identity.Member
		err := tx.eachMember(ctx, g, everywhere, func(count int) { list = slices.Grow(list, count) }, func(m identity.Member) { list = append(list, m) })
		if err != nil {
			return nil, err
		}
		if list != nil {
			out[g] = list
		}
	}
	return out, nil
}

// GroupWithMembers returns a group of the scope with its members as they were at one moment, or NotFound. Beyond memberChunk members the others are read after the first.
func (tx *Tx) GroupWithMembers(ctx context.Context, scope Scope, id identity.GroupID) (identity.Group, []identity.Member, error) {
	visible, args := scope.group(tx)
	var r struct {
		groupRow
		Members text `db:"members"`
	}
	err := tx.get(ctx, &r, `SELECT `+tx.groupColumns()+`, (SELECT `+tx.membersTogether()+memberRows+`) AS members FROM groups g WHERE g.id = ? AND `+visible,
		append([]any{string(id), everywhere, memberChunk, string(id)}, args...)...)
	if err != nil {
		return identity.Group{}, nil, err
	}
	list := make([]identity.Member, 0, strings.Count(string(r.Members), memberEnd))
	last := readMembers(string(r.Members), func(m identity.Member) { list = append(list, m) })
	if len(list) == memberChunk {
		err = tx.eachMember(ctx, id, last, func(count int) { list = slices.Grow(list, count) }, func(m identity.Member) { list = append(list, m) })
	}
	return r.group(), list, err
}

// eachMember reads the members of a group behind one: thousands in one row, since a row each costs more than what it carries.
func (tx *Tx) eachMember(ctx context.Context, group identity.GroupID, after string, expect func(int), use func(identity.Member)) error {
	for {
		var raw text
		var count int
		err := tx.each(ctx, tx.bind(`SELECT count(*), `+tx.membersTogether()+memberRows), []any{string(group), after, memberChunk}, func(rows *sql.Rows) error { return rows.Scan(&count, &raw) })
		if err != nil {
			return err
		}
		expect(count)
		if last := readMembers(string(raw), use); last != "" {
			after = last
		}
		if count < memberChunk {
			return nil
		}
	}
}

// readMembers takes members apart that were read together, and returns the id of the last.
func readMembers(raw string, use func(identity.Member)) (last string) {
	for part := range strings.SplitSeq(strings.TrimSuffix(raw, memberEnd), memberEnd) {
		if len(part) < len(everywhere)+1 {
			continue
		}
		last = part[:len(everywhere)]
		use(identity.Member{ID: last, Type: memberTypeOf(part[len(everywhere)]), Display: part[len(everywhere)+1:]})
	}
	return last
}

func memberTypeOf(c byte) identity.MemberType {
	if c == 'G' {
		return identity.MemberGroup
	}
	return identity.MemberUser
}

// memberRows are the members of a group behind one, some at most, in the order of their ids.
const memberRows = ` FROM (SELECT m.member_id, m.member_type, m.display FROM group_members m WHERE m.group_id = ? AND m.member_id > ? ORDER BY m.member_id LIMIT ?) x`

// membersTogether joins the rows of memberRows to one text.
func (tx *Tx) membersTogether() string {
	if tx.postgres() {
		return `string_agg(CAST(x.member_id AS text) || CASE x.member_type WHEN 'Group' THEN 'G' ELSE 'U' END || x.display || chr(30), '')`
	}
	return `group_concat(x.member_id || CASE x.member_type WHEN 'Group' THEN 'G' ELSE 'U' END || x.display || char(30), '')`
}

// FewMembers reports whether a group of the scope has at most so many members. One that is not there has none. It is asked in a form of which
// the planner knows that the first rows are enough.
func (tx *Tx) FewMembers(ctx context.Context, scope Scope, group identity.GroupID, most int) (few bool, err error) {
	visible, args := scope.group(tx)
	query := fmt.Sprintf(`SELECT NOT EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = ? LIMIT 1 OFFSET %d) OR NOT EXISTS (SELECT 1 FROM groups g WHERE g.id = ? AND %s)`, most, visible)
	err = tx.each(ctx, tx.bind(query), append([]any{string(group), string(group)}, args...), func(rows *sql.Rows) error { return rows.Scan(&few) })
	return few, err
}

// MembersPage returns a page of a group's members in the order of their ids, beginning behind one.
func (tx *Tx) MembersPage(ctx context.Context, group identity.GroupID, after string, limit int) (identity.Page[identity.Member], error) {
	var page identity.Page[identity.Member]
	if after == "" {
		after = everywhere
	}
	err := tx.each(ctx, tx.bind(`SELECT x.member_id, x.member_type, x.display`+memberRows+` ORDER BY x.member_id`), []any{string(group), after, limit + 1}, func(rows *sql.Rows) error {
		var id, kind, display text
		err := rows.Scan(&id, &kind, &display)
		page.Items = append(page.Items, identity.Member{ID: string(id), Type: identity.MemberType(kind), Display: string(display)})
		return err
	})
	page.Items, page.More = cut(page.Items, limit)
	return page, err
}

// CountMembers returns how many members some groups have. It stops counting a group at most: more are as many.
func (tx *Tx) CountMembers(ctx context.Context, groups []identity.GroupID, most int) (map[identity.GroupID]int, error) {
	in, args := idList(tx, "g.id", groups)
	out := make(map[identity.GroupID]int, len(groups))
	query := fmt.Sprintf(`SELECT g.id, (SELECT count(*) FROM (SELECT 1 FROM group_members m WHERE m.group_id = g.id LIMIT %d) x) AS members FROM groups g WHERE %s`, most, in)
	err := tx.each(ctx, tx.bind(query), args, func(rows *sql.Rows) error {
		var id text
		var n int
		err := rows.Scan(&id, &n)
		out[identity.GroupID(id)] = n
		return err
	})
	return out, err
}

// InsertMembers adds members and returns those who were not there before, in the order given.
func (tx *Tx) InsertMembers(ctx context.Context, group identity.GroupID, members []identity.Member) ([]identity.Member, error) {
	if len(members) == 0 {
		return nil, nil
	}
	fresh := make(map[string]bool, len(members))
	for _, kind := range []identity.MemberType{identity.MemberUser, identity.MemberGroup} {
		rows := membersAs(members, kind)
		if rows == "" {
			continue
		}
		var added []string
		if err := tx.list(ctx, &added, tx.insertMembersSQL(), string(group), string(kind), rows); err != nil {
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
		return `INSERT INTO group_members (group_id, member_type, member_id, display) SELECT CAST(? AS uuid), ?, CAST(x.value ->> 0 AS uuid), x.value ->> 1
			FROM json_array_elements(CAST(? AS json)) AS x(value) ON CONFLICT DO NOTHING RETURNING member_id`
	}
	return `INSERT INTO group_members (group_id, member_type, member_id, display) SELECT ?, ?, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?) WHERE TRUE ON CONFLICT DO NOTHING RETURNING member_id`
}

// membersAs returns the ids and displays of the members of one type as JSON, or "" when there are none.
func membersAs(members []identity.Member, kind identity.MemberType) string {
	var rows [][2]string
	for _, m := range members {
		if m.Type == kind {
			rows = append(rows, [2]string{m.ID, displayed(m.Display)})
		}
	}
	if rows == nil {
		return ""
	}
	raw, _ := json.Marshal(rows) // strings always encode
	return string(raw)
}

// displayed returns a name as it is kept with a membership: without control characters.
func displayed(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name)
}

// relabel gives a member a new name wherever it is one.
func (tx *Tx) relabel(ctx context.Context, id, name string) error {
	return tx.exec(ctx, `UPDATE group_members SET display = ? WHERE member_id = ?`, displayed(name), id)
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
	if tx.postgres() {
		in, args := idList(tx, "group_id", ids)
		return tx.exec(ctx, `UPDATE group_versions SET n = n + 1, updated_at = ? WHERE slot = ? AND `+in, append([]any{tx.now, tx.db.slot()}, args...)...)
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
