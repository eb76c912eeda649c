-- What the register already held of a site when this computer was enrolled for
-- it, until the owner has said what is to become of it.

-- +goose Up
ALTER TABLE site ADD COLUMN others INTEGER NOT NULL DEFAULT 0; -- other computers that spoke for it at the enrolment

CREATE TABLE recorded (
    site_id     TEXT PRIMARY KEY REFERENCES site (id),
    body        BLOB NOT NULL,    -- the declaration, as the collector gave it
    code        TEXT NOT NULL,    -- with which this computer was enrolled; it is good for nothing else
    at          INTEGER NOT NULL  -- when it was given
) STRICT, WITHOUT ROWID;
