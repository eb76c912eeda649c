-- How people sign in: passkeys, identities that a provider vouches for, and
-- sessions that their owner can see and end. What tells more of a person than that
-- they are a user is sealed with the register's own key.

-- +goose Up
CREATE TABLE passkeys (
	id BLOB PRIMARY KEY,                 -- as the authenticator gave it
	user_id TEXT NOT NULL REFERENCES users (id),
	rp TEXT NOT NULL,                    -- host name of the pages that it is for
	body BLOB NOT NULL,                  -- sealed: public key, counter, its owner's name for it
	created_at INTEGER NOT NULL,
	used_at INTEGER                      -- NULL: not since it was made
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_by_user ON passkeys (user_id);

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

-- Who is signed in signs in again.
DROP TABLE sessions;
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
