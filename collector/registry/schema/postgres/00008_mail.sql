-- Mail that waits to be sent, and what was sent in the last days. A row says
-- that somebody is to be told of a message, never of which: the wording is one.

-- +goose Up
CREATE TABLE mail_queue (
	id TEXT PRIMARY KEY,                 -- UUID; the same at each try, in Message-ID
	site_id TEXT NOT NULL REFERENCES sites (id),
	address BYTEA,                        -- sealed with the site's key; NULL once it has ended
	address_hash BYTEA NOT NULL,          -- as in lookups: to be told once, and not too often
	queued_at BIGINT NOT NULL,
	due_at BIGINT NOT NULL,             -- not before; while a sender has it, when another may take it
	tries BIGINT NOT NULL DEFAULT 0,
	ended_at BIGINT,                    -- NULL: it waits
	outcome TEXT CHECK (outcome IN ('sent', 'bounced', 'expired')),
	CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX mail_queue_due ON mail_queue (due_at) WHERE ended_at IS NULL;
CREATE INDEX mail_queue_by_address ON mail_queue (address_hash);
CREATE INDEX mail_queue_by_site ON mail_queue (site_id);

-- Addresses of a site's contacts that a server refused, until a person confirms
-- the contacts.
CREATE TABLE bounces (
	site_id TEXT NOT NULL REFERENCES sites (id),
	address_hash BYTEA NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (site_id, address_hash)
);
