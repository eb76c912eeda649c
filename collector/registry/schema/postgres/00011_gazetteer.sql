-- Addresses and districts that the Comune imports: public data, in clear. Each
-- source is one row, whole: it is read whole at each start, replaced whole by the
-- next import, and never asked about in SQL.

-- +goose Up
CREATE TABLE gazetteer (
	name TEXT PRIMARY KEY,               -- of the source, e.g. "civici"
	kind TEXT NOT NULL CHECK (kind IN ('addresses', 'districts')),
	entries BIGINT NOT NULL,            -- how many are in body
	imported_at BIGINT NOT NULL,        -- another with each import
	body BYTEA NOT NULL                   -- as package gazetteer writes it
);
