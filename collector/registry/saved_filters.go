package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// MaxSavedFilters is how many filters of one list a user may keep.
const MaxSavedFilters = 20

// SavedFilter is a filter of a list that a user keeps. Its name is theirs, so it
// lies sealed.
type SavedFilter struct {
	ID    string
	Name  string
	Query string // as it stands in the address
}

type savedFilterBody struct {
	Name  string `json:"name"`
	Query string `json:"query"`
}

func savedFilterPlace(id string) string { return placeOf("saved_filters.body", id) }

// SavedFilters are those of a user for a list, in the order in which they were kept.
func (r *Registry) SavedFilters(ctx context.Context, userID, list string) (all []SavedFilter, err error) {
	err = r.view(ctx, func(tx *tx) error {
		all, err = r.savedFilters(ctx, tx, userID, list)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read saved filters: %w", err)
	}
	return all, nil
}

func (r *Registry) savedFilters(ctx context.Context, tx *tx, userID, list string) (all []SavedFilter, err error) {
	b, err := r.ownBox(ctx, tx)
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, func(scan func(...any) error) error {
		var f SavedFilter
		var sealed []byte
		if err := scan(&f.ID, &sealed); err != nil {
			return err
		}
		var body savedFilterBody
		if err := openJSON(b, savedFilterPlace(f.ID), sealed, &body); err != nil {
			return err
		}
		f.Name, f.Query = body.Name, body.Query
		all = append(all, f)
		return nil
	}, "SELECT id, body FROM saved_filters WHERE user_id = ? AND list = ? ORDER BY created_at, id", userID, list)
	return all, err
}

// SaveFilter keeps a filter of a list for a user, in the place of the one of that
// name. ErrTooMany beyond MaxSavedFilters, ErrUnknownUser for an unknown user.
func (r *Registry) SaveFilter(ctx context.Context, userID, list, name, query string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		var known bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM users WHERE id = ? AND revoked_at IS NULL)", userID).Scan(&known); err != nil || !known {
			return errors.Join(err, ErrUnknownUser)
		}
		all, err := r.savedFilters(ctx, tx, userID, list)
		if err != nil {
			return err
		}
		id := uuid.NewString()
		for _, f := range all {
			if f.Name == name {
				id = f.ID
			}
		}
		sealed, err := r.sealOwn(ctx, tx, savedFilterPlace(id), savedFilterBody{name, query})
		if err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, "UPDATE saved_filters SET body = ? WHERE id = ?", sealed, id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		if len(all) >= MaxSavedFilters {
			return ErrTooMany
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO saved_filters (id, user_id, list, body, created_at) VALUES (?, ?, ?, ?, ?)", id, userID, list, sealed, micros(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("save a filter: %w", err)
	}
	return nil
}

// DropFilter deletes a filter of a user; one that is not there is no error.
func (r *Registry) DropFilter(ctx context.Context, userID, id string) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM saved_filters WHERE id = ? AND user_id = ?", id, userID)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete a filter: %w", err)
	}
	return nil
}
