-- Notices that the collector handed down, how far each has come, and the replies
-- to them as messages; what became of a whole site elsewhere than here.

-- +goose Up
ALTER TABLE site ADD COLUMN state TEXT NOT NULL DEFAULT '' CHECK (state IN ('', 'suspended', 'withdrawn')); -- as last told by a notice
ALTER TABLE site ADD COLUMN state_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE site ADD COLUMN ended INTEGER NOT NULL DEFAULT 0; -- message.seq up to which nothing counts any more: withdrawn elsewhere

-- kind has one value more, for which the table is made anew.
CREATE TABLE message_next (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    site_id     TEXT NOT NULL REFERENCES site (id),
    kind        TEXT NOT NULL CHECK (kind IN ('declaration', 'observation', 'withdrawal', 'reply')),
    made        INTEGER NOT NULL,
    body        BLOB NOT NULL,    -- the very bytes that leave
    plain       INTEGER NOT NULL, -- 1: may be replaced by a newer observation
    handed      INTEGER NOT NULL, -- when it was first given to be sent; 0 never
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'acknowledged', 'rejected')),
    recorded    INTEGER NOT NULL,
    transport   TEXT NOT NULL,
    why         TEXT NOT NULL
) STRICT;
INSERT INTO message_next (seq, id, site_id, kind, made, body, plain, handed, state, recorded, transport, why)
    SELECT seq, id, site_id, kind, made, body, plain, handed, state, recorded, transport, why FROM message;
DROP TABLE message;
ALTER TABLE message_next RENAME TO message;
CREATE INDEX message_waiting ON message (seq) WHERE state = 'waiting';
CREATE INDEX message_state ON message (site_id, seq) WHERE kind IN ('declaration', 'withdrawal');

CREATE TABLE notice (
    id          TEXT PRIMARY KEY,    -- made by the collector
    site_id     TEXT NOT NULL REFERENCES site (id),
    kind        TEXT NOT NULL CHECK (kind IN ('preserve', 'site-change', 'reminder')),
    at          INTEGER NOT NULL,    -- made by the collector
    body        TEXT,                -- JSON, the protocol's type; NULL once deleted
    received    INTEGER NOT NULL,
    seen        INTEGER NOT NULL,    -- first opened by a person
    present     INTEGER NOT NULL,    -- when the footage was measured as still there
    answer      TEXT NOT NULL,       -- a person's last one, the protocol's words
    answered    INTEGER NOT NULL,
    answered_by TEXT NOT NULL,
    note        TEXT NOT NULL,
    closed      INTEGER NOT NULL     -- nothing more is asked; its content goes 30 days later
) STRICT, WITHOUT ROWID;
