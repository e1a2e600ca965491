-- +goose Up
-- Addresses are kept in the spelling of their answer, so that a list copies them as they are.
UPDATE users SET emails = (
    SELECT json_group_array(json_patch('{}', json_object(
        'value', json_extract(e.value, '$.Value'), 'type', NULLIF(json_extract(e.value, '$.Type'), ''), 'display', NULLIF(json_extract(e.value, '$.Display'), ''),
        'primary', json(CASE json_extract(e.value, '$.Primary') WHEN 1 THEN 'true' ELSE 'false' END))))
    FROM json_each(users.emails) AS e)
WHERE emails <> '[]';

-- A page by index starts at a remembered place. What would shift the places is numbered here: users who went, came back or moved.
CREATE TABLE user_shifts (
    scope TEXT PRIMARY KEY,
    n     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE user_moves (
    scope   TEXT NOT NULL,
    n       INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    delta   INTEGER NOT NULL,
    at      TIMESTAMP NOT NULL,
    PRIMARY KEY (scope, n)
) WITHOUT ROWID;
CREATE INDEX user_moves_by_time ON user_moves (at);

-- Users have events_by_user.
DROP INDEX events_by_object;
CREATE INDEX events_by_object ON events (object_id, id) WHERE object_kind <> 'user';

-- What an answer shows as a member's name is kept with the membership, so that reading a group reads one table.
ALTER TABLE group_members ADD COLUMN display TEXT NOT NULL DEFAULT '';
UPDATE group_members SET display = COALESCE(
    (SELECT COALESCE(NULLIF(u.display_name, ''), NULLIF(u.attributes -> 'name' ->> 'formatted', ''),
        NULLIF(TRIM(COALESCE(u.attributes -> 'name' ->> 'givenName', '') || ' ' || COALESCE(u.attributes -> 'name' ->> 'familyName', '')), ''), u.user_name) FROM users u WHERE u.id = group_members.member_id),
    (SELECT g.display_name FROM groups g WHERE g.id = group_members.member_id), '');
