package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// MailTemplates returns the templates that a tenant changed and those that the installation changed, the tenant's first. Without a tenant: the installation's.
func (tx *Tx) MailTemplates(ctx context.Context, tenant identity.TenantID) ([]identity.MailTemplate, error) {
	var rows []struct {
		TenantID  text   `db:"tenant_id"`
		Kind      string `db:"kind"`
		Subject   string `db:"subject"`
		Text      string `db:"text"`
		HTML      string `db:"html"`
		UpdatedBy string `db:"updated_by"`
		UpdatedAt moment `db:"updated_at"`
	}
	query, args := `tenant_id IS NULL`, []any(nil)
	if tenant != "" {
		query, args = `(tenant_id IS NULL OR tenant_id = ?)`, []any{string(tenant)}
	}
	err := tx.list(ctx, &rows, `SELECT tenant_id, kind, subject, text, html, updated_by, updated_at FROM mail_templates WHERE `+query+` ORDER BY tenant_id IS NULL, kind`, args...)
	out := make([]identity.MailTemplate, len(rows))
	for i, r := range rows {
		out[i] = identity.MailTemplate{
			Kind: identity.MailTemplateKind(r.Kind), TenantID: identity.TenantID(r.TenantID), Subject: r.Subject, Text: r.Text, HTML: r.HTML,
			UpdatedBy: r.UpdatedBy, UpdatedAt: r.UpdatedAt.time(), Source: identity.TemplateOfInstallation,
		}
		if r.TenantID != "" {
			out[i].Source = identity.TemplateOfTenant
		}
	}
	return out, err
}

// PutMailTemplate writes a template of a tenant, or of the installation, in place of the one that it had.
func (tx *Tx) PutMailTemplate(ctx context.Context, m identity.MailTemplate) error {
	if _, err := tx.DeleteMailTemplate(ctx, m.TenantID, m.Kind); err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO mail_templates (tenant_id, kind, subject, text, html, updated_by, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		null(m.TenantID), string(m.Kind), m.Subject, m.Text, m.HTML, m.UpdatedBy, tx.now)
}

// DeleteMailTemplate takes the template of a tenant, or of the installation, away and reports whether there was one.
func (tx *Tx) DeleteMailTemplate(ctx context.Context, tenant identity.TenantID, kind identity.MailTemplateKind) (bool, error) {
	where, args := `tenant_id IS NULL`, []any{string(kind)}
	if tenant != "" {
		where, args = `tenant_id = ?`, append(args, string(tenant))
	}
	n, err := tx.execCount(ctx, `DELETE FROM mail_templates WHERE kind = ? AND `+where, args...)
	return n > 0, err
}
