-- A recorder may also say that the footage is there no more.

-- +goose Up
ALTER TABLE notice_replies DROP CONSTRAINT notice_replies_state_check;
ALTER TABLE notice_replies ADD CONSTRAINT notice_replies_state_check
	CHECK (state IN ('received', 'seen', 'present', 'absent', 'copied', 'cannot', 'too-late', 'refused'));
