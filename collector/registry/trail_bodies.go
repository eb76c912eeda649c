package registry

import (
	"context"
	"fmt"
)

// AddCosignature keeps the checkpoint of size entries that a witness (its
// public key) signed, unless one of more entries is there.
func (s trailStore) AddCosignature(ctx context.Context, witness string, size int64, checkpoint []byte) error {
	err := s.r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO trail_cosignatures (witness, size, checkpoint) VALUES (?1, ?2, ?3)
			ON CONFLICT (witness) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint
			WHERE trail_cosignatures.size <= excluded.size`, witness, size, checkpoint)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a cosigned checkpoint: %w", err)
	}
	return nil
}

// Cosignatures returns the checkpoint kept of each witness, by its public key.
func (s trailStore) Cosignatures(ctx context.Context) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := s.r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var witness string
			var checkpoint []byte
			err := scan(&witness, &checkpoint)
			all[witness] = checkpoint
			return err
		}, "SELECT witness, checkpoint FROM trail_cosignatures")
	})
	if err != nil {
		return nil, fmt.Errorf("read cosigned checkpoints: %w", err)
	}
	return all, nil
}

// Forgotten is how many entries, from the first on, have lost their body.
func (s trailStore) Forgotten(ctx context.Context) (n int64, err error) {
	if err := s.r.read.QueryRowContext(ctx, "SELECT forgotten FROM trail_head").Scan(&n); err != nil {
		return 0, fmt.Errorf("read how far the trail's bodies are deleted: %w", err)
	}
	return n, nil
}

// forgetBatch bounds the bodies that one transaction empties.
const forgetBatch = 256

// Forget empties the bodies of the entries below to, from the first
// that still has its own on; their headers and hashes stay, so that proofs verify.
func (s trailStore) Forget(ctx context.Context, to int64) error {
	for {
		var left bool
		err := s.r.updateIdle(ctx, func(ctx context.Context, tx *tx) error {
			var from, size int64
			if err := tx.QueryRowContext(ctx, "SELECT forgotten, size FROM trail_head").Scan(&from, &size); err != nil {
				return err
			}
			until := min(to, size, from+forgetBatch)
			if left = until < min(to, size); until <= from {
				return nil
			}
			if _, err := tx.ExecContext(ctx, "UPDATE trail_entries SET body = ?1 WHERE number >= ?2 AND number < ?3", []byte{}, from, until); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "UPDATE trail_head SET forgotten = ?", until)
			return err
		})
		if err != nil {
			return fmt.Errorf("delete old bodies of the trail: %w", err)
		}
		if !left {
			return nil
		}
	}
}

// Headers returns the headers of the entries from number from up to, not
// including, to, without their bodies; fewer when the trail is shorter.
func (s trailStore) Headers(ctx context.Context, from, to int64) (headers [][]byte, err error) {
	err = s.r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var header []byte
			err := scan(&header)
			headers = append(headers, header)
			return err
		}, "SELECT header FROM trail_entries WHERE number >= ? AND number < ? ORDER BY number", from, to)
	})
	if err != nil {
		return nil, fmt.Errorf("read headers of the trail: %w", err)
	}
	return headers, nil
}
