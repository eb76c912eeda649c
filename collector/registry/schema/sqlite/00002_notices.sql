-- Notices to the agents of a site, how far they have come, and messages that
-- say so. What a notice and a person's reply say is sealed with the key of
-- consultation, which lies outside the database: that an entry exists may be
-- seen here, what the police ask may not.

-- +goose Up
-- A CHECK cannot be altered: the table is made anew.
ALTER TABLE messages RENAME TO messages_1;
CREATE TABLE messages (
	id TEXT PRIMARY KEY,
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	epoch INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('declaration', 'observation', 'withdrawal', 'reply')),
	sha256 BLOB NOT NULL,
	recorded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO messages SELECT id, site_id, agent_id, epoch, revision, kind, sha256, recorded_at FROM messages_1;
DROP TABLE messages_1;

CREATE TABLE notices (
	number INTEGER PRIMARY KEY AUTOINCREMENT, -- as they were queued
	id TEXT NOT NULL UNIQUE,
	site_id TEXT NOT NULL REFERENCES sites (id),
	request_id TEXT,                     -- of the act that asked several sites at once; NULL: of none
	force TEXT REFERENCES forces (name), -- whose request; NULL: of no force
	kind TEXT NOT NULL CHECK (kind IN ('preserve', 'site-change', 'reminder')),
	at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,         -- of no use any more from then on
	closed_at INTEGER,                   -- NULL: it may still be handed down and answered
	check_hash BLOB,                     -- SHA-256 of the code that is checked on the collector's page
	body BLOB                            -- sealed; NULL: deleted
) STRICT;
CREATE INDEX notices_by_site ON notices (site_id);
CREATE INDEX notices_by_force ON notices (force, number) WHERE force IS NOT NULL;
CREATE INDEX notices_by_check ON notices (check_hash) WHERE check_hash IS NOT NULL;
CREATE INDEX notices_open ON notices (expires_at) WHERE closed_at IS NULL;
CREATE INDEX notices_closed ON notices (closed_at) WHERE body IS NOT NULL;

-- How far a notice has come: each state once for each agent of the site.
CREATE TABLE notice_replies (
	notice_id TEXT NOT NULL REFERENCES notices (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	state TEXT NOT NULL CHECK (state IN ('received', 'seen', 'present', 'copied', 'cannot', 'too-late', 'refused')),
	at INTEGER NOT NULL,                 -- as its sender says
	recorded_at INTEGER NOT NULL,
	body BLOB,                           -- sealed: who said it, in which words; NULL: nobody, or deleted
	PRIMARY KEY (notice_id, agent_id, state)
) STRICT, WITHOUT ROWID;

-- Which site a camera is of: a request names cameras.
CREATE INDEX versions_by_camera ON versions (id) WHERE kind = 'camera' AND valid_until IS NULL AND body IS NOT NULL;
