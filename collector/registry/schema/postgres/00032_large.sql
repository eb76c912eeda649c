-- The console of a large register: what a page counts or sorts by lies in one index,
-- so that no row with its sealed bodies is read for it.

-- +goose Up
-- In which districts a site lies stands in its row: see 00023. '' outside all, or not known.
ALTER TABLE sites ADD COLUMN municipio TEXT NOT NULL DEFAULT '';
ALTER TABLE sites ADD COLUMN nil TEXT NOT NULL DEFAULT '';
ALTER TABLE sites ADD COLUMN district_map TEXT NOT NULL DEFAULT ''; -- which files of districts told: see Locator
UPDATE sites SET (municipio, nil, district_map) = (SELECT d.municipio, d.nil, d.map FROM site_districts d WHERE d.site_id = sites.id)
	WHERE id IN (SELECT site_id FROM site_districts);
DROP TABLE site_districts;

-- The list of sites, with all that narrows it; heard_at changes with each message, and is left out.
DROP INDEX sites_invited;
CREATE INDEX sites_listed ON sites (invited_at, id, declared_at, suspended_at, withdrawn_at, epoch, category, trust, municipio, nil,
	opened_at, enrolled_at, searched_at, confirmed_at, shared_at);
DROP INDEX sites_by_heard;
CREATE INDEX sites_by_heard ON sites (heard_at, id);
-- The funnel, by group.
CREATE INDEX sites_grouped ON sites (municipio, nil, category, opened_at, enrolled_at, searched_at, confirmed_at, shared_at, withdrawn_at, declared_at, suspended_at);
-- The funnel, over time.
CREATE INDEX sites_opened ON sites (opened_at) WHERE opened_at IS NOT NULL;
CREATE INDEX sites_enrolled ON sites (enrolled_at) WHERE enrolled_at IS NOT NULL;
CREATE INDEX sites_searched ON sites (searched_at) WHERE searched_at IS NOT NULL;
CREATE INDEX sites_confirmed ON sites (confirmed_at) WHERE confirmed_at IS NOT NULL;
CREATE INDEX sites_shared ON sites (shared_at) WHERE shared_at IS NOT NULL;
CREATE INDEX sites_withdrawn ON sites (withdrawn_at) WHERE withdrawn_at IS NOT NULL;
-- Waves, and what is wrong: who came in, and shares.
CREATE INDEX sites_standing ON sites (id, epoch, declared_at, suspended_at);
DROP INDEX invitations_by_wave;
CREATE INDEX invitations_by_wave ON invitations (wave, site_id, channel, due_at, sent_at, bounced_at, opened_at);
-- The list of codes.
DROP INDEX codes_by_time;
CREATE INDEX codes_by_time ON codes (created_at, hash, site_id, expires_at, used_at, revoked_at);
-- What agents may speak for.
DROP INDEX grants_by_agent;
CREATE INDEX grants_by_agent ON grants (agent_id, site_id, epoch, from_at, until_at);
CREATE INDEX agents_revoked ON agents (revoked_at) WHERE revoked_at IS NOT NULL;
DROP INDEX agents_by_version;
CREATE INDEX agents_by_version ON agents (version, id, enrolled_at, revoked_at, organisation_id, by_hand);
DROP INDEX agents_by_certificate;
CREATE INDEX agents_by_certificate ON agents (certificate_until, id, revoked_at, organisation_id, by_hand);
-- How many cameras are declared now.
CREATE INDEX versions_declared ON versions (kind, valid_until, (CASE WHEN body IS NULL THEN 0 ELSE 1 END)) WHERE kind = 'camera' AND valid_until IS NULL;
