-- +goose Up
ALTER TABLE directories ADD COLUMN networks TEXT NOT NULL DEFAULT '[]';
ALTER TABLE directory_tokens ADD COLUMN warned_at TIMESTAMP;

CREATE TABLE directory_clients (
    id           TEXT PRIMARY KEY,
    directory_id TEXT NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    method       TEXT NOT NULL,
    secret_hash  BLOB,
    hint         TEXT NOT NULL,
    jwks         TEXT,
    created_at   TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP,
    revoked_at   TIMESTAMP
);
CREATE INDEX directory_clients_by_directory ON directory_clients (directory_id);

CREATE TABLE access_tokens (
    hash       BLOB PRIMARY KEY,
    client_id  TEXT NOT NULL REFERENCES directory_clients (id) ON DELETE CASCADE,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX access_tokens_by_client ON access_tokens (client_id);
CREATE INDEX access_tokens_by_end ON access_tokens (expires_at);

-- The ids of signed JWTs that clients have used.
CREATE TABLE client_replays (
    client_id  TEXT NOT NULL REFERENCES directory_clients (id) ON DELETE CASCADE,
    key_hash   BLOB NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    PRIMARY KEY (client_id, key_hash)
);
CREATE INDEX client_replays_by_end ON client_replays (expires_at);
