-- +goose Up
-- When each provider's metadata is read next, which the replicas agree on here, and what of it waits for a Super Admin.
CREATE TABLE connection_metadata (
    connection_id TEXT PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    due_at        TIMESTAMP NOT NULL,
    failures      INTEGER NOT NULL,
    digest        TEXT NOT NULL DEFAULT '',
    rejected      TEXT NOT NULL DEFAULT '',
    seen_at       TIMESTAMP,
    held          TEXT NOT NULL DEFAULT '{}'
);

-- What was warned of already, so that each replica knows.
CREATE TABLE warnings (
    subject   TEXT NOT NULL,
    threshold INTEGER NOT NULL,
    ends_at   TIMESTAMP NOT NULL,
    warned_at TIMESTAMP NOT NULL,
    PRIMARY KEY (subject, threshold)
);

-- What leaves by mail. The texts are sealed, since they may carry a link that opens something. What was sent outlives whom it was sent to.
CREATE TABLE mails (
    id          TEXT PRIMARY KEY,
    created_at  TIMESTAMP NOT NULL,
    recipient   TEXT NOT NULL,
    subject     TEXT NOT NULL,
    body        BLOB NOT NULL,
    kind        TEXT NOT NULL,
    user_id     TEXT,
    tenant_id   TEXT,
    tries       INTEGER NOT NULL,
    next_try_at TIMESTAMP NOT NULL,
    sending_at  TIMESTAMP,
    sent_at     TIMESTAMP,
    gave_up_at  TIMESTAMP,
    failure     TEXT NOT NULL
);
CREATE INDEX mails_due ON mails (next_try_at) WHERE sent_at IS NULL AND gave_up_at IS NULL;
