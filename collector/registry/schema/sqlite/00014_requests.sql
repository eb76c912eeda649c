-- Requests of officers to preserve: one act that asks several sites, and what the
-- owner of a site answers from the public page, with the site's code and without
-- an agent.

-- +goose Up
-- Who asked, and what of whom, is a record of the case, and goes with it. That a
-- force asked something of a site, and when, is in the queue of notices as well.
CREATE TABLE requests (
	number INTEGER PRIMARY KEY AUTOINCREMENT, -- as they were sent
	id TEXT NOT NULL UNIQUE,
	case_id TEXT NOT NULL REFERENCES cases (id),
	record INTEGER NOT NULL,                 -- number of the case's record that says what was sent
	force TEXT NOT NULL REFERENCES forces (name), -- whose officer asked
	at INTEGER NOT NULL
) STRICT;
CREATE INDEX requests_by_case ON requests (case_id, number);
CREATE INDEX requests_by_force ON requests (force, number);

-- 1: of this request no agent is told, no mail says it, and the site's page does
-- not show it: the officers call, as somebody who reads those is not to know.
ALTER TABLE notices ADD COLUMN by_phone INTEGER NOT NULL DEFAULT 0;
CREATE INDEX notices_by_request ON notices (request_id) WHERE request_id IS NOT NULL;

-- What was said on the site's public page. It is no reply of an agent, whose rows
-- are one for each agent and state: who has the site's code may say it again, and
-- the last word stands.
CREATE TABLE owner_replies (
	notice_id TEXT NOT NULL REFERENCES notices (id),
	state TEXT NOT NULL CHECK (state IN ('seen', 'copied', 'cannot', 'too-late', 'refused')),
	at INTEGER NOT NULL,
	body BLOB,                           -- sealed as of notice_replies
	PRIMARY KEY (notice_id, state)
) STRICT, WITHOUT ROWID;
