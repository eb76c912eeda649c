package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// AddOwnerSession keeps the hash of the cookie of a site's owner until expires.
func (r *Registry) AddOwnerSession(ctx context.Context, hash [32]byte, siteID string, expires time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO owner_sessions (hash, site_id, expires_at) VALUES (?, ?, ?)", hash[:], siteID, micros(expires))
		return err
	})
	if err != nil {
		return fmt.Errorf("add an owner's session: %w", err)
	}
	return nil
}

// OwnerSession finds the site of an owner's session that has not expired. A
// withdrawal ends all sessions of the site.
func (r *Registry) OwnerSession(ctx context.Context, hash [32]byte, now time.Time) (siteID string, ok bool, err error) {
	err = r.read.QueryRowContext(ctx, "SELECT site_id FROM owner_sessions WHERE hash = ? AND expires_at > ?", hash[:], micros(now)).Scan(&siteID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("read an owner's session: %w", err)
	}
	return siteID, true, nil
}

// DropOwnerSession ends a session; one that is not there is ended already.
func (r *Registry) DropOwnerSession(ctx context.Context, hash [32]byte) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM owner_sessions WHERE hash = ?", hash[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("end an owner's session: %w", err)
	}
	return nil
}
