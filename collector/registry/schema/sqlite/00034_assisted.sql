-- Declarations that the Comune's office types for who calls, writes or comes: see
-- assisted.go. What was typed is a submission; this is what operations see of it.

-- +goose Up
CREATE TABLE assisted (
	id TEXT PRIMARY KEY,                 -- of the submission, which goes before its line does
	operator TEXT NOT NULL REFERENCES users (id),
	medium TEXT NOT NULL CHECK (medium IN ('telephone', 'paper', 'desk')),
	channel TEXT CHECK (channel IN ('email', 'sms', 'letter')), -- NULL: not sent yet
	begun_at INTEGER NOT NULL,
	sent_at INTEGER,                     -- the last time
	sendings INTEGER NOT NULL DEFAULT 0,
	code_hash BLOB UNIQUE,               -- keyed, of the code that opens it; NULL: not sent, or opened
	opened_at INTEGER,                   -- the first time
	ends_at INTEGER NOT NULL,            -- if nobody confirms it by then, it is deleted
	ended_at INTEGER,
	outcome TEXT CHECK (outcome IN ('confirmed', 'refused', 'expired', 'cancelled')) -- NULL: none yet
) STRICT, WITHOUT ROWID;
CREATE INDEX assisted_by_operator ON assisted (operator, begun_at);
CREATE INDEX assisted_open ON assisted (ends_at) WHERE outcome IS NULL;
CREATE INDEX assisted_ended ON assisted (ended_at) WHERE ended_at IS NOT NULL;
