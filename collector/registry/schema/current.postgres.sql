-- What the migrations make of a new register, table by table; written by TestSchema.
-- Contents, and what each table means: sqlite/00001_register.sql. THE CAMERAS are rows of
-- versions, of the kind 'camera'; who declared them stands in acts.

CREATE INDEX ageing_due ON public.ageing USING btree (due_at, site_id)
CREATE INDEX agents_by_certificate ON public.agents USING btree (certificate_until, id, revoked_at, organisation_id, by_hand)
CREATE INDEX agents_by_version ON public.agents USING btree (version, id, enrolled_at, revoked_at, organisation_id, by_hand)
CREATE INDEX agents_enrolled ON public.agents USING btree (enrolled_at, id)
CREATE INDEX agents_revoked ON public.agents USING btree (revoked_at) WHERE (revoked_at IS NOT NULL)
CREATE INDEX assisted_by_operator ON public.assisted USING btree (operator, begun_at)
CREATE INDEX assisted_ended ON public.assisted USING btree (ended_at) WHERE (ended_at IS NOT NULL)
CREATE INDEX assisted_open ON public.assisted USING btree (ends_at) WHERE (outcome IS NULL)
CREATE INDEX batch_codes_by_batch ON public.batch_codes USING btree (batch_id)
CREATE INDEX batches_by_time ON public.batches USING btree (created_at, id)
CREATE INDEX case_records_by_actor ON public.case_records USING btree (actor_hash, at)
CREATE INDEX case_shares_by_force ON public.case_shares USING btree (force)
CREATE INDEX cases_by_find ON public.cases USING btree (find_hash) WHERE (closed_at IS NULL)
CREATE INDEX cases_by_force ON public.cases USING btree (force, opened_at)
CREATE INDEX cases_closed ON public.cases USING btree (closed_at) WHERE ((closed_at IS NOT NULL) AND (destroyed_at IS NULL))
CREATE INDEX codes_by_site ON public.codes USING btree (site_id)
CREATE INDEX codes_by_time ON public.codes USING btree (created_at, hash, site_id, expires_at, used_at, revoked_at)
CREATE INDEX delegations_by_organisation ON public.delegations USING btree (organisation_id)
CREATE INDEX delegations_by_user ON public.delegations USING btree (user_id)
CREATE INDEX diagnoses_by_site ON public.diagnoses USING btree (site_id, recorded_at)
CREATE INDEX equipment_by_maker ON public.equipment USING btree (maker, firmware)
CREATE INDEX faults_by_fault ON public.faults USING btree (fault, since_at)
CREATE INDEX grants_by_agent ON public.grants USING btree (agent_id, site_id, epoch, from_at, until_at)
CREATE INDEX identities_by_user ON public.identities USING btree (user_id)
CREATE INDEX imports_by_site ON public.imports USING btree (site_id)
CREATE INDEX introductions_by_address ON public.introductions USING btree (address_hash)
CREATE INDEX invitations_by_mail ON public.invitations USING btree (mail_id) WHERE (mail_id IS NOT NULL)
CREATE INDEX invitations_by_wave ON public.invitations USING btree (wave, site_id, channel, due_at, sent_at, bounced_at, opened_at)
CREATE INDEX invitations_due ON public.invitations USING btree (due_at) WHERE ((mail_id IS NULL) AND (sent_at IS NULL))
CREATE INDEX lookups_by_owner ON public.lookups USING btree (owner)
CREATE INDEX mail_queue_by_address ON public.mail_queue USING btree (address_hash)
CREATE INDEX mail_queue_by_owner ON public.mail_queue USING btree (owner)
CREATE INDEX mail_queue_due ON public.mail_queue USING btree (due_at) WHERE (ended_at IS NULL)
CREATE INDEX notices_by_check ON public.notices USING btree (check_hash) WHERE (check_hash IS NOT NULL)
CREATE INDEX notices_by_force ON public.notices USING btree (force, number) WHERE (force IS NOT NULL)
CREATE INDEX notices_by_request ON public.notices USING btree (request_id) WHERE (request_id IS NOT NULL)
CREATE INDEX notices_by_site ON public.notices USING btree (site_id)
CREATE INDEX notices_closed ON public.notices USING btree (closed_at) WHERE (body IS NOT NULL)
CREATE INDEX notices_open ON public.notices USING btree (expires_at) WHERE (closed_at IS NULL)
CREATE INDEX owner_sessions_by_end ON public.owner_sessions USING btree (expires_at)
CREATE INDEX papers_by_case ON public.papers USING btree (case_id)
CREATE INDEX passkeys_by_user ON public.passkeys USING btree (user_id)
CREATE INDEX remarks_by_time ON public.remarks USING btree (at, id)
CREATE INDEX remarks_open ON public.remarks USING btree (at, id) WHERE (closed_at IS NULL)
CREATE INDEX requests_by_case ON public.requests USING btree (case_id, number)
CREATE INDEX requests_by_force ON public.requests USING btree (force, number)
CREATE INDEX saved_filters_by_user ON public.saved_filters USING btree (user_id, list)
CREATE INDEX sessions_by_end ON public.sessions USING btree (expires_at)
CREATE INDEX sessions_by_user ON public.sessions USING btree (user_id)
CREATE INDEX sites_by_heard ON public.sites USING btree (heard_at, id)
CREATE INDEX sites_by_organisation ON public.sites USING btree (organisation_id) WHERE (organisation_id IS NOT NULL)
CREATE INDEX sites_by_thinning ON public.sites USING btree (thinned_at)
CREATE INDEX sites_confirmed ON public.sites USING btree (confirmed_at) WHERE (confirmed_at IS NOT NULL)
CREATE INDEX sites_enrolled ON public.sites USING btree (enrolled_at) WHERE (enrolled_at IS NOT NULL)
CREATE INDEX sites_grouped ON public.sites USING btree (municipio, nil, category, opened_at, enrolled_at, searched_at, confirmed_at, shared_at, withdrawn_at, declared_at, suspended_at)
CREATE INDEX sites_listed ON public.sites USING btree (invited_at, id, declared_at, suspended_at, withdrawn_at, epoch, category, trust, municipio, nil, opened_at, enrolled_at, searched_at, confirmed_at, shared_at)
CREATE INDEX sites_opened ON public.sites USING btree (opened_at) WHERE (opened_at IS NOT NULL)
CREATE INDEX sites_searched ON public.sites USING btree (searched_at) WHERE (searched_at IS NOT NULL)
CREATE INDEX sites_shared ON public.sites USING btree (shared_at) WHERE (shared_at IS NOT NULL)
CREATE INDEX sites_standing ON public.sites USING btree (id, epoch, declared_at, suspended_at)
CREATE INDEX sites_suspended ON public.sites USING btree (suspended_until) WHERE (suspended_until IS NOT NULL)
CREATE INDEX sites_withdrawn ON public.sites USING btree (withdrawn_at) WHERE (withdrawn_at IS NOT NULL)
CREATE INDEX submission_sessions_by_end ON public.submission_sessions USING btree (expires_at)
CREATE INDEX submission_sessions_by_submission ON public.submission_sessions USING btree (submission_id)
CREATE INDEX submissions_by_touch ON public.submissions USING btree (touched_at)
CREATE INDEX versions_by_camera ON public.versions USING btree (id) WHERE ((kind = 'camera'::text) AND (valid_until IS NULL) AND (body IS NOT NULL))
CREATE INDEX versions_declared ON public.versions USING btree (kind, valid_until, (
CASE
    WHEN (body IS NULL) THEN 0
    ELSE 1
END)) WHERE ((kind = 'camera'::text) AND (valid_until IS NULL))
CREATE TRIGGER trail_entries_hold BEFORE UPDATE OF number, header ON public.trail_entries FOR EACH STATEMENT EXECUTE FUNCTION trail_is_append_only()
CREATE TRIGGER trail_entries_stay BEFORE DELETE OR TRUNCATE ON public.trail_entries FOR EACH STATEMENT EXECUTE FUNCTION trail_is_append_only()
CREATE UNIQUE INDEX acts_pkey ON public.acts USING btree (site_id, number)
CREATE UNIQUE INDEX ageing_pkey ON public.ageing USING btree (site_id)
CREATE UNIQUE INDEX agents_by_hand ON public.agents USING btree (by_hand) WHERE by_hand
CREATE UNIQUE INDEX agents_by_organisation ON public.agents USING btree (organisation_id) WHERE (organisation_id IS NOT NULL)
CREATE UNIQUE INDEX agents_key_hash_key ON public.agents USING btree (key_hash)
CREATE UNIQUE INDEX agents_pkey ON public.agents USING btree (id)
CREATE UNIQUE INDEX alert_readers_end_hash_key ON public.alert_readers USING btree (end_hash)
CREATE UNIQUE INDEX alert_readers_pkey ON public.alert_readers USING btree (site_id, channel, address_hash)
CREATE UNIQUE INDEX alerts_pkey ON public.alerts USING btree (site_id, alert, thing)
CREATE UNIQUE INDEX assisted_code_hash_key ON public.assisted USING btree (code_hash)
CREATE UNIQUE INDEX assisted_pkey ON public.assisted USING btree (id)
CREATE UNIQUE INDEX batch_codes_pkey ON public.batch_codes USING btree (hash)
CREATE UNIQUE INDEX batches_pkey ON public.batches USING btree (id)
CREATE UNIQUE INDEX bounces_pkey ON public.bounces USING btree (site_id, address_hash)
CREATE UNIQUE INDEX camera_observations_pkey ON public.camera_observations USING btree (site_id, camera_id, at, recorded_at)
CREATE UNIQUE INDEX case_records_pkey ON public.case_records USING btree (case_id, number)
CREATE UNIQUE INDEX case_shares_pkey ON public.case_shares USING btree (case_id, force)
CREATE UNIQUE INDEX cases_pkey ON public.cases USING btree (id)
CREATE UNIQUE INDEX ceremonies_pkey ON public.ceremonies USING btree (hash)
CREATE UNIQUE INDEX changes_pkey ON public.changes USING btree (number)
CREATE UNIQUE INDEX changes_site_id_key ON public.changes USING btree (site_id)
CREATE UNIQUE INDEX clocks_pkey ON public.clocks USING btree (site_id, recorder_id, at)
CREATE UNIQUE INDEX codes_pkey ON public.codes USING btree (hash)
CREATE UNIQUE INDEX contacts_pkey ON public.contacts USING btree (site_id, place)
CREATE UNIQUE INDEX data_keys_owner_key ON public.data_keys USING btree (owner)
CREATE UNIQUE INDEX data_keys_pkey ON public.data_keys USING btree (number)
CREATE UNIQUE INDEX delegations_pkey ON public.delegations USING btree (id)
CREATE UNIQUE INDEX diagnoses_pkey ON public.diagnoses USING btree (id)
CREATE UNIQUE INDEX equipment_pkey ON public.equipment USING btree (site_id, recorder_id)
CREATE UNIQUE INDEX faults_pkey ON public.faults USING btree (site_id, recorder_id, fault)
CREATE UNIQUE INDEX force_acts_pkey ON public.force_acts USING btree (force, number)
CREATE UNIQUE INDEX forces_pkey ON public.forces USING btree (name)
CREATE UNIQUE INDEX gazetteer_pkey ON public.gazetteer USING btree (name)
CREATE UNIQUE INDEX grants_pkey ON public.grants USING btree (site_id, epoch)
CREATE UNIQUE INDEX health_pkey ON public.health USING btree (site_id, agent_id)
CREATE UNIQUE INDEX identities_pkey ON public.identities USING btree (hash)
CREATE UNIQUE INDEX imports_pkey ON public.imports USING btree (organisation_id, kind, key_hash)
CREATE UNIQUE INDEX introductions_link_hash_key ON public.introductions USING btree (link_hash)
CREATE UNIQUE INDEX introductions_pkey ON public.introductions USING btree (site_id, address_hash)
CREATE UNIQUE INDEX invitations_link_hash_key ON public.invitations USING btree (link_hash)
CREATE UNIQUE INDEX invitations_pkey ON public.invitations USING btree (key_hash)
CREATE UNIQUE INDEX invitations_site_id_key ON public.invitations USING btree (site_id)
CREATE UNIQUE INDEX links_pkey ON public.links USING btree (hash)
CREATE UNIQUE INDEX lookups_pkey ON public.lookups USING btree (hash, owner)
CREATE UNIQUE INDEX mail_queue_pkey ON public.mail_queue USING btree (id)
CREATE UNIQUE INDEX messages_pkey ON public.messages USING btree (id)
CREATE UNIQUE INDEX notice_replies_pkey ON public.notice_replies USING btree (notice_id, agent_id, state)
CREATE UNIQUE INDEX notices_id_key ON public.notices USING btree (id)
CREATE UNIQUE INDEX notices_pkey ON public.notices USING btree (number)
CREATE UNIQUE INDEX organisations_name_hash_key ON public.organisations USING btree (name_hash)
CREATE UNIQUE INDEX organisations_pkey ON public.organisations USING btree (id)
CREATE UNIQUE INDEX owner_replies_pkey ON public.owner_replies USING btree (notice_id, state)
CREATE UNIQUE INDEX owner_sessions_pkey ON public.owner_sessions USING btree (hash)
CREATE UNIQUE INDEX papers_force_year_number_key ON public.papers USING btree (force, year, number)
CREATE UNIQUE INDEX papers_pkey ON public.papers USING btree (id)
CREATE UNIQUE INDEX parts_pkey ON public.parts USING btree (site_id, agent_id)
CREATE UNIQUE INDEX passkeys_pkey ON public.passkeys USING btree (id)
CREATE UNIQUE INDEX publications_pkey ON public.publications USING btree (kind, period)
CREATE UNIQUE INDEX ratings_pkey ON public.ratings USING btree (month, page, stars, reason)
CREATE UNIQUE INDEX reachability_pkey ON public.reachability USING btree (site_id, recorder_id, at, recorded_at)
CREATE UNIQUE INDEX remarks_pkey ON public.remarks USING btree (id)
CREATE UNIQUE INDEX requests_id_key ON public.requests USING btree (id)
CREATE UNIQUE INDEX requests_pkey ON public.requests USING btree (number)
CREATE UNIQUE INDEX saved_filters_pkey ON public.saved_filters USING btree (id)
CREATE UNIQUE INDEX sessions_id_key ON public.sessions USING btree (id)
CREATE UNIQUE INDEX sessions_pkey ON public.sessions USING btree (hash)
CREATE UNIQUE INDEX sites_by_owner ON public.sites USING btree (owner_hash) WHERE (owner_hash IS NOT NULL)
CREATE UNIQUE INDEX sites_pkey ON public.sites USING btree (id)
CREATE UNIQUE INDEX submission_sessions_pkey ON public.submission_sessions USING btree (hash)
CREATE UNIQUE INDEX submissions_link_hash_key ON public.submissions USING btree (link_hash)
CREATE UNIQUE INDEX submissions_pkey ON public.submissions USING btree (id)
CREATE UNIQUE INDEX submissions_resume_hash_key ON public.submissions USING btree (resume_hash)
CREATE UNIQUE INDEX trail_cosignatures_pkey ON public.trail_cosignatures USING btree (witness)
CREATE UNIQUE INDEX trail_entries_pkey ON public.trail_entries USING btree (number)
CREATE UNIQUE INDEX trail_hashes_pkey ON public.trail_hashes USING btree (number)
CREATE UNIQUE INDEX trail_head_pkey ON public.trail_head USING btree (one)
CREATE UNIQUE INDEX unread_pkey ON public.unread USING btree (site_id, agent_id, maker, fault)
CREATE UNIQUE INDEX users_name_key ON public.users USING btree (name)
CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)
CREATE UNIQUE INDEX users_secret_hash_key ON public.users USING btree (secret_hash)
CREATE UNIQUE INDEX versions_pkey ON public.versions USING btree (site_id, kind, id, version)
CREATE UNIQUE INDEX waves_pkey ON public.waves USING btree (number)
acts.at bigint not null
acts.author text not null
acts.name bytea
acts.notice text not null default ''::text
acts.number bigint not null
acts.reason text not null
acts.recorded_at bigint not null
acts.site_id text not null
acts: CHECK ((author = ANY (ARRAY[''::text, 'owner'::text, 'referent'::text, 'control-room'::text, 'agent'::text, 'ops'::text, 'import'::text, 'ageing'::text])))
acts: CHECK ((reason = ANY (ARRAY['declared'::text, 'replaced'::text, 'left'::text, 'emptied'::text, 'suspended'::text, 'resumed'::text, 'withdrawn'::text])))
acts: FOREIGN KEY (site_id) REFERENCES sites(id)
acts: PRIMARY KEY (site_id, number)
ageing.asked_at bigint
ageing.confirmed_at bigint not null
ageing.due_at bigint not null
ageing.ends_at bigint not null
ageing.reminded_at bigint
ageing.renewed_at bigint not null
ageing.silence_told bigint
ageing.site_id text not null
ageing.stage bigint not null default 0
ageing.unverified_at bigint
ageing: FOREIGN KEY (site_id) REFERENCES sites(id)
ageing: PRIMARY KEY (site_id)
agents.by_hand boolean not null default false
agents.certificate_serial text
agents.certificate_until bigint
agents.enrolled_at bigint not null
agents.id text not null
agents.key_hash bytea not null
agents.organisation_id text
agents.revoked_at bigint
agents.seen_at bigint
agents.version text not null
agents: FOREIGN KEY (organisation_id) REFERENCES organisations(id)
agents: PRIMARY KEY (id)
agents: UNIQUE (key_hash)
alert_readers.address_hash bytea not null
alert_readers.channel text not null
alert_readers.declared boolean not null
alert_readers.end_hash bytea not null
alert_readers.site_id text not null
alert_readers.wanted boolean not null
alert_readers: CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text])))
alert_readers: FOREIGN KEY (site_id) REFERENCES sites(id)
alert_readers: PRIMARY KEY (site_id, channel, address_hash)
alert_readers: UNIQUE (end_hash)
alerts.alert text not null
alerts.mended_at bigint
alerts.site_id text not null
alerts.thing text not null
alerts.told_at bigint not null
alerts.was bigint not null default 0
alerts: CHECK ((alert = ANY (ARRAY['silent'::text, 'stopped'::text, 'clock'::text, 'shorter'::text, 'unheard'::text])))
alerts: FOREIGN KEY (site_id) REFERENCES sites(id)
alerts: PRIMARY KEY (site_id, alert, thing)
assisted.begun_at bigint not null
assisted.channel text
assisted.code_hash bytea
assisted.ended_at bigint
assisted.ends_at bigint not null
assisted.id text not null
assisted.medium text not null
assisted.opened_at bigint
assisted.operator text not null
assisted.outcome text
assisted.sendings bigint not null default 0
assisted.sent_at bigint
assisted: CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text, 'letter'::text])))
assisted: CHECK ((medium = ANY (ARRAY['telephone'::text, 'paper'::text, 'desk'::text])))
assisted: CHECK ((outcome = ANY (ARRAY['confirmed'::text, 'refused'::text, 'expired'::text, 'cancelled'::text])))
assisted: FOREIGN KEY (operator) REFERENCES users(id)
assisted: PRIMARY KEY (id)
assisted: UNIQUE (code_hash)
batch_codes.batch_id text not null
batch_codes.hash bytea not null
batch_codes: FOREIGN KEY (batch_id) REFERENCES batches(id)
batch_codes: PRIMARY KEY (hash)
batches.association text not null
batches.codes bigint not null
batches.created_at bigint not null
batches.ended_at bigint
batches.expires_at bigint not null
batches.id text not null
batches.used bigint not null default 0
batches: PRIMARY KEY (id)
bounces.address_hash bytea not null
bounces.at bigint not null
bounces.site_id text not null
bounces: FOREIGN KEY (site_id) REFERENCES sites(id)
bounces: PRIMARY KEY (site_id, address_hash)
camera_observations.at bigint not null
camera_observations.camera_id text not null
camera_observations.oldest_footage bigint
camera_observations.recorded_at bigint not null
camera_observations.retention bytea
camera_observations.schedule bytea
camera_observations.settled boolean
camera_observations.site_id text not null
camera_observations: FOREIGN KEY (site_id) REFERENCES sites(id)
camera_observations: PRIMARY KEY (site_id, camera_id, at, recorded_at)
case_records.actor_hash bytea not null
case_records.at bigint not null
case_records.body bytea
case_records.case_id text not null
case_records.head bytea not null
case_records.kind text not null
case_records.number bigint not null
case_records: FOREIGN KEY (case_id) REFERENCES cases(id)
case_records: PRIMARY KEY (case_id, number)
case_shares.at bigint not null
case_shares.case_id text not null
case_shares.force text not null
case_shares: FOREIGN KEY (case_id) REFERENCES cases(id)
case_shares: FOREIGN KEY (force) REFERENCES forces(name)
case_shares: PRIMARY KEY (case_id, force)
cases.body bytea
cases.closed_at bigint
cases.destroyed_at bigint
cases.find_hash bytea
cases.force text not null
cases.id text not null
cases.opened_at bigint not null
cases.referred_at bigint
cases: FOREIGN KEY (force) REFERENCES forces(name)
cases: PRIMARY KEY (id)
ceremonies.body bytea not null
ceremonies.expires_at bigint not null
ceremonies.hash bytea not null
ceremonies: PRIMARY KEY (hash)
changes.number bigint not null
changes.site_id text not null
changes: FOREIGN KEY (site_id) REFERENCES sites(id)
changes: PRIMARY KEY (number)
changes: UNIQUE (site_id)
clocks.at bigint not null
clocks.method text not null
clocks.offset_ms bigint not null
clocks.recorded_at bigint not null
clocks.recorder_id text not null
clocks.site_id text not null
clocks.uncertainty_ms bigint not null
clocks: FOREIGN KEY (site_id) REFERENCES sites(id)
clocks: PRIMARY KEY (site_id, recorder_id, at)
codes.agent_id text
codes.created_at bigint not null
codes.epoch bigint
codes.expires_at bigint not null
codes.hash bytea not null
codes.revoked_at bigint
codes.site_id text not null
codes.used_at bigint
codes: FOREIGN KEY (agent_id) REFERENCES agents(id)
codes: FOREIGN KEY (site_id) REFERENCES sites(id)
codes: PRIMARY KEY (hash)
contacts.body bytea not null
contacts.place bigint not null
contacts.site_id text not null
contacts: FOREIGN KEY (site_id) REFERENCES sites(id)
contacts: PRIMARY KEY (site_id, place)
data_keys.kind text not null
data_keys.number bigint not null
data_keys.owner text not null
data_keys.sealed bytea not null
data_keys: CHECK ((kind = ANY (ARRAY['register'::text, 'site'::text, 'organisation'::text, 'notice'::text, 'case'::text, 'submission'::text])))
data_keys: CHECK ((length(sealed) = 65))
data_keys: PRIMARY KEY (number)
data_keys: UNIQUE (owner)
delegations.body bytea not null
delegations.id text not null
delegations.organisation_id text not null
delegations.revoked_at bigint
delegations.until_at bigint not null
delegations.user_id text not null
delegations: FOREIGN KEY (organisation_id) REFERENCES organisations(id)
delegations: FOREIGN KEY (user_id) REFERENCES users(id)
delegations: PRIMARY KEY (id)
diagnoses.body bytea not null
diagnoses.id text not null
diagnoses.recorded_at bigint not null
diagnoses.site_id text not null
diagnoses: FOREIGN KEY (site_id) REFERENCES sites(id)
diagnoses: PRIMARY KEY (id)
equipment.firmware text not null
equipment.looked_at bigint not null default 0
equipment.maker text not null
equipment.model text not null
equipment.recorder_id text not null
equipment.site_id text not null
equipment: FOREIGN KEY (site_id) REFERENCES sites(id)
equipment: PRIMARY KEY (site_id, recorder_id)
faults.fault text not null
faults.recorder_id text not null
faults.since_at bigint not null
faults.site_id text not null
faults.size bigint not null default 0
faults: FOREIGN KEY (site_id) REFERENCES sites(id)
faults: PRIMARY KEY (site_id, recorder_id, fault)
force_acts.act text not null
force_acts.added_at bigint not null
force_acts.force text not null
force_acts.number bigint not null
force_acts: FOREIGN KEY (force) REFERENCES forces(name)
force_acts: PRIMARY KEY (force, number)
forces.name text not null
forces.recipient text not null
forces: PRIMARY KEY (name)
gazetteer.body bytea not null
gazetteer.entries bigint not null
gazetteer.imported_at bigint not null
gazetteer.kind text not null
gazetteer.name text not null
gazetteer: CHECK ((kind = ANY (ARRAY['addresses'::text, 'districts'::text])))
gazetteer: PRIMARY KEY (name)
grants.agent_id text not null
grants.epoch bigint not null
grants.from_at bigint not null
grants.site_id text not null
grants.until_at bigint
grants: FOREIGN KEY (agent_id) REFERENCES agents(id)
grants: FOREIGN KEY (site_id) REFERENCES sites(id)
grants: PRIMARY KEY (site_id, epoch)
health.agent_id text not null
health.answered bigint not null
health.at bigint not null
health.confirmed bigint not null
health.found bigint not null
health.platform text not null
health.recorded_at bigint not null
health.searched_at bigint
health.site_id text not null
health: FOREIGN KEY (agent_id) REFERENCES agents(id)
health: FOREIGN KEY (site_id) REFERENCES sites(id)
health: PRIMARY KEY (site_id, agent_id)
identities.hash bytea not null
identities.user_id text not null
identities: FOREIGN KEY (user_id) REFERENCES users(id)
identities: PRIMARY KEY (hash)
imports.body bytea
imports.id text not null
imports.key_hash bytea not null
imports.kind text not null
imports.organisation_id text not null
imports.site_id text not null
imports: CHECK ((kind = ANY (ARRAY['site'::text, 'camera'::text])))
imports: FOREIGN KEY (organisation_id) REFERENCES organisations(id)
imports: FOREIGN KEY (site_id) REFERENCES sites(id)
imports: PRIMARY KEY (organisation_id, kind, key_hash)
introductions.accepted_at bigint
introductions.address_hash bytea not null
introductions.asked_at bigint not null
introductions.link_hash bytea not null
introductions.site_id text not null
introductions: FOREIGN KEY (site_id) REFERENCES sites(id)
introductions: PRIMARY KEY (site_id, address_hash)
introductions: UNIQUE (link_hash)
invitations.address bytea
invitations.bounced_at bigint
invitations.channel text not null
invitations.due_at bigint not null
invitations.key_hash bytea not null
invitations.link_hash bytea
invitations.mail_id text
invitations.opened_at bigint
invitations.sent_at bigint
invitations.site_id text
invitations.wave bigint not null
invitations: CHECK ((channel = ANY (ARRAY['letter'::text, 'email'::text, 'pec'::text])))
invitations: FOREIGN KEY (site_id) REFERENCES sites(id)
invitations: FOREIGN KEY (wave) REFERENCES waves(number)
invitations: PRIMARY KEY (key_hash)
invitations: UNIQUE (link_hash)
invitations: UNIQUE (site_id)
links.expires_at bigint not null
links.hash bytea not null
links.user_id text not null
links: FOREIGN KEY (user_id) REFERENCES users(id)
links: PRIMARY KEY (hash)
lookups.hash bytea not null
lookups.owner text not null
lookups: PRIMARY KEY (hash, owner)
mail_queue.address bytea
mail_queue.address_hash bytea not null
mail_queue.body bytea
mail_queue.channel text not null
mail_queue.due_at bigint not null
mail_queue.ended_at bigint
mail_queue.id text not null
mail_queue.kind text not null
mail_queue.outcome text
mail_queue.owner text not null
mail_queue.queued_at bigint not null
mail_queue.tries bigint not null default 0
mail_queue: CHECK (((ended_at IS NULL) = (outcome IS NULL)))
mail_queue: CHECK ((channel = ANY (ARRAY['email'::text, 'pec'::text, 'sms'::text])))
mail_queue: CHECK ((kind = ANY (ARRAY['message'::text, 'link'::text, 'alert'::text, 'invitation'::text])))
mail_queue: CHECK ((outcome = ANY (ARRAY['sent'::text, 'delivered'::text, 'bounced'::text, 'expired'::text])))
mail_queue: PRIMARY KEY (id)
messages.agent_id text not null
messages.epoch bigint not null
messages.id text not null
messages.kind text not null
messages.recorded_at bigint not null
messages.revision bigint not null
messages.sha256 bytea not null
messages.site_id text not null
messages.site_stays boolean not null default false
messages: CHECK ((kind = ANY (ARRAY['declaration'::text, 'observation'::text, 'withdrawal'::text, 'suspension'::text, 'reply'::text, 'health'::text, 'diagnosis'::text])))
messages: FOREIGN KEY (agent_id) REFERENCES agents(id)
messages: FOREIGN KEY (site_id) REFERENCES sites(id)
messages: PRIMARY KEY (id)
notice_replies.agent_id text not null
notice_replies.at bigint not null
notice_replies.body bytea
notice_replies.notice_id text not null
notice_replies.recorded_at bigint not null
notice_replies.state text not null
notice_replies: CHECK ((state = ANY (ARRAY['received'::text, 'seen'::text, 'present'::text, 'absent'::text, 'copied'::text, 'cannot'::text, 'too-late'::text, 'refused'::text])))
notice_replies: FOREIGN KEY (agent_id) REFERENCES agents(id)
notice_replies: FOREIGN KEY (notice_id) REFERENCES notices(id)
notice_replies: PRIMARY KEY (notice_id, agent_id, state)
notices.at bigint not null
notices.body bytea
notices.by_phone boolean not null default false
notices.check_hash bytea
notices.closed_at bigint
notices.expires_at bigint not null
notices.force text
notices.id text not null
notices.kind text not null
notices.number bigint not null
notices.request_id text
notices.site_id text not null
notices: CHECK ((kind = ANY (ARRAY['preserve'::text, 'site-change'::text, 'reminder'::text, 'letter'::text])))
notices: FOREIGN KEY (force) REFERENCES forces(name)
notices: FOREIGN KEY (site_id) REFERENCES sites(id)
notices: PRIMARY KEY (number)
notices: UNIQUE (id)
organisations.body bytea not null
organisations.created_at bigint not null
organisations.id text not null
organisations.name_hash bytea not null
organisations: PRIMARY KEY (id)
organisations: UNIQUE (name_hash)
owner_replies.at bigint not null
owner_replies.body bytea
owner_replies.notice_id text not null
owner_replies.state text not null
owner_replies: CHECK ((state = ANY (ARRAY['seen'::text, 'copied'::text, 'cannot'::text, 'too-late'::text, 'refused'::text])))
owner_replies: FOREIGN KEY (notice_id) REFERENCES notices(id)
owner_replies: PRIMARY KEY (notice_id, state)
owner_sessions.expires_at bigint not null
owner_sessions.hash bytea not null
owner_sessions.site_id text not null
owner_sessions: FOREIGN KEY (site_id) REFERENCES sites(id)
owner_sessions: PRIMARY KEY (hash)
papers.at bigint not null
papers.body bytea
papers.case_id text not null
papers.force text not null
papers.id text not null
papers.kind text not null
papers.number bigint not null
papers.sha256 bytea
papers.trail_index bigint
papers.year bigint not null
papers: CHECK ((kind = 'acquisition'::text))
papers: FOREIGN KEY (case_id) REFERENCES cases(id)
papers: FOREIGN KEY (force) REFERENCES forces(name)
papers: PRIMARY KEY (id)
papers: UNIQUE (force, year, number)
parts.agent_id text not null
parts.declaration bytea not null
parts.epoch bigint not null
parts.made_at bigint not null
parts.number bigint not null
parts.replaced_epoch bigint
parts.revision bigint not null
parts.site_id text not null
parts: FOREIGN KEY (agent_id) REFERENCES agents(id)
parts: FOREIGN KEY (site_id) REFERENCES sites(id)
parts: PRIMARY KEY (site_id, agent_id)
passkeys.body bytea not null
passkeys.created_at bigint not null
passkeys.id bytea not null
passkeys.rp text not null
passkeys.used_at bigint
passkeys.user_id text not null
passkeys: FOREIGN KEY (user_id) REFERENCES users(id)
passkeys: PRIMARY KEY (id)
publications.at bigint not null
publications.basis text not null
publications.body text not null
publications.kind text not null
publications.period text not null
publications: CHECK ((kind = ANY (ARRAY['sharing'::text, 'consultation'::text])))
publications: PRIMARY KEY (kind, period)
ratings.given bigint not null
ratings.month text not null
ratings.page text not null
ratings.reason bigint not null
ratings.stars bigint not null
ratings: CHECK (((reason >= 0) AND (reason <= 5)))
ratings: CHECK (((stars >= 1) AND (stars <= 5)))
ratings: PRIMARY KEY (month, page, stars, reason)
reachability.at bigint not null
reachability.reachable boolean not null
reachability.recorded_at bigint not null
reachability.recorder_id text not null
reachability.site_id text not null
reachability: FOREIGN KEY (site_id) REFERENCES sites(id)
reachability: PRIMARY KEY (site_id, recorder_id, at, recorded_at)
remarks.at bigint not null
remarks.body bytea not null
remarks.closed_at bigint
remarks.id text not null
remarks.kind text not null
remarks: CHECK ((kind = ANY (ARRAY['report'::text, 'rating'::text])))
remarks: PRIMARY KEY (id)
requests.at bigint not null
requests.case_id text not null
requests.force text not null
requests.id text not null
requests.number bigint not null
requests.record bigint not null
requests: FOREIGN KEY (case_id) REFERENCES cases(id)
requests: FOREIGN KEY (force) REFERENCES forces(name)
requests: PRIMARY KEY (number)
requests: UNIQUE (id)
saved_filters.body bytea not null
saved_filters.created_at bigint not null
saved_filters.id text not null
saved_filters.list text not null
saved_filters.user_id text not null
saved_filters: FOREIGN KEY (user_id) REFERENCES users(id)
saved_filters: PRIMARY KEY (id)
sessions.began_at bigint not null
sessions.body bytea not null
sessions.expires_at bigint not null
sessions.face text not null
sessions.hash bytea not null
sessions.how text not null
sessions.id text not null
sessions.seen_at bigint not null
sessions.user_id text not null
sessions: FOREIGN KEY (user_id) REFERENCES users(id)
sessions: PRIMARY KEY (hash)
sessions: UNIQUE (id)
sites.body bytea
sites.category text not null
sites.confirmed_at bigint
sites.declared_at bigint
sites.district_map text not null default ''::text
sites.enrolled_at bigint
sites.epoch bigint not null default 0
sites.heard_at bigint
sites.id text not null
sites.invited bytea
sites.invited_at bigint not null
sites.municipio text not null default ''::text
sites.nil text not null default ''::text
sites.opened_at bigint
sites.organisation_id text
sites.owner_changed_at bigint
sites.owner_generation bigint not null default 0
sites.owner_hash bytea
sites.searched_at bigint
sites.shared_at bigint
sites.suspended_at bigint
sites.suspended_until bigint
sites.suspension_decided_at bigint
sites.thinned_at bigint not null default 0
sites.trust text not null
sites.withdrawn_at bigint
sites: FOREIGN KEY (organisation_id) REFERENCES organisations(id)
sites: PRIMARY KEY (id)
submission_sessions.expires_at bigint not null
submission_sessions.hash bytea not null
submission_sessions.submission_id text not null
submission_sessions: FOREIGN KEY (submission_id) REFERENCES submissions(id)
submission_sessions: PRIMARY KEY (hash)
submissions.began_at bigint not null
submissions.body bytea not null
submissions.id text not null
submissions.link_at bigint
submissions.link_hash bytea
submissions.resume_hash bytea not null
submissions.touched_at bigint not null
submissions: PRIMARY KEY (id)
submissions: UNIQUE (link_hash)
submissions: UNIQUE (resume_hash)
trail_cosignatures.checkpoint bytea not null
trail_cosignatures.size bigint not null
trail_cosignatures.witness text not null
trail_cosignatures: PRIMARY KEY (witness)
trail_entries.body bytea not null
trail_entries.header bytea not null
trail_entries.number bigint not null
trail_entries: PRIMARY KEY (number)
trail_hashes.hash bytea not null
trail_hashes.number bigint not null
trail_hashes: PRIMARY KEY (number)
trail_head.checkpoint bytea not null
trail_head.forgotten bigint not null default 0
trail_head.one bigint not null
trail_head.size bigint not null
trail_head: CHECK ((one = 1))
trail_head: PRIMARY KEY (one)
unread.agent_id text not null
unread.devices bigint not null
unread.fault text not null
unread.maker text not null
unread.site_id text not null
unread: FOREIGN KEY (agent_id) REFERENCES agents(id)
unread: FOREIGN KEY (site_id) REFERENCES sites(id)
unread: PRIMARY KEY (site_id, agent_id, maker, fault)
users.created_at bigint not null
users.force text
users.id text not null
users.name text not null
users.qualification text not null
users.revoked_at bigint
users.role text not null
users.secret_hash bytea
users: CHECK (((role = ANY (ARRAY['officer'::text, 'force-auditor'::text, 'force-admin'::text])) = (force IS NOT NULL)))
users: CHECK ((role = ANY (ARRAY['ops'::text, 'admin'::text, 'officer'::text, 'force-auditor'::text, 'force-admin'::text, 'dpo'::text, 'referent'::text])))
users: FOREIGN KEY (force) REFERENCES forces(name)
users: PRIMARY KEY (id)
users: UNIQUE (name)
users: UNIQUE (secret_hash)
versions.act bigint
versions.body bytea
versions.closed_act bigint
versions.closed_at bigint
versions.id text not null
versions.kind text not null
versions.recorded_at bigint not null
versions.site_id text not null
versions.valid_from bigint not null
versions.valid_until bigint
versions.version bigint not null
versions: CHECK ((kind = ANY (ARRAY['site'::text, 'recorder'::text, 'camera'::text])))
versions: FOREIGN KEY (site_id) REFERENCES sites(id)
versions: PRIMARY KEY (site_id, kind, id, version)
waves.cancelled_at bigint
waves.gone bigint not null default 0
waves.gone_bounced bigint not null default 0
waves.gone_opened bigint not null default 0
waves.gone_sent bigint not null default 0
waves.made_at bigint not null
waves.number bigint not null
waves.paused_at bigint
waves.per_day bigint not null
waves.source text not null
waves: PRIMARY KEY (number)
