-- +goose Up
-- The journal says the answer's keyword, and what became of each operation of a bulk request.
ALTER TABLE requests ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN operations TEXT NOT NULL DEFAULT '';

-- Few requests fail, and they are looked for most. A request that succeeds does not touch this index.
CREATE INDEX requests_failed ON requests (id) WHERE detail <> '';

-- Successful reads are only counted: by directory and day.
CREATE TABLE request_reads (
    directory_id TEXT NOT NULL,
    day          TEXT NOT NULL,
    reads        BIGINT NOT NULL,
    PRIMARY KEY (directory_id, day)
);
