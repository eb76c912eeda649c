package inventory

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// enqueue encodes the site's next message and keeps the bytes. A plain one may
// be replaced by a newer observation until it has been handed over.
func (v *Inventory) enqueue(ctx context.Context, tx *sql.Tx, s *site, body protocol.Body, plain bool) error {
	s.revision++
	m := protocol.Message{ID: uuid.NewString(), SiteID: s.SiteID, Epoch: s.Epoch, Revision: s.revision, MadeAt: v.now().UTC(), Body: body}
	raw, err := protocol.Encode(m)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE site SET revision = ? WHERE id = ?`, s.revision, s.SiteID); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO message (id, site_id, kind, made, body, plain, handed, state, recorded, transport, why)
		VALUES (?, ?, ?, ?, ?, ?, 0, 'waiting', 0, '', '')`, m.ID, s.SiteID, m.Kind(), micros(m.MadeAt), raw, plain)
	return err
}

// Next returns the oldest message that waits of a site that this agent holds the
// grant of: to any other, one that was enrolled anew for some sites and not yet
// for all, the collector would refuse it for good. From then on its bytes are
// fixed, even those of an observation: they may be on their way.
func (v *Inventory) Next(ctx context.Context, agentID string) (id, siteID string, message []byte, ok bool, err error) {
	err = v.write(ctx, func(tx *sql.Tx) error {
		var seq, handed int64
		err := tx.QueryRowContext(ctx, `SELECT seq, handed, id, site_id, body FROM message WHERE state = 'waiting'
			AND (SELECT agent IN ('', ?) FROM site WHERE id = site_id) ORDER BY seq LIMIT 1`, agentID).
			Scan(&seq, &handed, &id, &siteID, &message)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if ok = err == nil; ok && handed == 0 {
			_, err = tx.ExecContext(ctx, `UPDATE message SET handed = ? WHERE seq = ?`, micros(v.now()), seq)
		}
		return err
	})
	if err != nil {
		return "", "", nil, false, fmt.Errorf("take the next message: %w", err)
	}
	return id, siteID, message, ok, nil
}

// WhySiteStays stands in Sent.Why of an acknowledged withdrawal that took away
// only what this computer had declared: another one was enrolled for the site
// after the withdrawal was made, and that later decision stands.
const WhySiteStays = "site-stays"

// Acknowledge notes that the collector has recorded the message durably, and
// keeps the signed receipt with it. A hash that is not that of its bytes is an
// error: something else was recorded.
func (v *Inventory) Acknowledge(ctx context.Context, r protocol.Receipt, transport string) error {
	why := ""
	if r.SiteStays {
		why = WhySiteStays
	}
	err := v.write(ctx, func(tx *sql.Tx) error {
		var body []byte
		var siteID, kind string
		err := tx.QueryRowContext(ctx, `SELECT body, site_id, kind FROM message WHERE id = ?`, r.MessageID).Scan(&body, &siteID, &kind)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrUnknown
		}
		if err != nil {
			return err
		}
		if sha256.Sum256(body) != r.SHA256 {
			return errors.New("the collector recorded other bytes than were sent")
		}
		if _, err = tx.ExecContext(ctx, `UPDATE message SET state = 'acknowledged', recorded = ?, transport = ?, why = ?, receipt = ?
			WHERE id = ? AND state <> 'acknowledged'`, micros(r.RecordedAt), line(transport), why, r.Note, r.MessageID); err != nil {
			return err
		}
		if m, err := protocol.Decode(body); err == nil {
			if err := recordedState(ctx, tx, m, r.RecordedAt); err != nil {
				return err
			}
		}
		return v.keepAccess(ctx, tx, siteID, kind, r)
	})
	if err != nil {
		return fmt.Errorf("acknowledge message %s: %w", r.MessageID, err)
	}
	return nil
}

// Reject notes that the collector refused the message for good, and why.
func (v *Inventory) Reject(ctx context.Context, id string, why string) error {
	err := v.write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE message SET state = 'rejected', why = ? WHERE id = ? AND state <> 'acknowledged'`, line(why), id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("no such message waits: %w", ErrUnknown))
		}
		return v.untold(ctx, tx, id)
	})
	if err != nil {
		return fmt.Errorf("reject message %s: %w", id, err)
	}
	return nil
}

// untold forgets that the collector was told what a message says, if that is an
// observation: the next look tells it again. A change of schedule or retention
// would otherwise be lost, as it is told only once. A reply is repeated at once, if
// there is a grant that it was not made under.
func (v *Inventory) untold(ctx context.Context, tx *sql.Tx, id string) error {
	var body []byte
	if err := tx.QueryRowContext(ctx, `SELECT body FROM message WHERE id = ?`, id).Scan(&body); err != nil {
		return err
	}
	m, err := protocol.Decode(body)
	if err != nil {
		return err
	}
	if _, is := m.Body.(protocol.Reply); is {
		return v.repeatReplies(ctx, tx, m.SiteID)
	}
	if err := refusedState(ctx, tx, m); err != nil {
		return err
	}
	o, _ := m.Body.(protocol.Observation)
	for _, c := range o.Cameras {
		if _, err := tx.ExecContext(ctx, `UPDATE camera SET reported = NULL WHERE id = ?`, c.CameraID); err != nil {
			return err
		}
	}
	for _, r := range o.Recorders {
		if _, err := tx.ExecContext(ctx, `UPDATE device SET reported = NULL WHERE id = ?`, r.RecorderID); err != nil {
			return err
		}
	}
	return nil
}

// Recorded gives, by site, the newest message that was acknowledged, "" for
// none. What came before a site's last withdrawal does not count, wherever that
// one stands: it erases it, and must not be the reason to send it again.
func (v *Inventory) Recorded(ctx context.Context) (newest map[string]string, err error) {
	newest = map[string]string{}
	err = v.read(ctx, func(tx *sql.Tx) error {
		// kind is named as in the index message_state, which then serves.
		return each(ctx, tx, `SELECT id, coalesce((SELECT m.id FROM message m WHERE m.site_id = site.id AND m.state = 'acknowledged' AND seq > ended
			AND seq >= coalesce((SELECT max(seq) FROM message w WHERE w.site_id = site.id AND kind IN ('declaration', 'withdrawal') AND kind = 'withdrawal'), 0)
			ORDER BY seq DESC LIMIT 1), '') FROM site`, func(rows *sql.Rows) error {
			var site, id string
			err := rows.Scan(&site, &id)
			newest[site] = id
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("look up what is recorded: %w", err)
	}
	return newest, nil
}

// Recall queues an acknowledged message again, because the collector was restored to a
// state before it. The receipt's time stays until the next one.
func (v *Inventory) Recall(ctx context.Context, id string) error {
	err := v.write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE message SET state = 'waiting', transport = '' WHERE id = ? AND state IN ('acknowledged', 'waiting')`, id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrUnknown)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("send message %s again: %w", id, err)
	}
	v.signal()
	return nil
}

// Waiting is signalled when a message was added, and at Open when one waits.
func (v *Inventory) Waiting() <-chan struct{} { return v.waiting }

// Unhurried is signalled instead when only a daily sign of life was added.
func (v *Inventory) Unhurried() <-chan struct{} { return v.asItWas }

// Counts reports how many messages there are in each state.
func (v *Inventory) Counts(ctx context.Context) (counts map[SentState]int, err error) {
	counts = map[SentState]int{}
	err = v.read(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, `SELECT state, count(*) FROM message GROUP BY state`, func(rows *sql.Rows) error {
			var state SentState
			var n int
			err := rows.Scan(&state, &n)
			counts[state] = n
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("count the messages: %w", err)
	}
	return counts, nil
}

// Outbox lists every message, oldest first: what leaves this site is readable
// before and after.
func (v *Inventory) Outbox(ctx context.Context) (all []Sent, err error) {
	err = v.read(ctx, func(tx *sql.Tx) error {
		return eachSent(ctx, tx, `1 ORDER BY seq`, func(s Sent) { all = append(all, s) })
	})
	if err != nil {
		return nil, fmt.Errorf("list the messages: %w", err)
	}
	return all, nil
}

// OutboxPage lists at most n messages, the newest first, from the place skip on, and
// tells how many there are in all.
func (v *Inventory) OutboxPage(ctx context.Context, skip, n int) (page []Sent, all int, err error) {
	err = v.read(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM message`).Scan(&all); err != nil {
			return err
		}
		return eachSent(ctx, tx, `1 ORDER BY seq DESC LIMIT ? OFFSET ?`, func(s Sent) { page = append(page, s) }, n, skip)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list the messages: %w", err)
	}
	return page, all, nil
}

// OneSent returns a message by its id.
func (v *Inventory) OneSent(ctx context.Context, id string) (sent Sent, err error) {
	err = v.read(ctx, func(tx *sql.Tx) error {
		return eachSent(ctx, tx, `id = ?`, func(s Sent) { sent = s }, id)
	})
	if err == nil && sent.ID == "" {
		err = ErrUnknown
	}
	if err != nil {
		return Sent{}, fmt.Errorf("message %q: %w", id, err)
	}
	return sent, nil
}

// LastSent gives, by site, the newest message that declares it or takes it out.
func (v *Inventory) LastSent(ctx context.Context) (last map[string]Sent, err error) {
	last = map[string]Sent{}
	err = v.read(ctx, func(tx *sql.Tx) error {
		return eachSent(ctx, tx, `kind IN ('declaration', 'withdrawal') ORDER BY seq`, func(s Sent) { last[s.SiteID] = s })
	})
	if err != nil {
		return nil, fmt.Errorf("look up the last messages: %w", err)
	}
	return last, nil
}

// eachSent reads the messages that a condition picks, in its order.
func eachSent(ctx context.Context, tx *sql.Tx, where string, take func(Sent), args ...any) error {
	return each(ctx, tx, `SELECT id, site_id, kind, made, body, state, recorded, transport, why, receipt FROM message WHERE `+where, func(rows *sql.Rows) error {
		var s Sent
		err := rows.Scan(&s.ID, &s.SiteID, &s.Kind, asTime{&s.MadeAt}, &s.Raw, &s.State, asTime{&s.RecordedAt}, &s.Transport, &s.Why, &s.Receipt)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(s.Raw)
		s.SHA256 = hex.EncodeToString(sum[:])
		if s.Message, err = protocol.Decode(s.Raw); err != nil {
			return fmt.Errorf("message %s: %w", s.ID, err)
		}
		take(s)
		return nil
	}, args...)
}
