-- Cases of the forces, and what their officers saw and did in them. It is copied
-- into the case, so that it outlives what the register holds of a site, for the
-- case's own term. What a case says is sealed with the key of consultation, and
-- that with a data key of the case, which is destroyed at its end: that a force
-- has a case, and when something of which kind was done in it, may be seen here.

-- +goose Up
ALTER TABLE data_keys DROP CONSTRAINT data_keys_kind_check;
ALTER TABLE data_keys ADD CONSTRAINT data_keys_kind_check CHECK (kind IN ('register', 'site', 'organisation', 'notice', 'case'));

CREATE TABLE cases (
	id TEXT PRIMARY KEY,
	force TEXT NOT NULL REFERENCES forces (name), -- whose case it is
	opened_at BIGINT NOT NULL,
	referred_at BIGINT,                 -- when its reference was given; NULL: not yet
	closed_at BIGINT,                   -- NULL: open
	destroyed_at BIGINT,                -- NULL: it still says something
	find_hash BYTEA,                      -- keyed hash of what it is found by (cases.go); NULL: destroyed
	body BYTEA                            -- sealed: who opened it, kind, reference, offence, reason; NULL: destroyed
);
CREATE INDEX cases_by_force ON cases (force, opened_at);
CREATE INDEX cases_by_find ON cases (find_hash) WHERE closed_at IS NULL;
CREATE INDEX cases_closed ON cases (closed_at) WHERE closed_at IS NOT NULL AND destroyed_at IS NULL;

-- Other forces whose officers see a case and work in it.
CREATE TABLE case_shares (
	case_id TEXT NOT NULL REFERENCES cases (id),
	force TEXT NOT NULL REFERENCES forces (name),
	at BIGINT NOT NULL,
	PRIMARY KEY (case_id, force)
);
CREATE INDEX case_shares_by_force ON case_shares (force);

CREATE TABLE case_records (
	case_id TEXT NOT NULL REFERENCES cases (id),
	number BIGINT NOT NULL,             -- counts from 1
	at BIGINT NOT NULL,
	kind TEXT NOT NULL,                  -- as of the entry on the trail
	actor_hash BYTEA NOT NULL,            -- keyed hash of the user's id
	head BYTEA NOT NULL,                 -- sealed: who, where on the trail, and what in short
	body BYTEA,                          -- sealed: all that was shown; NULL: the head says it
	PRIMARY KEY (case_id, number)
);
CREATE INDEX case_records_by_actor ON case_records (actor_hash, at);
