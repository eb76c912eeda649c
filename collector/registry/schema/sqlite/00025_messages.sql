-- The queue takes every kind of message, on every way to a person: see mail.go.

-- +goose Up
-- Alerts that wait are found anew: what they say was sealed for another place.
DELETE FROM alerts WHERE EXISTS (SELECT 1 FROM mail_queue m WHERE m.site_id = alerts.site_id AND m.ended_at IS NULL AND m.news IS NOT NULL);
CREATE TABLE mail_queue_new (
	id TEXT PRIMARY KEY,                 -- UUID; the same at each try, in Message-ID
	owner TEXT NOT NULL,                 -- with whose data key it is sealed: a site's, or what else has one
	address BLOB,                        -- sealed; NULL once it has ended
	address_hash BLOB NOT NULL,          -- as in lookups: to be told once, not too often, and for a refusal that comes later
	queued_at INTEGER NOT NULL,
	due_at INTEGER NOT NULL,             -- not before; while a sender has it, when another may take it
	tries INTEGER NOT NULL DEFAULT 0,
	ended_at INTEGER,                    -- NULL: it waits
	outcome TEXT CHECK (outcome IN ('sent', 'delivered', 'bounced', 'expired')),
	body BLOB,                           -- sealed: what it says, where that is not what all say; NULL once it has ended
	channel TEXT NOT NULL CHECK (channel IN ('email', 'pec', 'sms')),
	kind TEXT NOT NULL CHECK (kind IN ('message', 'link', 'alert', 'invitation')),
	CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO mail_queue_new (id, owner, channel, kind, address, address_hash, queued_at, due_at, tries, ended_at, outcome)
	SELECT id, site_id, 'email', 'message', address, address_hash, queued_at, due_at, tries, ended_at, outcome FROM mail_queue WHERE ended_at IS NOT NULL OR news IS NULL;
DROP TABLE mail_queue;
ALTER TABLE mail_queue_new RENAME TO mail_queue;
CREATE INDEX mail_queue_due ON mail_queue (due_at) WHERE ended_at IS NULL;
CREATE INDEX mail_queue_by_address ON mail_queue (address_hash);
CREATE INDEX mail_queue_by_owner ON mail_queue (owner);

-- Alerts go to a mobile phone, too.
CREATE TABLE alert_readers_new (
	site_id TEXT NOT NULL REFERENCES sites (id),
	channel TEXT NOT NULL CHECK (channel IN ('email', 'sms')),
	address_hash BLOB NOT NULL,          -- as in lookups
	declared INTEGER NOT NULL CHECK (declared IN (0, 1)), -- the tick in the newest declaration
	wanted INTEGER NOT NULL CHECK (wanted IN (0, 1)),     -- the last word
	end_hash BLOB NOT NULL UNIQUE,       -- of the token of the link that ends it; the token is derived, and kept nowhere
	PRIMARY KEY (site_id, channel, address_hash)
) STRICT, WITHOUT ROWID;
INSERT INTO alert_readers_new SELECT site_id, channel, address_hash, declared, wanted, end_hash FROM alert_readers;
DROP TABLE alert_readers;
ALTER TABLE alert_readers_new RENAME TO alert_readers;
