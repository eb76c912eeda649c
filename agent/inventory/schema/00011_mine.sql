-- Whose a camera is, as the owner says. A camera that is not theirs is refused.

-- +goose Up
ALTER TABLE camera ADD COLUMN mine TEXT NOT NULL DEFAULT ''; -- 'yes', 'later': not decided yet; '' not asked
UPDATE camera SET mine = 'yes' WHERE outdoor IS NOT NULL; -- only their owner was asked
