-- +goose Up
-- What a provider said last about the address of a linked user.
ALTER TABLE links ADD COLUMN email TEXT NOT NULL DEFAULT '';

-- Sign-ins that an administrator can settle: one row for each subject and reason, however often the person tries. A flag is about somebody who was found all the
-- same; a later sign-in does not settle it.
CREATE TABLE reviews (
    id            TEXT PRIMARY KEY,
    at            TIMESTAMP NOT NULL,
    last_at       TIMESTAMP NOT NULL,
    attempts      INTEGER NOT NULL,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    tenant_id     TEXT,
    issuer        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    email         TEXT NOT NULL,
    name          TEXT NOT NULL,
    code          TEXT NOT NULL,
    message       TEXT NOT NULL,
    flag          BOOLEAN NOT NULL,
    trace_id      TEXT,
    user_id       TEXT,
    state         TEXT NOT NULL,
    settled_by    TEXT NOT NULL,
    settled_at    TIMESTAMP,
    note          TEXT NOT NULL
);
CREATE UNIQUE INDEX reviews_once ON reviews (connection_id, issuer, subject, code);
CREATE INDEX reviews_by_tenant ON reviews (tenant_id, state, id);
CREATE INDEX reviews_by_state ON reviews (state, id);

-- Links that their owner must confirm in the browser in which they began.
CREATE TABLE pending_links (
    id            TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    issuer        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    email         TEXT NOT NULL,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    browser_hash  BLOB NOT NULL,
    asked         BOOLEAN NOT NULL,
    created_at    TIMESTAMP NOT NULL,
    expires_at    TIMESTAMP NOT NULL
);
CREATE INDEX pending_links_by_user ON pending_links (user_id);
CREATE INDEX pending_links_by_end ON pending_links (expires_at);
