package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// Limits of a batch.
const (
	MaxBatch       = 10_000 // codes
	MaxAssociation = 120    // characters of an association's name
)

// ErrUnknownBatch is returned for the id of no batch.
var ErrUnknownBatch = errors.New("batch not known")

// errAssociation: the name of an association is missing or too long.
var errAssociation = fmt.Errorf("an association has a name of at most %d visible characters", MaxAssociation)

// Batch is a number of codes for an association, which hands them to its members. The
// register never learns to whom: a code makes its site when it is opened.
type Batch struct {
	ID          string // UUID
	Association string
	CodeHashes  [][32]byte
	At          time.Time
	ExpiresAt   time.Time
}

// BatchSummary is a batch as operations see it.
type BatchSummary struct {
	ID          string
	Association string
	Codes, Used int
	At          time.Time
	ExpiresAt   time.Time
	EndedAt     time.Time // zero: its unused codes are good until they expire
}

func (b Batch) check() error {
	switch n := len([]rune(b.Association)); {
	case n == 0 || n > MaxAssociation || strings.ContainsFunc(b.Association, unicode.IsControl):
		return errAssociation
	case len(b.CodeHashes) == 0 || len(b.CodeHashes) > MaxBatch:
		return fmt.Errorf("a batch has 1 to %d codes", MaxBatch)
	case !b.ExpiresAt.After(b.At):
		return errors.New("the codes would expire before they are given out")
	}
	return nil
}

// AddBatch keeps the hashes of a batch's codes. errAssociation.
func (r *Registry) AddBatch(ctx context.Context, b Batch) error {
	if err := b.check(); err != nil {
		return err
	}
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO batches (id, association, codes, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
			b.ID, b.Association, len(b.CodeHashes), micros(b.At), micros(b.ExpiresAt)); err != nil {
			return err
		}
		for _, hash := range b.CodeHashes {
			if _, err := tx.ExecContext(ctx, "INSERT INTO batch_codes (hash, batch_id) VALUES (?, ?)", hash[:], b.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add batch %s: %w", b.ID, err)
	}
	return nil
}

// Batches lists batches, the newest first: at most so many, after skipping some; all
// is how many there are.
func (r *Registry) Batches(ctx context.Context, skip, most int) (list []BatchSummary, all int, err error) {
	err = r.view(ctx, func(tx *tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM batches").Scan(&all); err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			var b BatchSummary
			var at, expires, ended int64
			err := scan(&b.ID, &b.Association, &b.Codes, &b.Used, &at, &expires, &ended)
			b.At, b.ExpiresAt, b.EndedAt = fromMicros(at), fromMicros(expires), fromMicros(ended)
			list = append(list, b)
			return err
		}, "SELECT id, association, codes, used, created_at, expires_at, coalesce(ended_at, 0) FROM batches ORDER BY created_at DESC, id LIMIT ? OFFSET ?", most, skip)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list batches: %w", err)
	}
	return list, all, nil
}

// EndBatch makes the unused codes of a batch good for nothing, as when its letters were
// lost; one that has ended keeps the first time. ErrUnknownBatch.
func (r *Registry) EndBatch(ctx context.Context, id string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE batches SET ended_at = coalesce(ended_at, ?) WHERE id = ?", micros(at), id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrUnknownBatch)
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM batch_codes WHERE batch_id = ?", id)
		return err
	})
	if err != nil {
		return fmt.Errorf("end batch %s: %w", id, err)
	}
	return nil
}

// openBatchCode makes the site of a batch's code that is opened now, and the code one of
// that site's. The site has no name until its owner declares one.
func openBatchCode(ctx context.Context, tx *tx, hash [32]byte, at time.Time) (siteID string, expires int64, err error) {
	var batch string
	err = tx.QueryRowContext(ctx, "SELECT b.id, b.expires_at FROM batch_codes c JOIN batches b ON b.id = c.batch_id WHERE c.hash = ?", hash[:]).Scan(&batch, &expires)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", 0, ingest.ErrUnknownCode
	case err != nil:
		return "", 0, err
	case expires <= micros(at):
		return "", 0, ingest.ErrExpiredCode
	}
	done, err := tx.ExecContext(ctx, "DELETE FROM batch_codes WHERE hash = ?", hash[:])
	if err != nil {
		return "", 0, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 { // another collector opened it at the same moment
		return "", 0, errors.Join(err, ingest.ErrUsedCode)
	}
	siteID = uuid.NewString()
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"UPDATE batches SET used = used + 1 WHERE id = ?", []any{batch}},
		{"INSERT INTO sites (id, trust, category, invited_at) VALUES (?, ?, '', ?)", []any{siteID, string(protocol.TrustAssociation), micros(at)}},
		{"INSERT INTO codes (hash, site_id, created_at, expires_at) VALUES (?, ?, ?, ?)", []any{hash[:], siteID, micros(at), expires}},
	} {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return "", 0, err
		}
	}
	return siteID, expires, nil
}
