-- Batches of codes that an association hands to its members. A code of one names no
-- site: until a member opens it, nothing of that member is here. When it is opened it
-- leaves its batch, which only counts it: no row tells whose member a site is.

-- +goose Up
CREATE TABLE batches (
	id TEXT PRIMARY KEY,
	association TEXT NOT NULL,           -- its name: of a legal person, as a force's is
	codes INTEGER NOT NULL,              -- that were made
	used INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	ended_at INTEGER                     -- its unused codes open nothing any more; NULL: not ended
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_by_time ON batches (created_at, id);

CREATE TABLE batch_codes (
	hash BLOB PRIMARY KEY,
	batch_id TEXT NOT NULL REFERENCES batches (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_codes_by_batch ON batch_codes (batch_id);
