-- A site is suspended, or shown again, by an agent's message too, until a day that
-- its owner may name. Of two decisions the later one holds, by when a person took it.
-- An act keeps which information notice was read.

-- +goose Up
ALTER TABLE messages DROP CONSTRAINT messages_kind_check;
ALTER TABLE messages ADD CONSTRAINT messages_kind_check CHECK (kind IN ('declaration', 'observation', 'withdrawal', 'suspension', 'reply'));

ALTER TABLE sites ADD COLUMN suspended_until BIGINT;       -- it ends by itself then; NULL: it does not, or it is not suspended
ALTER TABLE sites ADD COLUMN suspension_decided_at BIGINT; -- when a person last suspended or resumed it; NULL: never
CREATE INDEX sites_suspended ON sites (suspended_until) WHERE suspended_until IS NOT NULL;

ALTER TABLE acts ADD COLUMN notice TEXT NOT NULL DEFAULT ''; -- version of the information notice that was read; '': none, or not known
