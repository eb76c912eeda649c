-- Who wishes to be told by e-mail when recording goes wrong; nobody is presumed to.

-- +goose Up
ALTER TABLE contact ADD COLUMN alerts INTEGER NOT NULL DEFAULT 0 CHECK (alerts IN (0, 1));
