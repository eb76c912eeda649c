-- The collector's signed receipts, and where the owner acts without this computer.

-- +goose Up
ALTER TABLE message ADD COLUMN receipt TEXT NOT NULL DEFAULT '';   -- a signed note; '' from a collector that signs none
ALTER TABLE site ADD COLUMN owner_link TEXT NOT NULL DEFAULT '';   -- of the newest receipt that had one
ALTER TABLE site ADD COLUMN owner_code BLOB;                       -- sealed, as device passwords are; NULL: none
