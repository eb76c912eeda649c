-- What the owner says of when a camera records and how long its images stay,
-- beside what the device tells. Cameras that he lists himself bear the family
-- 'by-hand' until the recorder tells them.

-- +goose Up
ALTER TABLE camera ADD COLUMN said TEXT; -- JSON; what of it leaves is decided as of all the owner's words
