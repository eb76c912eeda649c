-- The owner's code, and what the owner does with it from any browser.

-- +goose Up
ALTER TABLE sites ADD COLUMN owner_generation INTEGER NOT NULL DEFAULT 0; -- counts withdrawals: each ends the code that was
ALTER TABLE sites ADD COLUMN owner_hash BLOB;        -- keyed hash of the owner's code; NULL: no receipt carried one yet
ALTER TABLE sites ADD COLUMN suspended_at INTEGER;   -- NULL: not suspended
CREATE UNIQUE INDEX sites_by_owner ON sites (owner_hash) WHERE owner_hash IS NOT NULL;

-- Acts with the owner's code. They say nothing about a person, and stay.
CREATE TABLE owner_acts (
	site_id TEXT NOT NULL REFERENCES sites (id),
	number INTEGER NOT NULL,             -- counts from 1
	act TEXT NOT NULL CHECK (act IN ('suspended', 'resumed', 'withdrawn')),
	at INTEGER NOT NULL,
	PRIMARY KEY (site_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE owner_sessions (
	hash BLOB PRIMARY KEY,
	site_id TEXT NOT NULL REFERENCES sites (id),
	expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX owner_sessions_by_end ON owner_sessions (expires_at);
