-- The agent's inventory: all that this site knows, in one file.
--
-- Contents
--   sites               site, contact, recorded, private
--   devices             device, pin, credential, refused
--   cameras             camera (THE CAMERAS: what each tells, what the owner says, what they decided), path, merged, depth
--   what goes and comes message, notice
--
-- Times are microseconds since 1970 UTC, 0 where there is none; positions are
-- microdegrees WGS84; JSON columns hold the protocol's types.

-- +goose Up

-- Sites

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
    observed    INTEGER NOT NULL, -- when facts were last queued
    -- Which identity of this computer holds the grant: what waits for the site is for
    -- that one alone to send.
    agent       TEXT NOT NULL DEFAULT '',   -- '' any
    -- As which agents this computer spoke for the site before, each time that it lost its
    -- identity. A collector that is set back knows an earlier one, not the last.
    former      TEXT NOT NULL DEFAULT '[]', -- JSON array of agent ids, the oldest first
    others      INTEGER NOT NULL DEFAULT 0, -- other computers that spoke for it at the enrolment
    -- What became of the whole site elsewhere than here.
    state       TEXT NOT NULL DEFAULT '' CHECK (state IN ('', 'suspended', 'withdrawn')), -- as last told by a notice
    state_at    INTEGER NOT NULL DEFAULT 0,
    suspended_until INTEGER NOT NULL DEFAULT 0, -- the register shows it again by itself then; 0: it does not
    ended       INTEGER NOT NULL DEFAULT 0, -- message.seq up to which nothing counts any more: withdrawn elsewhere
    -- Where the owner acts without this computer.
    owner_link  TEXT NOT NULL DEFAULT '',   -- of the newest receipt that had one
    owner_code  BLOB                        -- sealed, as device passwords are; NULL: none
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
    alerts      INTEGER NOT NULL DEFAULT 0 CHECK (alerts IN (0, 1)), -- wishes to be told by e-mail when recording goes wrong; nobody is presumed to
    PRIMARY KEY (site_id, role)
) STRICT, WITHOUT ROWID;

-- What the register already held of a site when this computer was enrolled for
-- it, until the owner has said what is to become of it.
CREATE TABLE recorded (
    site_id     TEXT PRIMARY KEY REFERENCES site (id),
    body        BLOB NOT NULL,    -- the declaration, as the collector gave it
    code        TEXT NOT NULL,    -- with which this computer was enrolled; it is good for nothing else
    at          INTEGER NOT NULL  -- when it was given
) STRICT, WITHOUT ROWID;

-- What the owner keeps on this computer for himself: answers to the advice, and
-- what stands on the sign. No message is made of it.
CREATE TABLE private (
    site_id     TEXT NOT NULL,    -- '' holds for every site that has no value of its own
    name        TEXT NOT NULL,
    value       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (site_id, name)
) STRICT, WITHOUT ROWID;

-- Devices

CREATE TABLE device (
    id           TEXT PRIMARY KEY, -- made here; the recorder's id in messages
    kind         TEXT NOT NULL,
    vendor       TEXT NOT NULL,
    model        TEXT NOT NULL,
    firmware     TEXT NOT NULL,
    hardware_id  TEXT NOT NULL,
    serial       TEXT NOT NULL,    -- identity only, like macs, endpoint and address
    macs         TEXT NOT NULL,    -- JSON array
    endpoint     TEXT NOT NULL,
    address      TEXT NOT NULL,    -- host:port; '' once another device has it
    name         TEXT NOT NULL,
    methods      TEXT NOT NULL,    -- JSON array
    family       TEXT NOT NULL DEFAULT '',         -- whose own interface was read beside ONVIF; '' ONVIF alone
    facts        TEXT,             -- JSON, questions and own words; for the owner's eyes, never sent
    kept         TEXT NOT NULL DEFAULT '',         -- where it says that images are
    zone         TEXT NOT NULL,
    zone_assumed INTEGER NOT NULL DEFAULT 0,       -- 1: zone is the agent's assumption
    needs        TEXT NOT NULL,
    clock        TEXT,             -- JSON, last sample
    problems     TEXT NOT NULL,    -- JSON array
    first_seen   INTEGER NOT NULL,
    seen         INTEGER NOT NULL,
    answered     INTEGER NOT NULL,
    reachable    INTEGER NOT NULL,
    reported     TEXT,             -- JSON, what the collector was last told
    -- said by the owner
    storage      TEXT NOT NULL DEFAULT '',         -- protocol's words
    storage_note TEXT NOT NULL DEFAULT ''          -- which room
) STRICT;

-- The certificate that a device showed at first use.
CREATE TABLE pin (
    device      TEXT PRIMARY KEY, -- its endpoint or address at the time
    sha256      BLOB NOT NULL CHECK (length(sha256) = 32),
    at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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

-- Cameras

-- THE CAMERAS. One may be seen in two ways: on a recorder's channel and, on the network,
-- by itself. Its entry is the recorder's; the other way is a path. Cameras that the owner
-- lists himself bear the family 'by-hand' until the recorder tells them.
CREATE TABLE camera (
    id          TEXT PRIMARY KEY, -- made here
    device_id   TEXT NOT NULL REFERENCES device (id),
    channel     TEXT NOT NULL,    -- the device's token; '' until the device tells its channels
    family      TEXT NOT NULL DEFAULT '', -- whose interface told the token; '' ONVIF
    also        TEXT,             -- JSON array, tokens by which another interface tells the channel
    behind      TEXT,             -- JSON, what the recorder tells of the camera on this channel; identity only
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
    facts       TEXT,             -- JSON, as device.facts
    -- said by the owner
    name        TEXT NOT NULL,
    name_at     INTEGER NOT NULL,
    mine        TEXT NOT NULL DEFAULT '', -- whose it is: 'yes', 'later': not decided yet; '' not asked. One that is not theirs is refused
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
    said        TEXT,             -- JSON, when it records and how long images stay, beside what the device tells; what of it leaves is decided as of all the owner's words
    asks        INTEGER NOT NULL DEFAULT 0, -- 1: earlier answers no longer hold, the owner is asked again
    -- decided by the owner
    site_id     TEXT REFERENCES site (id),
    decision    TEXT NOT NULL CHECK (decision IN ('', 'refused', 'declared', 'withdrawn')),
    decided_by  TEXT NOT NULL,
    decided_at  INTEGER NOT NULL,
    reported    TEXT,             -- JSON, what the collector was last told
    UNIQUE (device_id, channel)
) STRICT;

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

-- How far back footage was seen to reach: the last reading of each day.
CREATE TABLE depth (
    camera_id   TEXT NOT NULL REFERENCES camera (id),
    day         INTEGER NOT NULL,                     -- days since 1970, UTC
    span        INTEGER NOT NULL CHECK (span >= 0),   -- seconds from the oldest footage to the reading
    PRIMARY KEY (camera_id, day)
) STRICT, WITHOUT ROWID;

-- What goes and comes

CREATE TABLE message (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    site_id     TEXT NOT NULL REFERENCES site (id),
    kind        TEXT NOT NULL CHECK (kind IN ('declaration', 'observation', 'withdrawal', 'suspension', 'reply', 'health', 'diagnosis')),
    made        INTEGER NOT NULL,
    body        BLOB NOT NULL,    -- the very bytes that leave
    plain       INTEGER NOT NULL, -- 1: may be replaced by a newer observation
    handed      INTEGER NOT NULL, -- when it was first given to be sent; 0 never
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'acknowledged', 'rejected')),
    recorded    INTEGER NOT NULL,
    transport   TEXT NOT NULL,
    why         TEXT NOT NULL,
    receipt     TEXT NOT NULL DEFAULT '' -- a signed note; '' from a collector that signs none
) STRICT;
CREATE INDEX message_waiting ON message (seq) WHERE state = 'waiting';
CREATE INDEX message_state ON message (site_id, seq) WHERE kind IN ('declaration', 'withdrawal');
CREATE INDEX message_health ON message (site_id, seq) WHERE kind = 'health';

-- Notices that the collector handed down, and how far each has come.
CREATE TABLE notice (
    id          TEXT PRIMARY KEY,    -- made by the collector
    site_id     TEXT NOT NULL REFERENCES site (id),
    kind        TEXT NOT NULL CHECK (kind IN ('preserve', 'site-change', 'reminder', 'letter')),
    at          INTEGER NOT NULL,    -- made by the collector
    body        TEXT,                -- JSON, the protocol's type; NULL once deleted
    received    INTEGER NOT NULL,
    seen        INTEGER NOT NULL,    -- first opened by a person
    checked     TEXT NOT NULL DEFAULT '[]', -- JSON array, a camera each: what the recorder said when the owner had it asked; deleted with the content
    present     INTEGER NOT NULL,    -- when the footage was measured as still there
    absent      INTEGER NOT NULL DEFAULT 0, -- when all of it was found to be gone
    answer      TEXT NOT NULL,       -- a person's last one, the protocol's words
    answered    INTEGER NOT NULL,
    answered_by TEXT NOT NULL,
    note        TEXT NOT NULL,
    closed      INTEGER NOT NULL     -- nothing more is asked; its content goes 30 days later
) STRICT, WITHOUT ROWID;
