-- +goose Up
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE tenants (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,
    landing    BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX tenants_one_landing ON tenants (landing) WHERE landing;

CREATE TABLE roles (
    application TEXT NOT NULL,
    id          TEXT NOT NULL,
    title       TEXT NOT NULL,
    scope       TEXT NOT NULL,
    interactive BOOLEAN NOT NULL,
    PRIMARY KEY (application, id)
);

-- Emails are kept as one value beside the user; user_emails is the index over them, written in the same transaction.
CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    tenant_id     TEXT REFERENCES tenants (id),
    user_name     TEXT NOT NULL,
    user_name_key TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    display_name_key TEXT NOT NULL,
    enabled       BOOLEAN NOT NULL,
    held          BOOLEAN NOT NULL,
    locked_at     TIMESTAMP,
    emails        TEXT NOT NULL,
    attributes    TEXT NOT NULL,
    search        TEXT NOT NULL,
    version       INTEGER NOT NULL,
    created_at    TIMESTAMP NOT NULL,
    updated_at    TIMESTAMP NOT NULL,
    last_login_at TIMESTAMP,
    deleted_at    TIMESTAMP
);
CREATE UNIQUE INDEX users_user_name ON users (COALESCE(tenant_id, '00000000-0000-0000-0000-000000000000'), user_name_key) WHERE deleted_at IS NULL;
CREATE INDEX users_by_name ON users (user_name_key);
CREATE INDEX users_by_tenant ON users (tenant_id, id);
CREATE INDEX users_by_display_name ON users (display_name_key);
CREATE INDEX users_by_updated ON users (updated_at);

CREATE TABLE user_emails (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    value_key  TEXT NOT NULL,
    email_key  TEXT,
    type       TEXT NOT NULL,
    display    TEXT NOT NULL,
    is_primary BOOLEAN NOT NULL,
    PRIMARY KEY (user_id, position)
);
CREATE INDEX user_emails_by_value ON user_emails (value_key);
CREATE INDEX user_emails_by_key ON user_emails (email_key);

CREATE TABLE assignments (
    id          TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    application TEXT NOT NULL,
    role_id     TEXT NOT NULL,
    source      TEXT NOT NULL,
    source_id   TEXT NOT NULL,
    reason      TEXT NOT NULL,
    granted_by  TEXT NOT NULL,
    created_at  TIMESTAMP NOT NULL,
    UNIQUE (user_id, application, role_id, source, source_id),
    FOREIGN KEY (application, role_id) REFERENCES roles (application, id)
);
CREATE INDEX assignments_by_role ON assignments (application, role_id);

CREATE TABLE directories (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT REFERENCES tenants (id),
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,
    dialect    TEXT NOT NULL,
    enabled    BOOLEAN NOT NULL,
    domains    TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE directory_tokens (
    id           TEXT PRIMARY KEY,
    directory_id TEXT NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    hash         BLOB NOT NULL UNIQUE,
    hint         TEXT NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP,
    last_used_at TIMESTAMP,
    revoked_at   TIMESTAMP
);
CREATE INDEX directory_tokens_by_directory ON directory_tokens (directory_id);

CREATE TABLE directory_users (
    directory_id TEXT NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    external_id  TEXT,
    active       BOOLEAN NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    PRIMARY KEY (directory_id, user_id)
);
CREATE INDEX directory_users_by_user ON directory_users (user_id);
CREATE INDEX directory_users_by_external_id ON directory_users (directory_id, external_id);

CREATE TABLE groups (
    id               TEXT PRIMARY KEY,
    directory_id     TEXT NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    tenant_id        TEXT REFERENCES tenants (id),
    display_name     TEXT NOT NULL,
    display_name_key TEXT NOT NULL,
    external_id      TEXT,
    attributes       TEXT NOT NULL,
    version          INTEGER NOT NULL,
    created_at       TIMESTAMP NOT NULL,
    updated_at       TIMESTAMP NOT NULL
);
CREATE INDEX groups_by_directory ON groups (directory_id, id);
CREATE INDEX groups_by_name ON groups (directory_id, display_name_key);
CREATE INDEX groups_by_external_id ON groups (directory_id, external_id);

CREATE TABLE group_members (
    group_id    TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    member_id   TEXT NOT NULL,
    member_type TEXT NOT NULL,
    PRIMARY KEY (group_id, member_id)
);
CREATE INDEX group_members_by_member ON group_members (member_id);

CREATE TABLE connections (
    id             TEXT PRIMARY KEY,
    tenant_id      TEXT REFERENCES tenants (id),
    name           TEXT NOT NULL,
    name_key       TEXT NOT NULL UNIQUE,
    kind           TEXT NOT NULL,
    enabled        BOOLEAN NOT NULL,
    unknown_policy TEXT NOT NULL,
    unknown_role   TEXT NOT NULL,
    directory_id   TEXT REFERENCES directories (id),
    skew_ms        INTEGER NOT NULL,
    settings       TEXT NOT NULL,
    secret         BLOB NOT NULL,
    created_at     TIMESTAMP NOT NULL,
    updated_at     TIMESTAMP NOT NULL
);

CREATE TABLE connection_domains (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    domain        TEXT NOT NULL,
    PRIMARY KEY (connection_id, domain)
);
CREATE INDEX connection_domains_by_domain ON connection_domains (domain);

CREATE TABLE links (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    issuer        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at    TIMESTAMP NOT NULL,
    last_used_at  TIMESTAMP,
    PRIMARY KEY (connection_id, issuer, subject)
);
CREATE UNIQUE INDEX links_one_subject ON links (connection_id, user_id);
CREATE INDEX links_by_user ON links (user_id);

CREATE TABLE credentials (
    user_id        TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    password_hash  TEXT NOT NULL,
    failures       INTEGER NOT NULL,
    last_failed_at TIMESTAMP,
    updated_at     TIMESTAMP NOT NULL
);

CREATE TABLE logins (
    login_key TEXT PRIMARY KEY,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX logins_by_user ON logins (user_id);

CREATE TABLE sessions (
    id            TEXT PRIMARY KEY,
    token_hash    BLOB NOT NULL UNIQUE,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    connection_id TEXT,
    ip            TEXT NOT NULL,
    user_agent    TEXT NOT NULL,
    session_index TEXT NOT NULL,
    created_at    TIMESTAMP NOT NULL,
    last_seen_at  TIMESTAMP NOT NULL,
    expires_at    TIMESTAMP NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE signin_states (
    key_hash      BLOB PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    browser_hash  BLOB NOT NULL,
    nonce         TEXT NOT NULL,
    verifier      TEXT NOT NULL,
    return_to     TEXT NOT NULL,
    created_at    TIMESTAMP NOT NULL,
    expires_at    TIMESTAMP NOT NULL
);
CREATE INDEX signin_states_by_end ON signin_states (expires_at);

CREATE TABLE replays (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    key_hash      BLOB NOT NULL,
    expires_at    TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, key_hash)
);
CREATE INDEX replays_by_end ON replays (expires_at);

-- What happened outlives what it happened to: no foreign keys below this line.
CREATE TABLE events (
    id           TEXT PRIMARY KEY,
    at           TIMESTAMP NOT NULL,
    type         TEXT NOT NULL,
    actor_kind   TEXT NOT NULL,
    actor_id     TEXT NOT NULL,
    actor_label  TEXT NOT NULL,
    door         TEXT NOT NULL,
    request_id   TEXT,
    tenant_id    TEXT,
    user_id      TEXT,
    object_kind  TEXT NOT NULL,
    object_id    TEXT NOT NULL,
    object_label TEXT NOT NULL,
    reason       TEXT NOT NULL,
    changes      TEXT NOT NULL
);
CREATE INDEX events_by_user ON events (user_id, id);
CREATE INDEX events_by_tenant ON events (tenant_id, id);
CREATE INDEX events_by_object ON events (object_id, id);
CREATE INDEX events_by_type ON events (type, id);

CREATE TABLE requests (
    id           TEXT PRIMARY KEY,
    at           TIMESTAMP NOT NULL,
    directory_id TEXT,
    tenant_id    TEXT,
    method       TEXT NOT NULL,
    path         TEXT NOT NULL,
    body         TEXT NOT NULL,
    status       INTEGER NOT NULL,
    detail       TEXT NOT NULL,
    duration_us  INTEGER NOT NULL
);
CREATE INDEX requests_by_directory ON requests (directory_id, id);

CREATE TABLE traces (
    id            TEXT PRIMARY KEY,
    at            TIMESTAMP NOT NULL,
    connection_id TEXT,
    tenant_id     TEXT,
    ok            BOOLEAN NOT NULL,
    code          TEXT NOT NULL,
    message       TEXT NOT NULL,
    issuer        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    email         TEXT NOT NULL,
    user_id       TEXT,
    ip            TEXT NOT NULL,
    checks        TEXT NOT NULL
);
CREATE INDEX traces_by_connection ON traces (connection_id, id);
CREATE INDEX traces_by_user ON traces (user_id, id);
CREATE INDEX traces_by_time ON traces (at);
