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

// ConsumeLink uses a link up: of all who try, one gets its user. A link that
// is not known, used or expired gives false.
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

// AddSession keeps the hash of a session's cookie until expires.
func (r *Registry) AddSession(ctx context.Context, hash [32]byte, userID string, expires time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO sessions (hash, user_id, expires_at) VALUES (?, ?, ?)", hash[:], userID, micros(expires))
		return err
	})
	if err != nil {
		return fmt.Errorf("add session: %w", err)
	}
	return nil
}

// Session finds the user of a session that has not expired.
func (r *Registry) Session(ctx context.Context, hash [32]byte, now time.Time) (User, bool, error) {
	u, err := scanUser(r.read.QueryRowContext(ctx, "SELECT "+userColumns+
		" FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.hash = ? AND s.expires_at > ? AND u.revoked_at IS NULL", hash[:], micros(now)).Scan)
	return found(u, err, "read session")
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

// DropExpired deletes the sessions and links that ended before now.
func (r *Registry) DropExpired(ctx context.Context, now time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE expires_at <= ?", micros(now))
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM links WHERE expires_at <= ?", micros(now))
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM owner_sessions WHERE expires_at <= ?", micros(now))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete expired sessions: %w", err)
	}
	return nil
}
