package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"anagrafe/collector/trail"
)

// The rows of the audit trail. Package trail knows what they mean; here they
// only share the register's database, and with it its commits, replicas and
// backups.

// trailStore is the trail.Store of a register. Open gives it to main, and main to package
// trail: who holds a Registry can neither append to the trail nor delete from it.
type trailStore struct{ r *Registry }

// Append adds what next makes of the trail as it is, in one transaction: the
// entries behind the last one, the tree's hashes that they complete (each at its
// stored index), and the checkpoint that covers them. A batch without checkpoint
// is empty and adds nothing. Nobody else appends between next and the commit.
func (s trailStore) Append(ctx context.Context, next func(ctx context.Context, now trail.State) (trail.Batch, error)) error {
	err := s.r.update(ctx, func(ctx context.Context, tx *tx) error {
		now := trail.State{Hashes: func(ctx context.Context, indexes []int64) ([][]byte, error) { return trailHashes(ctx, tx, indexes) }}
		if err := tx.QueryRowContext(ctx, "SELECT size, checkpoint FROM trail_head").Scan(&now.Size, &now.Checkpoint); err != nil {
			return err
		}
		b, err := next(ctx, now)
		if err != nil || len(b.Checkpoint) == 0 {
			return err
		}
		return appendTrail(ctx, tx, now.Size, b)
	})
	if err != nil {
		return fmt.Errorf("append to trail: %w", err)
	}
	return nil
}

func appendTrail(ctx context.Context, tx *tx, size int64, b trail.Batch) error {
	if len(b.Headers) != len(b.Bodies) || len(b.HashIndexes) != len(b.Hashes) {
		return fmt.Errorf("%d headers with %d bodies, %d indexes with %d hashes",
			len(b.Headers), len(b.Bodies), len(b.HashIndexes), len(b.Hashes))
	}
	for i := range b.Headers {
		if _, err := tx.ExecContext(ctx, "INSERT INTO trail_entries (number, header, body) VALUES (?, ?, ?)",
			size+int64(i), notNull(b.Headers[i]), notNull(b.Bodies[i])); err != nil {
			return err
		}
	}
	for i := range b.Hashes {
		if _, err := tx.ExecContext(ctx, "INSERT INTO trail_hashes (number, hash) VALUES (?, ?)",
			b.HashIndexes[i], notNull(b.Hashes[i])); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "UPDATE trail_head SET size = ?, checkpoint = ?", size+int64(len(b.Headers)), b.Checkpoint)
	return err
}

// notNull keeps an empty slice as an empty blob: the driver takes nil for NULL.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Checkpoint is the newest checkpoint, empty before the first entry.
func (s trailStore) Checkpoint(ctx context.Context) ([]byte, error) {
	var checkpoint []byte
	if err := s.r.read.QueryRowContext(ctx, "SELECT checkpoint FROM trail_head").Scan(&checkpoint); err != nil {
		return nil, fmt.Errorf("read trail checkpoint: %w", err)
	}
	return checkpoint, nil
}

// Hashes gives the stored hashes at these indexes, in their order.
func (s trailStore) Hashes(ctx context.Context, indexes []int64) (hashes [][]byte, err error) {
	err = s.r.view(ctx, func(tx *tx) error {
		hashes, err = trailHashes(ctx, tx, indexes)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read trail hashes: %w", err)
	}
	return hashes, nil
}

func trailHashes(ctx context.Context, tx *tx, indexes []int64) ([][]byte, error) {
	hashes := make([][]byte, len(indexes))
	for i, n := range indexes {
		err := tx.QueryRowContext(ctx, "SELECT hash FROM trail_hashes WHERE number = ?", n).Scan(&hashes[i])
		if errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("hash %d is missing", n)
		}
		if err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// Entries gives the entries from number from up to, not including, to;
// fewer when the trail is shorter.
func (s trailStore) Entries(ctx context.Context, from, to int64) (headers, bodies [][]byte, err error) {
	err = s.r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var header, body []byte
			err := scan(&header, &body)
			headers, bodies = append(headers, header), append(bodies, body)
			return err
		}, "SELECT header, body FROM trail_entries WHERE number >= ? AND number < ? ORDER BY number", from, to)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read trail entries: %w", err)
	}
	return headers, bodies, nil
}
