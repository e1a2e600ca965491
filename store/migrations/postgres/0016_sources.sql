-- +goose Up
-- Where people come from by file or by an HR system, with what holds for all that it sends.
CREATE TABLE sources (
    tenant_id  UUID REFERENCES tenants (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    settings   JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX sources_key ON sources (COALESCE(tenant_id, '00000000-0000-0000-0000-000000000000'), name);
INSERT INTO sources (tenant_id, name, settings, created_at, updated_at) SELECT tenant_id, source, jsonb_build_object('mapping', columns), updated_at, updated_at FROM import_mappings;
DROP TABLE import_mappings;

-- A plan is held, approved or rejected, carried out by one program at a time, stopped, taken up again, and undone by another.
UPDATE plans SET state = CASE state WHEN 'ready' THEN 'planned' WHEN 'reverted' THEN 'undone' ELSE state END;
ALTER TABLE plans ADD COLUMN parent_id UUID;
ALTER TABLE plans ADD COLUMN directory_id UUID;
ALTER TABLE plans ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';
ALTER TABLE plans ADD COLUMN decided_at TIMESTAMPTZ;
ALTER TABLE plans ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE plans ADD COLUMN applier JSONB;
ALTER TABLE plans ADD COLUMN stopping BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE plans ADD COLUMN lease_until TIMESTAMPTZ;
CREATE INDEX plans_applying ON plans (state, lease_until) WHERE state IN ('applying', 'computing');
CREATE INDEX plans_by_parent ON plans (parent_id) WHERE parent_id IS NOT NULL;

-- What a source said last about a person, by field, and who leads them by its own word.
ALTER TABLE source_users ADD COLUMN said JSONB;
ALTER TABLE source_users ADD COLUMN manager TEXT NOT NULL DEFAULT '';
CREATE INDEX source_users_by_manager ON source_users (source, manager) WHERE manager <> '';

-- From when until when somebody belongs to the house. What is due is done by a job, once.
CREATE TABLE user_terms (
    user_id    UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    starts_at  TIMESTAMPTZ,
    ends_at    TIMESTAMPTZ,
    started    BOOLEAN NOT NULL DEFAULT FALSE,
    ended      BOOLEAN NOT NULL DEFAULT FALSE,
    source     TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX user_terms_starts ON user_terms (starts_at) WHERE starts_at IS NOT NULL AND NOT started;
CREATE INDEX user_terms_ends ON user_terms (ends_at) WHERE ends_at IS NOT NULL AND NOT ended;

-- What HR systems sent, to be worked off one after the other.
CREATE TABLE uploads (
    id           UUID PRIMARY KEY,
    directory_id UUID NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    tenant_id    UUID REFERENCES tenants (id) ON DELETE CASCADE,
    source       TEXT NOT NULL,
    body         BYTEA,
    operations   BIGINT NOT NULL,
    state        TEXT NOT NULL,
    failure      TEXT NOT NULL DEFAULT '',
    plan_id      UUID,
    request_id   UUID,
    created_at   TIMESTAMPTZ NOT NULL,
    finished_at  TIMESTAMPTZ,
    lease_until  TIMESTAMPTZ
);
CREATE INDEX uploads_by_directory ON uploads (directory_id, id);
CREATE INDEX uploads_open ON uploads (state, id) WHERE state IN ('waiting', 'working');

-- How many people a directory may keep out within a time, and what became of a burst.
ALTER TABLE directories ADD COLUMN guard JSONB;
CREATE TABLE directory_bursts (
    id           UUID PRIMARY KEY,
    directory_id UUID NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    began_at     TIMESTAMPTZ NOT NULL,
    count        BIGINT NOT NULL,
    state        TEXT NOT NULL,
    decided_by   TEXT NOT NULL DEFAULT '',
    decided_at   TIMESTAMPTZ,
    reason       TEXT NOT NULL DEFAULT '',
    allowed_until TIMESTAMPTZ
);
CREATE INDEX directory_bursts_by_directory ON directory_bursts (directory_id, id);
CREATE TABLE held_departures (
    burst_id   UUID NOT NULL REFERENCES directory_bursts (id) ON DELETE CASCADE,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    request_id UUID,
    kind       TEXT NOT NULL,
    at         TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (burst_id, user_id)
);
CREATE INDEX held_departures_by_user ON held_departures (user_id);

-- That somebody leaves: access ends at once, the rest is closed when it is done.
CREATE TABLE offboardings (
    id           UUID PRIMARY KEY,
    user_id      UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant_id    UUID,
    successor_id UUID,
    reason       TEXT NOT NULL,
    begun_by     TEXT NOT NULL,
    begun_at     TIMESTAMPTZ NOT NULL,
    closed_by    TEXT NOT NULL DEFAULT '',
    closed_at    TIMESTAMPTZ,
    data         JSONB NOT NULL
);
CREATE UNIQUE INDEX offboardings_open ON offboardings (user_id) WHERE closed_at IS NULL;
CREATE INDEX offboardings_by_user ON offboardings (user_id, id);
CREATE INDEX offboardings_by_tenant ON offboardings (tenant_id, id);

-- That a source keeps a person out, and why: a row said so, or the person was missing. It ends when somebody else lets the person in or keeps them out.
ALTER TABLE source_users ADD COLUMN away TEXT NOT NULL DEFAULT '';
-- How somebody who starts later hears of the account, and since when a rule keeps somebody whose end is over.
ALTER TABLE user_terms ADD COLUMN welcome TEXT NOT NULL DEFAULT '';
ALTER TABLE user_terms ADD COLUMN kept_at TIMESTAMPTZ;
-- A file on its way to a plan, in sealed parts: whoever brought it says which column is which, perhaps at another replica. It is gone when it was read, and after a day.
CREATE TABLE kept_files (
    id         UUID PRIMARY KEY,
    tenant_id  UUID REFERENCES tenants (id) ON DELETE CASCADE,
    brought_by TEXT NOT NULL,
    name       TEXT NOT NULL,
    source     TEXT NOT NULL,
    size       BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX kept_files_by_who ON kept_files (brought_by, id);
CREATE INDEX kept_files_by_time ON kept_files (created_at);
CREATE TABLE kept_file_parts (
    file_id UUID NOT NULL REFERENCES kept_files (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    body    BYTEA NOT NULL,
    PRIMARY KEY (file_id, number)
);
-- Who has a lease: another text each time it is taken, so that whoever lost it notices. What the sender calls the job that an upload belongs to.
ALTER TABLE plans ADD COLUMN lease_by TEXT NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN lease_by TEXT NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN job TEXT NOT NULL DEFAULT '';

-- Who looks into the folder of a source: one program at a time.
CREATE TABLE source_leases (
    tenant_id   UUID REFERENCES tenants (id) ON DELETE CASCADE,
    source      TEXT NOT NULL,
    lease_by    TEXT NOT NULL,
    lease_until TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX source_leases_key ON source_leases (COALESCE(tenant_id, '00000000-0000-0000-0000-000000000000'), source);
ALTER TABLE offboardings ADD COLUMN state TEXT NOT NULL DEFAULT 'open';

-- When a directory kept somebody out; those of an hour are counted.
ALTER TABLE directory_users ADD COLUMN left_at TIMESTAMPTZ;
CREATE INDEX directory_users_left ON directory_users (directory_id, left_at) WHERE left_at IS NOT NULL;
-- Who has a personnel number.
CREATE INDEX users_by_number ON users ((attributes #>> '{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,employeeNumber}')) WHERE (attributes #>> '{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,employeeNumber}') IS NOT NULL;
