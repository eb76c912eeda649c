-- Messages to contacts who wish to be told when recording goes wrong: see
-- alerts.go. Nobody is presumed to wish so.

-- +goose Up
-- Whose wish it is, by channel and address. A row is kept once somebody has said
-- anything, so that the last word holds: a contact's tick in a declaration, the
-- owner's on the page of the site, or the reader's own end by the link in the message.
CREATE TABLE alert_readers (
	site_id TEXT NOT NULL REFERENCES sites (id),
	channel TEXT NOT NULL CHECK (channel IN ('email')),
	address_hash BYTEA NOT NULL,          -- as in lookups
	declared BOOLEAN NOT NULL, -- the tick in the newest declaration
	wanted BOOLEAN NOT NULL, -- the last word
	end_hash BYTEA NOT NULL UNIQUE,       -- of the token of the link that ends it; the token is derived, and kept nowhere
	PRIMARY KEY (site_id, channel, address_hash)
);

-- What the contacts of a site were told, until it is right again, and for a day
-- after that. It says of a recorder what its own series say.
CREATE TABLE alerts (
	site_id TEXT NOT NULL REFERENCES sites (id),
	alert TEXT NOT NULL CHECK (alert IN ('silent', 'stopped', 'clock', 'shorter', 'unheard')),
	thing TEXT NOT NULL,                 -- id of the recorder or camera; '' the whole site
	told_at BIGINT NOT NULL,
	was BIGINT NOT NULL DEFAULT 0,      -- of 'shorter': how long images stayed before, in seconds
	mended_at BIGINT,                   -- NULL: it is still so
	PRIMARY KEY (site_id, alert, thing)
);

-- What such a message says, sealed with the site's key; NULL: the one wording of
-- all others, or it has ended. Its address_hash is its own: no other message is its
-- repetition, and none waits for it.
ALTER TABLE mail_queue ADD COLUMN news BYTEA;
