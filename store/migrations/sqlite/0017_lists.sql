-- +goose Up
-- People in the order of their last sign-in. Whoever never signed in costs nothing.
CREATE INDEX users_by_last_login ON users (last_login_at) WHERE last_login_at IS NOT NULL;
-- Who is locked until somebody unlocks them.
CREATE INDEX users_locked ON users (locked_at) WHERE locked_at IS NOT NULL;
