-- Organisations: who adheres with several sites, whom they delegate, and what
-- they import by hand. What each column is for stands in the schema of SQLite.

-- +goose Up
CREATE TABLE organisations (
	id TEXT PRIMARY KEY,
	name_hash BYTEA NOT NULL UNIQUE,
	created_at BIGINT NOT NULL,
	body BYTEA NOT NULL
);

ALTER TABLE sites ADD COLUMN organisation_id TEXT REFERENCES organisations (id);
ALTER TABLE sites ADD COLUMN owner_changed_at BIGINT;
CREATE INDEX sites_by_organisation ON sites (organisation_id) WHERE organisation_id IS NOT NULL;

ALTER TABLE agents ADD COLUMN organisation_id TEXT REFERENCES organisations (id);
CREATE UNIQUE INDEX agents_by_organisation ON agents (organisation_id) WHERE organisation_id IS NOT NULL;

CREATE TABLE imports (
	organisation_id TEXT NOT NULL REFERENCES organisations (id),
	kind TEXT NOT NULL CHECK (kind IN ('site', 'camera')),
	key_hash BYTEA NOT NULL,
	site_id TEXT NOT NULL REFERENCES sites (id),
	id TEXT NOT NULL,
	body BYTEA,
	PRIMARY KEY (organisation_id, kind, key_hash)
);
CREATE INDEX imports_by_site ON imports (site_id);

CREATE TABLE delegations (
	id TEXT PRIMARY KEY,
	organisation_id TEXT NOT NULL REFERENCES organisations (id),
	user_id TEXT NOT NULL REFERENCES users (id),
	until_at BIGINT NOT NULL,
	revoked_at BIGINT,
	body BYTEA NOT NULL
);
CREATE INDEX delegations_by_organisation ON delegations (organisation_id);
CREATE INDEX delegations_by_user ON delegations (user_id);
