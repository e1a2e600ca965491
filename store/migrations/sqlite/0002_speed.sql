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
