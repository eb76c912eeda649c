-- One camera may be seen in two ways: on a recorder's channel and, on the
-- network, by itself. Its entry is the recorder's; the other way is a path.

-- +goose Up
ALTER TABLE camera ADD COLUMN behind TEXT; -- JSON, what the recorder tells of the camera on this channel; identity only
ALTER TABLE camera ADD COLUMN asks INTEGER NOT NULL DEFAULT 0; -- 1: earlier answers no longer hold, the owner is asked again

CREATE TABLE path (
    device_id   TEXT NOT NULL REFERENCES device (id), -- the camera as it answers by itself
    channel     TEXT NOT NULL,                        -- its own token there, as camera.channel
    camera_id   TEXT NOT NULL REFERENCES camera (id),
    seen        INTEGER NOT NULL,
    PRIMARY KEY (device_id, channel)
) STRICT, WITHOUT ROWID;

-- Ids of entries that turned out to be another one's camera. The register may
-- still hold them until the owner's next decision.
CREATE TABLE merged (
    id          TEXT PRIMARY KEY,
    camera_id   TEXT NOT NULL REFERENCES camera (id)
) STRICT, WITHOUT ROWID;

-- The certificate that a device showed at first use.
CREATE TABLE pin (
    device      TEXT PRIMARY KEY, -- its endpoint or address at the time
    sha256      BLOB NOT NULL CHECK (length(sha256) = 32),
    at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
