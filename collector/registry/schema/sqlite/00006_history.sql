-- History with two times, whole: who changed what a site declares, and every
-- look of a recorder until it is thinned. A row that is not there any more was
-- thinned (thin.go) or erased; none is ever changed after it was recorded, so
-- that what the register knew at a moment is what was recorded by then.

-- +goose Up
-- What people, or the register itself, did to what a site declares. Measured
-- facts have no act: an agent told them. After a withdrawal the rows stay
-- without a name.
CREATE TABLE acts (
	site_id TEXT NOT NULL REFERENCES sites (id),
	number INTEGER NOT NULL,             -- counts from 1, as they were recorded
	at INTEGER NOT NULL,                 -- when it was decided
	recorded_at INTEGER NOT NULL,
	author TEXT NOT NULL CHECK (author IN ('', 'owner', 'referent', 'control-room', 'agent', 'ops', 'import', 'ageing')), -- '': not known
	name BLOB,                           -- of the person, as they gave it, sealed; NULL: nobody's, or erased
	reason TEXT NOT NULL CHECK (reason IN ('declared', 'replaced', 'left', 'emptied', 'suspended', 'resumed', 'withdrawn')),
	PRIMARY KEY (site_id, number)
) STRICT, WITHOUT ROWID;

-- Of before this schema it is not known who declared.
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

-- A camera that was withdrawn leaves a version without a body, also when it is
-- declared again later.
ALTER TABLE versions ADD COLUMN act INTEGER;        -- that made the version; NULL: of before acts were kept
ALTER TABLE versions ADD COLUMN closed_act INTEGER; -- that ended it

-- A series instead of the newest look.
ALTER TABLE reachability RENAME TO reachability_1;
CREATE TABLE reachability (
	site_id TEXT NOT NULL REFERENCES sites (id),
	recorder_id TEXT NOT NULL,
	at INTEGER NOT NULL,
	recorded_at INTEGER NOT NULL,
	reachable INTEGER NOT NULL CHECK (reachable IN (0, 1)),
	PRIMARY KEY (site_id, recorder_id, at, recorded_at)
) STRICT, WITHOUT ROWID;
INSERT INTO reachability SELECT site_id, recorder_id, at, recorded_at, reachable FROM reachability_1;
DROP TABLE reachability_1;

-- A second look of the same moment does not overwrite what was known before it.
ALTER TABLE camera_observations RENAME TO camera_observations_1;
CREATE TABLE camera_observations (
	site_id TEXT NOT NULL REFERENCES sites (id),
	camera_id TEXT NOT NULL,
	at INTEGER NOT NULL,
	recorded_at INTEGER NOT NULL,
	oldest_footage INTEGER,
	settled INTEGER CHECK (settled IN (0, 1)),
	schedule BLOB,                       -- sealed
	retention BLOB,                      -- sealed
	PRIMARY KEY (site_id, camera_id, at, recorded_at)
) STRICT, WITHOUT ROWID;
INSERT INTO camera_observations SELECT site_id, camera_id, at, recorded_at, oldest_footage, settled, schedule, retention FROM camera_observations_1;
DROP TABLE camera_observations_1;

ALTER TABLE sites ADD COLUMN thinned_at INTEGER NOT NULL DEFAULT 0; -- when its series were thinned last
CREATE INDEX sites_by_thinning ON sites (thinned_at);
