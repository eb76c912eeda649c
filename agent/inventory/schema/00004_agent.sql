-- Which identity of this computer holds a site's grant: what waits for the site
-- is for that one alone to send.

-- +goose Up
ALTER TABLE site ADD COLUMN agent TEXT NOT NULL DEFAULT ''; -- '' from a program that did not keep it: any
