-- A site may have several agents: each has its part, and what the site declares
-- is all parts together. messages.site_stays is what the answer to a withdrawal
-- said, to be said again.

-- +goose Up
CREATE TABLE parts (
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	epoch INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	number INTEGER NOT NULL,             -- order of recording among the parts of the site
	made_at INTEGER NOT NULL,            -- as its sender says
	declaration BLOB NOT NULL,           -- the agent's newest, byte for byte; none older is kept
	replaced_epoch INTEGER,              -- the first declaration of this grant takes its place; NULL: none does
	PRIMARY KEY (site_id, agent_id)
) STRICT, WITHOUT ROWID;

INSERT INTO parts (site_id, agent_id, epoch, revision, number, made_at, declaration)
	SELECT s.id, g.agent_id, s.declared_epoch, s.declared_revision, 1, s.declared_at, s.declaration
	FROM sites s JOIN grants g ON g.site_id = s.id AND g.epoch = s.declared_epoch
	WHERE s.declaration IS NOT NULL;

ALTER TABLE sites DROP COLUMN declaration;
ALTER TABLE sites DROP COLUMN declared_epoch;
ALTER TABLE sites DROP COLUMN declared_revision;

ALTER TABLE messages ADD COLUMN site_stays INTEGER NOT NULL DEFAULT 0 CHECK (site_stays IN (0, 1));
