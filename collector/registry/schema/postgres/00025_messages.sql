-- The queue takes every kind of message, on every way to a person: see mail.go.

-- +goose Up
-- Alerts that wait are found anew: what they say was sealed for another place.
DELETE FROM alerts WHERE EXISTS (SELECT 1 FROM mail_queue m WHERE m.site_id = alerts.site_id AND m.ended_at IS NULL AND m.news IS NOT NULL);
DELETE FROM mail_queue WHERE ended_at IS NULL AND news IS NOT NULL;
DROP INDEX mail_queue_by_site;
ALTER TABLE mail_queue DROP CONSTRAINT mail_queue_site_id_fkey;
ALTER TABLE mail_queue RENAME COLUMN site_id TO owner; -- with whose data key it is sealed: a site's, or what else has one
ALTER TABLE mail_queue RENAME COLUMN news TO body;     -- sealed: what it says, where that is not what all say; NULL once it has ended
ALTER TABLE mail_queue ADD COLUMN channel TEXT NOT NULL DEFAULT 'email' CHECK (channel IN ('email', 'pec', 'sms'));
ALTER TABLE mail_queue ADD COLUMN kind TEXT NOT NULL DEFAULT 'message' CHECK (kind IN ('message', 'link', 'alert', 'invitation'));
ALTER TABLE mail_queue ALTER COLUMN channel DROP DEFAULT;
ALTER TABLE mail_queue ALTER COLUMN kind DROP DEFAULT;
ALTER TABLE mail_queue DROP CONSTRAINT mail_queue_outcome_check;
ALTER TABLE mail_queue ADD CONSTRAINT mail_queue_outcome_check CHECK (outcome IN ('sent', 'delivered', 'bounced', 'expired'));
CREATE INDEX mail_queue_by_owner ON mail_queue (owner);

-- Alerts go to a mobile phone, too.
ALTER TABLE alert_readers DROP CONSTRAINT alert_readers_channel_check;
ALTER TABLE alert_readers ADD CONSTRAINT alert_readers_channel_check CHECK (channel IN ('email', 'sms'));
