package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrUnknownWave is returned for a wave that is not there, or was cancelled.
var ErrUnknownWave = errors.New("wave not known")

// Wave counts what one reading of a file has invited.
type Wave struct {
	Number      int
	MadeAt      time.Time
	PerDay      int // 0: all at once
	Source      string
	LastDue     time.Time // when its last invitation goes out; zero: none waits
	PausedAt    time.Time // zero: it goes on
	CancelledAt time.Time
	Invited     int // all
	Queued      int // of them: wait for their day, or to be sent
	Letters     int // of them: on paper
	Sent        int
	Bounced     int
	Opened      int // their page was looked at, by a person or by a program that looks at mail
	Used        int // came in
	Refused     int // want no more
	Gone        int // deleted since, or cancelled
}

// Waves lists at most limit waves, the newest first, those before a number; 0: from
// the newest.
func (r *Registry) Waves(ctx context.Context, before, limit int) (all []Wave, err error) {
	err = r.view(ctx, func(tx *tx) error {
		all = nil
		return each(ctx, tx, func(scan func(...any) error) error {
			var w Wave
			var made, paused, cancelled, due int64
			err := scan(&w.Number, &made, &w.PerDay, &w.Source, &paused, &cancelled, &w.Gone, &w.Sent, &w.Bounced, &w.Opened,
				&w.Invited, &w.Queued, &due, &w.Letters, &w.Used, &w.Refused)
			w.MadeAt, w.PausedAt, w.CancelledAt, w.LastDue = fromMicros(made), fromMicros(paused), fromMicros(cancelled), fromMicros(due)
			all = append(all, w)
			return err
		}, `SELECT w.number, w.made_at, w.per_day, w.source, coalesce(w.paused_at, 0), coalesce(w.cancelled_at, 0), w.gone,
			w.gone_sent + coalesce(i.sent, 0), w.gone_bounced + coalesce(i.bounced, 0), w.gone_opened + coalesce(i.opened, 0),
			w.gone + coalesce(i.n, 0), coalesce(i.queued, 0), coalesce(i.due, 0), coalesce(i.letters, 0), coalesce(i.used, 0), coalesce(i.refused, 0)
			FROM (SELECT * FROM waves WHERE ?1 = 0 OR number < ?1 ORDER BY number DESC LIMIT ?2) w LEFT JOIN (SELECT x.wave, count(*) AS n,
				count(x.sent_at) AS sent, count(x.bounced_at) AS bounced, count(x.opened_at) AS opened,
				count(CASE WHEN `+invitationWaits+` THEN 1 END) AS queued, max(CASE WHEN `+invitationWaits+` THEN x.due_at END) AS due,
				count(CASE WHEN x.channel = 'letter' THEN 1 END) AS letters, count(CASE WHEN x.site_id IS NULL THEN 1 END) AS refused,
				count(CASE WHEN EXISTS (SELECT 1 FROM sites s WHERE s.id = x.site_id AND s.epoch > 0) THEN 1 END) AS used
				FROM invitations x
				WHERE x.wave IN (SELECT number FROM waves WHERE ?1 = 0 OR number < ?1 ORDER BY number DESC LIMIT ?2) GROUP BY x.wave) i ON i.wave = w.number
			ORDER BY w.number DESC`, before, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("list waves: %w", err)
	}
	return all, nil
}

// invitationWaits is the condition of an invitation that has not gone out.
const invitationWaits = "x.site_id IS NOT NULL AND x.sent_at IS NULL AND x.bounced_at IS NULL"

// PauseWave keeps back what of a wave has not gone out. One that is paused already
// stays so.
func (r *Registry) PauseWave(ctx context.Context, number int, at time.Time) error {
	return r.changeWave(ctx, number, func(ctx context.Context, tx *tx, paused sql.NullInt64) error {
		_, err := tx.ExecContext(ctx, "UPDATE waves SET paused_at = coalesce(paused_at, ?2) WHERE number = ?1", number, micros(at))
		return err
	})
}

// ResumeWave resumes a wave: waiting invitations, also those in the queue of mail, and the
// ends of their codes move by the length of the pause.
func (r *Registry) ResumeWave(ctx context.Context, number int, at time.Time) error {
	return r.changeWave(ctx, number, func(ctx context.Context, tx *tx, paused sql.NullInt64) error {
		if !paused.Valid {
			return nil
		}
		by := max(0, micros(at)-paused.Int64)
		for _, query := range []string{
			"UPDATE codes SET expires_at = expires_at + ?2 WHERE used_at IS NULL AND site_id IN (SELECT x.site_id FROM invitations x WHERE x.wave = ?1 AND " + invitationWaits + ")",
			"UPDATE invitations AS x SET due_at = due_at + ?2 WHERE x.wave = ?1 AND " + invitationWaits,
		} {
			if _, err := tx.ExecContext(ctx, query, number, by); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE waves SET paused_at = NULL WHERE number = ?", number)
		return err
	})
}

// CancelWave ends a wave: what has not gone out is deleted as if it had never been
// in the file, and its codes are worth nothing. If it breaks off, DropCancelled goes on.
func (r *Registry) CancelWave(ctx context.Context, number int, at time.Time) error {
	err := r.changeWave(ctx, number, func(ctx context.Context, tx *tx, _ sql.NullInt64) error {
		_, err := tx.ExecContext(ctx, "UPDATE waves SET cancelled_at = ? WHERE number = ?", micros(at), number)
		return err
	})
	if err == nil {
		err = r.DropCancelled(ctx)
	}
	if err != nil {
		return fmt.Errorf("cancel wave %d: %w", number, err)
	}
	return nil
}

// DropCancelled deletes what has not gone out of the waves that were cancelled. It is
// called every hour: a cancelling may break off.
func (r *Registry) DropCancelled(ctx context.Context) error {
	var sites []string
	err := r.view(ctx, func(tx *tx) (err error) {
		sites, err = textsOf(ctx, tx, "SELECT x.site_id FROM waves w JOIN invitations x ON x.wave = w.number JOIN sites s ON s.id = x.site_id WHERE w.cancelled_at IS NOT NULL AND "+
			invitationWaits+" AND "+unused)
		return err
	})
	if err == nil {
		err = r.dropInvitations(ctx, sites)
	}
	if err != nil {
		return fmt.Errorf("delete what cancelled waves have not sent: %w", err)
	}
	return nil
}

func (r *Registry) changeWave(ctx context.Context, number int, do func(context.Context, *tx, sql.NullInt64) error) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		var paused sql.NullInt64
		err := tx.QueryRowContext(ctx, "SELECT paused_at FROM waves WHERE number = ? AND cancelled_at IS NULL", number).Scan(&paused)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrUnknownWave
		}
		if err != nil {
			return err
		}
		return do(ctx, tx, paused)
	})
	if err != nil {
		return fmt.Errorf("change wave %d: %w", number, err)
	}
	return nil
}

// unused is the condition of an invited site of which nobody has used a code, nor
// declared anything, nor is anything told that an agent or an owner left there.
const unused = `s.declared_at IS NULL AND s.withdrawn_at IS NULL AND s.epoch = 0 AND s.organisation_id IS NULL
	AND NOT EXISTS (SELECT 1 FROM codes u WHERE u.site_id = s.id AND u.used_at IS NOT NULL)`

// DropInvitations deletes what was invited and did not come in, with all that is
// known of it, once each of its codes has ended at the moment ended or before, and after
// calling record with their number, which it returns.
func (r *Registry) DropInvitations(ctx context.Context, ended time.Time, record func(ctx context.Context, n int) error) (n int, err error) {
	var sites []string
	err = r.view(ctx, func(tx *tx) (err error) {
		sites, err = textsOf(ctx, tx, "SELECT i.site_id FROM invitations i JOIN sites s ON s.id = i.site_id WHERE i.due_at <= ?1 AND "+unused+
			" AND NOT EXISTS (SELECT 1 FROM codes c WHERE c.site_id = s.id AND c.expires_at > ?1) ORDER BY i.site_id", micros(ended))
		return err
	})
	if err == nil && len(sites) > 0 {
		err = record(ctx, len(sites))
	}
	if err == nil {
		err = r.dropInvitations(ctx, sites)
	}
	if err != nil {
		return 0, fmt.Errorf("delete old invitations: %w", err)
	}
	return len(sites), nil
}

// dropInvitations deletes the invitations of these sites, some at once: others write in
// between.
func (r *Registry) dropInvitations(ctx context.Context, sites []string) error {
	for some := range slices.Chunk(sites, inviteAtOnce) {
		if err := r.update(ctx, func(ctx context.Context, tx *tx) error {
			for _, id := range some {
				if err := r.dropInvitation(ctx, tx, id); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// dropInvitation deletes an invitation and its site, where that is unused still, and
// counts it among the wave's gone.
func (r *Registry) dropInvitation(ctx context.Context, tx *tx, siteID string) error {
	_, err := r.dropInvited(ctx, tx, siteID, `UPDATE waves SET gone = gone + 1, gone_sent = gone_sent + i.sent, gone_bounced = gone_bounced + i.bounced, gone_opened = gone_opened + i.opened
		FROM (SELECT wave, CASE WHEN sent_at IS NULL THEN 0 ELSE 1 END AS sent, CASE WHEN bounced_at IS NULL THEN 0 ELSE 1 END AS bounced,
			CASE WHEN opened_at IS NULL THEN 0 ELSE 1 END AS opened FROM invitations WHERE site_id = ?) i WHERE number = i.wave`,
		"DELETE FROM invitations WHERE site_id = ?")
	return err
}

// dropInvited deletes the site of an invitation, if nobody came in, after these
// statements about the invitation.
func (r *Registry) dropInvited(ctx context.Context, tx *tx, siteID string, before ...string) (gone bool, err error) {
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sites s WHERE s.id = ? AND "+unused+")", siteID).Scan(&gone); err != nil || !gone {
		return false, err
	}
	for _, query := range append(before, "DELETE FROM mail_queue WHERE owner = ?", "DELETE FROM codes WHERE site_id = ?") {
		if _, err := tx.ExecContext(ctx, query, siteID); err != nil {
			return false, err
		}
	}
	if err := r.vault.destroy(ctx, tx, siteID); err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM sites WHERE id = ?", siteID)
	return true, err
}

// OpenInvitation returns what stands on the invitation that a token belongs to, and
// notes that it was looked at. false: there is none, or its code is used or has ended.
func (r *Registry) OpenInvitation(ctx context.Context, token string, at time.Time) (m InvitationMail, ok bool, err error) {
	var site string
	var opened bool
	if site, opened, err = r.invitedBy(ctx, token); err == nil && site != "" {
		err = r.view(ctx, func(tx *tx) (err error) {
			m, ok, err = r.invitation(ctx, tx, site, at)
			return err
		})
		if err == nil && ok && !opened {
			err = r.update(ctx, func(ctx context.Context, tx *tx) error {
				if _, err := tx.ExecContext(ctx, "UPDATE invitations SET opened_at = ? WHERE site_id = ? AND opened_at IS NULL", micros(at), site); err != nil {
					return err
				}
				return noteOpened(ctx, tx, site, at)
			})
		}
	}
	if err != nil {
		return InvitationMail{}, false, fmt.Errorf("open an invitation: %w", err)
	}
	return m, ok, nil
}

func (r *Registry) invitedBy(ctx context.Context, token string) (site string, opened bool, err error) {
	link := sha256.Sum256([]byte(token))
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error { return scan(&site, &opened) },
			"SELECT site_id, opened_at IS NOT NULL FROM invitations WHERE link_hash = ? AND site_id IS NOT NULL", link[:])
	})
	return site, opened, err
}

// RefuseInvitation records that the invited want no more messages: all is
// deleted but a keyed hash, by which they are not invited again. false: the token
// opens nothing, or they have adhered already.
func (r *Registry) RefuseInvitation(ctx context.Context, token string) (ok bool, err error) {
	site, _, err := r.invitedBy(ctx, token)
	if err == nil && site != "" {
		err = r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
			ok, err = r.dropInvited(ctx, tx, site, "UPDATE invitations SET site_id = NULL, link_hash = NULL, address = NULL, mail_id = NULL WHERE site_id = ?")
			return err
		})
	}
	if err != nil {
		return false, fmt.Errorf("refuse an invitation: %w", err)
	}
	return ok, nil
}
