-- A site is suspended from here too, until a day that its owner may name.

-- +goose Up
ALTER TABLE site ADD COLUMN suspended_until INTEGER NOT NULL DEFAULT 0; -- the register shows it again by itself then; 0: it does not

-- kind has one value more, for which the table is made anew.
CREATE TABLE message_next (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    site_id     TEXT NOT NULL REFERENCES site (id),
    kind        TEXT NOT NULL CHECK (kind IN ('declaration', 'observation', 'withdrawal', 'suspension', 'reply')),
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
