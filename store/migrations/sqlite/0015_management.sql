-- +goose Up
-- The roles live here from now on: the access model seeds them once, and then the database owns those that may be edited.
ALTER TABLE roles ADD COLUMN title_key TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN intended_for TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN provides TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN reviewed_at TIMESTAMP;
ALTER TABLE roles ADD COLUMN reviewed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN assignable BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE roles ADD COLUMN shipped BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE roles ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE roles ADD COLUMN grants TEXT;
ALTER TABLE roles ADD COLUMN levels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE roles ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE roles ADD COLUMN created_at TIMESTAMP;
ALTER TABLE roles ADD COLUMN updated_at TIMESTAMP;

-- The access model in force, one row an application. Version grows with each change of the model or of a role: who remembers an older one reads again.
CREATE TABLE access_models (
    application TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    document    TEXT NOT NULL,
    version     INTEGER NOT NULL,
    applied_by  TEXT NOT NULL,
    applied_at  TIMESTAMP NOT NULL
);

ALTER TABLE tenants ADD COLUMN main BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE tenants ADD COLUMN owner_id TEXT REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE tenants ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
CREATE UNIQUE INDEX tenants_one_main ON tenants (main) WHERE main;

-- Business units of a tenant are a tree with one root; a team is a leaf below a unit.
CREATE TABLE business_units (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    parent_id  TEXT REFERENCES business_units (id),
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX business_units_one_root ON business_units (tenant_id) WHERE parent_id IS NULL;
CREATE UNIQUE INDEX business_units_name ON business_units (parent_id, name_key);
CREATE INDEX business_units_by_tenant ON business_units (tenant_id, id);

CREATE TABLE user_types (
    application  TEXT NOT NULL,
    id           TEXT NOT NULL,
    title        TEXT NOT NULL,
    title_key    TEXT NOT NULL,
    default_role TEXT NOT NULL,
    max_users    INTEGER NOT NULL,
    shipped      BOOLEAN NOT NULL,
    position     INTEGER NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    PRIMARY KEY (application, id),
    UNIQUE (application, title_key)
);

-- Where a person stands in the organisation. Who has no row has the model's defaults.
CREATE TABLE positions (
    user_id       TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    user_type     TEXT NOT NULL,
    unit_id       TEXT REFERENCES business_units (id),
    team_id       TEXT REFERENCES business_units (id),
    data_level    TEXT NOT NULL,
    external      BOOLEAN NOT NULL,
    administrator BOOLEAN NOT NULL,
    updated_at    TIMESTAMP NOT NULL
);
CREATE INDEX positions_by_type ON positions (user_type);
CREATE INDEX positions_by_unit ON positions (unit_id);
CREATE INDEX positions_by_team ON positions (team_id);
CREATE INDEX positions_of_administrators ON positions (user_id) WHERE administrator;

CREATE TABLE avatars (
    user_id    TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash       TEXT NOT NULL,
    content    BLOB NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- A record of an application that a person may be tied to, such as a technician. It may exist without a person.
CREATE TABLE records (
    application TEXT NOT NULL,
    type        TEXT NOT NULL,
    foreign_id  TEXT NOT NULL,
    display     TEXT NOT NULL,
    active      BOOLEAN NOT NULL,
    tenant_id   TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id     TEXT REFERENCES users (id) ON DELETE SET NULL,
    created_at  TIMESTAMP NOT NULL,
    updated_at  TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, application, type, foreign_id)
);
CREATE INDEX records_by_user ON records (user_id);
CREATE INDEX records_by_type ON records (tenant_id, type, foreign_id);

-- What an application says that a person owns or has to do; a transfer is open until the application acknowledges it.
CREATE TABLE holdings (
    application     TEXT NOT NULL,
    kind            TEXT NOT NULL,
    foreign_id      TEXT NOT NULL,
    display         TEXT NOT NULL,
    tenant_id       TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    successor_id    TEXT REFERENCES users (id) ON DELETE SET NULL,
    requested_at    TIMESTAMP,
    requested_by    TEXT NOT NULL,
    updated_at      TIMESTAMP NOT NULL,
    PRIMARY KEY (application, kind, foreign_id)
);
CREATE INDEX holdings_by_user ON holdings (user_id, kind);

-- A local password beyond its hash.
ALTER TABLE credentials ADD COLUMN must_change BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE credentials ADD COLUMN temporary BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE credentials ADD COLUMN changed_at TIMESTAMP;
ALTER TABLE credentials ADD COLUMN expires_at TIMESTAMP;
CREATE TABLE password_history (
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at            TIMESTAMP NOT NULL,
    password_hash TEXT NOT NULL,
    PRIMARY KEY (user_id, at)
);

-- A link that went to a mailbox and proves it when it comes back: an invitation, a new password, a new address, a registration. Only the hash of its token is kept.
CREATE TABLE mail_links (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
    tenant_id  TEXT REFERENCES tenants (id) ON DELETE CASCADE,
    email      TEXT NOT NULL,
    data       TEXT NOT NULL DEFAULT '{}',
    mail_id    TEXT,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    opened_at  TIMESTAMP,
    used_at    TIMESTAMP,
    revoked_at TIMESTAMP
);
CREATE INDEX mail_links_by_user ON mail_links (user_id, kind);
CREATE INDEX mail_links_by_tenant ON mail_links (tenant_id, kind, id);
CREATE INDEX mail_links_by_end ON mail_links (expires_at);
CREATE INDEX mails_by_user ON mails (user_id, id);

CREATE TABLE mail_templates (
    tenant_id  TEXT REFERENCES tenants (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    text       TEXT NOT NULL,
    html       TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX mail_templates_key ON mail_templates (COALESCE(tenant_id, '00000000-0000-0000-0000-000000000000'), kind);

-- A key with which a program calls as a person. The id is the jti of the JWT; sealed holds the key itself where it may be shown again.
CREATE TABLE api_keys (
    id           TEXT PRIMARY KEY,
    application  TEXT NOT NULL,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    key_hash     BLOB NOT NULL UNIQUE,
    hint         TEXT NOT NULL,
    sealed       BLOB,
    created_by   TEXT NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP,
    revoked_at   TIMESTAMP
);
CREATE INDEX api_keys_by_user ON api_keys (user_id, id);

-- A review of who holds what: its rows are what was held when it began, each to be kept or taken away by a person.
CREATE TABLE access_reviews (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT REFERENCES tenants (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    scope      TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    due_at     TIMESTAMP NOT NULL,
    closed_at  TIMESTAMP,
    closed_by  TEXT NOT NULL DEFAULT '',
    reminded_at TIMESTAMP
);
CREATE INDEX access_reviews_open ON access_reviews (due_at) WHERE closed_at IS NULL;
CREATE TABLE access_review_items (
    review_id     TEXT NOT NULL REFERENCES access_reviews (id) ON DELETE CASCADE,
    assignment_id TEXT NOT NULL,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    application   TEXT NOT NULL,
    role_id       TEXT NOT NULL,
    decision      TEXT NOT NULL,
    decided_by    TEXT NOT NULL,
    decided_at    TIMESTAMP,
    reason        TEXT NOT NULL,
    PRIMARY KEY (review_id, assignment_id)
);

-- A plan: what an import would do, person by person, with the versions that it was computed from; then what came of it.
CREATE TABLE plans (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT REFERENCES tenants (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    source      TEXT NOT NULL,
    file_name   TEXT NOT NULL,
    state       TEXT NOT NULL,
    options     TEXT NOT NULL,
    summary     TEXT NOT NULL,
    backup      BLOB,
    created_by  TEXT NOT NULL,
    created_at  TIMESTAMP NOT NULL,
    applied_at  TIMESTAMP,
    reverted_at TIMESTAMP
);
CREATE INDEX plans_by_tenant ON plans (tenant_id, id);
CREATE TABLE plan_steps (
    plan_id TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    line      INTEGER NOT NULL,
    action    TEXT NOT NULL,
    user_id   TEXT,
    version   INTEGER NOT NULL,
    detail    TEXT NOT NULL,
    data      BLOB NOT NULL,
    state     TEXT NOT NULL,
    PRIMARY KEY (plan_id, line)
);
CREATE TABLE import_mappings (
    tenant_id  TEXT REFERENCES tenants (id) ON DELETE CASCADE,
    source     TEXT NOT NULL,
    columns    TEXT NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX import_mappings_key ON import_mappings (COALESCE(tenant_id, '00000000-0000-0000-0000-000000000000'), source);

-- How many links went to a mailbox lately.
CREATE INDEX mail_links_by_email ON mail_links (email, kind, created_at);
CREATE INDEX mail_links_by_mail ON mail_links (mail_id);
-- A password that was made elsewhere is worked out differently until it is next used; a session that began with one that must be changed does nothing else.
ALTER TABLE credentials ADD COLUMN imported BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE credentials ADD COLUMN locked_until TIMESTAMP;
CREATE INDEX credentials_imported ON credentials (user_id) WHERE imported;
CREATE INDEX credentials_locked ON credentials (locked_until);
ALTER TABLE sessions ADD COLUMN must_change BOOLEAN NOT NULL DEFAULT FALSE;
-- What a plan changed is kept with each of its steps, as it was before.
ALTER TABLE plans DROP COLUMN backup;
ALTER TABLE plan_steps ADD COLUMN mail_id TEXT;
CREATE INDEX plan_steps_by_user ON plan_steps (user_id);

-- Whom a source that is no directory knows, such as the file of an HR system, and by which id of its own.
CREATE TABLE source_users (
    tenant_id   TEXT REFERENCES tenants (id) ON DELETE CASCADE,
    source      TEXT NOT NULL,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    external_id TEXT NOT NULL,
    updated_at  TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX source_users_key ON source_users (COALESCE(tenant_id, '00000000-0000-0000-0000-000000000000'), source, user_id);
CREATE INDEX source_users_by_external_id ON source_users (source, external_id);
CREATE INDEX source_users_by_user ON source_users (user_id);
-- What was held when a review began stays readable after it was taken away.
ALTER TABLE access_review_items ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE access_review_items ADD COLUMN granted_by TEXT NOT NULL DEFAULT '';
ALTER TABLE access_review_items ADD COLUMN granted_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE access_review_items ADD COLUMN granted_at TIMESTAMP;
CREATE INDEX access_review_items_by_user ON access_review_items (user_id);
CREATE UNIQUE INDEX roles_title ON roles (application, title_key) WHERE title_key <> '';
-- Whom an administrator joined with somebody else: what happened to the one is part of the other's story.
CREATE TABLE merged_users (
    user_id TEXT PRIMARY KEY,
    kept_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at      TIMESTAMP NOT NULL
);
CREATE INDEX merged_users_by_kept ON merged_users (kept_id);

-- A transfer of a holding is open while it has a successor.
ALTER TABLE holdings ADD COLUMN transfer_id TEXT;
ALTER TABLE holdings ADD COLUMN transfer_reason TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX holdings_by_transfer ON holdings (transfer_id);
CREATE INDEX holdings_by_successor ON holdings (successor_id);

-- What people did is found by who they are; what directories write does not touch this index.
CREATE INDEX events_by_actor ON events (actor_id, id) WHERE actor_kind = 'user';
CREATE INDEX users_deleted ON users (deleted_at) WHERE deleted_at IS NOT NULL;

-- From where somebody changed something.
ALTER TABLE events ADD COLUMN ip TEXT NOT NULL DEFAULT '';
