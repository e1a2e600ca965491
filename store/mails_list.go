package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// MailQuery says which mails are wanted; empty fields do not narrow.
type MailQuery struct {
	Outcome        MailOutcome
	TenantID       identity.TenantID // whose matter they are
	To             string            // the address, as it was written to
	identity.Query                   // After, Newest and Limit
}

// MailOutcome is what became of a mail as far as a list tells it.
type MailOutcome string

// What became of it: it waits or is on its way, it was sent, or it was given up.
const (
	MailsWaiting MailOutcome = "waiting"
	MailsSent    MailOutcome = "sent"
	MailsGivenUp MailOutcome = "failed"
)

// MailsWhere returns the scope's mails without their texts, by their ids.
func (tx *Tx) MailsWhere(ctx context.Context, scope Scope, q MailQuery) (identity.Page[identity.Mail], error) {
	var page identity.Page[identity.Mail]
	visible, args := scope.tenants("m.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.TenantID != "" {
		b.add("m.tenant_id = ?", string(q.TenantID))
	}
	if q.To != "" {
		b.add("m.recipient = ?", q.To)
	}
	switch q.Outcome {
	case MailsWaiting:
		b.add("m.sent_at IS NULL AND m.gave_up_at IS NULL")
	case MailsSent:
		b.add("m.sent_at IS NOT NULL")
	case MailsGivenUp:
		b.add("m.gave_up_at IS NOT NULL")
	}
	q.Sort = nil
	b.after("m.id", q.Query)
	var rows []mailRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+mailListed+` FROM mails m`+b.where()+b.order("m.id", q.Query), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Mail, len(rows))
	for i := range rows {
		page.Items[i] = rows[i].mail()
	}
	return page, nil
}
