-- Times are microseconds since 1970 UTC, 0 where there is none; positions are
-- microdegrees WGS84; JSON columns hold the protocol's types.

-- +goose Up
CREATE TABLE device (
    id          TEXT PRIMARY KEY, -- made here; the recorder's id in messages
    kind        TEXT NOT NULL,
    vendor      TEXT NOT NULL,
    model       TEXT NOT NULL,
    firmware    TEXT NOT NULL,
    hardware_id TEXT NOT NULL,
    serial      TEXT NOT NULL, -- identity only, like macs, endpoint and address
    macs        TEXT NOT NULL, -- JSON array
    endpoint    TEXT NOT NULL,
    address     TEXT NOT NULL, -- host:port; '' once another device has it
    name        TEXT NOT NULL,
    methods     TEXT NOT NULL, -- JSON array
    zone        TEXT NOT NULL,
    needs       TEXT NOT NULL,
    clock       TEXT,          -- JSON, last sample
    problems    TEXT NOT NULL, -- JSON array
    first_seen  INTEGER NOT NULL,
    seen        INTEGER NOT NULL,
    answered    INTEGER NOT NULL,
    reachable   INTEGER NOT NULL,
    reported    TEXT           -- JSON, what the collector was last told
) STRICT;

CREATE TABLE site (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    category    TEXT NOT NULL,
    address     TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    granted     INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    collector   TEXT NOT NULL,
    revision    INTEGER NOT NULL, -- the last one used within the epoch
    observed    INTEGER NOT NULL  -- when facts were last queued
) STRICT;

CREATE TABLE camera (
    id          TEXT PRIMARY KEY, -- made here
    device_id   TEXT NOT NULL REFERENCES device (id),
    channel     TEXT NOT NULL,    -- the device's token; '' until the device tells its channels
    seen        INTEGER NOT NULL,
    -- measured
    found_name  TEXT NOT NULL,
    found_at    INTEGER NOT NULL,
    width_px    INTEGER NOT NULL,
    height_px   INTEGER NOT NULL,
    turns       INTEGER NOT NULL,
    infrared    INTEGER NOT NULL,
    view_at     INTEGER NOT NULL,
    schedule    TEXT NOT NULL,    -- JSON
    retention   TEXT NOT NULL,    -- JSON
    -- said by the owner
    name        TEXT NOT NULL,
    name_at     INTEGER NOT NULL,
    outdoor     INTEGER,          -- NULL: not answered
    outdoor_by  TEXT NOT NULL,
    outdoor_at  INTEGER NOT NULL,
    lon         INTEGER,
    lat         INTEGER,
    accuracy_m  INTEGER NOT NULL,
    placed_by   TEXT NOT NULL,    -- the method
    placed_at   INTEGER NOT NULL,
    direction   INTEGER,
    angle       INTEGER,
    range_m     INTEGER,
    aimed_at    INTEGER NOT NULL, -- when direction, angle or range was said
    site_id     TEXT REFERENCES site (id),
    decision    TEXT NOT NULL CHECK (decision IN ('', 'refused', 'declared', 'withdrawn')),
    decided_by  TEXT NOT NULL,
    decided_at  INTEGER NOT NULL,
    reported    TEXT,             -- JSON, what the collector was last told
    UNIQUE (device_id, channel)
) STRICT;

-- site_id '' holds the contacts that every site inherits.
CREATE TABLE contact (
    site_id     TEXT NOT NULL,
    role        TEXT NOT NULL,
    name        TEXT NOT NULL,
    phone       TEXT NOT NULL,
    email       TEXT NOT NULL,
    pec         TEXT NOT NULL,
    hours       TEXT NOT NULL,
    PRIMARY KEY (site_id, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    site_id     TEXT NOT NULL REFERENCES site (id),
    kind        TEXT NOT NULL CHECK (kind IN ('declaration', 'observation', 'withdrawal')),
    made        INTEGER NOT NULL,
    body        BLOB NOT NULL,    -- the very bytes that leave
    plain       INTEGER NOT NULL, -- 1: may be replaced by a newer observation
    handed      INTEGER NOT NULL, -- when it was first given to be sent; 0 never
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'acknowledged', 'rejected')),
    recorded    INTEGER NOT NULL,
    transport   TEXT NOT NULL,
    why         TEXT NOT NULL
) STRICT;

CREATE INDEX message_waiting ON message (seq) WHERE state = 'waiting';
CREATE INDEX message_state ON message (site_id, seq) WHERE kind <> 'observation';

CREATE TABLE credential (
    device_id   TEXT PRIMARY KEY REFERENCES device (id),
    sealed      BLOB NOT NULL,    -- user and password, under a key of secrets.key
    at          INTEGER NOT NULL
) STRICT;

-- Passwords that a device has refused.
CREATE TABLE refused (
    device      TEXT NOT NULL,    -- its endpoint or address at the time: one row for each
    hash        BLOB NOT NULL,    -- keyed, of user and password
    at          INTEGER NOT NULL,
    PRIMARY KEY (device, hash)
) STRICT, WITHOUT ROWID;
