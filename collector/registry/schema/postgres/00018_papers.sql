-- Documents of the forces, numbered by force and year without gaps. What one says
-- is sealed within its case, and gone with it; its number stays.

-- +goose Up
CREATE TABLE papers (
	id TEXT PRIMARY KEY,
	case_id TEXT NOT NULL REFERENCES cases (id),
	force TEXT NOT NULL REFERENCES forces (name),
	year BIGINT NOT NULL,
	number BIGINT NOT NULL,               -- counts from 1
	kind TEXT NOT NULL CHECK (kind IN ('acquisition')),
	at BIGINT NOT NULL,
	trail_index BIGINT,                    -- of its entry; NULL: annulled, it never was on the trail
	sha256 BYTEA,                        -- of the file, as on the trail
	body BYTEA,                          -- sealed: what it is made from; NULL: destroyed with its case
	UNIQUE (force, year, number)
);
CREATE INDEX papers_by_case ON papers (case_id);
