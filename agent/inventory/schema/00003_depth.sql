-- What recorders' own interfaces tell beside ONVIF, from which words; how far
-- back footage was seen to reach; and where the owner says that it is kept.

-- +goose Up
ALTER TABLE device ADD COLUMN family TEXT NOT NULL DEFAULT '';           -- whose own interface was read; '' ONVIF alone
ALTER TABLE device ADD COLUMN kept TEXT NOT NULL DEFAULT '';             -- where it says that images are
ALTER TABLE device ADD COLUMN zone_assumed INTEGER NOT NULL DEFAULT 0;   -- 1: zone is the agent's assumption
ALTER TABLE device ADD COLUMN facts TEXT;                                -- JSON, questions and own words; for the owner's eyes, never sent
ALTER TABLE device ADD COLUMN storage TEXT NOT NULL DEFAULT '';          -- said by the owner, protocol's words
ALTER TABLE device ADD COLUMN storage_note TEXT NOT NULL DEFAULT '';     -- said by the owner: which room

ALTER TABLE camera ADD COLUMN facts TEXT;                                -- JSON, as device.facts
ALTER TABLE camera ADD COLUMN family TEXT NOT NULL DEFAULT '';           -- whose interface told the channel's token; '' ONVIF
ALTER TABLE camera ADD COLUMN also TEXT;                                 -- JSON array, tokens by which another interface tells the channel

-- The last reading of each day.
CREATE TABLE depth (
    camera_id   TEXT NOT NULL REFERENCES camera (id),
    day         INTEGER NOT NULL,                     -- days since 1970, UTC
    span        INTEGER NOT NULL CHECK (span >= 0),   -- seconds from the oldest footage to the reading
    PRIMARY KEY (camera_id, day)
) STRICT, WITHOUT ROWID;
