-- A site is suspended, or shown again, by an agent's message too, until a day that
-- its owner may name. Of two decisions the later one holds, by when a person took it.
-- An act keeps which information notice was read.

-- +goose Up
-- A CHECK cannot be altered: the table is made anew.
ALTER TABLE messages RENAME TO messages_1;
CREATE TABLE messages (
	id TEXT PRIMARY KEY,
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	epoch INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('declaration', 'observation', 'withdrawal', 'suspension', 'reply')),
	sha256 BLOB NOT NULL,
	recorded_at INTEGER NOT NULL,
	site_stays INTEGER NOT NULL DEFAULT 0 CHECK (site_stays IN (0, 1))
) STRICT, WITHOUT ROWID;
INSERT INTO messages SELECT id, site_id, agent_id, epoch, revision, kind, sha256, recorded_at, site_stays FROM messages_1;
DROP TABLE messages_1;

ALTER TABLE sites ADD COLUMN suspended_until INTEGER;       -- it ends by itself then; NULL: it does not, or it is not suspended
ALTER TABLE sites ADD COLUMN suspension_decided_at INTEGER; -- when a person last suspended or resumed it; NULL: never
CREATE INDEX sites_suspended ON sites (suspended_until) WHERE suspended_until IS NOT NULL;

ALTER TABLE acts ADD COLUMN notice TEXT NOT NULL DEFAULT ''; -- version of the information notice that was read; '': none, or not known
