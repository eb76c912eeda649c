-- What readers of the public pages say of them: reports of what does not work, words
-- beside a rating, and how often a page was rated how. Nothing of a site.

-- +goose Up
CREATE TABLE remarks (
	id TEXT PRIMARY KEY,                 -- UUID
	at BIGINT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('report', 'rating')),
	body BYTEA NOT NULL,                  -- sealed with the register's own key: all that was written
	closed_at BIGINT                    -- when the Comune said that it was dealt with; NULL: open
);
CREATE INDEX remarks_open ON remarks (at, id) WHERE closed_at IS NULL;
CREATE INDEX remarks_by_time ON remarks (at, id);

CREATE TABLE ratings (
	month TEXT NOT NULL,                 -- 2026-11
	page TEXT NOT NULL,                  -- its path, as the route has it
	stars BIGINT NOT NULL CHECK (stars BETWEEN 1 AND 5),
	reason BIGINT NOT NULL CHECK (reason BETWEEN 0 AND 5), -- of those to choose from; 0: none
	given BIGINT NOT NULL,              -- how often
	PRIMARY KEY (month, page, stars, reason)
);
