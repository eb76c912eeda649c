-- Contacts that somebody else named: each is told by mail, and counts as
-- unconfirmed until they accept by the link in it.

-- +goose Up
CREATE TABLE introductions (
	site_id TEXT NOT NULL REFERENCES sites (id),
	address_hash BYTEA NOT NULL,          -- as in lookups
	link_hash BYTEA NOT NULL UNIQUE,      -- of the token in the link; the token is derived, and kept nowhere
	asked_at BIGINT NOT NULL,
	accepted_at BIGINT,                  -- NULL: not yet
	PRIMARY KEY (site_id, address_hash)
);
CREATE INDEX introductions_by_address ON introductions (address_hash);
