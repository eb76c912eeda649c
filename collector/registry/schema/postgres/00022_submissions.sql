-- What people type on a form of the collector's pages until they confirm it: see
-- submissions.go. It is no part of the register before.

-- +goose Up
ALTER TABLE data_keys DROP CONSTRAINT data_keys_kind_check;
ALTER TABLE data_keys ADD CONSTRAINT data_keys_kind_check CHECK (kind IN ('register', 'site', 'organisation', 'notice', 'case', 'submission'));

CREATE TABLE submissions (
	id TEXT PRIMARY KEY,
	began_at BIGINT NOT NULL,
	touched_at BIGINT NOT NULL,          -- a year after it, all of it is deleted
	resume_hash BYTEA NOT NULL UNIQUE,   -- keyed, of the code that opens it on another device; the code is derived, and kept nowhere
	link_hash BYTEA UNIQUE,              -- of the token of the link that confirms the e-mail address; NULL: none waits for that
	link_at BIGINT,                      -- when that was asked for; the token is derived with it
	body BYTEA NOT NULL                  -- sealed with the submission's own key: all that was typed
);
CREATE INDEX submissions_by_touch ON submissions (touched_at);

-- Browsers in which one is open, by a keyed hash of their cookie.
CREATE TABLE submission_sessions (
	hash BYTEA PRIMARY KEY,
	submission_id TEXT NOT NULL REFERENCES submissions (id),
	expires_at BIGINT NOT NULL
);
CREATE INDEX submission_sessions_by_submission ON submission_sessions (submission_id);
CREATE INDEX submission_sessions_by_end ON submission_sessions (expires_at);

-- The one agent that is the form: no computer, and no organisation's import.
ALTER TABLE agents ADD COLUMN by_hand BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX agents_by_hand ON agents (by_hand) WHERE by_hand;
