package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// What becomes of messages.

// MailSent records that a server has accepted a message, which stands for all that waited
// for its address when it was taken for sending.
func (r *Registry) MailSent(ctx context.Context, m Mail, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error { return endMail(ctx, tx, m, "sent", exact(at)) })
	if err != nil {
		return fmt.Errorf("note message %s as sent: %w", m.ID, err)
	}
	return nil
}

// sameAddress is the condition of the messages that message ?1, taken at ?2,
// stands for.
const sameAddress = `ended_at IS NULL AND queued_at <= ?2 AND (id = ?1
	OR kind = 'message' AND address_hash = (SELECT m.address_hash FROM mail_queue m WHERE m.id = ?1 AND m.kind = 'message'))`

func endMail(ctx context.Context, tx *tx, m Mail, outcome string, at time.Time) error {
	if _, err := tx.ExecContext(ctx, "UPDATE mail_queue SET address = NULL, body = NULL, ended_at = ?3, outcome = ?4 WHERE "+sameAddress,
		m.ID, micros(m.TakenAt), micros(at), outcome); err != nil {
		return err
	}
	return invitationEnded(ctx, tx, m.ID, outcome, at)
}

// invitationEnded notes what became of an invitation that was sent by a message.
func invitationEnded(ctx context.Context, tx *tx, mailID, outcome string, at time.Time) error {
	column := "sent_at"
	if outcome == "bounced" {
		column = "bounced_at"
	}
	_, err := tx.ExecContext(ctx, "UPDATE invitations SET "+column+" = coalesce("+column+", ?) WHERE mail_id = ?", micros(at), mailID)
	return err
}

// MailFailed records that a message was not sent. With bounced a server refused its
// address for good: each site that has it among its contacts has it marked, and
// a check asked for. Otherwise it is tried again later, for two days.
func (r *Registry) MailFailed(ctx context.Context, m Mail, at time.Time, bounced bool) error {
	at = exact(at)
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		if bounced {
			return r.bounce(ctx, tx, m, at)
		}
		return postponeMail(ctx, tx, m, at)
	})
	if err != nil {
		return fmt.Errorf("note message %s as not sent: %w", m.ID, err)
	}
	return nil
}

// MailUntried gives back messages that were taken and not tried: they are due at once, and
// it counts as no try of theirs.
func (r *Registry) MailUntried(ctx context.Context, all []Mail, at time.Time) error {
	if len(all) == 0 {
		return nil
	}
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		for _, m := range all {
			if _, err := tx.ExecContext(ctx, "UPDATE mail_queue SET due_at = ?3, tries = tries - 1 WHERE "+sameAddress,
				m.ID, micros(m.TakenAt), micros(exact(at))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("give back %d messages that were not tried: %w", len(all), err)
	}
	return nil
}

// MailTold records a delivery notification for a message that was sent: its address is
// refused for good after all, as in MailFailed, or it lies in the mailbox.
// false: no such message was sent in the last week, or that is known already.
func (r *Registry) MailTold(ctx context.Context, id string, bounced bool, at time.Time) (known bool, err error) {
	at = exact(at)
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		known = false
		var hash []byte
		err := tx.QueryRowContext(ctx, "SELECT address_hash FROM mail_queue WHERE id = ? AND (outcome = 'sent' OR ? AND outcome = 'delivered')", id, bounced).Scan(&hash)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		known = true
		outcome := "delivered"
		if bounced {
			outcome = "bounced"
		}
		if _, err := tx.ExecContext(ctx, "UPDATE mail_queue SET outcome = ? WHERE id = ?", outcome, id); err != nil || !bounced {
			return err
		}
		if err := invitationEnded(ctx, tx, id, outcome, at); err != nil {
			return err
		}
		return r.markRefused(ctx, tx, hash, at)
	})
	if err != nil {
		return false, fmt.Errorf("note what was told of message %s: %w", id, err)
	}
	return known, nil
}

// bounce ends a message whose address is refused for good.
func (r *Registry) bounce(ctx context.Context, tx *tx, m Mail, at time.Time) error {
	if err := endMail(ctx, tx, m, "bounced", at); err != nil {
		return err
	}
	hash := r.addressHash(m.Address)
	return r.markRefused(ctx, tx, hash[:], at)
}

// markRefused marks an address at every site that has it among its contacts, and has
// them checked.
func (r *Registry) markRefused(ctx context.Context, tx *tx, hash []byte, at time.Time) error {
	sites, err := textsOf(ctx, tx, "SELECT l.owner FROM lookups l JOIN ageing a ON a.site_id = l.owner WHERE l.hash = ? ORDER BY l.owner", hash)
	if err != nil {
		return err
	}
	for _, id := range sites {
		if _, err := tx.ExecContext(ctx, "INSERT INTO bounces (site_id, address_hash, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			id, hash, micros(at)); err != nil {
			return err
		}
	}
	for _, id := range sites {
		if err := r.askCheck(ctx, tx, id, at); err != nil {
			return err
		}
		if err := changed(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// postponeMail puts off what m stands for. DropMail gives it up in the end.
func postponeMail(ctx context.Context, tx *tx, m Mail, at time.Time) error {
	var tries int
	err := each(ctx, tx, func(scan func(...any) error) error { return scan(&tries) },
		"SELECT tries FROM mail_queue WHERE id = ? AND ended_at IS NULL", m.ID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE mail_queue SET due_at = ?3 WHERE "+sameAddress, m.ID, micros(m.TakenAt), micros(at.Add(mailBackOff(tries))))
	return err
}

// mailBackOff is the wait after so many tries.
func mailBackOff(tries int) time.Duration {
	wait := mailRetry
	for range min(tries, 10) - 1 {
		wait *= 3
	}
	return min(wait, mailRetryMost)
}

// mailFollows has what waits for a site's contacts follow them when they have
// changed: no address stays that is gone. Alerts that were not sent yet are found anew. Of
// what was sent the hash is known for its week, for a refusal that comes later and for
// how often one is written to.
func (r *Registry) mailFollows(ctx context.Context, tx *tx, siteID string, at time.Time) error {
	var waits bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM mail_queue WHERE owner = ? AND ended_at IS NULL AND kind = 'message')", siteID).Scan(&waits); err != nil {
		return err
	}
	for _, query := range []string{
		"DELETE FROM alerts WHERE site_id = ?1 AND EXISTS (SELECT 1 FROM mail_queue WHERE owner = ?1 AND ended_at IS NULL AND kind = 'alert')",
		"DELETE FROM mail_queue WHERE owner = ? AND ended_at IS NULL AND kind IN ('message', 'alert')", // a link is its own affair
		"DELETE FROM bounces WHERE site_id = ?",
	} {
		if _, err := tx.ExecContext(ctx, query, siteID); err != nil {
			return err
		}
	}
	if !waits {
		return nil
	}
	return r.queueMail(ctx, tx, siteID, at)
}

// stillInvites is the condition of an invitation of a business that has not come in. It
// ends with its code (openInvitation, DropInvitations) or its wave: once it is in the
// queue nobody else would send it, and its wave may be paused for longer than mail is tried.
const stillInvites = `kind = 'invitation' AND EXISTS (SELECT 1 FROM invitations i JOIN waves w ON w.number = i.wave JOIN sites s ON s.id = i.site_id
	WHERE i.mail_id = mail_queue.id AND w.cancelled_at IS NULL AND ` + unused + ")"

// DropMail gives up what has waited for two days, unless it invites, and forgets what ended
// a week before now.
func (r *Registry) DropMail(ctx context.Context, now time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE mail_queue SET address = NULL, body = NULL, ended_at = ?, outcome = 'expired' WHERE ended_at IS NULL AND queued_at <= ? AND NOT ("+stillInvites+")",
			micros(now), micros(now.Add(-mailLife))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM mail_queue WHERE ended_at <= ?", micros(now.Add(-mailKept)))
		return err
	})
	if err != nil {
		return fmt.Errorf("drop old mail: %w", err)
	}
	return nil
}
