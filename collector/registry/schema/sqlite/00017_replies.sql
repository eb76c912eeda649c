-- A recorder may also say that the footage is there no more.

-- +goose Up
ALTER TABLE notice_replies RENAME TO notice_replies_1;
CREATE TABLE notice_replies (
	notice_id TEXT NOT NULL REFERENCES notices (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	state TEXT NOT NULL CHECK (state IN ('received', 'seen', 'present', 'absent', 'copied', 'cannot', 'too-late', 'refused')),
	at INTEGER NOT NULL,                 -- as its sender says
	recorded_at INTEGER NOT NULL,
	body BLOB,                           -- sealed: who said it, in which words; NULL: nobody, or deleted
	PRIMARY KEY (notice_id, agent_id, state)
) STRICT, WITHOUT ROWID;
INSERT INTO notice_replies SELECT notice_id, agent_id, state, at, recorded_at, body FROM notice_replies_1;
DROP TABLE notice_replies_1;
