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

// AppendTrail adds entries from number `from` on, the tree's hashes that they
// complete (each at its stored index), and the checkpoint that covers them, in
// one transaction. It refuses when from is not the present size: somebody else
// has appended.
func (r *Registry) AppendTrail(ctx context.Context, from int64, headers, bodies [][]byte,
	hashIndexes []int64, hashes [][]byte, checkpoint []byte) error {
	if len(headers) != len(bodies) || len(hashIndexes) != len(hashes) {
		return fmt.Errorf("append to trail: %d headers with %d bodies, %d indexes with %d hashes",
			len(headers), len(bodies), len(hashIndexes), len(hashes))
	}
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		var size int64
		if err := tx.QueryRowContext(ctx, "SELECT size FROM trail_head").Scan(&size); err != nil {
			return err
		}
		if size != from {
			return fmt.Errorf("the trail has %d entries, not %d", size, from)
		}
		for i := range headers {
			if _, err := tx.ExecContext(ctx, "INSERT INTO trail_entries (number, header, body) VALUES (?, ?, ?)",
				from+int64(i), notNull(headers[i]), notNull(bodies[i])); err != nil {
				return err
			}
		}
		for i := range hashes {
			if _, err := tx.ExecContext(ctx, "INSERT INTO trail_hashes (number, hash) VALUES (?, ?)",
				hashIndexes[i], notNull(hashes[i])); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE trail_head SET size = ?, checkpoint = ?", size+int64(len(headers)), notNull(checkpoint))
		return err
	})
	if err != nil {
		return fmt.Errorf("append to trail: %w", err)
	}
	return nil
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
func (r *Registry) TrailHashes(ctx context.Context, indexes []int64) ([][]byte, error) {
	hashes := make([][]byte, len(indexes))
	err := r.view(ctx, func(tx *tx) error {
		for i, n := range indexes {
			err := tx.QueryRowContext(ctx, "SELECT hash FROM trail_hashes WHERE number = ?", n).Scan(&hashes[i])
			if errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("hash %d is missing", n)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read trail hashes: %w", err)
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
