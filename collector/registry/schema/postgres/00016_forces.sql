-- The acts by which the Comune lets a force consult: the first when the force is
-- added, further ones when the protocol is renewed or changed. They are public.

-- +goose Up
CREATE TABLE force_acts (
	force TEXT NOT NULL REFERENCES forces (name),
	number BIGINT NOT NULL,             -- from 1, in the order in which they came
	act TEXT NOT NULL,                   -- the protocol's number, date and text
	added_at BIGINT NOT NULL,
	PRIMARY KEY (force, number)
);
