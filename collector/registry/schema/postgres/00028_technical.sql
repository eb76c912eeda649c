-- How agents and recorders stand technically, for who helps their owners: in
-- counts, and in words of closed lists (protocol/health.go). Nothing here says where a
-- site is or whose. It goes with the site.

-- +goose Up
ALTER TABLE messages DROP CONSTRAINT messages_kind_check;
ALTER TABLE messages ADD CONSTRAINT messages_kind_check CHECK (kind IN ('declaration', 'observation', 'withdrawal', 'suspension', 'reply', 'health', 'diagnosis'));

-- The newest word of an agent.
CREATE TABLE health (
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	at BIGINT NOT NULL,                 -- as its sender says
	recorded_at BIGINT NOT NULL,
	platform TEXT NOT NULL,
	searched_at BIGINT,                 -- NULL: no whole search yet
	found BIGINT NOT NULL,              -- cameras
	answered BIGINT NOT NULL,
	confirmed BIGINT NOT NULL,
	PRIMARY KEY (site_id, agent_id)
);

-- Devices in the site's network that are not declared: counts alone.
CREATE TABLE unread (
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	maker TEXT NOT NULL,
	fault TEXT NOT NULL,                 -- '': none
	devices BIGINT NOT NULL,
	PRIMARY KEY (site_id, agent_id, maker, fault)
);

-- The recorders that are declared now.
CREATE TABLE equipment (
	site_id TEXT NOT NULL REFERENCES sites (id),
	recorder_id TEXT NOT NULL,
	maker TEXT NOT NULL,                 -- protocol.Maker
	model TEXT NOT NULL,
	firmware TEXT NOT NULL,              -- its family, e.g. 4.30; '': not known
	looked_at BIGINT NOT NULL DEFAULT 0, -- newest look that was told
	PRIMARY KEY (site_id, recorder_id)
);
CREATE INDEX equipment_by_maker ON equipment (maker, firmware);

-- What is wrong with them, until it is right.
CREATE TABLE faults (
	site_id TEXT NOT NULL REFERENCES sites (id),
	recorder_id TEXT NOT NULL,
	fault TEXT NOT NULL,                 -- protocol.Fault
	since_at BIGINT NOT NULL,
	size BIGINT NOT NULL DEFAULT 0,     -- of 'clock': its offset in ms
	PRIMARY KEY (site_id, recorder_id, fault)
);
CREATE INDEX faults_by_fault ON faults (fault, since_at);

-- What somebody at the site read and sent, for who is to help them.
CREATE TABLE diagnoses (
	id TEXT PRIMARY KEY,                 -- of its message
	site_id TEXT NOT NULL REFERENCES sites (id),
	recorded_at BIGINT NOT NULL,
	body BYTEA NOT NULL                   -- sealed with the site's key
);
CREATE INDEX diagnoses_by_site ON diagnoses (site_id, recorded_at);

-- A reminder in the office's own words is a letter.
ALTER TABLE notices ADD COLUMN letter BOOLEAN NOT NULL DEFAULT FALSE;

-- A code that was taken back. It stays, to be told from one that never was.
ALTER TABLE codes ADD COLUMN revoked_at BIGINT;
CREATE INDEX codes_by_time ON codes (created_at);

CREATE INDEX sites_by_heard ON sites (heard_at) WHERE heard_at IS NOT NULL;
CREATE INDEX agents_by_certificate ON agents (certificate_until) WHERE revoked_at IS NULL;
CREATE INDEX agents_by_version ON agents (version) WHERE revoked_at IS NULL;
