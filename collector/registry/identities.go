package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrRevoked is returned for a revoked identity.
var ErrRevoked = errors.New("user revoked")

// SignInIdentity finds the user of an identity that a provider vouches for, by its
// keyed hash, and makes them at the first time: from u, whose name gets a part of its
// id where it is taken. Role, force and qualification follow u, as the provider says
// them at each login; where they change, what was begun with the others ends.
// ErrRevoked when the user is revoked, ErrUnknownForce when the force is not there.
func (r *Registry) SignInIdentity(ctx context.Context, hash [32]byte, u User) (User, error) {
	if err := u.check(); err != nil {
		return User{}, fmt.Errorf("sign in by an identity: %w", err)
	}
	var have User
	err := r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
		have, err = scanUser(tx.QueryRowContext(ctx, "SELECT "+userColumns+" FROM identities i JOIN users u ON u.id = i.user_id WHERE i.hash = ?", hash[:]).Scan)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			have = u
			return addIdentity(ctx, tx, hash, &have)
		case err != nil:
			return err
		case !have.RevokedAt.IsZero():
			return ErrRevoked
		case have.Role == u.Role && have.Force == u.Force && have.Qualification == u.Qualification:
			return nil
		}
		have.Role, have.Force, have.Qualification = u.Role, u.Force, u.Qualification
		return setRights(ctx, tx, have)
	})
	if err != nil {
		return User{}, fmt.Errorf("sign in by an identity: %w", err)
	}
	return have, nil
}

func addIdentity(ctx context.Context, tx *tx, hash [32]byte, u *User) error {
	var taken bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM users WHERE name = ?)", u.Name).Scan(&taken); err != nil {
		return err
	}
	if taken {
		u.Name += " " + u.ID[:min(8, len(u.ID))]
	}
	if err := forceThere(ctx, tx, u.Force); err != nil {
		return err
	}
	if err := insertUser(ctx, tx, *u); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO identities (hash, user_id) VALUES (?, ?)", hash[:], u.ID)
	return err
}

// setRights changes what a user may do, and ends their sessions: none goes on with
// rights that it did not begin with.
func setRights(ctx context.Context, tx *tx, u User) error {
	if err := forceThere(ctx, tx, u.Force); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE users SET role = ?, force = nullif(?, ''), qualification = ? WHERE id = ?", u.Role, u.Force, u.Qualification, u.ID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE user_id = ?", u.ID)
	return err
}

// UserByID finds a user, revoked ones too.
func (r *Registry) UserByID(ctx context.Context, id string) (User, bool, error) {
	u, err := scanUser(r.read.QueryRowContext(ctx, "SELECT "+userColumns+" FROM users u WHERE u.id = ?", id).Scan)
	return found(u, err, "read user")
}

// EndSessions signs a user out everywhere, but for the session of the id given (""
// for none), and ends the links that wait for them. It tells how many sessions ended.
func (r *Registry) EndSessions(ctx context.Context, userID, except string) (n int, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE user_id = ? AND id <> ?", userID, except)
		if err != nil {
			return err
		}
		rows, err := done.RowsAffected()
		n = int(rows)
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM links WHERE user_id = ?", userID)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return n, nil
}

// EndSession ends one session of a user by its id; false when it is not theirs or has
// ended.
func (r *Registry) EndSession(ctx context.Context, userID, id string) (ok bool, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
		ok, err = did(tx.ExecContext(ctx, "DELETE FROM sessions WHERE user_id = ? AND id = ?", userID, id))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("end session: %w", err)
	}
	return ok, nil
}

// Sessions lists the sessions of a user that go on, the newest first.
func (r *Registry) Sessions(ctx context.Context, userID string, now time.Time, idle time.Duration) ([]Session, error) {
	var all []Session
	err := r.view(ctx, func(tx *tx) error {
		b, err := r.ownBox(ctx, tx)
		if err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			s, sealed, err := scanSession(scan)
			if err != nil {
				return err
			}
			var body sessionBody
			if err := openJSON(b, sessionPlace(s.ID), sealed, &body); err != nil {
				return err
			}
			s.From, s.Browser = body.From, body.Browser
			all = append(all, s)
			return nil
		}, "SELECT "+sessionColumns+", s.body FROM sessions s WHERE s.user_id = ? AND s.expires_at > ? AND s.seen_at > ? ORDER BY s.began_at DESC, s.id",
			userID, micros(now), micros(now.Add(-idle)))
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return all, nil
}
