-- What the owner keeps on this computer for himself: answers to the advice, and
-- what stands on the sign. No message is made of it.

-- +goose Up
CREATE TABLE private (
    site_id     TEXT NOT NULL,    -- '' holds for every site that has no value of its own
    name        TEXT NOT NULL,
    value       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (site_id, name)
) STRICT, WITHOUT ROWID;
