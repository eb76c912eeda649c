package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"anagrafe/protocol"
)

// replyBody is what a person said, sealed.
type replyBody struct {
	By   string `json:"by"`
	Note string `json:"note,omitempty"`
}

// reply records how far a notice has come. Like an observation it may be late:
// also after the notice was closed, or the site withdrawn; then what it says is
// not kept, only that it came.
func (w *write) reply(ctx context.Context, p protocol.Reply) error {
	var kind protocol.NoticeKind
	var closed, kept bool
	err := w.tx.QueryRowContext(ctx, "SELECT kind, closed_at IS NOT NULL, body IS NOT NULL FROM notices WHERE id = ? AND site_id = ?",
		p.NoticeID, w.m.SiteID).Scan(&kind, &closed, &kept)
	if errors.Is(err, sql.ErrNoRows) {
		return protocol.FieldErrors{{Field: "notice_id", Why: "this site was given no such notice"}}
	}
	if err != nil {
		return err
	}
	var body []byte
	if kept && (p.By != "" || p.Note != "") {
		plain, err := json.Marshal(replyBody{p.By, p.Note})
		if err != nil {
			return err
		}
		if body, err = w.sealReply(ctx, p, plain); err != nil {
			return err
		}
	}
	// Of one state the first "received" and "seen" stand, and of the others the last, by
	// the sender's clock: an old message that comes again changes nothing.
	if err := w.exec(ctx, `INSERT INTO notice_replies (notice_id, agent_id, state, at, recorded_at, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (notice_id, agent_id, state) DO UPDATE SET at = excluded.at, recorded_at = excluded.recorded_at, body = excluded.body
		WHERE excluded.at > notice_replies.at AND excluded.state NOT IN ('received', 'seen')`, p.NoticeID, w.agentID, string(p.State), micros(exact(p.At)), micros(w.at), body); err != nil {
		return err
	}
	if closed || !closes(kind, p.State) {
		return nil
	}
	return w.exec(ctx, "UPDATE notices SET closed_at = ? WHERE id = ?", micros(w.at), p.NoticeID)
}

// sealReply seals what a person said as the notice itself is sealed.
func (w *write) sealReply(ctx context.Context, p protocol.Reply, plain []byte) ([]byte, error) {
	secret, err := w.r.seal(plain)
	if err != nil {
		return nil, err
	}
	b, err := w.r.vault.makeBox(ctx, w.tx, ownerNotice, p.NoticeID)
	if err != nil {
		return nil, err
	}
	return b.seal(replyBodyPlace(w.agentID, string(p.State)), secret)
}

// closes reports whether nothing more is expected after a reply. "Call me" waits
// for what the call brings; a site's change goes to each of its agents.
func closes(kind protocol.NoticeKind, state protocol.ReplyState) bool {
	switch state {
	case protocol.ReplyCopied, protocol.ReplyTooLate, protocol.ReplyRefused:
		return true
	case protocol.ReplySeen:
		return kind == protocol.NoticeReminder
	}
	return false
}

// dropNotices closes the notices of a site that is withdrawn, and deletes what
// they and the replies to them say.
func (w *write) dropNotices(ctx context.Context) error {
	if err := w.r.vault.destroyNotices(ctx, w.tx, "site_id = ?", w.m.SiteID); err != nil {
		return err
	}
	if err := w.exec(ctx, "UPDATE notices SET closed_at = coalesce(closed_at, ?), check_hash = NULL, body = NULL WHERE site_id = ?",
		micros(w.at), w.m.SiteID); err != nil {
		return err
	}
	return forgetReplies(ctx, w.tx, "site_id = ?", w.m.SiteID)
}

// forgetReplies deletes what was said in answer to the notices that a condition
// names.
func forgetReplies(ctx context.Context, tx *tx, condition string, args ...any) error {
	for _, table := range []string{"notice_replies", "owner_replies"} {
		if _, err := tx.ExecContext(ctx, "UPDATE "+table+" SET body = NULL WHERE body IS NOT NULL AND notice_id IN (SELECT id FROM notices WHERE "+condition+")", args...); err != nil {
			return err
		}
	}
	return nil
}

// CloseNotices closes the notices that are of no use any more at the time, and
// deletes what was said in those that were closed 30 days before it.
func (r *Registry) CloseNotices(ctx context.Context, now time.Time) error {
	return r.update(ctx, func(ctx context.Context, tx *tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE notices SET closed_at = expires_at WHERE closed_at IS NULL AND expires_at <= ?", micros(now)); err != nil {
			return err
		}
		old := micros(now.Add(-noticeKept))
		if err := r.vault.destroyNotices(ctx, tx, "closed_at <= ?", old); err != nil {
			return err
		}
		if err := forgetReplies(ctx, tx, "body IS NOT NULL AND closed_at <= ?", old); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE notices SET check_hash = NULL, body = NULL WHERE body IS NOT NULL AND closed_at <= ?", old)
		return err
	})
}
