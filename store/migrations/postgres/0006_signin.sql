-- +goose Up
-- What a session keeps of the provider's: for its log-outs, its own end, and how the person proved to be themselves. The token is sealed.
ALTER TABLE sessions ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN upstream JSONB NOT NULL DEFAULT '{}';
ALTER TABLE sessions ADD COLUMN upstream_token BYTEA;
CREATE INDEX sessions_by_subject ON sessions (connection_id, subject) WHERE subject <> '';
CREATE INDEX sessions_by_index ON sessions (connection_id, session_index) WHERE session_index <> '';

-- What a browser that comes back from a provider came for, and for whom.
ALTER TABLE signin_states ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
ALTER TABLE signin_states ADD COLUMN user_id UUID;

-- What an administrator may choose of a connection, whatever its protocol.
ALTER TABLE connections ADD COLUMN options JSONB NOT NULL DEFAULT '{}';

-- What was read of a provider last, and whether it could be read.
CREATE TABLE connection_health (
    connection_id UUID PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    checked_at    TIMESTAMPTZ NOT NULL,
    succeeded_at  TIMESTAMPTZ,
    failure       TEXT NOT NULL
);

-- What an attempt was for, and what the provider said, redacted.
ALTER TABLE traces ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
ALTER TABLE traces ADD COLUMN facts JSONB NOT NULL DEFAULT '[]';
CREATE INDEX traces_by_tenant ON traces (tenant_id, id);
CREATE INDEX traces_by_email ON traces (email, id);
