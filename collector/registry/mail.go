package registry

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

const (
	// mailLife is for how long a message is tried.
	mailLife = 48 * time.Hour
	// mailLease is how long a sender has a message before another may take it.
	mailLease = 10 * time.Minute
	// One address gets no message within mailPause of another, and at most
	// mailADay in a day: all of them say the same.
	mailPause = 15 * time.Minute
	mailADay  = 6
	// mailKept is how long it is known that one was sent.
	mailKept = 7 * 24 * time.Hour
	// A first try that failed is repeated after mailRetry, each next one after
	// three times as long, at most mailRetryMost.
	mailRetry     = 5 * time.Minute
	mailRetryMost = 8 * time.Hour
)

// Mail is a message to be sent: that there is something to be read, and no more;
// or, to a contact who wishes to be told, what is wrong with their recorders.
type Mail struct {
	ID      string // UUID; the same at each try
	Address string
	TakenAt time.Time
	Token   string     // of the link by which its reader accepts to be a contact; "": nothing waits for that
	News    *AlertNews // nil: the wording that all other messages have
	End     string     // token of the link by which its reader wants no more News
}

// QueueMail has each contact of a site that has an e-mail address told that
// there is a message. A contact that waits to be told already, or whose address
// was refused since it was last confirmed, gets none.
func (r *Registry) QueueMail(ctx context.Context, siteID string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error { return r.queueMail(ctx, tx, siteID, exact(at)) })
	if err != nil {
		return fmt.Errorf("queue mail to the contacts of site %s: %w", siteID, err)
	}
	return nil
}

func (r *Registry) queueMail(ctx context.Context, tx *tx, siteID string, at time.Time) error {
	b, err := r.vault.boxOf(ctx, tx, siteID)
	if err != nil {
		return err
	}
	contacts, _, err := site{tx: tx, id: siteID, box: b}.reached(ctx, r)
	if err != nil {
		return err
	}
	for _, c := range contacts {
		if c.Email == "" {
			continue
		}
		if err := r.queueMailTo(ctx, tx, b, siteID, c.Email, at); err != nil {
			return err
		}
	}
	return nil
}

// queueMailTo is QueueMail for one address.
func (r *Registry) queueMailTo(ctx context.Context, tx *tx, b *box, siteID, address string, at time.Time) error {
	hash := r.addressHash(address)
	var told bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM mail_queue WHERE site_id = ?1 AND address_hash = ?2 AND ended_at IS NULL)
		OR EXISTS (SELECT 1 FROM bounces WHERE site_id = ?1 AND address_hash = ?2)`, siteID, hash[:]).Scan(&told); err != nil || told {
		return err
	}
	id := uuid.NewString()
	sealed, err := b.seal(mailAddress(id), []byte(address))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO mail_queue (id, site_id, address, address_hash, queued_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
		id, siteID, sealed, hash[:], micros(at))
	return err
}

// openAddress opens the address of a queued message with the data key of its site.
func (r *Registry) openAddress(ctx context.Context, tx *tx, m waitingMail) (string, error) {
	b, err := r.vault.boxOf(ctx, tx, m.siteID)
	if err != nil {
		return "", err
	}
	if b == nil {
		return "", errDestroyed
	}
	plain, err := b.open(mailAddress(m.id), m.sealed)
	return string(plain), err
}

// openMail opens what is sealed of a queued message.
func (r *Registry) openMail(ctx context.Context, tx *tx, w waitingMail) (Mail, error) {
	address, err := r.openAddress(ctx, tx, w)
	if err != nil {
		return Mail{}, err
	}
	m := Mail{ID: w.id, Address: address}
	m.News, m.End, err = r.openNews(ctx, tx, w, address)
	return m, err
}

// addressHash is by what messages to one address are known; it is that by which
// its sites are looked up.
func (r *Registry) addressHash(address string) [32]byte {
	hash, _ := lookupHash(r.vault.lookup, address)
	return hash
}

// DueMail takes messages that are due at now, for a sender who says within ten
// minutes what became of each, by MailSent or MailFailed; after that another may
// take it. At most limit waiting messages are looked at, and those to one
// address are one.
func (r *Registry) DueMail(ctx context.Context, now time.Time, limit int) (taken []Mail, err error) {
	now = exact(now)
	var due bool
	err = r.view(ctx, func(tx *tx) error { // most of the time nothing is: no write for it
		return tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM mail_queue WHERE ended_at IS NULL AND due_at <= ?)", micros(now)).Scan(&due)
	})
	if err == nil && due {
		err = r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
			taken, err = r.takeMail(ctx, tx, now, limit)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("take mail to send: %w", err)
	}
	return taken, nil
}

// waitingMail is a message of the queue that stands for its address.
type waitingMail struct {
	id, siteID         string
	hash, sealed, news []byte
}

func (r *Registry) takeMail(ctx context.Context, tx *tx, now time.Time, limit int) (taken []Mail, err error) {
	var all []waitingMail
	seen := make(map[string]bool)
	err = each(ctx, tx, func(scan func(...any) error) error {
		var m waitingMail
		if err := scan(&m.id, &m.siteID, &m.hash, &m.sealed, &m.news); err != nil || seen[string(m.hash)] {
			return err
		}
		seen[string(m.hash)] = true
		all = append(all, m)
		return nil
	}, "SELECT id, site_id, address_hash, address, news FROM mail_queue WHERE ended_at IS NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?", micros(now), limit)
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		wait, err := mailWait(ctx, tx, w.hash, now)
		if err != nil {
			return nil, err
		}
		tries, until := 0, wait
		if wait.IsZero() {
			tries, until = 1, now.Add(mailLease)
			token, err := r.linkToken(ctx, tx, w.hash)
			if err != nil {
				return nil, err
			}
			if m, err := r.openMail(ctx, tx, w); err == nil {
				m.TakenAt, m.Token = now, token
				taken = append(taken, m)
			} else { // it does not keep back the others
				r.log.ErrorContext(ctx, "a message that waits cannot be read", "mail", w.id, "err", err)
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE mail_queue SET due_at = ?, tries = tries + ? WHERE address_hash = ? AND ended_at IS NULL",
			micros(until), tries, w.hash); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// mailWait tells until when an address is to be left alone; zero: it is not.
func mailWait(ctx context.Context, tx *tx, hash []byte, now time.Time) (time.Time, error) {
	var sent []time.Time // the oldest first
	err := each(ctx, tx, func(scan func(...any) error) error {
		var at int64
		err := scan(&at)
		sent = append(sent, fromMicros(at))
		return err
	}, "SELECT DISTINCT ended_at FROM mail_queue WHERE address_hash = ? AND outcome = 'sent' AND ended_at > ? ORDER BY ended_at",
		hash, micros(now.Add(-24*time.Hour)))
	if err != nil || len(sent) == 0 {
		return time.Time{}, err
	}
	var until time.Time
	if len(sent) >= mailADay {
		until = sent[len(sent)-mailADay].Add(24 * time.Hour)
	}
	if until = later(until, sent[len(sent)-1].Add(mailPause)); until.After(now) {
		return until, nil
	}
	return time.Time{}, nil
}

// MailSent says that a server has taken a message: whatever else waited for its
// address when it was taken for sending is told with it.
func (r *Registry) MailSent(ctx context.Context, m Mail, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error { return endMail(ctx, tx, m, "sent", exact(at)) })
	if err != nil {
		return fmt.Errorf("note message %s as sent: %w", m.ID, err)
	}
	return nil
}

// sameAddress is the condition of the messages that message ?1, taken at ?2,
// stands for.
const sameAddress = "address_hash = (SELECT m.address_hash FROM mail_queue m WHERE m.id = ?1) AND ended_at IS NULL AND queued_at <= ?2"

func endMail(ctx context.Context, tx *tx, m Mail, outcome string, at time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE mail_queue SET address = NULL, news = NULL, ended_at = ?3, outcome = ?4 WHERE "+sameAddress,
		m.ID, micros(m.TakenAt), micros(at), outcome)
	return err
}

// MailFailed says that a message was not sent. With bounced a server refused its
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

// bounce marks the address at every site that has it among its contacts.
func (r *Registry) bounce(ctx context.Context, tx *tx, m Mail, at time.Time) error {
	hash := r.addressHash(m.Address)
	var sites []string
	err := each(ctx, tx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		sites = append(sites, id)
		return err
	}, "SELECT l.owner FROM lookups l JOIN ageing a ON a.site_id = l.owner WHERE l.hash = ? ORDER BY l.owner", hash[:])
	if err != nil {
		return err
	}
	for _, id := range sites {
		if _, err := tx.ExecContext(ctx, "INSERT INTO bounces (site_id, address_hash, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			id, hash[:], micros(at)); err != nil {
			return err
		}
	}
	if err := endMail(ctx, tx, m, "bounced", at); err != nil {
		return err
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
// changed: nothing stays of an address that is gone. Alerts that were not sent yet
// are found anew.
func (r *Registry) mailFollows(ctx context.Context, tx *tx, siteID string, at time.Time) error {
	var waits bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM mail_queue WHERE site_id = ? AND ended_at IS NULL AND news IS NULL)", siteID).Scan(&waits); err != nil {
		return err
	}
	for _, query := range []string{
		"DELETE FROM alerts WHERE site_id = ?1 AND EXISTS (SELECT 1 FROM mail_queue WHERE site_id = ?1 AND ended_at IS NULL AND news IS NOT NULL)",
		"DELETE FROM mail_queue WHERE site_id = ?",
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

// DropMail gives up what has waited for two days, and forgets what ended a week
// before now.
func (r *Registry) DropMail(ctx context.Context, now time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE mail_queue SET address = NULL, news = NULL, ended_at = ?, outcome = 'expired' WHERE ended_at IS NULL AND queued_at <= ?",
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
