-- +goose Up
-- What a provider said last about the address of a linked user.
ALTER TABLE links ADD COLUMN email TEXT NOT NULL DEFAULT '';

-- Sign-ins that an administrator can settle: one row for each subject and reason, however often the person tries. A flag is about somebody who was found all the
-- same; a later sign-in does not settle it.
CREATE TABLE reviews (
    id            UUID PRIMARY KEY,
    at            TIMESTAMPTZ NOT NULL,
    last_at       TIMESTAMPTZ NOT NULL,
    attempts      BIGINT NOT NULL,
    connection_id UUID NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    tenant_id     UUID,
    issuer        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    email         TEXT NOT NULL,
    name          TEXT NOT NULL,
    code          TEXT NOT NULL,
    message       TEXT NOT NULL,
    flag          BOOLEAN NOT NULL,
    trace_id      UUID,
    user_id       UUID,
    state         TEXT NOT NULL,
    settled_by    TEXT NOT NULL,
    settled_at    TIMESTAMPTZ,
    note          TEXT NOT NULL
);
CREATE UNIQUE INDEX reviews_once ON reviews (connection_id, issuer, subject, code);
CREATE INDEX reviews_by_tenant ON reviews (tenant_id, state, id);
CREATE INDEX reviews_by_state ON reviews (state, id);

-- Links that their owner must confirm in the browser in which they began.
CREATE TABLE pending_links (
    id            UUID PRIMARY KEY,
    connection_id UUID NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    issuer        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    email         TEXT NOT NULL,
    user_id       UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    browser_hash  BYTEA NOT NULL,
    asked         BOOLEAN NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    expires_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX pending_links_by_user ON pending_links (user_id);
CREATE INDEX pending_links_by_end ON pending_links (expires_at);
