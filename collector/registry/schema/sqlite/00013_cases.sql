-- Cases of the forces, and what their officers saw and did in them. It is copied
-- into the case, so that it outlives what the register holds of a site, for the
-- case's own term. What a case says is sealed with the key of consultation, and
-- that with a data key of the case, which is destroyed at its end: that a force
-- has a case, and when something of which kind was done in it, may be seen here.

-- +goose Up
-- A CHECK cannot be altered: the table is made anew. See 00005 for what it rests
-- on; the keys' former place is overwritten (secure_delete).
ALTER TABLE data_keys RENAME TO data_keys_1;
CREATE TABLE data_keys (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	owner TEXT NOT NULL UNIQUE,          -- a site's, organisation's, notice's or case's id; 'register'
	kind TEXT NOT NULL CHECK (kind IN ('register', 'site', 'organisation', 'notice', 'case')),
	sealed BLOB NOT NULL CHECK (length(sealed) = 65) -- zeros: destroyed
) STRICT;
INSERT INTO data_keys (number, owner, kind, sealed) SELECT number, owner, kind, sealed FROM data_keys_1 ORDER BY number;
DROP TABLE data_keys_1;

CREATE TABLE cases (
	id TEXT PRIMARY KEY,
	force TEXT NOT NULL REFERENCES forces (name), -- whose case it is
	opened_at INTEGER NOT NULL,
	referred_at INTEGER,                 -- when its reference was given; NULL: not yet
	closed_at INTEGER,                   -- NULL: open
	destroyed_at INTEGER,                -- NULL: it still says something
	find_hash BLOB,                      -- keyed hash of what it is found by (cases.go); NULL: destroyed
	body BLOB                            -- sealed: who opened it, kind, reference, offence, reason; NULL: destroyed
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_by_force ON cases (force, opened_at);
CREATE INDEX cases_by_find ON cases (find_hash) WHERE closed_at IS NULL;
CREATE INDEX cases_closed ON cases (closed_at) WHERE closed_at IS NOT NULL AND destroyed_at IS NULL;

-- Other forces whose officers see a case and work in it.
CREATE TABLE case_shares (
	case_id TEXT NOT NULL REFERENCES cases (id),
	force TEXT NOT NULL REFERENCES forces (name),
	at INTEGER NOT NULL,
	PRIMARY KEY (case_id, force)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_shares_by_force ON case_shares (force);

-- No WITHOUT ROWID: a body may have megabytes.
CREATE TABLE case_records (
	case_id TEXT NOT NULL REFERENCES cases (id),
	number INTEGER NOT NULL,             -- counts from 1
	at INTEGER NOT NULL,
	kind TEXT NOT NULL,                  -- as of the entry on the trail
	actor_hash BLOB NOT NULL,            -- keyed hash of the user's id
	head BLOB NOT NULL,                 -- sealed: who, where on the trail, and what in short
	body BLOB,                          -- sealed: all that was shown; NULL: the head says it
	PRIMARY KEY (case_id, number)
) STRICT;
CREATE INDEX case_records_by_actor ON case_records (actor_hash, at);
