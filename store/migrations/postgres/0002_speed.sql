-- +goose Up
-- Addresses are kept in the spelling of their answer, so that a list copies them as they are.
UPDATE users SET emails = (
    SELECT COALESCE(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'value', e -> 'Value', 'type', to_jsonb(NULLIF(e ->> 'Type', '')), 'display', to_jsonb(NULLIF(e ->> 'Display', '')), 'primary', e -> 'Primary')) ORDER BY i), '[]'::jsonb)
    FROM jsonb_array_elements(emails) WITH ORDINALITY AS t (e, i))
WHERE emails <> '[]'::jsonb;
ALTER TABLE users ALTER COLUMN emails TYPE JSON USING replace(replace(CAST(emails AS text), '": ', '":'), ', "', ',"')::json;

-- A page by index starts at a remembered place. What would shift the places is numbered here: users who went, came back or moved.
CREATE TABLE user_shifts (
    scope UUID PRIMARY KEY,
    n     BIGINT NOT NULL
);
CREATE TABLE user_moves (
    scope   UUID NOT NULL,
    n       BIGINT NOT NULL,
    user_id UUID NOT NULL,
    delta   INTEGER NOT NULL,
    at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, n)
);
CREATE INDEX user_moves_by_time ON user_moves (at);

-- Every write of a person would check these against the same few rows and lock them; what they hold together is written by one method each,
-- and nothing deletes a user, a tenant or a directory (docs/decisions/0011).
ALTER TABLE users DROP CONSTRAINT users_tenant_id_fkey;
ALTER TABLE user_emails DROP CONSTRAINT user_emails_user_id_fkey;
ALTER TABLE assignments DROP CONSTRAINT assignments_user_id_fkey;
ALTER TABLE assignments DROP CONSTRAINT assignments_application_role_id_fkey;
ALTER TABLE directory_users DROP CONSTRAINT directory_users_directory_id_fkey;
ALTER TABLE directory_users DROP CONSTRAINT directory_users_user_id_fkey;
ALTER TABLE group_members DROP CONSTRAINT group_members_group_id_fkey;

-- Users have events_by_user.
DROP INDEX events_by_object;
CREATE INDEX events_by_object ON events (object_id, id) WHERE object_kind <> 'user';

-- A change of a group's members counts in one of these rows, so that many at once do not wait for one another. They are also the lock of
-- the members: who needs them to stay as they are locks all rows.
CREATE TABLE group_versions (
    group_id   UUID NOT NULL,
    slot       SMALLINT NOT NULL,
    n          BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, slot)
) WITH (fillfactor = 50);
INSERT INTO group_versions (group_id, slot, n, updated_at) SELECT g.id, s, 0, g.updated_at FROM groups g, generate_series(0, 15) AS s;

-- What an answer shows as a member's name is kept with the membership, so that reading a group reads one table.
ALTER TABLE group_members ADD COLUMN display TEXT NOT NULL DEFAULT '';
UPDATE group_members m SET display = COALESCE(
    (SELECT COALESCE(NULLIF(u.display_name, ''), NULLIF(u.attributes -> 'name' ->> 'formatted', ''),
        NULLIF(TRIM(COALESCE(u.attributes -> 'name' ->> 'givenName', '') || ' ' || COALESCE(u.attributes -> 'name' ->> 'familyName', '')), ''), u.user_name) FROM users u WHERE u.id = m.member_id),
    (SELECT g.display_name FROM groups g WHERE g.id = m.member_id), '');
