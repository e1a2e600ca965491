package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type mailLinkRow struct {
	ID        text   `db:"id"`
	Kind      string `db:"kind"`
	UserID    text   `db:"user_id"`
	TenantID  text   `db:"tenant_id"`
	Email     string `db:"email"`
	Data      text   `db:"data"`
	MailID    text   `db:"mail_id"`
	CreatedBy string `db:"created_by"`
	CreatedAt moment `db:"created_at"`
	ExpiresAt moment `db:"expires_at"`
	OpenedAt  moment `db:"opened_at"`
	UsedAt    moment `db:"used_at"`
	RevokedAt moment `db:"revoked_at"`
}

const mailLinkColumns = `l.id, l.kind, l.user_id, l.tenant_id, l.email, l.data, l.mail_id, l.created_by, l.created_at, l.expires_at, l.opened_at, l.used_at, l.revoked_at`

func (r *mailLinkRow) link() (identity.MailLink, error) {
	l := identity.MailLink{
		ID: identity.MailLinkID(r.ID), Kind: identity.MailLinkKind(r.Kind), UserID: identity.UserID(r.UserID), TenantID: identity.TenantID(r.TenantID), Email: r.Email,
		MailID: identity.MailID(r.MailID), CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt.time(), ExpiresAt: r.ExpiresAt.time(),
		OpenedAt: r.OpenedAt.at, UsedAt: r.UsedAt.at, RevokedAt: r.RevokedAt.at,
	}
	return l, fromJSON(r.Data, &l.Data)
}

// InsertMailLink writes a new link under the hash of its token. Its CreatedAt is the transaction's time.
func (tx *Tx) InsertMailLink(ctx context.Context, l identity.MailLink, hash []byte) error {
	data, err := asJSON(l.Data)
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO mail_links (id, kind, token_hash, user_id, tenant_id, email, data, mail_id, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(l.ID), string(l.Kind), hash, null(l.UserID), null(l.TenantID), l.Email, data, null(l.MailID), l.CreatedBy, tx.now, l.ExpiresAt)
}

// MailLinkByToken returns the link whose token has this hash, whatever its state, or NotFound.
func (tx *Tx) MailLinkByToken(ctx context.Context, hash []byte) (identity.MailLink, error) {
	return tx.mailLink(ctx, `l.token_hash = ?`, hash)
}

// MailLink returns a link by its id, or NotFound.
func (tx *Tx) MailLink(ctx context.Context, id identity.MailLinkID) (identity.MailLink, error) {
	return tx.mailLink(ctx, `l.id = ?`, string(id))
}

// LastMailLink returns the last link of a kind that a user was sent and nobody revoked, or NotFound.
func (tx *Tx) LastMailLink(ctx context.Context, user identity.UserID, kind identity.MailLinkKind) (identity.MailLink, error) {
	return tx.mailLink(ctx, `l.user_id = ? AND l.kind = ? AND l.revoked_at IS NULL ORDER BY l.id DESC LIMIT 1`, string(user), string(kind))
}

// MailLinkOfMail returns the link that a mail carries, or NotFound.
func (tx *Tx) MailLinkOfMail(ctx context.Context, id identity.MailID) (identity.MailLink, error) {
	return tx.mailLink(ctx, `l.mail_id = ?`, string(id))
}

func (tx *Tx) mailLink(ctx context.Context, where string, args ...any) (identity.MailLink, error) {
	var r mailLinkRow
	if err := tx.get(ctx, &r, `SELECT `+mailLinkColumns+` FROM mail_links l WHERE `+where, args...); err != nil {
		return identity.MailLink{}, err
	}
	return r.link()
}

// MarkMailLinkOpened notes when the page of a link was looked at for the first time.
func (tx *Tx) MarkMailLinkOpened(ctx context.Context, id identity.MailLinkID) error {
	return tx.exec(ctx, `UPDATE mail_links SET opened_at = ? WHERE id = ? AND opened_at IS NULL`, tx.now, string(id))
}

// UseMailLink uses a link up, once; a second time, or after it was revoked, is NotFound.
func (tx *Tx) UseMailLink(ctx context.Context, id identity.MailLinkID) error {
	return tx.execOne(ctx, `UPDATE mail_links SET used_at = ? WHERE id = ? AND used_at IS NULL AND revoked_at IS NULL`, tx.now, string(id))
}

// RevokeMailLinks ends the links of one kind that a user has and that were not used, and returns how many there were.
func (tx *Tx) RevokeMailLinks(ctx context.Context, user identity.UserID, kind identity.MailLinkKind) (int, error) {
	return tx.execCount(ctx, `UPDATE mail_links SET revoked_at = ? WHERE user_id = ? AND kind = ? AND used_at IS NULL AND revoked_at IS NULL`, tx.now, string(user), string(kind))
}

// CountMailLinks returns how many links of a kind went to a mailbox since a time; to an empty one: to any.
func (tx *Tx) CountMailLinks(ctx context.Context, kind identity.MailLinkKind, email string, since time.Time) (int, error) {
	query, args := `SELECT count(*) FROM mail_links WHERE kind = ? AND created_at > ?`, []any{string(kind), since}
	if email != "" {
		query, args = query+` AND email = ?`, append(args, email)
	}
	var n int
	err := tx.get(ctx, &n, query, args...)
	return n, err
}

// CountMailLinksOf returns how many links of a kind were made for a user since a time.
func (tx *Tx) CountMailLinksOf(ctx context.Context, user identity.UserID, kind identity.MailLinkKind, since time.Time) (int, error) {
	var n int
	err := tx.get(ctx, &n, `SELECT count(*) FROM mail_links WHERE user_id = ? AND kind = ? AND created_at > ?`, string(user), string(kind), since)
	return n, err
}

// InvitationOpen reports whether a user was invited and has not joined yet, even if the time to do so is over.
func (tx *Tx) InvitationOpen(ctx context.Context, user identity.UserID) (bool, error) {
	var n []int
	err := tx.list(ctx, &n, `SELECT 1 FROM users u WHERE u.id = ? AND u.last_login_at IS NULL AND EXISTS (`+openInvitation+`) AND NOT EXISTS (`+acceptedInvitation+`)`, string(user))
	return len(n) > 0, err
}

// openInvitation and acceptedInvitation are about the user u.
const (
	openInvitation     = `SELECT 1 FROM mail_links l WHERE l.user_id = u.id AND l.kind = 'invitation' AND l.used_at IS NULL AND l.revoked_at IS NULL`
	acceptedInvitation = `SELECT 1 FROM mail_links l WHERE l.user_id = u.id AND l.kind = 'invitation' AND l.used_at IS NOT NULL`
)

// SweepMailLinks deletes links that ended before a time. An invitation stays while its user has not joined.
func (tx *Tx) SweepMailLinks(ctx context.Context, before time.Time) error {
	return tx.exec(ctx, `DELETE FROM mail_links WHERE expires_at < ? AND (kind <> 'invitation' OR used_at IS NOT NULL OR revoked_at IS NOT NULL
		OR user_id IN (SELECT u.id FROM users u WHERE u.last_login_at IS NOT NULL))`, before)
}

// RemoveNeverJoined takes a user away who never came in, with all that hangs on the record, or returns NotFound.
func (tx *Tx) RemoveNeverJoined(ctx context.Context, user identity.UserID) error {
	if err := tx.execOne(ctx, `DELETE FROM users WHERE id = ? AND last_login_at IS NULL`, string(user)); err != nil {
		return err
	}
	return tx.deleteLoose(ctx, user)
}
