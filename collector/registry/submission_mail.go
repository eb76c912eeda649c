package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"anagrafe/protocol"
)

// Who adheres by e-mail proves that they read the address that they typed: by the
// link of a message, which says what every message says. The link alone is its own:
// a token that is derived like a contact's, of which the register keeps the hash. It
// is good once, for a week, and for the address that stands in the submission now.

// submissionLinkLife is how long a link is good: a message may be tried for two days,
// and be read after a holiday.
const submissionLinkLife = 7 * 24 * time.Hour

// errNoAddress is returned where there is no e-mail address to confirm.
var errNoAddress = errors.New("the submission has no e-mail address")

// submissionToken is the token of a link that was asked for at a moment.
func (r *Registry) submissionToken(id string, at int64) string {
	sum := r.ownerMAC("submission link", id+"\x00"+strconv.FormatInt(at, 10))
	return base64.RawURLEncoding.EncodeToString(sum[:tokenBytes])
}

// AskSubmitter queues the message with the link, which is that token below path, to
// who types a submission. Asked for again while one is out, the same link is sent
// again. ErrUnknownSubmission, errNoAddress, ErrTooMuchMail.
func (r *Registry) AskSubmitter(ctx context.Context, id, path string, at time.Time) error {
	at = exact(at)
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		s, b, err := r.submission(ctx, tx, id)
		if err != nil {
			return err
		}
		if s.Email() == "" {
			return errNoAddress
		}
		if s.LinkedAt.IsZero() || !s.LinkedAt.Add(submissionLinkLife/2).After(at) {
			s.LinkedAt = at
			hash := sha256.Sum256([]byte(r.submissionToken(id, micros(at))))
			if _, err := tx.ExecContext(ctx, "UPDATE submissions SET link_hash = ?1, link_at = ?2, touched_at = ?2 WHERE id = ?3", hash[:], micros(at), id); err != nil {
				return err
			}
		}
		var waits bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM mail_queue WHERE owner = ? AND channel = 'email' AND ended_at IS NULL)", id).Scan(&waits); err != nil || waits {
			return err
		}
		_, err = r.queueLink(ctx, tx, b, id, ChannelEmail, s.Email(), path+r.submissionToken(id, micros(s.LinkedAt)), at)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask who types submission %s: %w", id, err)
	}
	return nil
}

// SubmissionBounced reports whether the newest message to the author of a submission was
// refused for good by the server of its address.
func (r *Registry) SubmissionBounced(ctx context.Context, id string) (bounced bool, err error) {
	var outcome string
	err = r.read.QueryRowContext(ctx, "SELECT coalesce(outcome, '') FROM mail_queue WHERE owner = ? ORDER BY queued_at DESC LIMIT 1", id).Scan(&outcome)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("look for mail of submission %s: %w", id, err)
	}
	return outcome == "bounced", nil
}

func (r *Registry) dropSubmissionLink(ctx context.Context, tx *tx, id string) error {
	if _, err := tx.ExecContext(ctx, "UPDATE submissions SET link_hash = NULL, link_at = NULL WHERE id = ?", id); err != nil {
		return err
	}
	return dropSubmissionMail(ctx, tx, id)
}

// dropSubmissionMail has nothing sent any more. That something was asked for stays, so
// that one address is told no more often by it; not the address.
func dropSubmissionMail(ctx context.Context, tx *tx, id string) error {
	_, err := tx.ExecContext(ctx, "UPDATE mail_queue SET address = NULL, body = NULL, ended_at = queued_at, outcome = 'expired' WHERE owner = ? AND ended_at IS NULL", id)
	return err
}

// SubmissionLink reports whether the token of a link confirms an address now, and of
// which submission.
func (r *Registry) SubmissionLink(ctx context.Context, token string, now time.Time) (id string, ok bool, err error) {
	hash := sha256.Sum256([]byte(token))
	err = r.read.QueryRowContext(ctx, "SELECT id FROM submissions WHERE link_hash = ? AND link_at > ?", hash[:], micros(now.Add(-submissionLinkLife))).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("look for a submission's link: %w", err)
	}
	return id, true, nil
}

// ConfirmAddress records that the reader of the address that a token was sent to confirms: it is
// theirs. The token is used up. false: it confirms nothing (any more).
func (r *Registry) ConfirmAddress(ctx context.Context, token string, at time.Time) (id string, ok bool, err error) {
	id, ok, err = r.SubmissionLink(ctx, token, at)
	if err != nil || !ok {
		return "", false, err
	}
	hash := sha256.Sum256([]byte(token))
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE submissions SET link_hash = NULL, link_at = NULL WHERE id = ? AND link_hash = ?", id, hash[:])
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 { // used a moment ago
			ok = false
			return err
		}
		s, b, err := r.submission(ctx, tx, id)
		if err != nil {
			return err
		}
		s.Identity = &Identity{Trust: protocol.TrustEmail, Address: s.Email(), At: exact(at)}
		if s.Assisted != nil {
			s.Identity.Trust = protocol.TrustDictatedEmail
		}
		return r.keepSubmission(ctx, tx, b, s, at)
	})
	if err != nil {
		return "", false, fmt.Errorf("confirm the address of submission %s: %w", id, err)
	}
	return id, ok, nil
}
