-- +goose Up
-- Domains that somebody claims. One claim at most holds a domain: it was verified by DNS, or a Super Admin said so.
CREATE TABLE domains (
    id              UUID PRIMARY KEY,
    domain          TEXT NOT NULL,
    tenant_id       UUID REFERENCES tenants (id),
    token           TEXT NOT NULL,
    holds           BOOLEAN NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    verified_at     TIMESTAMPTZ,
    override_by     TEXT NOT NULL,
    override_reason TEXT NOT NULL,
    checked_at      TIMESTAMPTZ,
    failing_since   TIMESTAMPTZ,
    failure         TEXT NOT NULL
);
CREATE UNIQUE INDEX domains_one_holder ON domains (domain) WHERE holds;
CREATE UNIQUE INDEX domains_one_claim ON domains (domain, tenant_id);
CREATE UNIQUE INDEX domains_one_claim_of_all ON domains (domain) WHERE tenant_id IS NULL;
CREATE INDEX domains_by_tenant ON domains (tenant_id, id);

-- What tenants' connections are trusted for already was a Super Admin's word.
INSERT INTO domains (id, domain, tenant_id, token, holds, created_at, override_by, override_reason, failure)
    SELECT gen_random_uuid(), d.domain, c.tenant_id, replace(CAST(gen_random_uuid() AS text), '-', ''), TRUE, c.created_at, 'a Super Admin', c.name, ''
    FROM connection_domains d JOIN connections c ON c.id = d.connection_id WHERE c.tenant_id IS NOT NULL AND d.domain <> '*' ORDER BY c.enabled DESC, c.id
    ON CONFLICT DO NOTHING;

-- Whose people come in through a provider only, and who may come in when the provider is down.
ALTER TABLE tenants ADD COLUMN require_sso BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE break_glass (
    user_id    UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    granted_by TEXT NOT NULL,
    reason     TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- The second factor beside a password: a sealed secret, and the last step of time whose code was taken.
CREATE TABLE second_factors (
    user_id        UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret         BYTEA NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    confirmed_at   TIMESTAMPTZ,
    last_step      BIGINT NOT NULL,
    failures       INTEGER NOT NULL,
    last_failed_at TIMESTAMPTZ
);
CREATE TABLE recovery_codes (
    user_id UUID NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    hash    BYTEA NOT NULL,
    PRIMARY KEY (user_id, hash)
);

-- A browser that gave the right password and is asked for a code.
CREATE TABLE signin_steps (
    hash       BYTEA PRIMARY KEY,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    trace_id   UUID NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX signin_steps_by_user ON signin_steps (user_id);
