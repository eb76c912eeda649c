-- As which agents this computer spoke for a site before, each time that it lost
-- its identity. A collector that is set back knows an earlier one, not the last.

-- +goose Up
ALTER TABLE site ADD COLUMN former TEXT NOT NULL DEFAULT '[]'; -- JSON array of agent ids, the oldest first
