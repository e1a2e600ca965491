-- +goose Up
-- The name by which a provider knows the person of a session, where that is not the subject: a log-out names the person by it.
ALTER TABLE sessions ADD COLUMN name_id TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_by_name ON sessions (connection_id, name_id) WHERE name_id <> '';

-- Whether the provider was told to ask the person again.
ALTER TABLE signin_states ADD COLUMN force BOOLEAN NOT NULL DEFAULT FALSE;
