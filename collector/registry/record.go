package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// clockTolerance is how far an agent's clock may be ahead of ours, or its
// message be dated before its own enrolment.
const clockTolerance = 24 * time.Hour

// Record implements ingest.Register: see the package comment for what a
// message may do.
func (r *Registry) Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error) {
	w := write{r: r, agentID: agentID, m: m, raw: raw, at: at.UTC().Truncate(time.Microsecond), sum: sha256.Sum256(raw), origin: originOf(m.Body)}
	var receipt protocol.Receipt
	err := r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
		w.tx = tx
		receipt, err = w.record(ctx)
		return err
	})
	if err != nil {
		return protocol.Receipt{}, fmt.Errorf("record message %s of site %s: %w", m.ID, m.SiteID, err)
	}
	return receipt, nil
}

// write is one message on its way into the record.
type write struct {
	r       *Registry
	tx      *tx
	agentID string
	m       protocol.Message
	raw     []byte
	sum     [32]byte
	at      time.Time // of arrival
	origin  Origin    // of what it changes
	number  int64     // of its act; 0: none is recorded yet

	boxed  *box // the site's, once it was needed
	erases bool // something of the site that was sealed is gone: what stays gets another key

	first    bool // nothing was ever declared of the site: it has no contacts, equipment or clocks that age
	newOwner bool // the site is suspended until its new owner declares it

	byOffice bool // the operator erases
}

func (w *write) exec(ctx context.Context, query string, args ...any) error {
	_, err := w.tx.ExecContext(ctx, query, args...)
	return err
}

// record records the message, unless it is recorded already, and gives its receipt.
func (w *write) record(ctx context.Context) (protocol.Receipt, error) {
	receipt, err := w.take(ctx)
	if err == nil {
		err = w.finish(ctx)
	}
	if err == nil {
		receipt.OwnerCode, err = w.ownerCode(ctx)
	}
	return receipt, err
}

func (w *write) take(ctx context.Context) (protocol.Receipt, error) {
	sender, err := w.speaker(ctx)
	if err != nil {
		return protocol.Receipt{}, err
	}
	receipt := protocol.Receipt{MessageID: w.m.ID, SiteID: w.m.SiteID, SHA256: w.sum, RecordedAt: w.at}
	// Before the grant: the answer to a withdrawal, which ends the grant, may
	// get lost like any other.
	if known, err := w.known(ctx, &receipt); err != nil || known {
		return receipt, err
	}
	if err := w.granted(sender); err != nil {
		return protocol.Receipt{}, err
	}
	if err := w.checkTimes(fromMicros(sender.from.Int64)); err != nil {
		return protocol.Receipt{}, err
	}
	var kind string
	switch body := w.m.Body.(type) {
	case protocol.Declaration:
		kind, err = "declaration", w.declare(ctx, sender.declared)
	case protocol.Observation:
		kind, err = "observation", w.observe(ctx, body, sender.declared)
	case protocol.Withdrawal:
		kind = "withdrawal"
		receipt.SiteStays, err = w.withdraw(ctx, sender.declared)
	case protocol.SiteSuspension:
		kind, err = "suspension", w.suspend(ctx, body)
	case protocol.Reply:
		kind, err = "reply", w.reply(ctx, body)
	case protocol.Health:
		kind, err = "health", w.health(ctx, body)
	case protocol.Diagnosis:
		kind, err = "diagnosis", w.diagnosis(ctx, body)
	default:
		err = fmt.Errorf("a body of type %T cannot be recorded", body)
	}
	if err != nil {
		return protocol.Receipt{}, err
	}
	return receipt, w.note(ctx, kind, receipt.SiteStays)
}

// known reports whether the message is recorded already, and then completes the
// receipt as it was given first. The caller may be another agent than the one
// that sent it: one that was enrolled anew for the site sends again what got no
// answer before. An agent that never had a grant for the site learns nothing of its
// messages: to it they are unknown.
func (w *write) known(ctx context.Context, receipt *protocol.Receipt) (bool, error) {
	var sum []byte
	var recorded int64
	var stays, mayAsk bool
	err := w.tx.QueryRowContext(ctx, `SELECT sha256, recorded_at, site_stays, agent_id = ?2 OR EXISTS (SELECT 1 FROM grants g
		WHERE g.site_id = messages.site_id AND g.agent_id = ?2) FROM messages WHERE id = ?1`, w.m.ID, w.agentID).
		Scan(&sum, &recorded, &stays, &mayAsk)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case !mayAsk:
		return false, ingest.ErrNotGranted
	case !bytes.Equal(sum, w.sum[:]):
		return false, ingest.ErrConflict
	}
	receipt.RecordedAt, receipt.SiteStays, receipt.Duplicate = fromMicros(recorded), stays, true
	return true, nil
}

// Knows implements ingest.Register.
func (r *Registry) Knows(ctx context.Context, agentID, siteID, messageID string) (known bool, err error) {
	err = r.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM messages m JOIN grants g ON g.site_id = m.site_id
		WHERE m.id = ?1 AND m.site_id = ?2 AND g.agent_id = ?3)`, messageID, siteID, agentID).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look for message %s of site %s: %w", messageID, siteID, err)
	}
	return known, nil
}

// speaker is what the register knows of an agent that sends a message of a site.
type speaker struct {
	from, until sql.NullInt64 // of its grant in the message's epoch, if there is one
	declared    order         // its newest declaration of the site; zero: none
}

// speaker reads, in one statement, who sends the message, and what of the site decides
// how it is recorded.
func (w *write) speaker(ctx context.Context) (s speaker, err error) {
	var revoked sql.NullInt64
	var key []byte
	err = w.tx.QueryRowContext(ctx, `SELECT a.revoked_at, g.from_at, g.until_at, coalesce(p.epoch, 0), coalesce(p.revision, 0),
		s.shared_at IS NULL, s.owner_changed_at IS NOT NULL, k.sealed
		FROM agents a LEFT JOIN grants g ON g.site_id = ?2 AND g.epoch = ?3 AND g.agent_id = a.id
		LEFT JOIN parts p ON p.site_id = ?2 AND p.agent_id = a.id
		LEFT JOIN sites s ON s.id = ?2 LEFT JOIN data_keys k ON k.owner = ?2 WHERE a.id = ?1`, w.agentID, w.m.SiteID, w.m.Epoch).
		Scan(&revoked, &s.from, &s.until, &s.declared.epoch, &s.declared.revision, &w.first, &w.newOwner, &key)
	if err := admitted(revoked, err); err != nil {
		return s, err
	}
	w.boxed, err = w.r.vault.box(w.m.SiteID, key)
	return s, err
}

// granted refuses who may not speak for the site in this epoch. That its grant has
// ended does not stop a reply: it may be to the notice of that.
func (w *write) granted(s speaker) error {
	switch {
	case !s.from.Valid:
		return fmt.Errorf("%w in epoch %d", ingest.ErrNotGranted, w.m.Epoch)
	case ended(s.from.Int64, s.until.Int64, micros(w.at)) && !isReply(w.m.Body):
		return fmt.Errorf("%w any more: it ended on %s", ingest.ErrNotGranted, fromMicros(s.until.Int64).Format(time.RFC3339))
	}
	return nil
}

func isReply(b protocol.Body) bool {
	_, ok := b.(protocol.Reply)
	return ok
}

// note remembers that the message is recorded, and tells the change feed.
func (w *write) note(ctx context.Context, kind string, siteStays bool) error {
	at := micros(w.at)
	if err := w.exec(ctx, `INSERT INTO messages (id, site_id, agent_id, epoch, revision, kind, sha256, recorded_at, site_stays)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		w.m.ID, w.m.SiteID, w.agentID, w.m.Epoch, w.m.Revision, kind, w.sum[:], at, siteStays); err != nil {
		return err
	}
	if _, ok := w.m.Body.(protocol.Declaration); !ok { // of one, apply has noted it
		if err := w.exec(ctx, "UPDATE sites SET heard_at = ? WHERE id = ?", at, w.m.SiteID); err != nil {
			return err
		}
	}
	if err := w.exec(ctx, "UPDATE agents SET seen_at = ? WHERE id = ?", at, w.agentID); err != nil {
		return err
	}
	switch w.m.Body.(type) {
	case protocol.Health, protocol.Diagnosis: // nobody who searches is told of them
		return nil
	}
	return changed(ctx, w.tx, w.m.SiteID)
}

// order is the place of a message among those of its site and agent.
type order struct{ epoch, revision int64 }

func (o order) after(p order) bool {
	return o.epoch > p.epoch || o.epoch == p.epoch && o.revision > p.revision
}

func (w *write) order() order { return order{w.m.Epoch, w.m.Revision} }

func (w *write) stale(declared order) error {
	return fmt.Errorf("%w: epoch %d revision %d came after epoch %d revision %d",
		ingest.ErrStale, w.m.Epoch, w.m.Revision, declared.epoch, declared.revision)
}

// checkTimes refuses what an agent whose clock is far off would otherwise
// write into the history for good: a sample from the future would count as the
// newest for years.
func (w *write) checkTimes(granted time.Time) error {
	var errs protocol.FieldErrors
	latest := w.at.Add(clockTolerance)
	notLater := func(t time.Time, field string, index ...any) {
		if t.After(latest) {
			errs = append(errs, protocol.FieldError{Field: fmt.Sprintf(field, index...),
				Why: fmt.Sprintf("%s is in the future: check the clock of the computer", t.UTC().Format(time.RFC3339))})
		}
	}
	notLater(w.m.MadeAt, "made_at")
	if w.m.MadeAt.Before(granted.Add(-clockTolerance)) {
		errs = append(errs, protocol.FieldError{Field: "made_at", Why: fmt.Sprintf("%s is before the enrolment on %s: check the clock of the computer",
			w.m.MadeAt.UTC().Format(time.RFC3339), granted.Format(time.RFC3339))})
	}
	switch body := w.m.Body.(type) {
	case protocol.Declaration:
		for i, r := range body.Recorders {
			if r.Clock != nil {
				notLater(r.Clock.At, "recorders[%d].clock.at", i)
			}
		}
		for i, c := range body.Cameras {
			notLater(c.Retention.ObservedAt, "cameras[%d].retention.observed_at", i)
		}
	case protocol.Reply:
		notLater(body.At, "at")
	case protocol.Health:
		notLater(body.At, "at")
		notLater(body.SearchedAt, "searched_at")
	case protocol.Observation:
		for i, r := range body.Recorders {
			notLater(r.At, "recorders[%d].at", i)
			if r.Clock != nil {
				notLater(r.Clock.At, "recorders[%d].clock.at", i)
			}
		}
		for i, c := range body.Cameras {
			notLater(c.At, "cameras[%d].at", i)
			if c.Retention != nil {
				notLater(c.Retention.ObservedAt, "cameras[%d].retention.observed_at", i)
			}
		}
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}
