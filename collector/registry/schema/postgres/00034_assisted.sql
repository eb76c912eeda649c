-- Declarations that the Comune's office types for who calls, writes or comes: see
-- assisted.go. What was typed is a submission; this is what operations see of it.

-- +goose Up
CREATE TABLE assisted (
	id TEXT PRIMARY KEY,                 -- of the submission, which goes before its line does
	operator TEXT NOT NULL REFERENCES users (id),
	medium TEXT NOT NULL CHECK (medium IN ('telephone', 'paper', 'desk')),
	channel TEXT CHECK (channel IN ('email', 'sms', 'letter')), -- NULL: not sent yet
	begun_at BIGINT NOT NULL,
	sent_at BIGINT,                     -- the last time
	sendings BIGINT NOT NULL DEFAULT 0,
	code_hash BYTEA UNIQUE,               -- keyed, of the code that opens it; NULL: not sent, or opened
	opened_at BIGINT,                   -- the first time
	ends_at BIGINT NOT NULL,            -- if nobody confirms it by then, it is deleted
	ended_at BIGINT,
	outcome TEXT CHECK (outcome IN ('confirmed', 'refused', 'expired', 'cancelled')) -- NULL: none yet
);
CREATE INDEX assisted_by_operator ON assisted (operator, begun_at);
CREATE INDEX assisted_open ON assisted (ends_at) WHERE outcome IS NULL;
CREATE INDEX assisted_ended ON assisted (ended_at) WHERE ended_at IS NOT NULL;
