package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// SharedLogins returns users of a scope with at least so many sessions that were used since, the most sessions first, at most that many users.
func (tx *Tx) SharedLogins(ctx context.Context, scope Scope, since time.Time, least, most int) ([]identity.SharedLogin, error) {
	visible, args := scope.users()
	var rows []struct {
		UserID    text   `db:"user_id"`
		Sessions  int    `db:"sessions"`
		Addresses int    `db:"addresses"`
		Browsers  int    `db:"browsers"`
		Seen      moment `db:"seen"`
	}
	args = append(args, tx.now, since, least, most)
	err := tx.list(ctx, &rows, `SELECT g.user_id, g.sessions, g.addresses, g.browsers, (SELECT l.last_seen_at FROM sessions l WHERE l.user_id = g.user_id ORDER BY l.last_seen_at DESC LIMIT 1) AS seen FROM (
		SELECT s.user_id, count(*) AS sessions, count(DISTINCT s.ip) AS addresses, count(DISTINCT s.user_agent) AS browsers
		FROM sessions s JOIN users u ON u.id = s.user_id WHERE `+visible+` AND u.deleted_at IS NULL AND s.expires_at > ? AND s.last_seen_at > ?
		GROUP BY s.user_id HAVING count(*) >= ?) g ORDER BY g.sessions DESC, g.user_id LIMIT ?`, args...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	ids := make([]identity.UserID, len(rows))
	for i, r := range rows {
		ids[i] = identity.UserID(r.UserID)
	}
	in, inArgs := idList(tx, "u.id", ids)
	users, err := tx.usersWhere(ctx, Everything(), in, len(ids), inArgs...)
	if err != nil {
		return nil, err
	}
	byID := make(map[identity.UserID]identity.User, len(users))
	for _, u := range users {
		byID[u.ID] = u
	}
	out := make([]identity.SharedLogin, len(rows))
	for i, r := range rows {
		out[i] = identity.SharedLogin{User: byID[identity.UserID(r.UserID)], Sessions: r.Sessions, Addresses: r.Addresses, Browsers: r.Browsers, LastSeenAt: r.Seen.time()}
	}
	return out, nil
}
