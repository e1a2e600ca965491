package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// InvitationQuery says which invitations are wanted; empty fields do not narrow. Limit is how many at most.
type InvitationQuery struct {
	identity.Query
	State identity.InvitationState
	User  identity.UserID
	Users []identity.UserID // only these
}

// Invitations returns a page of the people of the scope who were invited: for each the last link that was not revoked, with its mail.
func (tx *Tx) Invitations(ctx context.Context, scope Scope, q InvitationQuery) (identity.Page[identity.Invitation], error) {
	var page identity.Page[identity.Invitation]
	const tables = ` FROM mail_links l JOIN users u ON u.id = l.user_id`
	b := tx.invitationConditions(scope, q)
	var err error
	if page.Total, err = b.total(ctx, q.Query, tables, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("l.id", q.Query)
	var rows []mailLinkRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+mailLinkColumns+tables+b.where()+b.order("l.id", q.Query), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Invitation, len(rows))
	for i := range rows {
		if page.Items[i].Link, err = rows[i].link(); err != nil {
			return page, err
		}
	}
	return page, tx.describeInvitations(ctx, scope, page.Items)
}

func (tx *Tx) invitationConditions(scope Scope, q InvitationQuery) *builder {
	visible, args := scope.tenants("u.tenant_id")
	b := &builder{tx: tx}
	b.add(`l.kind = 'invitation' AND l.revoked_at IS NULL AND u.deleted_at IS NULL AND `+visible, args...)
	b.add(`NOT EXISTS (SELECT 1 FROM mail_links n WHERE n.user_id = l.user_id AND n.kind = l.kind AND n.revoked_at IS NULL AND n.id > l.id)`)
	if q.Tenant != "" {
		b.add(`u.tenant_id = ?`, string(q.Tenant))
	}
	if q.User != "" {
		b.add(`u.id = ?`, string(q.User))
	}
	if len(q.Users) > 0 {
		in, ids := idList(tx, "l.user_id", q.Users)
		b.add(in, ids...)
	}
	if q.Search != "" {
		b.add(`u.search LIKE ? ESCAPE '\'`, "%"+escapeLike(identity.NameKey(q.Search))+"%")
	}
	const joined = `(l.used_at IS NOT NULL OR u.last_login_at IS NOT NULL)`
	switch q.State {
	case identity.InvitationAccepted:
		b.add(joined)
	case identity.InvitationOpen:
		b.add(`NOT `+joined+` AND l.expires_at > ?`, tx.now)
	case identity.InvitationExpired:
		b.add(`NOT `+joined+` AND l.expires_at <= ?`, tx.now)
	}
	return b
}

// describeInvitations fills in the people, their tenants' names and the mails.
func (tx *Tx) describeInvitations(ctx context.Context, scope Scope, list []identity.Invitation) error {
	if len(list) == 0 {
		return nil
	}
	var users []identity.UserID
	var mails []identity.MailID
	var tenants []identity.TenantID
	for _, i := range list {
		users = append(users, i.Link.UserID)
		if i.Link.MailID != "" {
			mails = append(mails, i.Link.MailID)
		}
	}
	in, args := idList(tx, "u.id", users)
	people, err := tx.usersWhere(ctx, scope, `u.deleted_at IS NULL AND `+in, len(users), args...)
	if err != nil {
		return err
	}
	byUser := map[identity.UserID]identity.User{}
	for _, u := range people {
		byUser[u.ID] = u
		if u.TenantID != "" {
			tenants = append(tenants, u.TenantID)
		}
	}
	names, err := tx.TenantNames(ctx, tenants)
	if err != nil {
		return err
	}
	byMail, err := tx.mailsByID(ctx, mails)
	for i := range list {
		list[i].User = byUser[list[i].Link.UserID]
		list[i].TenantName = names[list[i].User.TenantID]
		list[i].Mail = byMail[list[i].Link.MailID]
	}
	return err
}

func (tx *Tx) mailsByID(ctx context.Context, ids []identity.MailID) (map[identity.MailID]identity.Mail, error) {
	in, args := idList(tx, "id", ids)
	var rows []mailRow
	err := tx.list(ctx, &rows, `SELECT `+mailListed+` FROM mails WHERE `+in, args...)
	out := make(map[identity.MailID]identity.Mail, len(rows))
	for i := range rows {
		out[identity.MailID(rows[i].ID)] = rows[i].mail()
	}
	return out, err
}

// MailsOf returns the last mails that went to a user, without their texts, newest first.
func (tx *Tx) MailsOf(ctx context.Context, user identity.UserID, limit int) ([]identity.Mail, error) {
	var rows []mailRow
	err := tx.list(ctx, &rows, `SELECT `+mailListed+` FROM mails WHERE user_id = ? ORDER BY id DESC LIMIT ?`, string(user), limit)
	out := make([]identity.Mail, len(rows))
	for i := range rows {
		out[i] = rows[i].mail()
	}
	return out, err
}
