package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type mailRow struct {
	ID        text   `db:"id"`
	CreatedAt moment `db:"created_at"`
	To        string `db:"recipient"`
	Subject   string `db:"subject"`
	Body      []byte `db:"body"`
	Kind      string `db:"kind"`
	UserID    text   `db:"user_id"`
	TenantID  text   `db:"tenant_id"`
	Tries     int    `db:"tries"`
	NextTryAt moment `db:"next_try_at"`
	SendingAt moment `db:"sending_at"`
	SentAt    moment `db:"sent_at"`
	GaveUpAt  moment `db:"gave_up_at"`
	Failure   string `db:"failure"`
}

const (
	mailListed  = `id, created_at, recipient, subject, kind, user_id, tenant_id, tries, next_try_at, sending_at, sent_at, gave_up_at, failure`
	mailColumns = mailListed + `, body`
)

// mailBody is what is sealed of a mail.
type mailBody struct {
	Text string `json:"text"`
	HTML string `json:"html,omitempty"`
}

func mailPlace(id identity.MailID) string { return "mails/body/" + string(id) }

func (r *mailRow) mail() identity.Mail {
	return identity.Mail{
		ID: identity.MailID(r.ID), CreatedAt: r.CreatedAt.time(), To: r.To, Subject: r.Subject, Kind: r.Kind, UserID: identity.UserID(r.UserID),
		TenantID: identity.TenantID(r.TenantID), Tries: r.Tries, NextTryAt: r.NextTryAt.time(), SendingAt: r.SendingAt.at, SentAt: r.SentAt.at,
		GaveUpAt: r.GaveUpAt.at, Failure: r.Failure,
	}
}

// InsertMail writes mails that are to be sent; one that Mail.Check refuses is Invalid. An id is made where there is none; they are due at once unless NextTryAt says later.
func (tx *Tx) InsertMail(ctx context.Context, mails ...identity.Mail) error {
	for _, m := range mails {
		if err := m.Check(); err != nil {
			return err
		}
		if m.ID == "" {
			m.ID = identity.NewID[identity.MailID]()
		}
		if m.NextTryAt.Before(tx.now) {
			m.NextTryAt = tx.now
		}
		body, err := json.Marshal(mailBody{m.Text, m.HTML})
		if err != nil {
			return err
		}
		err = tx.later(ctx, `INSERT INTO mails (id, created_at, recipient, subject, body, kind, user_id, tenant_id, tries, next_try_at, failure) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, '')`,
			string(m.ID), tx.now, m.To, m.Subject, tx.seal(mailPlace(m.ID), body), m.Kind, null(m.UserID), null(m.TenantID), m.NextTryAt)
		if err != nil {
			return err
		}
	}
	return nil
}

// ClaimMails takes mails that are due, the longest waiting first, with their texts: nobody else gets them before the moment given. Each claim counts as
// a try, and the number of tries is what names the claim to MarkMailSending and the others.
func (tx *Tx) ClaimMails(ctx context.Context, until time.Time, limit int) ([]identity.Mail, error) {
	lock := ""
	if tx.postgres() {
		lock = " FOR UPDATE SKIP LOCKED"
	}
	var rows []mailRow
	err := tx.list(ctx, &rows, `WITH due AS (
		SELECT id FROM mails WHERE sent_at IS NULL AND gave_up_at IS NULL AND sending_at IS NULL AND next_try_at <= ? ORDER BY next_try_at, id LIMIT ?`+lock+`)
		UPDATE mails SET tries = tries + 1, next_try_at = ? WHERE id IN (SELECT id FROM due) RETURNING `+mailColumns, tx.now, limit, until)
	if err != nil {
		return nil, err
	}
	out := make([]identity.Mail, len(rows))
	for i := range rows {
		out[i] = rows[i].mail()
		raw, err := tx.open(mailPlace(out[i].ID), rows[i].Body)
		if err != nil {
			return nil, err
		}
		var body mailBody
		if err := json.Unmarshal(raw, &body); err != nil {
			return nil, err
		}
		out[i].Text, out[i].HTML = body.Text, body.HTML
	}
	return out, nil
}

// MarkMailSending notes that a claimed mail is handed over now. It reports false when the claim is not this caller's any more.
func (tx *Tx) MarkMailSending(ctx context.Context, id identity.MailID, claim int) (bool, error) {
	n, err := tx.execCount(ctx, `UPDATE mails SET sending_at = ? WHERE id = ? AND tries = ? AND sending_at IS NULL AND sent_at IS NULL AND gave_up_at IS NULL`, tx.now, string(id), claim)
	return n > 0, err
}

// MarkMailSent notes that a mail was taken by the mail server, and forgets its text.
func (tx *Tx) MarkMailSent(ctx context.Context, id identity.MailID) error {
	empty, err := json.Marshal(mailBody{})
	if err != nil {
		return err
	}
	return tx.execOne(ctx, `UPDATE mails SET sent_at = ?, sending_at = NULL, gave_up_at = NULL, failure = '', body = ? WHERE id = ?`, tx.now, tx.seal(mailPlace(id), empty), string(id))
}

// RetryMail notes that a try failed and when the next one is.
func (tx *Tx) RetryMail(ctx context.Context, id identity.MailID, claim int, at time.Time, failure string) error {
	return tx.exec(ctx, `UPDATE mails SET sending_at = NULL, next_try_at = ?, failure = ? WHERE id = ? AND tries = ? AND sent_at IS NULL AND gave_up_at IS NULL`, at, failure, string(id), claim)
}

// GiveMailUp notes that a mail is not tried again. An uncertain one may have arrived.
func (tx *Tx) GiveMailUp(ctx context.Context, id identity.MailID, claim int, failure string, uncertain bool) error {
	query := `UPDATE mails SET gave_up_at = ?, sending_at = NULL, failure = ? WHERE id = ? AND tries = ? AND sent_at IS NULL`
	if uncertain {
		query = `UPDATE mails SET gave_up_at = ?, sending_at = COALESCE(sending_at, created_at), failure = ? WHERE id = ? AND tries = ? AND sent_at IS NULL`
	}
	return tx.exec(ctx, query, tx.now, failure, string(id), claim)
}

// GiveUpLostMails gives up mails that were handed over before a moment and of which nobody said how it ended. It returns how many there were.
func (tx *Tx) GiveUpLostMails(ctx context.Context, before time.Time, failure string) (int, error) {
	return tx.execCount(ctx, `UPDATE mails SET gave_up_at = ?, failure = ? WHERE sending_at < ? AND sent_at IS NULL AND gave_up_at IS NULL`, tx.now, failure, before)
}

// GiveUpOldMails gives up mails that were never tried and are older than a moment. It returns how many there were.
func (tx *Tx) GiveUpOldMails(ctx context.Context, before time.Time, failure string) (int, error) {
	return tx.execCount(ctx, `UPDATE mails SET gave_up_at = ?, failure = ? WHERE created_at < ? AND tries = 0 AND sent_at IS NULL AND gave_up_at IS NULL`, tx.now, failure, before)
}

// ResendMail makes a mail that was given up due again, or returns NotFound.
func (tx *Tx) ResendMail(ctx context.Context, id identity.MailID) error {
	return tx.execOne(ctx, `UPDATE mails SET gave_up_at = NULL, sending_at = NULL, created_at = ?, next_try_at = ? WHERE id = ? AND gave_up_at IS NOT NULL AND sent_at IS NULL`, tx.now, tx.now, string(id))
}

// DropMails takes back the mails of a kind to a user that nobody tries to send at this moment. One that a replica has claimed is not sent any more either.
func (tx *Tx) DropMails(ctx context.Context, user identity.UserID, kind string) error {
	return tx.exec(ctx, `DELETE FROM mails WHERE user_id = ? AND kind = ? AND sent_at IS NULL AND sending_at IS NULL AND gave_up_at IS NULL`, string(user), kind)
}

// Mail returns a mail without its text, or NotFound.
func (tx *Tx) Mail(ctx context.Context, id identity.MailID) (identity.Mail, error) {
	var r mailRow
	err := tx.get(ctx, &r, `SELECT `+mailListed+` FROM mails WHERE id = ?`, string(id))
	return r.mail(), err
}

// Mails returns the last mails without their texts, newest first.
func (tx *Tx) Mails(ctx context.Context, limit int) ([]identity.Mail, error) {
	var rows []mailRow
	err := tx.list(ctx, &rows, `SELECT `+mailListed+` FROM mails ORDER BY id DESC LIMIT ?`, limit)
	out := make([]identity.Mail, len(rows))
	for i := range rows {
		out[i] = rows[i].mail()
	}
	return out, err
}

// MailsByID returns some mails without their texts, as far as they are kept.
func (tx *Tx) MailsByID(ctx context.Context, ids []identity.MailID) (map[identity.MailID]identity.Mail, error) {
	in, args := idList(tx, "id", ids)
	var rows []mailRow
	err := tx.list(ctx, &rows, `SELECT `+mailListed+` FROM mails WHERE `+in, args...)
	out := make(map[identity.MailID]identity.Mail, len(rows))
	for i := range rows {
		m := rows[i].mail()
		out[m.ID] = m
	}
	return out, err
}

// CountMailsToDo returns how many mails wait to be sent now, or were handed over before a moment without an end.
func (tx *Tx) CountMailsToDo(ctx context.Context, lost time.Time) (int, error) {
	var n int
	err := tx.get(ctx, &n, `SELECT count(*) FROM mails WHERE sent_at IS NULL AND gave_up_at IS NULL AND (sending_at IS NULL AND next_try_at <= ? OR sending_at < ?)`, tx.now, lost)
	return n, err
}

// SweepMails deletes mails that were sent or given up before a moment.
func (tx *Tx) SweepMails(ctx context.Context, before time.Time) error {
	return tx.exec(ctx, `DELETE FROM mails WHERE sent_at < ? OR gave_up_at < ?`, before, before)
}
