package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"anagrafe/protocol"
)

// SubmissionCode is the code that opens a submission on another device. It is
// derived, like an owner's, so that every page can show it and nothing keeps it.
func (r *Registry) SubmissionCode(id string) protocol.Code {
	sum := r.ownerMAC("submission", id)
	return protocol.CodeOf([protocol.CodeBytes]byte(sum[:protocol.CodeBytes]))
}

// SubmissionOf returns the submission that a code opens.
func (r *Registry) SubmissionOf(ctx context.Context, code protocol.Code) (id string, ok bool, err error) {
	hash := r.ownerMAC("submission look-up", code.String())
	err = r.read.QueryRowContext(ctx, "SELECT id FROM submissions WHERE resume_hash = ?", hash[:]).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("look for a submission's code: %w", err)
	}
	return id, true, nil
}

// AddSubmissionSession keeps the hash of a cookie that opens a submission until
// expires. ErrUnknownSubmission.
func (r *Registry) AddSubmissionSession(ctx context.Context, hash [32]byte, id string, expires time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		done, err := tx.ExecContext(ctx, "INSERT INTO submission_sessions (hash, submission_id, expires_at) SELECT ?, id, ? FROM submissions WHERE id = ?",
			hash[:], micros(expires), id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrUnknownSubmission)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("open submission %s: %w", id, err)
	}
	return nil
}

// SubmissionSession finds the submission of a session that has not expired.
func (r *Registry) SubmissionSession(ctx context.Context, hash [32]byte, now time.Time) (id string, ok bool, err error) {
	err = r.read.QueryRowContext(ctx, "SELECT submission_id FROM submission_sessions WHERE hash = ? AND expires_at > ?", hash[:], micros(now)).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("read a submission's session: %w", err)
	}
	return id, true, nil
}

// dropSubmissionSessions closes one in every browser.
const dropSubmissionSessions = "DELETE FROM submission_sessions WHERE submission_id = ?"

// DropSubmissionSession ends a session; one that is not there is ended already.
func (r *Registry) DropSubmissionSession(ctx context.Context, hash [32]byte) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM submission_sessions WHERE hash = ?", hash[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("end a submission's session: %w", err)
	}
	return nil
}
