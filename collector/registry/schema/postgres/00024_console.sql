-- What operations are shown: when a site first came how far, the name and address
-- that were typed for its invitation, which are not what its owner declares, and
-- filters of their lists that they keep.

-- +goose Up
ALTER TABLE sites ADD COLUMN invited BYTEA;         -- sealed: name, category and address as typed for the invitation; NULL: not invited, or before this column
ALTER TABLE sites ADD COLUMN opened_at BIGINT;    -- when its invitation was first opened; NULL: not yet
ALTER TABLE sites ADD COLUMN enrolled_at BIGINT;  -- when an agent first had a grant
ALTER TABLE sites ADD COLUMN searched_at BIGINT;  -- when an agent first said that it had searched
ALTER TABLE sites ADD COLUMN confirmed_at BIGINT; -- when its owner first confirmed a camera, or had it declared
ALTER TABLE sites ADD COLUMN shared_at BIGINT;    -- when its first declaration was recorded
UPDATE sites SET enrolled_at = (SELECT min(g.from_at) FROM grants g JOIN agents a ON a.id = g.agent_id WHERE g.site_id = sites.id AND a.organisation_id IS NULL AND NOT a.by_hand),
	shared_at = coalesce((SELECT min(recorded_at) FROM acts WHERE site_id = sites.id AND reason = 'declared'), declared_at);
UPDATE sites SET confirmed_at = shared_at;
UPDATE sites SET opened_at = enrolled_at;

CREATE INDEX sites_invited ON sites (invited_at, id);
CREATE INDEX agents_enrolled ON agents (enrolled_at, id);

CREATE TABLE saved_filters (
	id TEXT PRIMARY KEY,
	user_id TEXT NOT NULL REFERENCES users (id),
	list TEXT NOT NULL,                  -- path of the list
	body BYTEA NOT NULL,                  -- sealed: its name, and the filter as it stands in the address
	created_at BIGINT NOT NULL
);
CREATE INDEX saved_filters_by_user ON saved_filters (user_id, list);
