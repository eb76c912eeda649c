-- Invitations by letter, e-mail and PEC, many at once: see waves.go.

-- +goose Up
-- A wave is what one reading of a file has invited.
CREATE TABLE waves (
	number INTEGER PRIMARY KEY,          -- counts from 1
	made_at INTEGER NOT NULL,
	per_day INTEGER NOT NULL,            -- invitations of one day; 0: all at once
	source TEXT NOT NULL,                -- where the addresses come from, as each invitation says
	paused_at INTEGER,                   -- NULL: it goes on
	cancelled_at INTEGER,
	-- Invitations that are deleted, or cancelled, since: how many there were.
	gone INTEGER NOT NULL DEFAULT 0,
	gone_sent INTEGER NOT NULL DEFAULT 0,
	gone_bounced INTEGER NOT NULL DEFAULT 0,
	gone_opened INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE invitations (
	key_hash BLOB PRIMARY KEY,           -- keyed, of name and address: who was invited is not invited twice
	wave INTEGER NOT NULL REFERENCES waves (number),
	site_id TEXT UNIQUE REFERENCES sites (id), -- NULL: who was invited wants no more, and nothing else is known of them
	link_hash BLOB UNIQUE,               -- of the token in the link; the token is derived, and kept nowhere
	channel TEXT NOT NULL CHECK (channel IN ('letter', 'email', 'pec')),
	due_at INTEGER NOT NULL,
	address BLOB,                        -- sealed, of e-mail or PEC, until it is queued
	mail_id TEXT,                        -- of the queue
	sent_at INTEGER,                     -- of a letter: the day that stands on it
	bounced_at INTEGER,
	opened_at INTEGER                    -- its page was looked at first
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_due ON invitations (due_at) WHERE mail_id IS NULL AND sent_at IS NULL;
CREATE INDEX invitations_by_wave ON invitations (wave);
CREATE INDEX invitations_by_mail ON invitations (mail_id) WHERE mail_id IS NOT NULL;
