-- The register on SQLite. schema/postgres is the same, with that engine's types.
--
-- Contents
--   data keys            data_keys, lookups
--   who signs in         forces, force_acts, users, passkeys, identities, ceremonies, links, sessions, saved_filters
--   owners               organisations, delegations, sites, owner_sessions
--   agents               agents, grants, codes, batches, batch_codes
--   what is declared     messages, parts, versions (THE CAMERAS, with recorders and sites), contacts, acts, changes, imports
--   what is measured     clocks, reachability, camera_observations
--   technical standing   health, unread, equipment, faults, diagnoses
--   ageing and mail      ageing, introductions, mail_queue, bounces, alert_readers, alerts
--   coming in            submissions, submission_sessions, assisted, waves, invitations
--   what the police ask  notices, notice_replies, owner_replies, cases, case_shares, case_records, requests, papers
--   for the public       gazetteer, publications, remarks, ratings
--   audit trail          trail_entries, trail_hashes, trail_head, trail_cosignatures
--
-- Times are microseconds UTC, ids are UUIDs in text, secrets are kept as hashes only.
-- A body is the JSON of a type of package protocol, whole: what a site says is read,
-- written and sealed as one piece.
--
-- Sealed are names, addresses, positions, contacts and people's words, with a data key
-- of their site, organisation, notice, case or submission; the data keys are sealed
-- with the master key, outside the database. Each sealed column says so. What is in
-- clear says little of a person: ids, times, numbers, words of closed lists, keyed
-- hashes and hashes of random secrets, and
--   sites           category, of which a city has thousands, and the districts, of thousands of people each
--   clocks, camera_observations   by how much a recorder's clock is wrong, how far its footage reaches
--   equipment, faults, health, unread   makers, models and counts: not where, nor whose
--   forces, users   offices, and the people who sign in: found by name, and no site's
--   batches         an association's name: a legal person
--   gazetteer, publications   public
-- The bodies of notices and cases are sealed with the key of consultation first, which
-- lies outside the database too: that an entry exists may be seen here, what the police
-- ask may not. Those of the trail are sealed by package trail.

-- +goose Up

-- Data keys

-- Rows are appended, overwritten by others of the same length, and never deleted:
-- SQLite then never moves one, and a key that is overwritten is overwritten where
-- it stood. So no column may be added whose length can change.
CREATE TABLE data_keys (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	owner TEXT NOT NULL UNIQUE,          -- a site's, organisation's, notice's, case's or submission's id; 'register'
	kind TEXT NOT NULL CHECK (kind IN ('register', 'site', 'organisation', 'notice', 'case', 'submission')),
	sealed BLOB NOT NULL CHECK (length(sealed) = 65) -- zeros: destroyed
) STRICT;

-- By what a contact's phone, e-mail or PEC is found.
CREATE TABLE lookups (
	hash BLOB NOT NULL,                  -- keyed
	owner TEXT NOT NULL,                 -- site or organisation
	PRIMARY KEY (hash, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX lookups_by_owner ON lookups (owner);

-- Who signs in. What tells more of a person than that they are a user is sealed with
-- the register's own key.

CREATE TABLE forces (
	name TEXT PRIMARY KEY,
	recipient TEXT NOT NULL              -- public key that the force's trail bodies are sealed to
) STRICT, WITHOUT ROWID;

-- The acts by which the Comune lets a force consult: the first when the force is
-- added, further ones when the protocol is renewed or changed. They are public.
CREATE TABLE force_acts (
	force TEXT NOT NULL REFERENCES forces (name),
	number INTEGER NOT NULL,             -- from 1, in the order in which they came
	act TEXT NOT NULL,                   -- the protocol's number, date and text
	added_at INTEGER NOT NULL,
	PRIMARY KEY (force, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
	id TEXT PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	role TEXT NOT NULL CHECK (role IN ('ops', 'admin', 'officer', 'force-auditor', 'force-admin', 'dpo', 'referent')),
	force TEXT REFERENCES forces (name),
	qualification TEXT NOT NULL,
	secret_hash BLOB UNIQUE,             -- of the credential file; NULL: signs in by link only
	created_at INTEGER NOT NULL,
	revoked_at INTEGER,
	-- nobody is of the Comune and of a force at once
	CHECK ((role IN ('officer', 'force-auditor', 'force-admin')) = (force IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE passkeys (
	id BLOB PRIMARY KEY,                 -- as the authenticator gave it
	user_id TEXT NOT NULL REFERENCES users (id),
	rp TEXT NOT NULL,                    -- host name of the pages that it is for
	body BLOB NOT NULL,                  -- sealed: public key, counter, its owner's name for it
	created_at INTEGER NOT NULL,
	used_at INTEGER                      -- NULL: not since it was made
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_by_user ON passkeys (user_id);

-- Identities that a provider vouches for.
CREATE TABLE identities (
	hash BLOB PRIMARY KEY,               -- keyed, of the provider and its name for the person
	user_id TEXT NOT NULL REFERENCES users (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_user ON identities (user_id);

-- What a sign-in under way is checked against, until it is answered or expires.
CREATE TABLE ceremonies (
	hash BLOB PRIMARY KEY,               -- keyed, of the browser's cookie
	body BLOB NOT NULL,                  -- sealed: challenge; state, nonce and verifier
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
	hash BLOB PRIMARY KEY,
	user_id TEXT NOT NULL REFERENCES users (id),
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
	hash BLOB PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,             -- by which its owner ends it
	user_id TEXT NOT NULL REFERENCES users (id),
	face TEXT NOT NULL,                  -- of the listener that it is good for
	how TEXT NOT NULL,                   -- signed in by: link, passkey, oidc
	began_at INTEGER NOT NULL,
	seen_at INTEGER NOT NULL,            -- last used, to the minute
	expires_at INTEGER NOT NULL,
	body BLOB NOT NULL                   -- sealed: address, browser
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Filters of their lists that operators keep.
CREATE TABLE saved_filters (
	id TEXT PRIMARY KEY,
	user_id TEXT NOT NULL REFERENCES users (id),
	list TEXT NOT NULL,                  -- path of the list
	body BLOB NOT NULL,                  -- sealed: its name, and the filter as it stands in the address
	created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX saved_filters_by_user ON saved_filters (user_id, list);

-- Owners

-- Who adheres with several sites, and whom they delegate.
CREATE TABLE organisations (
	id TEXT PRIMARY KEY,
	name_hash BLOB NOT NULL UNIQUE,      -- keyed hash of its name, to find it by
	created_at INTEGER NOT NULL,
	body BLOB NOT NULL                   -- sealed, with the organisation's key: protocol.Organisation in JSON, with its contacts
) STRICT, WITHOUT ROWID;

CREATE TABLE delegations (
	id TEXT PRIMARY KEY,
	organisation_id TEXT NOT NULL REFERENCES organisations (id),
	user_id TEXT NOT NULL REFERENCES users (id),
	until_at INTEGER NOT NULL,
	revoked_at INTEGER,                  -- NULL: not revoked
	body BLOB NOT NULL                   -- sealed, with the organisation's key: protocol.Delegation in JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX delegations_by_organisation ON delegations (organisation_id);
CREATE INDEX delegations_by_user ON delegations (user_id);

-- Places, as they stand now; versions has what each declared when. A site that was
-- withdrawn keeps its row without a body. What a list or a count of the console reads
-- lies in one index, so that no row with its sealed bodies is read for it.
CREATE TABLE sites (
	id TEXT PRIMARY KEY,
	organisation_id TEXT REFERENCES organisations (id), -- NULL: of none that is known
	trust TEXT NOT NULL,                 -- how the owner's identity was checked
	category TEXT NOT NULL,
	invited_at INTEGER NOT NULL,
	epoch INTEGER NOT NULL DEFAULT 0,    -- enrolments so far
	declared_at INTEGER,                 -- made_at of the newest declaration, as its sender says
	heard_at INTEGER,                    -- when the newest message of any kind was recorded
	withdrawn_at INTEGER,                -- NULL while the site is in the register
	suspended_at INTEGER,                -- NULL: not suspended
	suspended_until INTEGER,             -- it ends by itself then; NULL: it does not, or it is not suspended
	suspension_decided_at INTEGER,       -- when a person last suspended or resumed it, of two decisions the later holds; NULL: never
	owner_generation INTEGER NOT NULL DEFAULT 0, -- counts withdrawals: each ends the code that was
	owner_hash BLOB,                     -- keyed hash of the owner's code; NULL: no receipt carried one yet
	owner_changed_at INTEGER,            -- suspended since, until who has it now declares it; NULL: it is its owner's
	-- How far it has come, and when first; NULL: not yet.
	opened_at INTEGER,                   -- its invitation was opened
	enrolled_at INTEGER,                 -- an agent had a grant
	searched_at INTEGER,                 -- an agent said that it had searched
	confirmed_at INTEGER,                -- its owner confirmed a camera, or had it declared
	shared_at INTEGER,                   -- its first declaration was recorded
	-- In which districts it lies, as the Comune's file names them; '' outside all, or not known.
	municipio TEXT NOT NULL DEFAULT '',
	nil TEXT NOT NULL DEFAULT '',        -- the neighbourhood
	district_map TEXT NOT NULL DEFAULT '', -- which files of districts told: see Locator
	thinned_at INTEGER NOT NULL DEFAULT 0, -- when its series were thinned last
	body BLOB,                           -- sealed: name and address, newest, as invited, then as declared; NULL once withdrawn
	invited BLOB                         -- sealed: name, category and address as typed for the invitation; NULL: not invited
) STRICT;
CREATE INDEX sites_by_organisation ON sites (organisation_id) WHERE organisation_id IS NOT NULL;
CREATE UNIQUE INDEX sites_by_owner ON sites (owner_hash) WHERE owner_hash IS NOT NULL;
CREATE INDEX sites_by_heard ON sites (heard_at, id);
CREATE INDEX sites_by_thinning ON sites (thinned_at);
CREATE INDEX sites_suspended ON sites (suspended_until) WHERE suspended_until IS NOT NULL;
-- The list of sites, with all that narrows it; heard_at changes with each message, and is left out.
CREATE INDEX sites_listed ON sites (invited_at, id, declared_at, suspended_at, withdrawn_at, epoch, category, trust, municipio, nil,
	opened_at, enrolled_at, searched_at, confirmed_at, shared_at);
-- The funnel, by group, and over time.
CREATE INDEX sites_grouped ON sites (municipio, nil, category, opened_at, enrolled_at, searched_at, confirmed_at, shared_at, withdrawn_at, declared_at, suspended_at);
CREATE INDEX sites_opened ON sites (opened_at) WHERE opened_at IS NOT NULL;
CREATE INDEX sites_enrolled ON sites (enrolled_at) WHERE enrolled_at IS NOT NULL;
CREATE INDEX sites_searched ON sites (searched_at) WHERE searched_at IS NOT NULL;
CREATE INDEX sites_confirmed ON sites (confirmed_at) WHERE confirmed_at IS NOT NULL;
CREATE INDEX sites_shared ON sites (shared_at) WHERE shared_at IS NOT NULL;
CREATE INDEX sites_withdrawn ON sites (withdrawn_at) WHERE withdrawn_at IS NOT NULL;
-- Waves, and what is wrong: who came in, and shares.
CREATE INDEX sites_standing ON sites (id, epoch, declared_at, suspended_at);

-- Browsers in which an owner's page is open.
CREATE TABLE owner_sessions (
	hash BLOB PRIMARY KEY,
	site_id TEXT NOT NULL REFERENCES sites (id),
	expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX owner_sessions_by_end ON owner_sessions (expires_at);

-- Agents. What an organisation imports, and what is typed on the public form, is
-- recorded like what a computer declares, by an agent that is none: its key is nobody's,
-- so that it has no certificate.

CREATE TABLE agents (
	id TEXT PRIMARY KEY,
	key_hash BLOB NOT NULL UNIQUE,
	version TEXT NOT NULL,
	enrolled_at INTEGER NOT NULL,
	seen_at INTEGER,
	revoked_at INTEGER,
	certificate_serial TEXT,
	certificate_until INTEGER,
	organisation_id TEXT REFERENCES organisations (id), -- whose imports it is; NULL: of none
	by_hand INTEGER NOT NULL DEFAULT 0 CHECK (by_hand IN (0, 1)) -- 1: the one agent that is the form
) STRICT;
CREATE INDEX agents_enrolled ON agents (enrolled_at, id);
CREATE INDEX agents_revoked ON agents (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX agents_by_version ON agents (version, id, enrolled_at, revoked_at, organisation_id, by_hand);
CREATE INDEX agents_by_certificate ON agents (certificate_until, id, revoked_at, organisation_id, by_hand);
CREATE UNIQUE INDEX agents_by_organisation ON agents (organisation_id) WHERE organisation_id IS NOT NULL;
CREATE UNIQUE INDEX agents_by_hand ON agents (by_hand) WHERE by_hand;

-- For which sites an agent speaks, and spoke.
CREATE TABLE grants (
	site_id TEXT NOT NULL REFERENCES sites (id),
	epoch INTEGER NOT NULL,
	agent_id TEXT NOT NULL REFERENCES agents (id),
	from_at INTEGER NOT NULL,
	until_at INTEGER,                    -- NULL: open
	PRIMARY KEY (site_id, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_by_agent ON grants (agent_id, site_id, epoch, from_at, until_at);

-- By which an agent is enrolled for a site.
CREATE TABLE codes (
	hash BLOB PRIMARY KEY,
	site_id TEXT NOT NULL REFERENCES sites (id),
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	used_at INTEGER,
	agent_id TEXT REFERENCES agents (id),
	epoch INTEGER,                       -- of the grant that it gave
	revoked_at INTEGER                   -- taken back; it stays, to be told from one that never was
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_by_site ON codes (site_id);
CREATE INDEX codes_by_time ON codes (created_at, hash, site_id, expires_at, used_at, revoked_at);

-- Codes that an association hands to its members. A code of a batch names no site:
-- until a member opens it, nothing of that member is here. When it is opened it
-- leaves its batch, which only counts it: no row tells whose member a site is.
CREATE TABLE batches (
	id TEXT PRIMARY KEY,
	association TEXT NOT NULL,           -- its name: of a legal person, as a force's is
	codes INTEGER NOT NULL,              -- that were made
	used INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	ended_at INTEGER                     -- its unused codes open nothing any more; NULL: not ended
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_by_time ON batches (created_at, id);

CREATE TABLE batch_codes (
	hash BLOB PRIMARY KEY,
	batch_id TEXT NOT NULL REFERENCES batches (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_codes_by_batch ON batch_codes (batch_id);

-- What is declared. History has two times: valid_* is when a value was true in the
-- world (the sender's made_at), recorded_at and closed_at are when the register learnt
-- of its beginning and of its end. valid_until and closed_at stay NULL as long as the
-- value stands. A row that is not there any more was thinned (thin.go) or erased; none
-- is changed but to get its end, so that what the register knew at a moment is
-- what was recorded by then.

-- Every message ever recorded, so that none is recorded twice. The hash stays
-- after a withdrawal: it covers random ids that are no longer kept, so nothing
-- can be guessed from it.
CREATE TABLE messages (
	id TEXT PRIMARY KEY,
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	epoch INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('declaration', 'observation', 'withdrawal', 'suspension', 'reply', 'health', 'diagnosis')),
	sha256 BLOB NOT NULL,
	recorded_at INTEGER NOT NULL,
	site_stays INTEGER NOT NULL DEFAULT 0 CHECK (site_stays IN (0, 1)) -- what the answer to a withdrawal said, to be said again
) STRICT, WITHOUT ROWID;

-- A site may have several agents: each has its part, and what the site declares is
-- all parts together.
CREATE TABLE parts (
	site_id TEXT NOT NULL REFERENCES sites (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	epoch INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	number INTEGER NOT NULL,             -- order of recording among the parts of the site
	made_at INTEGER NOT NULL,            -- as its sender says
	declaration BLOB NOT NULL,           -- sealed: the agent's newest, byte for byte; none older is kept
	replaced_epoch INTEGER,              -- the first declaration of this grant takes its place; NULL: none does
	PRIMARY KEY (site_id, agent_id)
) STRICT, WITHOUT ROWID;

-- THE CAMERAS, and whatever else was declared: each camera, each recorder without its
-- clock, and the site itself (id ''), one row for each version of it. A camera as it
-- stands is the row of kind 'camera' whose valid_until is NULL; its body is a
-- protocol.Camera. One that is no longer declared keeps a row without a body, which
-- says when it went, also when it is declared again later.
CREATE TABLE versions (
	site_id TEXT NOT NULL REFERENCES sites (id),
	kind TEXT NOT NULL CHECK (kind IN ('site', 'recorder', 'camera')),
	id TEXT NOT NULL,
	version INTEGER NOT NULL,            -- counts from 1
	valid_from INTEGER NOT NULL,
	valid_until INTEGER,
	recorded_at INTEGER NOT NULL,
	closed_at INTEGER,
	act INTEGER,                         -- that made it: acts.number
	closed_act INTEGER,                  -- that ended it
	body BLOB,                           -- sealed; NULL: it went
	PRIMARY KEY (site_id, kind, id, version)
) STRICT, WITHOUT ROWID;
-- Which site a camera is of: a request names cameras.
CREATE INDEX versions_by_camera ON versions (id) WHERE kind = 'camera' AND valid_until IS NULL AND body IS NOT NULL;
-- How many cameras are declared now.
CREATE INDEX versions_declared ON versions (kind, valid_until, (CASE WHEN body IS NULL THEN 0 ELSE 1 END)) WHERE kind = 'camera' AND valid_until IS NULL;

-- Only the newest contacts: one that was replaced is gone.
CREATE TABLE contacts (
	site_id TEXT NOT NULL REFERENCES sites (id),
	place INTEGER NOT NULL,              -- order in the declaration
	body BLOB NOT NULL,                  -- sealed
	PRIMARY KEY (site_id, place)
) STRICT, WITHOUT ROWID;

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
	notice TEXT NOT NULL DEFAULT '',     -- version of the information notice that was read; '': none, or not known
	PRIMARY KEY (site_id, number)
) STRICT, WITHOUT ROWID;

-- The change feed: one row a site, with the number of its newest change.
-- Numbers are given inside the writer's transaction and never again, so a
-- reader that has seen number n has seen every change up to n.
CREATE TABLE changes (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	site_id TEXT NOT NULL UNIQUE REFERENCES sites (id)
) STRICT;

-- The owner's own keys of what was imported: of a site, and of each camera
-- within its site. The key itself goes with the site; its keyed hash stays, so
-- that a file does not bring back what was withdrawn or has another owner.
CREATE TABLE imports (
	organisation_id TEXT NOT NULL REFERENCES organisations (id),
	kind TEXT NOT NULL CHECK (kind IN ('site', 'camera')),
	key_hash BLOB NOT NULL,
	site_id TEXT NOT NULL REFERENCES sites (id),
	id TEXT NOT NULL,                    -- of the site or camera
	body BLOB,                           -- sealed, with the site's key: the owner's key; NULL: gone with the site
	PRIMARY KEY (organisation_id, kind, key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX imports_by_site ON imports (site_id);

-- What is measured: every look at a recorder until it is thinned.

CREATE TABLE clocks (
	site_id TEXT NOT NULL REFERENCES sites (id),
	recorder_id TEXT NOT NULL,
	at INTEGER NOT NULL,
	recorded_at INTEGER NOT NULL,
	offset_ms INTEGER NOT NULL,
	uncertainty_ms INTEGER NOT NULL,
	method TEXT NOT NULL,
	PRIMARY KEY (site_id, recorder_id, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE reachability (
	site_id TEXT NOT NULL REFERENCES sites (id),
	recorder_id TEXT NOT NULL,
	at INTEGER NOT NULL,
	recorded_at INTEGER NOT NULL,
	reachable INTEGER NOT NULL CHECK (reachable IN (0, 1)),
	PRIMARY KEY (site_id, recorder_id, at, recorded_at)
) STRICT, WITHOUT ROWID;

-- What a look could not read is NULL, so that the last row with a column says
-- what was last known of it. A retention here is the configured one; what was
-- observed of the store are oldest_footage and settled. A second look of the same
-- moment does not overwrite what was known before it.
CREATE TABLE camera_observations (
	site_id TEXT NOT NULL REFERENCES sites (id),
	camera_id TEXT NOT NULL,
	at INTEGER NOT NULL,
	recorded_at INTEGER NOT NULL,
	oldest_footage INTEGER,
	settled INTEGER CHECK (settled IN (0, 1)),
	schedule BLOB,                       -- sealed: when nothing is recorded is of use to a thief
	retention BLOB,                      -- sealed
	PRIMARY KEY (site_id, camera_id, at, recorded_at)
) STRICT, WITHOUT ROWID;

-- Technical standing of agents and recorders, for who helps their owners: in counts,
-- and in words of closed lists (protocol/health.go). It goes with the site.

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

-- Ageing and mail

-- The clocks by which an entry ages: see ageing.go. A site has a row from its
-- first declaration until it is withdrawn. That of facts is sites.heard_at.
CREATE TABLE ageing (
	site_id TEXT PRIMARY KEY REFERENCES sites (id),
	renewed_at INTEGER NOT NULL,         -- adhesion: a person's newest yes
	stage INTEGER NOT NULL DEFAULT 0,    -- reminders of it given since, of the six
	ends_at INTEGER NOT NULL,            -- it is withdrawn then
	confirmed_at INTEGER NOT NULL,       -- contacts: a person's newest word that they are right
	asked_at INTEGER,                    -- a check of them was asked for and not answered; NULL: none
	unverified_at INTEGER,               -- "recapito non verificato" since; NULL: not
	silence_told INTEGER,                -- the heard_at after whose silence a reminder was given
	reminded_at INTEGER,                 -- the newest reminder
	due_at INTEGER NOT NULL              -- nothing is to be done before
) STRICT, WITHOUT ROWID;
CREATE INDEX ageing_due ON ageing (due_at, site_id);

-- Contacts that somebody else named: each is told by mail, and counts as
-- unconfirmed until they accept by the link in it.
CREATE TABLE introductions (
	site_id TEXT NOT NULL REFERENCES sites (id),
	address_hash BLOB NOT NULL,          -- as in lookups
	link_hash BLOB NOT NULL UNIQUE,      -- of the token in the link; the token is derived, and kept nowhere
	asked_at INTEGER NOT NULL,
	accepted_at INTEGER,                 -- NULL: not yet
	PRIMARY KEY (site_id, address_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX introductions_by_address ON introductions (address_hash);

-- Messages of every kind, on every way to a person, that wait to be sent, and what
-- was sent in the last days: see mail.go.
CREATE TABLE mail_queue (
	id TEXT PRIMARY KEY,                 -- UUID; the same at each try, in Message-ID
	owner TEXT NOT NULL,                 -- with whose data key it is sealed: a site's, or what else has one
	channel TEXT NOT NULL CHECK (channel IN ('email', 'pec', 'sms')),
	kind TEXT NOT NULL CHECK (kind IN ('message', 'link', 'alert', 'invitation')),
	address BLOB,                        -- sealed; NULL once it has ended
	address_hash BLOB NOT NULL,          -- as in lookups: to be told once, not too often, and for a refusal that comes later
	queued_at INTEGER NOT NULL,
	due_at INTEGER NOT NULL,             -- not before; while a sender has it, when another may take it
	tries INTEGER NOT NULL DEFAULT 0,
	ended_at INTEGER,                    -- NULL: it waits
	outcome TEXT CHECK (outcome IN ('sent', 'delivered', 'bounced', 'expired')),
	body BLOB,                           -- sealed: what it says, where that is not what all say; NULL once it has ended
	CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_queue_due ON mail_queue (due_at) WHERE ended_at IS NULL;
CREATE INDEX mail_queue_by_address ON mail_queue (address_hash);
CREATE INDEX mail_queue_by_owner ON mail_queue (owner);

-- Addresses of a site's contacts that a server refused, until a person confirms
-- the contacts.
CREATE TABLE bounces (
	site_id TEXT NOT NULL REFERENCES sites (id),
	address_hash BLOB NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (site_id, address_hash)
) STRICT, WITHOUT ROWID;

-- Who wishes to be told when recording goes wrong (alerts.go), by channel and address;
-- nobody is presumed to. A row is kept once somebody has said anything, so that the
-- last word holds: a contact's tick in a declaration, the owner's on the page of the
-- site, or the reader's own end by the link in the message.
CREATE TABLE alert_readers (
	site_id TEXT NOT NULL REFERENCES sites (id),
	channel TEXT NOT NULL CHECK (channel IN ('email', 'sms')),
	address_hash BLOB NOT NULL,          -- as in lookups
	declared INTEGER NOT NULL CHECK (declared IN (0, 1)), -- the tick in the newest declaration
	wanted INTEGER NOT NULL CHECK (wanted IN (0, 1)),     -- the last word
	end_hash BLOB NOT NULL UNIQUE,       -- of the token of the link that ends it; the token is derived, and kept nowhere
	PRIMARY KEY (site_id, channel, address_hash)
) STRICT, WITHOUT ROWID;

-- What the contacts of a site were told, until it is right again, and for a day
-- after that. It says of a recorder what its own series say.
CREATE TABLE alerts (
	site_id TEXT NOT NULL REFERENCES sites (id),
	alert TEXT NOT NULL CHECK (alert IN ('silent', 'stopped', 'clock', 'shorter', 'unheard')),
	thing TEXT NOT NULL,                 -- id of the recorder or camera; '' the whole site
	told_at INTEGER NOT NULL,
	was INTEGER NOT NULL DEFAULT 0,      -- of 'shorter': how long images stayed before, in seconds
	mended_at INTEGER,                   -- NULL: it is still so
	PRIMARY KEY (site_id, alert, thing)
) STRICT, WITHOUT ROWID;

-- Coming in

-- What people type on a form of the collector's pages until they confirm it: see
-- submissions.go. It is no part of the register before.
CREATE TABLE submissions (
	id TEXT PRIMARY KEY,
	began_at INTEGER NOT NULL,
	touched_at INTEGER NOT NULL,         -- a year after it, all of it is deleted
	resume_hash BLOB NOT NULL UNIQUE,    -- keyed, of the code that opens it on another device; the code is derived, and kept nowhere
	link_hash BLOB UNIQUE,               -- of the token of the link that confirms the e-mail address; NULL: none waits for that
	link_at INTEGER,                     -- when that was asked for; the token is derived with it
	body BLOB NOT NULL                   -- sealed with the submission's own key: all that was typed
) STRICT, WITHOUT ROWID;
CREATE INDEX submissions_by_touch ON submissions (touched_at);

-- Browsers in which one is open, by a keyed hash of their cookie.
CREATE TABLE submission_sessions (
	hash BLOB PRIMARY KEY,
	submission_id TEXT NOT NULL REFERENCES submissions (id),
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_sessions_by_submission ON submission_sessions (submission_id);
CREATE INDEX submission_sessions_by_end ON submission_sessions (expires_at);

-- Declarations that the Comune's office types for who calls, writes or comes: see
-- assisted.go. What was typed is a submission; this is what operations see of it.
CREATE TABLE assisted (
	id TEXT PRIMARY KEY,                 -- of the submission, which goes before its line does
	operator TEXT NOT NULL REFERENCES users (id),
	medium TEXT NOT NULL CHECK (medium IN ('telephone', 'paper', 'desk')),
	channel TEXT CHECK (channel IN ('email', 'sms', 'letter')), -- NULL: not sent yet
	begun_at INTEGER NOT NULL,
	sent_at INTEGER,                     -- the last time
	sendings INTEGER NOT NULL DEFAULT 0,
	code_hash BLOB UNIQUE,               -- keyed, of the code that opens it; NULL: not sent, or opened
	opened_at INTEGER,                   -- the first time
	ends_at INTEGER NOT NULL,            -- if nobody confirms it by then, it is deleted
	ended_at INTEGER,
	outcome TEXT CHECK (outcome IN ('confirmed', 'refused', 'expired', 'cancelled')) -- NULL: none yet
) STRICT, WITHOUT ROWID;
CREATE INDEX assisted_by_operator ON assisted (operator, begun_at);
CREATE INDEX assisted_open ON assisted (ends_at) WHERE outcome IS NULL;
CREATE INDEX assisted_ended ON assisted (ended_at) WHERE ended_at IS NOT NULL;

-- Invitations by letter, e-mail and PEC, many at once: see waves.go. A wave is what
-- one reading of a file has invited.
CREATE TABLE waves (
	number INTEGER PRIMARY KEY,          -- counts from 1
	made_at INTEGER NOT NULL,
	per_day INTEGER NOT NULL,            -- invitations of one day; 0: all at once
	source TEXT NOT NULL,                -- where the addresses come from, as each invitation says
	paused_at INTEGER,                   -- NULL: it goes on
	cancelled_at INTEGER,
	-- Invitations that are deleted, or cancelled, since: how many there were.
	gone INTEGER NOT NULL DEFAULT 0,
	gone_sent INTEGER NOT NULL DEFAULT 0,
	gone_bounced INTEGER NOT NULL DEFAULT 0,
	gone_opened INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE invitations (
	key_hash BLOB PRIMARY KEY,           -- keyed, of name and address: who was invited is not invited twice
	wave INTEGER NOT NULL REFERENCES waves (number),
	site_id TEXT UNIQUE REFERENCES sites (id), -- NULL: who was invited wants no more, and nothing else is known of them
	link_hash BLOB UNIQUE,               -- of the token in the link; the token is derived, and kept nowhere
	channel TEXT NOT NULL CHECK (channel IN ('letter', 'email', 'pec')),
	due_at INTEGER NOT NULL,
	address BLOB,                        -- sealed, of e-mail or PEC, until it is queued
	mail_id TEXT,                        -- of the queue
	sent_at INTEGER,                     -- of a letter: the day that stands on it
	bounced_at INTEGER,
	opened_at INTEGER                    -- its page was looked at first
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_due ON invitations (due_at) WHERE mail_id IS NULL AND sent_at IS NULL;
CREATE INDEX invitations_by_wave ON invitations (wave, site_id, channel, due_at, sent_at, bounced_at, opened_at);
CREATE INDEX invitations_by_mail ON invitations (mail_id) WHERE mail_id IS NOT NULL;

-- What the police ask, and what the office writes

-- Notices to the agents of a site.
CREATE TABLE notices (
	number INTEGER PRIMARY KEY AUTOINCREMENT, -- as they were queued
	id TEXT NOT NULL UNIQUE,
	site_id TEXT NOT NULL REFERENCES sites (id),
	request_id TEXT,                     -- of the act that asked several sites at once; NULL: of none
	force TEXT REFERENCES forces (name), -- whose request; NULL: of no force
	kind TEXT NOT NULL CHECK (kind IN ('preserve', 'site-change', 'reminder', 'letter')),
	at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,         -- of no use any more from then on
	closed_at INTEGER,                   -- NULL: it may still be handed down and answered
	-- 1: of this request no agent is told, no mail says it, and the site's page does
	-- not show it: the officers call, as somebody who reads those is not to know.
	by_phone INTEGER NOT NULL DEFAULT 0,
	check_hash BLOB,                     -- SHA-256 of the code that is checked on the collector's page
	body BLOB                            -- sealed; NULL: deleted
) STRICT;
CREATE INDEX notices_by_site ON notices (site_id);
CREATE INDEX notices_by_request ON notices (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX notices_by_force ON notices (force, number) WHERE force IS NOT NULL;
CREATE INDEX notices_by_check ON notices (check_hash) WHERE check_hash IS NOT NULL;
CREATE INDEX notices_open ON notices (expires_at) WHERE closed_at IS NULL;
CREATE INDEX notices_closed ON notices (closed_at) WHERE body IS NOT NULL;

-- How far a notice has come: each state once for each agent of the site.
CREATE TABLE notice_replies (
	notice_id TEXT NOT NULL REFERENCES notices (id),
	agent_id TEXT NOT NULL REFERENCES agents (id),
	state TEXT NOT NULL CHECK (state IN ('received', 'seen', 'present', 'absent', 'copied', 'cannot', 'too-late', 'refused')),
	at INTEGER NOT NULL,                 -- as its sender says
	recorded_at INTEGER NOT NULL,
	body BLOB,                           -- sealed: who said it, in which words; NULL: nobody, or deleted
	PRIMARY KEY (notice_id, agent_id, state)
) STRICT, WITHOUT ROWID;

-- What was said on the site's public page, without an agent. It is no reply of one,
-- whose rows are one for each agent and state: who has the site's code may say it
-- again, and the last word stands.
CREATE TABLE owner_replies (
	notice_id TEXT NOT NULL REFERENCES notices (id),
	state TEXT NOT NULL CHECK (state IN ('seen', 'copied', 'cannot', 'too-late', 'refused')),
	at INTEGER NOT NULL,
	body BLOB,                           -- sealed as of notice_replies
	PRIMARY KEY (notice_id, state)
) STRICT, WITHOUT ROWID;

-- Cases of the forces, and what their officers saw and did in them. It is copied
-- into the case, so that it outlives what the register holds of a site, for the
-- case's own term. What a case says is sealed with the key of consultation, and
-- that with a data key of the case, which is destroyed at its end: that a force
-- has a case, and when something of which kind was done in it, may be seen here.
CREATE TABLE cases (
	id TEXT PRIMARY KEY,
	force TEXT NOT NULL REFERENCES forces (name), -- whose case it is
	opened_at INTEGER NOT NULL,
	referred_at INTEGER,                 -- when its reference was given; NULL: not yet
	closed_at INTEGER,                   -- NULL: open
	destroyed_at INTEGER,                -- NULL: it still says something
	find_hash BLOB,                      -- keyed hash of what it is found by (cases.go); NULL: destroyed
	body BLOB                            -- sealed: who opened it, kind, reference, offence, reason; NULL: destroyed
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_by_force ON cases (force, opened_at);
CREATE INDEX cases_by_find ON cases (find_hash) WHERE closed_at IS NULL;
CREATE INDEX cases_closed ON cases (closed_at) WHERE closed_at IS NOT NULL AND destroyed_at IS NULL;

-- Other forces whose officers see a case and work in it.
CREATE TABLE case_shares (
	case_id TEXT NOT NULL REFERENCES cases (id),
	force TEXT NOT NULL REFERENCES forces (name),
	at INTEGER NOT NULL,
	PRIMARY KEY (case_id, force)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_shares_by_force ON case_shares (force);

-- No WITHOUT ROWID: a body may have megabytes.
CREATE TABLE case_records (
	case_id TEXT NOT NULL REFERENCES cases (id),
	number INTEGER NOT NULL,             -- counts from 1
	at INTEGER NOT NULL,
	kind TEXT NOT NULL,                  -- as of the entry on the trail
	actor_hash BLOB NOT NULL,            -- keyed hash of the user's id
	head BLOB NOT NULL,                  -- sealed: who, where on the trail, and what in short
	body BLOB,                           -- sealed: all that was shown; NULL: the head says it
	PRIMARY KEY (case_id, number)
) STRICT;
CREATE INDEX case_records_by_actor ON case_records (actor_hash, at);

-- Requests to preserve: one act that asks several sites. Who asked, and what of whom,
-- is a record of the case, and goes with it. That a force asked something of a site,
-- and when, is in the queue of notices as well.
CREATE TABLE requests (
	number INTEGER PRIMARY KEY AUTOINCREMENT, -- as they were sent
	id TEXT NOT NULL UNIQUE,
	case_id TEXT NOT NULL REFERENCES cases (id),
	record INTEGER NOT NULL,             -- number of the case's record that says what was sent
	force TEXT NOT NULL REFERENCES forces (name), -- whose officer asked
	at INTEGER NOT NULL
) STRICT;
CREATE INDEX requests_by_case ON requests (case_id, number);
CREATE INDEX requests_by_force ON requests (force, number);

-- Documents of the forces, numbered by force and year without gaps. What one says
-- is sealed within its case, and gone with it; its number stays.
CREATE TABLE papers (
	id TEXT PRIMARY KEY,
	case_id TEXT NOT NULL REFERENCES cases (id),
	force TEXT NOT NULL REFERENCES forces (name),
	year INTEGER NOT NULL,
	number INTEGER NOT NULL,             -- counts from 1
	kind TEXT NOT NULL CHECK (kind IN ('acquisition')),
	at INTEGER NOT NULL,
	trail_index INTEGER,                 -- of its entry; NULL: annulled, it never was on the trail
	sha256 BLOB,                         -- of the file, as on the trail
	body BLOB,                           -- sealed: what it is made from; NULL: destroyed with its case
	UNIQUE (force, year, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX papers_by_case ON papers (case_id);

-- For the public

-- Addresses and districts that the Comune imports: public data, in clear. Each
-- source is one row, whole: it is read whole at each start, replaced whole by the
-- next import, and never asked about in SQL.
CREATE TABLE gazetteer (
	name TEXT PRIMARY KEY,               -- of the source, e.g. "civici"
	kind TEXT NOT NULL CHECK (kind IN ('addresses', 'districts')),
	entries INTEGER NOT NULL,            -- how many are in body
	imported_at INTEGER NOT NULL,        -- another with each import
	body BLOB NOT NULL                   -- as package gazetteer writes it
) STRICT;

-- Statistics that were published: a row each time, and it is not changed any more.
CREATE TABLE publications (
	kind TEXT NOT NULL CHECK (kind IN ('sharing', 'consultation')),
	period TEXT NOT NULL,                -- day (2026-11-23) or month (2026-11) that it is of
	at INTEGER NOT NULL,
	body TEXT NOT NULL,                  -- JSON: what everybody may read
	basis TEXT NOT NULL,                 -- JSON: the counts behind it, with which the next of a year are compared; '' of older ones
	PRIMARY KEY (kind, period)
) STRICT, WITHOUT ROWID;

-- What readers of the public pages say of them: reports of what does not work, words
-- beside a rating, and how often a page was rated how. Nothing of a site.
CREATE TABLE remarks (
	id TEXT PRIMARY KEY,                 -- UUID
	at INTEGER NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('report', 'rating')),
	body BLOB NOT NULL,                  -- sealed with the register's own key: all that was written
	closed_at INTEGER                    -- when the Comune said that it was dealt with; NULL: open
) STRICT, WITHOUT ROWID;
CREATE INDEX remarks_open ON remarks (at, id) WHERE closed_at IS NULL;
CREATE INDEX remarks_by_time ON remarks (at, id);

CREATE TABLE ratings (
	month TEXT NOT NULL,                 -- 2026-11
	page TEXT NOT NULL,                  -- its path, as the route has it
	stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
	reason INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 5), -- of those to choose from; 0: none
	given INTEGER NOT NULL,              -- how often
	PRIMARY KEY (month, page, stars, reason)
) STRICT, WITHOUT ROWID;

-- The audit trail, as package trail gives it: entries are leaves of a Merkle
-- tree whose stored hashes and newest signed checkpoint lie beside them.

CREATE TABLE trail_entries (
	number INTEGER PRIMARY KEY,          -- from 0, without gaps
	header BLOB NOT NULL,
	body BLOB NOT NULL
) STRICT;

CREATE TABLE trail_hashes (
	number INTEGER PRIMARY KEY,
	hash BLOB NOT NULL
) STRICT;

CREATE TABLE trail_head (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	size INTEGER NOT NULL,
	checkpoint BLOB NOT NULL,
	forgotten INTEGER NOT NULL DEFAULT 0 -- entries from 0 up to, not including, this one have lost their body
) STRICT;
INSERT INTO trail_head (one, size, checkpoint) VALUES (1, 0, x'');

CREATE TABLE trail_cosignatures (
	witness TEXT PRIMARY KEY,            -- its public key
	size INTEGER NOT NULL,               -- entries of the checkpoint
	checkpoint BLOB NOT NULL             -- with the witness's signature
) STRICT, WITHOUT ROWID;

-- Against mistakes, not against who holds the file: that is what the signed
-- checkpoints are for.
-- +goose StatementBegin
CREATE TRIGGER trail_entries_stay BEFORE DELETE ON trail_entries
BEGIN
	SELECT RAISE(ABORT, 'the trail is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER trail_entries_hold BEFORE UPDATE OF number, header ON trail_entries
BEGIN
	SELECT RAISE(ABORT, 'the trail is append-only');
END;
-- +goose StatementEnd
