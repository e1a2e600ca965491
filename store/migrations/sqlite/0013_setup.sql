-- +goose Up
-- A link with which a customer's own administrators make one connection of their tenant. Only the hash of its token is kept.
CREATE TABLE setup_links (
    id            TEXT PRIMARY KEY,
    tenant_id     TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    domains       TEXT NOT NULL,
    switch_on     BOOLEAN NOT NULL,
    connection_id TEXT NOT NULL, -- chosen before, so that the provider can be told our addresses
    token_hash    BLOB NOT NULL UNIQUE,
    created_by    TEXT NOT NULL,
    created_at    TIMESTAMP NOT NULL,
    expires_at    TIMESTAMP NOT NULL,
    revoked_at    TIMESTAMP,
    completed_at  TIMESTAMP
);
CREATE INDEX setup_links_by_tenant ON setup_links (tenant_id, id);
CREATE INDEX setup_links_by_connection ON setup_links (connection_id);

-- A try of a connection by whoever sets it up, of which no user, link or session comes. Those that went well are kept: they prove that it works.
CREATE TABLE trials (
    id            TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    user_id       TEXT,
    setup_id      TEXT REFERENCES setup_links (id) ON DELETE CASCADE,
    started_by    TEXT NOT NULL,
    secret_hash   BLOB NOT NULL UNIQUE,
    created_at    TIMESTAMP NOT NULL,
    expires_at    TIMESTAMP NOT NULL,
    opened_at     TIMESTAMP,
    finished_at   TIMESTAMP,
    ok            BOOLEAN NOT NULL,
    trace_id      TEXT
);
CREATE INDEX trials_by_connection ON trials (connection_id, id);
CREATE INDEX trials_by_setup ON trials (setup_id);
CREATE INDEX trials_by_end ON trials (expires_at);

ALTER TABLE signin_states ADD COLUMN trial_id TEXT;
