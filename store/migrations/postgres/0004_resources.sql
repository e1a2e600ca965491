-- +goose Up
-- Resources of types that the installation declared itself.
CREATE TABLE resources (
    id            UUID PRIMARY KEY,
    directory_id  UUID NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    resource_type TEXT NOT NULL,
    external_id   TEXT,
    attributes    JSONB NOT NULL,
    version       BIGINT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    updated_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX resources_by_directory ON resources (directory_id, resource_type, id);
CREATE INDEX resources_by_external_id ON resources (directory_id, resource_type, external_id);

-- The values that only one resource of a type may have in a directory.
CREATE TABLE resource_keys (
    directory_id  UUID NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    resource_type TEXT NOT NULL,
    attribute     TEXT NOT NULL,
    value         TEXT NOT NULL,
    resource_id   UUID NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    PRIMARY KEY (directory_id, resource_type, attribute, value)
);
CREATE INDEX resource_keys_by_resource ON resource_keys (resource_id);
