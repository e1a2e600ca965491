-- +goose Up
-- A link with which a customer's own administrators make one connection of their tenant. Only the hash of its token is kept.
CREATE TABLE setup_links (
    id            UUID PRIMARY KEY,
    tenant_id     UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    domains       JSONB NOT NULL,
    switch_on     BOOLEAN NOT NULL,
    connection_id UUID NOT NULL, -- chosen before, so that the provider can be told our addresses
    token_hash    BYTEA NOT NULL UNIQUE,
    created_by    TEXT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    expires_at    TIMESTAMPTZ NOT NULL,
    revoked_at    TIMESTAMPTZ,
    completed_at  TIMESTAMPTZ
);
CREATE INDEX setup_links_by_tenant ON setup_links (tenant_id, id);
CREATE INDEX setup_links_by_connection ON setup_links (connection_id);

-- A try of a connection by whoever sets it up, of which no user, link or session comes. Those that went well are kept: they prove that it works.
CREATE TABLE trials (
    id            UUID PRIMARY KEY,
    connection_id UUID NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    user_id       UUID,
    setup_id      UUID REFERENCES setup_links (id) ON DELETE CASCADE,
    started_by    TEXT NOT NULL,
    secret_hash   BYTEA NOT NULL UNIQUE,
    created_at    TIMESTAMPTZ NOT NULL,
    expires_at    TIMESTAMPTZ NOT NULL,
    opened_at     TIMESTAMPTZ,
    finished_at   TIMESTAMPTZ,
    ok            BOOLEAN NOT NULL,
    trace_id      UUID
);
CREATE INDEX trials_by_connection ON trials (connection_id, id);
CREATE INDEX trials_by_setup ON trials (setup_id);
CREATE INDEX trials_by_end ON trials (expires_at);

ALTER TABLE signin_states ADD COLUMN trial_id UUID;
