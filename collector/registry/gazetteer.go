package registry

import (
	"context"
	"fmt"
	"time"
)

// maxGazetteerBody leaves a backup's record of the row its space (maxRecord).
const maxGazetteerBody = maxRecord - 1<<20

// GazetteerSource is a file of addresses or districts that was imported.
type GazetteerSource struct {
	Name       string
	Kind       string // "addresses" or "districts"
	Entries    int
	ImportedAt time.Time
	Body       []byte // as package gazetteer writes it
}

// PutGazetteer adds sources, or replaces those of the same name, all or none, and notifies
// all collectors on the same database.
func (r *Registry) PutGazetteer(ctx context.Context, sources []GazetteerSource) error {
	for _, s := range sources {
		if len(s.Body) > maxGazetteerBody {
			return fmt.Errorf("keep %s: it has %d MiB packed, %d at most are kept: import it in parts", s.Name, len(s.Body)>>20, maxGazetteerBody>>20)
		}
	}
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		for _, s := range sources {
			_, err := tx.ExecContext(ctx, `INSERT INTO gazetteer (name, kind, entries, imported_at, body) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, entries = excluded.entries, imported_at = excluded.imported_at, body = excluded.body`,
				s.Name, s.Kind, s.Entries, micros(s.ImportedAt), s.Body)
			if err != nil {
				return err
			}
		}
		tx.tell("")
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep addresses and districts: %w", err)
	}
	return nil
}

// DropGazetteer removes a source; there is false where none has this name.
func (r *Registry) DropGazetteer(ctx context.Context, name string) (there bool, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM gazetteer WHERE name = ?", name)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		there = n > 0
		tx.tell("")
		return err
	})
	if err != nil {
		return false, fmt.Errorf("remove addresses or districts: %w", err)
	}
	return there, nil
}

// GazetteerSources lists what was imported, by name, without the bodies.
func (r *Registry) GazetteerSources(ctx context.Context) ([]GazetteerSource, error) {
	return r.gazetteer(ctx, "NULL")
}

// Gazetteer returns all that was imported, by name, of one instant.
func (r *Registry) Gazetteer(ctx context.Context) ([]GazetteerSource, error) {
	return r.gazetteer(ctx, "body")
}

func (r *Registry) gazetteer(ctx context.Context, body string) (all []GazetteerSource, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var s GazetteerSource
			var at int64
			err := scan(&s.Name, &s.Kind, &s.Entries, &at, &s.Body)
			s.ImportedAt = fromMicros(at)
			all = append(all, s)
			return err
		}, "SELECT name, kind, entries, imported_at, "+body+" FROM gazetteer ORDER BY name")
	})
	if err != nil {
		return nil, fmt.Errorf("read addresses and districts: %w", err)
	}
	return all, nil
}
