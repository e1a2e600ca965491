-- +goose Up
-- Addresses are kept in the spelling of their answer, so that a list copies them as they are.
UPDATE users SET emails = (
    SELECT COALESCE(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'value', e -> 'Value', 'type', to_jsonb(NULLIF(e ->> 'Type', '')), 'display', to_jsonb(NULLIF(e ->> 'Display', '')), 'primary', e -> 'Primary')) ORDER BY i), '[]'::jsonb)
    FROM jsonb_array_elements(emails) WITH ORDINALITY AS t (e, i))
WHERE emails <> '[]'::jsonb;

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
