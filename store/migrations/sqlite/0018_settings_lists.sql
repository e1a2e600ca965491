-- +goose Up

-- The lists of the settings: mails of a tenant, those that wait, those that were given up, and the API keys that work.
CREATE INDEX mails_by_tenant ON mails (tenant_id, id);
CREATE INDEX mails_waiting ON mails (id) WHERE sent_at IS NULL AND gave_up_at IS NULL;
CREATE INDEX mails_given_up ON mails (id) WHERE gave_up_at IS NOT NULL;
CREATE INDEX api_keys_live ON api_keys (id) WHERE revoked_at IS NULL;
