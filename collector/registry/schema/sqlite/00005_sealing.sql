-- Sealing. Names, addresses, positions, contacts and people's words are sealed
-- with a data key of their site, organisation or notice; the data keys are sealed
-- with the master key, outside the database. What stands in the tables made here
-- as *_plain is sealed at the first start, which then drops them.
--
-- Column by column, what is sealed, and why the rest is clear:
--   sites                 body (name, address) sealed. category: counts by kind of place, of which a city
--                         has thousands. trust, epoch, times, owner_generation: say nothing about a person.
--                         owner_hash: keyed.
--   agents                ids, a program's version, a key's hash, times, a certificate's serial.
--   codes, owner_sessions, links, sessions   hashes of random secrets, ids, times.
--   grants, messages      ids, order, times, a hash over random ids.
--   versions              body sealed (names, positions, schedules, free text). kind, ids, times: counts and history.
--   contacts              body sealed.
--   lookups               keyed hashes of phone numbers and e-mail addresses.
--   parts                 declaration sealed.
--   clocks                offsets, and by which protocol a recorder's clock was read.
--   reachability          ids, times, yes or no.
--   camera_observations   schedule and retention sealed: when nothing is recorded is of use to a thief. oldest_footage, settled: ages.
--   changes, owner_acts   ids, numbers, times, closed lists.
--   forces, users         offices, and the people who sign in: found by name, and no site's. The operator's own.
--   notices, notice_replies   body sealed with the key of consultation, and that with the notice's. check_hash: of a random code.
--   trail_*               headers with pseudonyms; bodies sealed by package trail.

-- +goose Up
-- Rows are appended, overwritten by others of the same length, and never deleted:
-- SQLite then never moves one, and a key that is overwritten is overwritten where
-- it stood. So no column may be added whose length can change.
CREATE TABLE data_keys (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	owner TEXT NOT NULL UNIQUE,          -- a site's, organisation's or notice's id; 'register'
	kind TEXT NOT NULL CHECK (kind IN ('register', 'site', 'organisation', 'notice')),
	sealed BLOB NOT NULL CHECK (length(sealed) = 65) -- zeros: destroyed
) STRICT;

-- By what a contact's phone, e-mail or PEC is found.
CREATE TABLE lookups (
	hash BLOB NOT NULL,
	owner TEXT NOT NULL,                 -- site or organisation
	PRIMARY KEY (hash, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX lookups_by_owner ON lookups (owner);

ALTER TABLE sites ADD COLUMN body BLOB;  -- sealed: name and address, newest, as invited, then as declared; NULL once withdrawn

DROP INDEX versions_by_camera;
ALTER TABLE versions RENAME TO versions_plain;
CREATE TABLE versions (
	site_id TEXT NOT NULL REFERENCES sites (id),
	kind TEXT NOT NULL CHECK (kind IN ('site', 'recorder', 'camera')),
	id TEXT NOT NULL,
	version INTEGER NOT NULL,            -- counts from 1
	valid_from INTEGER NOT NULL,
	valid_until INTEGER,
	recorded_at INTEGER NOT NULL,
	closed_at INTEGER,
	body BLOB,                           -- sealed
	PRIMARY KEY (site_id, kind, id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX versions_by_camera ON versions (id) WHERE kind = 'camera' AND valid_until IS NULL AND body IS NOT NULL;

ALTER TABLE contacts RENAME TO contacts_plain;
CREATE TABLE contacts (
	site_id TEXT NOT NULL REFERENCES sites (id),
	place INTEGER NOT NULL,              -- order in the declaration
	body BLOB NOT NULL,                  -- sealed
	PRIMARY KEY (site_id, place)
) STRICT, WITHOUT ROWID;

ALTER TABLE parts RENAME TO parts_plain;
CREATE TABLE parts (
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	epoch INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	number INTEGER NOT NULL,             -- order of recording among the parts of the site
	made_at INTEGER NOT NULL,            -- as its sender says
	declaration BLOB NOT NULL,           -- sealed: the agent's newest, byte for byte; none older is kept
	replaced_epoch INTEGER,              -- the first declaration of this grant takes its place; NULL: none does
	PRIMARY KEY (site_id, agent_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE camera_observations RENAME TO camera_observations_plain;
CREATE TABLE camera_observations (
	site_id TEXT NOT NULL REFERENCES sites (id),
	camera_id TEXT NOT NULL,
	at INTEGER NOT NULL,
	recorded_at INTEGER NOT NULL,
	oldest_footage INTEGER,
	settled INTEGER CHECK (settled IN (0, 1)),
	schedule BLOB,                       -- sealed
	retention BLOB,                      -- sealed
	PRIMARY KEY (site_id, camera_id, at)
) STRICT, WITHOUT ROWID;
