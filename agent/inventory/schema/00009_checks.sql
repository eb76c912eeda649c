-- What the recorders said when the owner had them asked for the footage of a
-- request, and when all of it was found to be gone.

-- +goose Up
ALTER TABLE notice ADD COLUMN checked TEXT NOT NULL DEFAULT '[]';  -- JSON array, a camera each; deleted with the content
ALTER TABLE notice ADD COLUMN absent INTEGER NOT NULL DEFAULT 0;   -- when it was measured
