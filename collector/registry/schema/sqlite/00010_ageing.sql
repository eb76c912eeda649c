-- The clocks by which an entry ages: see ageing.go. A site has a row from its
-- first declaration until it is withdrawn. That of facts is sites.heard_at.

-- +goose Up
CREATE TABLE ageing (
	site_id TEXT PRIMARY KEY REFERENCES sites (id),
	renewed_at INTEGER NOT NULL,         -- adhesion: a person's newest yes
	stage INTEGER NOT NULL DEFAULT 0,    -- reminders of it given since, of the six
	ends_at INTEGER NOT NULL,            -- it is withdrawn then
	confirmed_at INTEGER NOT NULL,       -- contacts: a person's newest word that they are right
	asked_at INTEGER,                    -- a check of them was asked for and not answered; NULL: none
	unverified_at INTEGER,               -- "recapito non verificato" since; NULL: not
	silence_told INTEGER,                -- the heard_at after whose silence a reminder was given
	reminded_at INTEGER,                 -- the newest reminder
	due_at INTEGER NOT NULL              -- nothing is to be done before
) STRICT, WITHOUT ROWID;
CREATE INDEX ageing_due ON ageing (due_at, site_id);

-- What stands was approved when it was declared. An agent may have been silent
-- for two months 50 days from then, at the earliest; Age reckons anew what is due.
INSERT INTO ageing (site_id, renewed_at, ends_at, confirmed_at, due_at)
	SELECT id, declared_at, declared_at + 63072000000000, declared_at, declared_at + 4320000000000 FROM sites WHERE declared_at IS NOT NULL;
