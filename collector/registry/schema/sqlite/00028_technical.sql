-- How agents and recorders stand technically, for who helps their owners: in
-- counts, and in words of closed lists (protocol/health.go). Nothing here says where a
-- site is or whose. It goes with the site.

-- +goose Up
-- A CHECK cannot be altered: the table is made anew.
ALTER TABLE messages RENAME TO messages_1;
CREATE TABLE messages (
	id TEXT PRIMARY KEY,
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	epoch INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('declaration', 'observation', 'withdrawal', 'suspension', 'reply', 'health', 'diagnosis')),
	sha256 BLOB NOT NULL,
	recorded_at INTEGER NOT NULL,
	site_stays INTEGER NOT NULL DEFAULT 0 CHECK (site_stays IN (0, 1))
) STRICT, WITHOUT ROWID;
INSERT INTO messages SELECT id, site_id, agent_id, epoch, revision, kind, sha256, recorded_at, site_stays FROM messages_1;
DROP TABLE messages_1;

-- The newest word of an agent.
CREATE TABLE health (
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	at INTEGER NOT NULL,                 -- as its sender says
	recorded_at INTEGER NOT NULL,
	platform TEXT NOT NULL,
	searched_at INTEGER,                 -- NULL: no whole search yet
	found INTEGER NOT NULL,              -- cameras
	answered INTEGER NOT NULL,
	confirmed INTEGER NOT NULL,
	PRIMARY KEY (site_id, agent_id)
) STRICT, WITHOUT ROWID;

-- Devices in the site's network that are not declared: counts alone.
CREATE TABLE unread (
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	maker TEXT NOT NULL,
	fault TEXT NOT NULL,                 -- '': none
	devices INTEGER NOT NULL,
	PRIMARY KEY (site_id, agent_id, maker, fault)
) STRICT, WITHOUT ROWID;

-- The recorders that are declared now.
CREATE TABLE equipment (
	site_id TEXT NOT NULL REFERENCES sites (id),
	recorder_id TEXT NOT NULL,
	maker TEXT NOT NULL,                 -- protocol.Maker
	model TEXT NOT NULL,
	firmware TEXT NOT NULL,              -- its family, e.g. 4.30; '': not known
	looked_at INTEGER NOT NULL DEFAULT 0, -- newest look that was told
	PRIMARY KEY (site_id, recorder_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX equipment_by_maker ON equipment (maker, firmware);

-- What is wrong with them, until it is right.
CREATE TABLE faults (
	site_id TEXT NOT NULL REFERENCES sites (id),
	recorder_id TEXT NOT NULL,
	fault TEXT NOT NULL,                 -- protocol.Fault
	since_at INTEGER NOT NULL,
	size INTEGER NOT NULL DEFAULT 0,     -- of 'clock': its offset in ms
	PRIMARY KEY (site_id, recorder_id, fault)
) STRICT, WITHOUT ROWID;
CREATE INDEX faults_by_fault ON faults (fault, since_at);

-- What somebody at the site read and sent, for who is to help them.
CREATE TABLE diagnoses (
	id TEXT PRIMARY KEY,                 -- of its message
	site_id TEXT NOT NULL REFERENCES sites (id),
	recorded_at INTEGER NOT NULL,
	body BLOB NOT NULL                   -- sealed with the site's key
) STRICT, WITHOUT ROWID;
CREATE INDEX diagnoses_by_site ON diagnoses (site_id, recorded_at);

-- A reminder in the office's own words is a letter.
ALTER TABLE notices ADD COLUMN letter INTEGER NOT NULL DEFAULT 0 CHECK (letter IN (0, 1));

-- A code that was taken back. It stays, to be told from one that never was.
ALTER TABLE codes ADD COLUMN revoked_at INTEGER;
CREATE INDEX codes_by_time ON codes (created_at);

CREATE INDEX sites_by_heard ON sites (heard_at) WHERE heard_at IS NOT NULL;
CREATE INDEX agents_by_certificate ON agents (certificate_until) WHERE revoked_at IS NULL;
CREATE INDEX agents_by_version ON agents (version) WHERE revoked_at IS NULL;
