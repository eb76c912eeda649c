package inventory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"anagrafe/protocol"
)

// maxStrange is how many notices of unknown sites are known not to be logged again.
const maxStrange = 256

// Notice is what the collector handed down, and how far it has come here.
type Notice struct {
	ID         string              `json:"id"`
	SiteID     string              `json:"site_id"`
	Kind       protocol.NoticeKind `json:"kind"`
	At         time.Time           `json:"at"` // made by the collector
	ReceivedAt time.Time           `json:"received_at"`
	SeenAt     time.Time           `json:"seen_at,omitzero"`    // first opened by a person; zero: new
	PresentAt  time.Time           `json:"present_at,omitzero"` // when a look found the footage still there
	AbsentAt   time.Time           `json:"absent_at,omitzero"`  // when all of it was found to be gone
	Checked    []Check             `json:"checked,omitempty"`   // what the recorders said when the owner had them asked
	Answer     protocol.ReplyState `json:"answer,omitempty"`    // of a person, the last one
	AnsweredAt time.Time           `json:"answered_at,omitzero"`
	AnsweredBy string              `json:"answered_by,omitempty"`
	Note       string              `json:"note,omitempty"`
	ClosedAt   time.Time           `json:"closed_at,omitzero"`
	Left       bool                `json:"left,omitempty"` // the site has left the register: no answer reaches it any more

	// Body is a protocol.Preserve, SiteChange, Reminder or Letter; nil once its content
	// has been deleted.
	Body protocol.NoticeBody `json:"body,omitempty"`
}

// ErrClosed is wrapped, with the reason, when a notice can no longer be answered.
var ErrClosed = errors.New("this notice can no longer be answered here")

// noticeKept is how long the content of a notice stays after it was closed.
// One that nobody ever answered is closed protocol.NoticeLife after
// it was received: until then those who asked wait for a word.
const noticeKept = 30 * 24 * time.Hour

// KeepNotice keeps what the collector handed down and queues the word that it
// was received, in one transaction: when it returns nil, the notice is durably
// here. The same one again is not shown again. One of a site that is not known
// here is logged once and not kept.
func (v *Inventory) KeepNotice(ctx context.Context, n protocol.Notice) error {
	queued := false
	err := v.write(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		s := b.site(n.SiteID)
		if s == nil {
			if !slices.Contains(v.strange, n.ID) { // it comes again every few minutes
				v.strange = append(v.strange[max(0, len(v.strange)+1-maxStrange):], n.ID)
				v.log.WarnContext(ctx, "a notice for a site that is not known here was not kept", "notice", n.ID, "site", n.SiteID)
			}
			return nil
		}
		body, err := jsonText(n.Body)
		if err != nil {
			return err
		}
		now := v.now()
		done, err := tx.ExecContext(ctx, `INSERT INTO notice (id, site_id, kind, at, body, received, seen, present, answer, answered, answered_by, note, closed)
			VALUES (?, ?, ?, ?, ?, ?, 0, 0, '', 0, '', '', 0) ON CONFLICT (id) DO NOTHING`,
			n.ID, n.SiteID, n.Body.NoticeKind(), micros(n.At), body, micros(now))
		if err != nil {
			return err
		}
		if rows, err := done.RowsAffected(); err != nil || rows == 0 {
			if err == nil {
				queued, err = v.replyAgain(ctx, tx, s, n.ID)
			}
			return err
		}
		if change, ok := n.Body.(protocol.SiteChange); ok {
			if err := v.siteChanged(ctx, tx, b, s, change); err != nil {
				return err
			}
			if change.State == protocol.SiteWithdrawn && change.At.Before(s.From) && !s.declaredBefore(change.At) {
				// Of what was before this computer's time: no news to anybody here.
				if _, err := tx.ExecContext(ctx, `UPDATE notice SET seen = received, closed = received WHERE id = ?`, n.ID); err != nil {
					return err
				}
			}
		}
		queued = true
		return v.enqueue(ctx, tx, s, protocol.Reply{NoticeID: n.ID, State: protocol.ReplyReceived, At: now.UTC()}, false)
	})
	if err != nil {
		return fmt.Errorf("keep notice %s: %w", n.ID, err)
	}
	if queued {
		v.signal()
	}
	return nil
}

// replyAgain says once more how far a notice has come here, when it is handed down
// again: the collector has no word of it, whatever it acknowledged. It takes none
// of an identity that this computer lost, or of a grant before the present one,
// and forgets those that it took when it is set back. So only what is still on its
// way counts as said.
func (v *Inventory) replyAgain(ctx context.Context, tx *sql.Tx, s *site, id string) (queued bool, err error) {
	said := map[protocol.ReplyState]bool{}
	err = each(ctx, tx, `SELECT body FROM message WHERE site_id = ? AND kind = 'reply' AND state = 'waiting'`, func(rows *sql.Rows) error {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return err
		}
		m, err := protocol.Decode(body)
		r, _ := m.Body.(protocol.Reply)
		if r.NoticeID == id && m.Epoch == s.Epoch {
			said[r.State] = true
		}
		return err
	}, s.SiteID)
	if err != nil {
		return false, err
	}
	n, err := oneNotice(ctx, tx, id)
	if err != nil {
		return false, err
	}
	again := []protocol.Reply{{NoticeID: id, State: protocol.ReplyReceived, At: n.ReceivedAt}}
	if !n.SeenAt.IsZero() {
		again = append(again, protocol.Reply{NoticeID: id, State: protocol.ReplySeen, At: n.SeenAt})
	}
	if !n.PresentAt.IsZero() {
		again = append(again, protocol.Reply{NoticeID: id, State: protocol.ReplyPresent, At: n.PresentAt})
	}
	if !n.AbsentAt.IsZero() {
		again = append(again, protocol.Reply{NoticeID: id, State: protocol.ReplyAbsent, At: n.AbsentAt})
	}
	if n.AnsweredBy != "" { // it is deleted after its term, and no answer is one without it
		again = append(again, protocol.Reply{NoticeID: id, State: n.Answer, At: n.AnsweredAt, By: n.AnsweredBy, Note: n.Note})
	}
	for _, r := range again {
		if said[r.State] {
			continue
		}
		if err := v.enqueue(ctx, tx, s, r, false); err != nil {
			return false, err
		}
		queued = true
	}
	return queued, nil
}

// siteChanged follows what was decided about the site elsewhere. What is older
// than the last change is shown and changes nothing. A suspension holds for who
// was enrolled after it, too. A withdrawal from before the enrolment that this
// computer has now ended such a suspension, and what was declared before it, also
// if this computer was enrolled anew before it heard of it; nothing else.
func (v *Inventory) siteChanged(ctx context.Context, tx *sql.Tx, b *book, s *site, change protocol.SiteChange) error {
	if change.At.Before(s.stateAt) {
		return nil
	}
	state := change.State
	before := state == protocol.SiteWithdrawn && change.At.Before(s.From)
	if state == protocol.SiteResumed || before {
		state = ""
	}
	if err := setState(ctx, tx, s, state, change.At, time.Time{}); err != nil {
		return err
	}
	if state != protocol.SiteWithdrawn && !(before && s.declaredBefore(change.At)) {
		return nil
	}
	return v.withdrawnElsewhere(ctx, tx, b, s, change.At)
}

// declaredBefore reports whether what stands here as declared was, under an earlier
// grant, before that time.
func (s *site) declaredBefore(t time.Time) bool {
	return s.declared != nil && !s.before.IsZero() && s.before.Before(t)
}

// withdrawnElsewhere closes a site as WithdrawSite does, but sends no
// withdrawal. What still waits could only be refused, but for the replies.
func (v *Inventory) withdrawnElsewhere(ctx context.Context, tx *sql.Tx, b *book, s *site, at time.Time) error {
	for _, query := range []string{
		`UPDATE message SET state = 'rejected', why = 'not-granted: the site was withdrawn with the owner''s link, or by another computer'
			WHERE site_id = ? AND state = 'waiting' AND kind <> 'reply'`,
		`UPDATE site SET ended = coalesce((SELECT max(seq) FROM message WHERE site_id = site.id), 0) WHERE id = ?`,
	} {
		if _, err := tx.ExecContext(ctx, query, s.SiteID); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE notice SET closed = ? WHERE site_id = ? AND closed = 0 AND kind = 'preserve'`, micros(v.now()), s.SiteID); err != nil {
		return err
	}
	s.left = true
	return v.closeSite(ctx, tx, b, s, protocol.Approval{At: at})
}

// Notices lists what was handed down, newest first.
func (v *Inventory) Notices(ctx context.Context) (all []Notice, err error) {
	err = v.read(ctx, func(tx *sql.Tx) (err error) {
		all, err = notices(ctx, tx, `1 ORDER BY received DESC, id`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the notices: %w", err)
	}
	return all, nil
}

// NewNotices counts those that nobody has opened yet.
func (v *Inventory) NewNotices(ctx context.Context) (n int, err error) {
	err = v.reader.QueryRowContext(ctx, `SELECT count(*) FROM notice WHERE seen = 0 AND body IS NOT NULL`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the notices: %w", err)
	}
	return n, nil
}

// Notice returns one, without marking it as seen.
func (v *Inventory) Notice(ctx context.Context, id string) (n Notice, err error) {
	err = v.read(ctx, func(tx *sql.Tx) (err error) {
		n, err = oneNotice(ctx, tx, id)
		return err
	})
	if err != nil {
		return Notice{}, fmt.Errorf("notice %q: %w", id, err)
	}
	return n, nil
}

// SeeNotice gives one to a person who has opened it. The first time it queues,
// in the same transaction as the mark, the word that it was seen.
func (v *Inventory) SeeNotice(ctx context.Context, id string) (n Notice, err error) {
	first := false
	err = v.write(ctx, func(tx *sql.Tx) (err error) {
		if n, err = oneNotice(ctx, tx, id); err != nil || !n.SeenAt.IsZero() || n.Body == nil {
			return err
		}
		first, n.SeenAt = true, v.now().UTC()
		if n.Kind != protocol.NoticePreserve && n.ClosedAt.IsZero() {
			n.ClosedAt = n.SeenAt // nothing more is asked
		}
		if _, err := tx.ExecContext(ctx, `UPDATE notice SET seen = ?, closed = ? WHERE id = ?`, micros(n.SeenAt), micros(n.ClosedAt), id); err != nil {
			return err
		}
		return v.reply(ctx, tx, n, protocol.Reply{NoticeID: id, State: protocol.ReplySeen, At: n.SeenAt})
	})
	if err != nil {
		return Notice{}, fmt.Errorf("open notice %q: %w", id, err)
	}
	if first {
		v.signal()
	}
	return n, nil
}

// AnswerNotice stores a person's answer to a request to preserve and queues it; the
// answer counts as seen. A later one replaces it, until the content is deleted. r has
// State (copied, cannot, too-late or refused), By and Note; wrong ones are
// protocol.FieldErrors.
func (v *Inventory) AnswerNotice(ctx context.Context, id string, r protocol.Reply) error {
	r.NoticeID, r.At, r.By, r.Note = id, v.now().UTC(), oneLine(r.By), oneLine(r.Note)
	err := v.write(ctx, func(tx *sql.Tx) error {
		n, err := oneNotice(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case n.Kind != protocol.NoticePreserve:
			return fmt.Errorf("%w: it asks nothing", ErrClosed)
		case n.Body == nil:
			return fmt.Errorf("%w: it was closed %d days ago", ErrClosed, int(noticeKept/(24*time.Hour)))
		case n.Left:
			return fmt.Errorf("%w: the site has left the register; call the number in the notice", ErrClosed)
		}
		if err := v.checkAnswer(r); err != nil {
			return err
		}
		if n.SeenAt.IsZero() { // answered from the list
			if _, err := tx.ExecContext(ctx, `UPDATE notice SET seen = ? WHERE id = ?`, micros(r.At), id); err != nil {
				return err
			}
			if err := v.reply(ctx, tx, n, protocol.Reply{NoticeID: id, State: protocol.ReplySeen, At: r.At}); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE notice SET answer = ?1, answered = ?2, answered_by = ?3, note = ?4, closed = ?2 WHERE id = ?5`,
			r.State, micros(r.At), r.By, r.Note, id)
		if err != nil {
			return err
		}
		return v.reply(ctx, tx, n, r)
	})
	if err != nil {
		return fmt.Errorf("answer notice %q: %w", id, err)
	}
	v.signal()
	return nil
}

// checkAnswer refuses what is no person's answer, and asks protocol for the rest.
func (v *Inventory) checkAnswer(r protocol.Reply) error {
	switch r.State {
	case protocol.ReplyCopied, protocol.ReplyCannot, protocol.ReplyTooLate, protocol.ReplyRefused:
	default:
		return protocol.FieldErrors{{Field: "state", Why: "is none of copied, cannot, too-late, refused"}}
	}
	return protocol.Message{ID: r.NoticeID, SiteID: r.NoticeID, Epoch: 1, Revision: 1, MadeAt: r.At, Body: r}.Validate()
}

// reply queues a reply, unless the site has left the register, which then takes
// none.
func (v *Inventory) reply(ctx context.Context, tx *sql.Tx, n Notice, r protocol.Reply) error {
	b := &book{}
	if err := b.loadSites(ctx, tx); err != nil {
		return err
	}
	if s := b.site(n.SiteID); s != nil && !s.left {
		return v.enqueue(ctx, tx, s, r, false)
	}
	return nil
}

func oneNotice(ctx context.Context, tx *sql.Tx, id string) (Notice, error) {
	all, err := notices(ctx, tx, `id = ?`, id)
	if err != nil || len(all) == 0 {
		return Notice{}, errors.Join(err, ErrUnknown)
	}
	return all[0], nil
}

// notices reads those that the SQL condition picks.
func notices(ctx context.Context, tx *sql.Tx, where string, args ...any) (all []Notice, err error) {
	err = each(ctx, tx, `SELECT id, site_id, kind, at, body, received, seen, present, answer, answered, answered_by, note, closed, absent, checked
		FROM notice WHERE `+where, func(rows *sql.Rows) error {
		var n Notice
		var body []byte
		err := rows.Scan(&n.ID, &n.SiteID, &n.Kind, asTime{&n.At}, &body, asTime{&n.ReceivedAt}, asTime{&n.SeenAt}, asTime{&n.PresentAt},
			&n.Answer, asTime{&n.AnsweredAt}, &n.AnsweredBy, &n.Note, asTime{&n.ClosedAt}, asTime{&n.AbsentAt}, asJSON{&n.Checked})
		if err == nil && body != nil {
			n.Body, err = protocol.DecodeNotice(n.Kind, body)
		}
		if err != nil {
			return err
		}
		all = append(all, n)
		return nil
	}, args...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	b := &book{}
	if err := b.loadSites(ctx, tx); err != nil {
		return nil, err
	}
	for i := range all {
		s := b.site(all[i].SiteID)
		all[i].Left = s != nil && s.left
	}
	return all, nil
}
