-- +goose Up
-- Which session a sign-in led to.
ALTER TABLE traces ADD COLUMN session_id UUID;

-- An address is looked for in any case; refusals are few and looked for most.
DROP INDEX traces_by_email;
CREATE INDEX traces_by_address ON traces (lower(email), id) WHERE email <> '';
CREATE INDEX traces_refused ON traces (id) WHERE NOT ok;

-- How many refusals each connection had in an hour: those in which nothing was proven, and those of somebody. A flood is counted and not kept.
CREATE TABLE trace_counts (
    connection_id UUID NOT NULL,
    hour          TIMESTAMPTZ NOT NULL,
    strangers     BIGINT NOT NULL,
    people        BIGINT NOT NULL,
    PRIMARY KEY (connection_id, hour)
);
CREATE INDEX trace_counts_by_hour ON trace_counts (hour);

-- Links with which somebody without an account reads one trace, or the refused ones of one connection.
CREATE TABLE trace_shares (
    id            UUID PRIMARY KEY,
    token_hash    BYTEA NOT NULL UNIQUE,
    tenant_id     UUID REFERENCES tenants (id) ON DELETE CASCADE,
    trace_id      UUID,
    connection_id UUID REFERENCES connections (id) ON DELETE CASCADE,
    created_by    TEXT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    expires_at    TIMESTAMPTZ NOT NULL,
    last_used_at  TIMESTAMPTZ,
    revoked_at    TIMESTAMPTZ
);
CREATE INDEX trace_shares_by_end ON trace_shares (expires_at);
