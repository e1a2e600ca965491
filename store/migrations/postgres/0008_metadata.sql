-- +goose Up
-- When each provider's metadata is read next, which the replicas agree on here, and what of it waits for a Super Admin.
CREATE TABLE connection_metadata (
    connection_id UUID PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    due_at        TIMESTAMPTZ NOT NULL,
    failures      INTEGER NOT NULL,
    digest        TEXT NOT NULL DEFAULT '',
    rejected      TEXT NOT NULL DEFAULT '',
    seen_at       TIMESTAMPTZ,
    held          JSONB NOT NULL DEFAULT '{}'
);

-- What was warned of already, so that each replica knows.
CREATE TABLE warnings (
    subject   TEXT NOT NULL,
    threshold INTEGER NOT NULL,
    ends_at   TIMESTAMPTZ NOT NULL,
    warned_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (subject, threshold)
);

-- What leaves by mail. The texts are sealed, since they may carry a link that opens something. What was sent outlives whom it was sent to.
CREATE TABLE mails (
    id          UUID PRIMARY KEY,
    created_at  TIMESTAMPTZ NOT NULL,
    recipient   TEXT NOT NULL,
    subject     TEXT NOT NULL,
    body        BYTEA NOT NULL,
    kind        TEXT NOT NULL,
    user_id     UUID,
    tenant_id   UUID,
    tries       INTEGER NOT NULL,
    next_try_at TIMESTAMPTZ NOT NULL,
    sending_at  TIMESTAMPTZ,
    sent_at     TIMESTAMPTZ,
    gave_up_at  TIMESTAMPTZ,
    failure     TEXT NOT NULL
);
CREATE INDEX mails_due ON mails (next_try_at) WHERE sent_at IS NULL AND gave_up_at IS NULL;
