-- How this agent stands leaves by itself; a diagnosis leaves when somebody sends it;
-- the register's office may write. kind has more values, for which the tables are
-- made anew.

-- +goose Up
CREATE TABLE message_next (
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
INSERT INTO message_next (seq, id, site_id, kind, made, body, plain, handed, state, recorded, transport, why, receipt)
    SELECT seq, id, site_id, kind, made, body, plain, handed, state, recorded, transport, why, receipt FROM message;
DROP TABLE message;
ALTER TABLE message_next RENAME TO message;
CREATE INDEX message_waiting ON message (seq) WHERE state = 'waiting';
CREATE INDEX message_state ON message (site_id, seq) WHERE kind IN ('declaration', 'withdrawal');
CREATE INDEX message_health ON message (site_id, seq) WHERE kind = 'health';

CREATE TABLE notice_next (
    id          TEXT PRIMARY KEY,    -- made by the collector
    site_id     TEXT NOT NULL REFERENCES site (id),
    kind        TEXT NOT NULL CHECK (kind IN ('preserve', 'site-change', 'reminder', 'letter')),
    at          INTEGER NOT NULL,    -- made by the collector
    body        TEXT,                -- JSON, the protocol's type; NULL once deleted
    received    INTEGER NOT NULL,
    seen        INTEGER NOT NULL,    -- first opened by a person
    present     INTEGER NOT NULL,    -- when the footage was measured as still there
    answer      TEXT NOT NULL,       -- a person's last one, the protocol's words
    answered    INTEGER NOT NULL,
    answered_by TEXT NOT NULL,
    note        TEXT NOT NULL,
    closed      INTEGER NOT NULL,    -- nothing more is asked; its content goes 30 days later
    checked     TEXT NOT NULL DEFAULT '[]', -- JSON array, a camera each; deleted with the content
    absent      INTEGER NOT NULL DEFAULT 0  -- when it was measured
) STRICT, WITHOUT ROWID;
INSERT INTO notice_next (id, site_id, kind, at, body, received, seen, present, answer, answered, answered_by, note, closed, checked, absent)
    SELECT id, site_id, kind, at, body, received, seen, present, answer, answered, answered_by, note, closed, checked, absent FROM notice;
DROP TABLE notice;
ALTER TABLE notice_next RENAME TO notice;
