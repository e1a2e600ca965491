package store

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// keptFields are the fields of an event whose values say nothing about who a person is: they stay when the person is erased.
const keptFields = `'active', 'held', 'role', 'roles', 'source', 'tenant', 'sessions'`

// AnyUser returns a user of the scope, deleted or not, or NotFound.
func (tx *Tx) AnyUser(ctx context.Context, scope Scope, id identity.UserID) (identity.User, error) {
	return tx.user(ctx, scope, "u.id = ?", "", string(id))
}

// AnyUserForUpdate returns a user of the scope, deleted or not, with the row locked, or NotFound.
func (tx *Tx) AnyUserForUpdate(ctx context.Context, scope Scope, id identity.UserID) (identity.User, error) {
	return tx.user(ctx, scope, "u.id = ?", tx.lockRows("u"), string(id))
}

// Tombstones returns the ids of people who were deleted before a time, the longest gone first, at most limit.
func (tx *Tx) Tombstones(ctx context.Context, before time.Time, limit int) ([]identity.UserID, error) {
	var ids []identity.UserID
	err := tx.list(ctx, &ids, `SELECT u.id FROM users u WHERE u.deleted_at IS NOT NULL AND u.deleted_at < ? ORDER BY u.deleted_at, u.id LIMIT ?`, before.UTC(), limit)
	return ids, err
}

// DeleteUser deletes a user's row with all that refers to it, for good. The user's memberships and what has no row of its own, such as events, are the caller's.
func (tx *Tx) DeleteUser(ctx context.Context, before identity.User) error {
	gone, at := before, tx.now
	gone.DeletedAt = &at
	if err := tx.noteMove(ctx, before, gone); err != nil {
		return err
	}
	if err := tx.deleteLoose(ctx, before.ID); err != nil {
		return err
	}
	return tx.execOne(ctx, `DELETE FROM users WHERE id = ?`, string(before.ID))
}

// EraseEventsOf takes out of the events about a user what says who that was: labels, reasons and values. Type, time, actor and the names of the fields stay. Names are
// what a provider may have called the user.
func (tx *Tx) EraseEventsOf(ctx context.Context, id identity.UserID, names []string) error {
	changes := `COALESCE((SELECT json_group_array(json(CASE WHEN json_extract(x.value, '$.field') IN (` + keptFields + `) THEN x.value
		ELSE json_object('field', json_extract(x.value, '$.field')) END)) FROM json_each(events.changes) x), '[]')`
	if tx.postgres() {
		changes = `COALESCE((SELECT jsonb_agg(CASE WHEN x.value ->> 'field' IN (` + keptFields + `) THEN x.value
			ELSE jsonb_build_object('field', x.value ->> 'field') END ORDER BY x.n) FROM jsonb_array_elements(events.changes) WITH ORDINALITY AS x(value, n)), '[]')`
	}
	named, arg := tx.textList("lower(actor_label)", lowered(names))
	return tx.exec(ctx, `UPDATE events SET object_label = ?, reason = '', actor_label = CASE WHEN `+named+` THEN ? ELSE actor_label END, changes = `+changes+` WHERE user_id = ?`,
		string(id), arg, string(id), string(id))
}

// EraseRefusals takes the addresses of a user out of the events of sign-ins that were refused before anybody was found.
func (tx *Tx) EraseRefusals(ctx context.Context, id identity.UserID, addresses []string) error {
	in, arg := tx.textList("lower(object_label)", lowered(addresses))
	return tx.exec(ctx, `UPDATE events SET actor_label = ?, object_label = ? WHERE type = ? AND user_id IS NULL AND `+in, string(id), string(id), string(identity.SignInRefused), arg)
}

// EraseActor takes a user's name out of the events of what the user did to others, and reports whether there were any.
func (tx *Tx) EraseActor(ctx context.Context, id identity.UserID) (bool, error) {
	n, err := tx.execCount(ctx, `UPDATE events SET actor_label = ?, ip = '' WHERE actor_kind = 'user' AND actor_id = ?`, string(id), string(id))
	return n > 0, err
}

// doers are the columns that keep, by name alone, who did something.
var doers = []struct{ table, column string }{
	{"assignments", "granted_by"},
	{"roles", "reviewed_by"},
	{"access_models", "applied_by"},
	{"access_reviews", "created_by"},
	{"access_reviews", "closed_by"},
	{"access_review_items", "decided_by"},
	{"api_keys", "created_by"},
	{"break_glass", "granted_by"},
	{"domains", "override_by"},
	{"holdings", "requested_by"},
	{"offboardings", "begun_by"},
	{"offboardings", "closed_by"},
	{"mail_links", "created_by"},
	{"mail_templates", "updated_by"},
	{"plans", "created_by"},
	{"reviews", "settled_by"},
	{"setup_links", "created_by"},
	{"trace_shares", "created_by"},
	{"trials", "started_by"},
}

// EraseDoer replaces a user's name by the id wherever it says who did something. Another user of that name must not be there: theirs would be replaced too.
func (tx *Tx) EraseDoer(ctx context.Context, id identity.UserID, label string) error {
	for _, d := range doers {
		if err := tx.exec(ctx, `UPDATE `+d.table+` SET `+d.column+` = ? WHERE `+d.column+` = ?`, string(id), label); err != nil {
			return err
		}
	}
	return nil
}

// SomebodyCalled reports whether a user other than one has a label as display name or user name.
func (tx *Tx) SomebodyCalled(ctx context.Context, label string, except identity.UserID) (bool, error) {
	var n []int
	err := tx.list(ctx, &n, `SELECT 1 FROM users u WHERE (u.display_name_key = ? OR u.user_name_key = ?) AND u.id <> ? LIMIT 1`, identity.NameKey(label), identity.NameKey(label), string(except))
	return len(n) > 0, err
}

// EraseMailsOf deletes the mails to a user, sent or not, but for one that is being handed over at this moment.
func (tx *Tx) EraseMailsOf(ctx context.Context, id identity.UserID, addresses []string) error {
	in, arg := tx.textList("lower(recipient)", lowered(addresses))
	return tx.exec(ctx, `DELETE FROM mails WHERE (user_id = ? OR (user_id IS NULL AND `+in+`)) AND (sending_at IS NULL OR gave_up_at IS NOT NULL OR sent_at IS NOT NULL)`, string(id), arg)
}

// EraseTracesOf deletes the traces of a user's sign-ins, and those in which nobody was found who has one of the addresses.
func (tx *Tx) EraseTracesOf(ctx context.Context, id identity.UserID, addresses []string) error {
	in, arg := tx.textList("lower(email)", lowered(addresses))
	return tx.exec(ctx, `DELETE FROM traces WHERE user_id = ? OR (user_id IS NULL AND email <> '' AND `+in+`)`, string(id), arg)
}

// EraseReviewsOf deletes the sign-ins that wait, or waited, for an administrator because of a user.
func (tx *Tx) EraseReviewsOf(ctx context.Context, id identity.UserID, addresses []string) error {
	in, arg := tx.textList("lower(email)", lowered(addresses))
	return tx.exec(ctx, `DELETE FROM reviews WHERE user_id = ? OR (user_id IS NULL AND `+in+`)`, string(id), arg)
}

// ErasePlanSteps takes a user's data out of the plans of imports.
func (tx *Tx) ErasePlanSteps(ctx context.Context, id identity.UserID) error {
	return tx.exec(ctx, `UPDATE plan_steps SET user_id = NULL, detail = '', data = ?, state = ? WHERE user_id = ?`, []byte{}, string(identity.StepNone), string(id))
}

// RequestsOf returns the ids of the journal's entries that changed a user.
func (tx *Tx) RequestsOf(ctx context.Context, id identity.UserID) ([]identity.RequestID, error) {
	var ids []identity.RequestID
	err := tx.list(ctx, &ids, `SELECT DISTINCT e.request_id FROM events e WHERE e.user_id = ? AND e.request_id IS NOT NULL`, string(id))
	return ids, err
}

// RequestsNaming returns the ids of the journal's entries that have one of the words in what was sent. It reads the whole journal.
func (tx *Tx) RequestsNaming(ctx context.Context, words []string) ([]identity.RequestID, error) {
	b := builder{tx: tx}
	var ways []string
	var args []any
	for _, word := range words {
		for _, column := range []string{"lower(r.path)", "lower(r.body)", "lower(r.detail)", "lower(r.operations)"} {
			ways, args = append(ways, b.holds(column)), append(args, strings.ToLower(word))
		}
	}
	if len(ways) == 0 {
		return nil, nil
	}
	var ids []identity.RequestID
	err := tx.listBuilt(ctx, &ids, `SELECT r.id FROM requests r WHERE `+strings.Join(ways, " OR "), args...)
	return ids, err
}

// EraseRequests takes out of entries of the journal what was sent and what was said about it; who asked, when, and the status stay.
func (tx *Tx) EraseRequests(ctx context.Context, ids []identity.RequestID) error {
	if len(ids) == 0 {
		return nil
	}
	in, args := idList(tx, "id", ids)
	return tx.exec(ctx, `UPDATE requests SET path = '', body = '', operations = '', detail = CASE WHEN detail = '' THEN '' ELSE 'erased' END WHERE `+in, args...)
}

func lowered(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ToLower(w)
	}
	return out
}

// deleteLoose deletes the rows of a user that follow no foreign key on PostgreSQL.
func (tx *Tx) deleteLoose(ctx context.Context, id identity.UserID) error {
	for _, table := range []string{"user_emails", "assignments", "directory_users"} {
		if err := tx.exec(ctx, `DELETE FROM `+table+` WHERE user_id = ?`, string(id)); err != nil {
			return err
		}
	}
	return nil
}
