package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// The rows of the audit trail. Package trail knows what they mean; here they
// only share the register's database, and with it its commits, replicas and
// backups.

// TrailState and TrailBatch are trail.State and trail.Batch: aliases of the same
// types without name, for neither package may import the other.
type TrailState = struct {
	Size       int64
	Checkpoint []byte
	Hashes     func(ctx context.Context, indexes []int64) ([][]byte, error)
}

// TrailBatch is what is added in one transaction.
type TrailBatch = struct {
	Headers, Bodies [][]byte
	HashIndexes     []int64
	Hashes          [][]byte
	Checkpoint      []byte
}

// AppendTrail adds what next makes of the trail as it is, in one transaction: the
// entries behind the last one, the tree's hashes that they complete (each at its
// stored index), and the checkpoint that covers them. A batch without checkpoint
// is empty and adds nothing. Nobody else appends between next and the commit.
func (r *Registry) AppendTrail(ctx context.Context, next func(ctx context.Context, now TrailState) (TrailBatch, error)) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		now := TrailState{Hashes: func(ctx context.Context, indexes []int64) ([][]byte, error) { return trailHashes(ctx, tx, indexes) }}
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

func appendTrail(ctx context.Context, tx *tx, size int64, b TrailBatch) error {
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

// TrailSize is the number of entries.
func (r *Registry) TrailSize(ctx context.Context) (int64, error) {
	var size int64
	if err := r.read.QueryRowContext(ctx, "SELECT size FROM trail_head").Scan(&size); err != nil {
		return 0, fmt.Errorf("read trail size: %w", err)
	}
	return size, nil
}

// TrailCheckpoint is the newest checkpoint, empty before the first entry.
func (r *Registry) TrailCheckpoint(ctx context.Context) ([]byte, error) {
	var checkpoint []byte
	if err := r.read.QueryRowContext(ctx, "SELECT checkpoint FROM trail_head").Scan(&checkpoint); err != nil {
		return nil, fmt.Errorf("read trail checkpoint: %w", err)
	}
	return checkpoint, nil
}

// TrailHashes gives the stored hashes at these indexes, in their order.
func (r *Registry) TrailHashes(ctx context.Context, indexes []int64) (hashes [][]byte, err error) {
	err = r.view(ctx, func(tx *tx) error {
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

// TrailEntries gives the entries from number from up to, not including, to;
// fewer when the trail is shorter.
func (r *Registry) TrailEntries(ctx context.Context, from, to int64) (headers, bodies [][]byte, err error) {
	err = r.view(ctx, func(tx *tx) error {
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
