-- +goose Up
ALTER TABLE directories ADD COLUMN networks JSONB NOT NULL DEFAULT '[]';
ALTER TABLE directory_tokens ADD COLUMN warned_at TIMESTAMPTZ;

CREATE TABLE directory_clients (
    id           UUID PRIMARY KEY,
    directory_id UUID NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    method       TEXT NOT NULL,
    secret_hash  BYTEA,
    hint         TEXT NOT NULL,
    jwks         JSONB,
    created_at   TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ
);
CREATE INDEX directory_clients_by_directory ON directory_clients (directory_id);

CREATE TABLE access_tokens (
    hash       BYTEA PRIMARY KEY,
    client_id  UUID NOT NULL REFERENCES directory_clients (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX access_tokens_by_client ON access_tokens (client_id);
CREATE INDEX access_tokens_by_end ON access_tokens (expires_at);

-- The ids of signed JWTs that clients have used.
CREATE TABLE client_replays (
    client_id  UUID NOT NULL REFERENCES directory_clients (id) ON DELETE CASCADE,
    key_hash   BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (client_id, key_hash)
);
CREATE INDEX client_replays_by_end ON client_replays (expires_at);
