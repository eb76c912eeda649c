-- Witnesses of the trail, and bodies that were deleted after their term.

-- +goose Up
CREATE TABLE trail_cosignatures (
	witness TEXT PRIMARY KEY,            -- its public key
	size BIGINT NOT NULL,                -- entries of the checkpoint
	checkpoint BYTEA NOT NULL            -- with the witness's signature
);

-- Entries from 0 up to, not including, this one have lost their body.
ALTER TABLE trail_head ADD COLUMN forgotten BIGINT NOT NULL DEFAULT 0;
