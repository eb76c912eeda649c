-- History with two times, whole: see schema/sqlite/00006_history.sql.

-- +goose Up
CREATE TABLE acts (
	site_id TEXT NOT NULL REFERENCES sites (id),
	number BIGINT NOT NULL,
	at BIGINT NOT NULL,
	recorded_at BIGINT NOT NULL,
	author TEXT NOT NULL CHECK (author IN ('', 'owner', 'referent', 'control-room', 'agent', 'ops', 'import', 'ageing')),
	name BYTEA,
	reason TEXT NOT NULL CHECK (reason IN ('declared', 'replaced', 'left', 'emptied', 'suspended', 'resumed', 'withdrawn')),
	PRIMARY KEY (site_id, number)
);

INSERT INTO acts (site_id, number, at, recorded_at, author, reason)
	SELECT site_id, row_number() OVER (PARTITION BY site_id ORDER BY at), at, at, author, reason FROM (
		SELECT m.site_id, m.recorded_at AS at, '' AS author, CASE
			WHEN m.kind = 'declaration' THEN 'declared'
			WHEN NOT m.site_stays THEN 'withdrawn'
			WHEN m.recorded_at = s.withdrawn_at THEN 'emptied'
			ELSE 'left' END AS reason
		FROM messages m JOIN sites s ON s.id = m.site_id WHERE m.kind IN ('declaration', 'withdrawal')
		UNION ALL SELECT site_id, at, 'owner', act FROM owner_acts) AS done;
DROP TABLE owner_acts;

ALTER TABLE versions ADD COLUMN act BIGINT;
ALTER TABLE versions ADD COLUMN closed_act BIGINT;

ALTER TABLE reachability DROP CONSTRAINT reachability_pkey;
ALTER TABLE reachability ADD PRIMARY KEY (site_id, recorder_id, at, recorded_at);

ALTER TABLE camera_observations DROP CONSTRAINT camera_observations_pkey;
ALTER TABLE camera_observations ADD PRIMARY KEY (site_id, camera_id, at, recorded_at);

ALTER TABLE sites ADD COLUMN thinned_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX sites_by_thinning ON sites (thinned_at);
