package registry

import (
	"context"
	"fmt"
	"time"
)

// AddLink keeps the hash of a one-time link until it is used or expires.
func (r *Registry) AddLink(ctx context.Context, hash [32]byte, userID string, expires time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO links (hash, user_id, expires_at) VALUES (?, ?, ?)", hash[:], userID, micros(expires))
		return err
	})
	if err != nil {
		return fmt.Errorf("add login link: %w", err)
	}
	return nil
}

// ConsumeLink uses a link up: only one caller gets its user. An unknown, used or expired
// link returns false.
func (r *Registry) ConsumeLink(ctx context.Context, hash [32]byte, now time.Time) (User, bool, error) {
	var u User
	var ok bool
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM links WHERE expires_at <= ?", micros(now)); err != nil {
			return err
		}
		var err error
		u, err = scanUser(tx.QueryRowContext(ctx,
			"SELECT "+userColumns+" FROM links l JOIN users u ON u.id = l.user_id WHERE l.hash = ? AND u.revoked_at IS NULL", hash[:]).Scan)
		if u, ok, err = found(u, err, "read link"); err != nil || !ok {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM links WHERE hash = ?", hash[:])
		return err
	})
	if err != nil {
		return User{}, false, fmt.Errorf("use login link: %w", err)
	}
	return u, ok, nil
}

// Session is a browser that is signed in.
type Session struct {
	ID      string // by which its owner ends it; it opens nothing
	UserID  string
	Face    string // of the listener that it is good for
	How     string // signed in by: "link", "passkey", "oidc"
	At      time.Time
	SeenAt  time.Time // last used, to the minute
	Until   time.Time // it ends then, used or not
	From    string    // address that signed in
	Browser string    // in words
}

type sessionBody struct {
	From    string `json:"from"`
	Browser string `json:"browser"`
}

func sessionPlace(id string) string { return placeOf("sessions.body", id) }

const sessionColumns = "s.id, s.user_id, s.face, s.how, s.began_at, s.seen_at, s.expires_at"

func scanSession(scan func(...any) error) (s Session, sealed []byte, err error) {
	var at, seen, until int64
	err = scan(&s.ID, &s.UserID, &s.Face, &s.How, &at, &seen, &until, &sealed)
	s.At, s.SeenAt, s.Until = fromMicros(at), fromMicros(seen), fromMicros(until)
	return s, sealed, err
}

// AddSession keeps a session under the hash of its cookie.
func (r *Registry) AddSession(ctx context.Context, hash [32]byte, s Session) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		body, err := r.sealOwn(ctx, tx, sessionPlace(s.ID), sessionBody{s.From, s.Browser})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO sessions (hash, id, user_id, face, how, began_at, seen_at, expires_at, body)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8)`, hash[:], s.ID, s.UserID, s.Face, s.How, micros(s.At), micros(s.Until), body)
		return err
	})
	if err != nil {
		return fmt.Errorf("add session: %w", err)
	}
	return nil
}

// seenEvery is how often the use of a session is written down.
const seenEvery = time.Minute

// Session finds a session of a listener, and its user: one that has not reached its
// end, nor lain unused for as long as idle, of a user who was not revoked. Where it
// came from is left out.
func (r *Registry) Session(ctx context.Context, hash [32]byte, face string, now time.Time, idle time.Duration) (User, Session, bool, error) {
	var s Session
	var at, seen, until int64
	u, err := scanUser(func(dest ...any) error {
		return r.read.QueryRowContext(ctx, "SELECT "+userColumns+", "+sessionColumns+
			` FROM sessions s JOIN users u ON u.id = s.user_id
			WHERE s.hash = ? AND s.face = ? AND s.expires_at > ? AND s.seen_at > ? AND u.revoked_at IS NULL`,
			hash[:], face, micros(now), micros(now.Add(-idle))).Scan(append(dest, &s.ID, &s.UserID, &s.Face, &s.How, &at, &seen, &until)...)
	})
	s.At, s.SeenAt, s.Until = fromMicros(at), fromMicros(seen), fromMicros(until)
	u, ok, err := found(u, err, "read session")
	if err != nil || !ok {
		return User{}, Session{}, false, err
	}
	return u, s, true, nil
}

// UseSession notes that a session was used, from when it may lie unused again.
func (r *Registry) UseSession(ctx context.Context, s Session, now time.Time) error {
	if now.Sub(s.SeenAt) < seenEvery {
		return nil
	}
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE sessions SET seen_at = ? WHERE id = ? AND seen_at < ?", micros(now), s.ID, micros(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("note the use of a session: %w", err)
	}
	return nil
}

// DropSession ends a session; one that is not there is ended already.
func (r *Registry) DropSession(ctx context.Context, hash [32]byte) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE hash = ?", hash[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// DropExpired deletes the sessions, links and sign-ins under way that ended before now.
func (r *Registry) DropExpired(ctx context.Context, now time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		for _, table := range []string{"sessions", "links", "ceremonies", "owner_sessions", "submission_sessions"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE expires_at <= ?", micros(now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete expired sessions: %w", err)
	}
	return nil
}
