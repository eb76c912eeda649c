-- What people type on a form of the collector's pages until they confirm it: see
-- submissions.go. It is no part of the register before.

-- +goose Up
-- A CHECK cannot be altered: the table is made anew. See 00005 for what it rests
-- on; the keys' former place is overwritten (secure_delete).
ALTER TABLE data_keys RENAME TO data_keys_1;
CREATE TABLE data_keys (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	owner TEXT NOT NULL UNIQUE,          -- a site's, organisation's, notice's, case's or submission's id; 'register'
	kind TEXT NOT NULL CHECK (kind IN ('register', 'site', 'organisation', 'notice', 'case', 'submission')),
	sealed BLOB NOT NULL CHECK (length(sealed) = 65) -- zeros: destroyed
) STRICT;
INSERT INTO data_keys (number, owner, kind, sealed) SELECT number, owner, kind, sealed FROM data_keys_1 ORDER BY number;
DROP TABLE data_keys_1;

CREATE TABLE submissions (
	id TEXT PRIMARY KEY,
	began_at INTEGER NOT NULL,
	touched_at INTEGER NOT NULL,         -- a year after it, all of it is deleted
	resume_hash BLOB NOT NULL UNIQUE,    -- keyed, of the code that opens it on another device; the code is derived, and kept nowhere
	link_hash BLOB UNIQUE,               -- of the token of the link that confirms the e-mail address; NULL: none waits for that
	link_at INTEGER,                     -- when that was asked for; the token is derived with it
	body BLOB NOT NULL                   -- sealed with the submission's own key: all that was typed
) STRICT, WITHOUT ROWID;
CREATE INDEX submissions_by_touch ON submissions (touched_at);

-- Browsers in which one is open, by a keyed hash of their cookie.
CREATE TABLE submission_sessions (
	hash BLOB PRIMARY KEY,
	submission_id TEXT NOT NULL REFERENCES submissions (id),
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_sessions_by_submission ON submission_sessions (submission_id);
CREATE INDEX submission_sessions_by_end ON submission_sessions (expires_at);

-- The one agent that is the form: no computer, and no organisation's import.
ALTER TABLE agents ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0 CHECK (by_hand IN (0, 1));
CREATE UNIQUE INDEX agents_by_hand ON agents (by_hand) WHERE by_hand;
