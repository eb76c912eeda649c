-- Organisations: who adheres with several sites, whom they delegate, and what
-- they import by hand.

-- +goose Up
CREATE TABLE organisations (
	id TEXT PRIMARY KEY,
	name_hash BLOB NOT NULL UNIQUE,      -- keyed hash of its name, to find it by
	created_at INTEGER NOT NULL,
	body BLOB NOT NULL                   -- sealed, with the organisation's key: protocol.Organisation in JSON, with its contacts
) STRICT, WITHOUT ROWID;

ALTER TABLE sites ADD COLUMN organisation_id TEXT REFERENCES organisations (id); -- NULL: of none that is known
ALTER TABLE sites ADD COLUMN owner_changed_at INTEGER; -- suspended since, until who has it now declares it; NULL: it is its owner's
CREATE INDEX sites_by_organisation ON sites (organisation_id) WHERE organisation_id IS NOT NULL;

-- What an organisation imports is recorded like what an agent declares, by an
-- agent that is no computer: its key is nobody's, so that it has no certificate.
ALTER TABLE agents ADD COLUMN organisation_id TEXT REFERENCES organisations (id); -- NULL: a computer
CREATE UNIQUE INDEX agents_by_organisation ON agents (organisation_id) WHERE organisation_id IS NOT NULL;

-- The owner's own keys of what was imported: of a site, and of each camera
-- within its site. The key itself goes with the site; its keyed hash stays, so
-- that a file does not bring back what was withdrawn or has another owner.
CREATE TABLE imports (
	organisation_id TEXT NOT NULL REFERENCES organisations (id),
	kind TEXT NOT NULL CHECK (kind IN ('site', 'camera')),
	key_hash BLOB NOT NULL,
	site_id TEXT NOT NULL REFERENCES sites (id),
	id TEXT NOT NULL,                    -- of the site or camera
	body BLOB,                           -- sealed, with the site's key: the owner's key; NULL: gone with the site
	PRIMARY KEY (organisation_id, kind, key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX imports_by_site ON imports (site_id);

CREATE TABLE delegations (
	id TEXT PRIMARY KEY,
	organisation_id TEXT NOT NULL REFERENCES organisations (id),
	user_id TEXT NOT NULL REFERENCES users (id),
	until_at INTEGER NOT NULL,
	revoked_at INTEGER,                  -- NULL: not revoked
	body BLOB NOT NULL                   -- sealed, with the organisation's key: protocol.Delegation in JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX delegations_by_organisation ON delegations (organisation_id);
CREATE INDEX delegations_by_user ON delegations (user_id);
