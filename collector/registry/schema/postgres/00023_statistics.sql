-- In which districts each site lies, for the counts of operations and of the public,
-- and the statistics that were published.

-- +goose Up
-- In clear, unlike positions: districts of thousands of people each, by which sites are
-- grouped. A row goes with the site.
CREATE TABLE site_districts (
	site_id TEXT PRIMARY KEY REFERENCES sites (id),
	municipio TEXT NOT NULL,             -- its name, as the Comune's file has it; '' outside all, or not known
	nil TEXT NOT NULL,                   -- of the neighbourhood, the same
	map TEXT NOT NULL                    -- which files of districts told: see Locator
);

-- One row each time that numbers were published; it is not changed any more.
CREATE TABLE publications (
	kind TEXT NOT NULL CHECK (kind IN ('sharing', 'consultation')),
	period TEXT NOT NULL,                -- day (2026-11-23) or month (2026-11) that it is of
	at BIGINT NOT NULL,
	body TEXT NOT NULL,                  -- JSON: what everybody may read
	basis TEXT NOT NULL,                 -- JSON: the counts behind it, with which the next of a year are compared; '' of older ones
	PRIMARY KEY (kind, period)
);
