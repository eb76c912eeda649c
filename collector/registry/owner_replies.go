package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"anagrafe/protocol"
)

// ErrUnknownNotice is returned for a request that the site was not sent, or whose
// content was deleted.
var ErrUnknownNotice = errors.New("this site was sent no such request")

// shownToOwner is the condition of the requests n that a site's public page shows:
// until what they say is deleted, 30 days after they are closed.
const shownToOwner = "n.kind = 'preserve' AND n.body IS NOT NULL AND NOT n.by_phone AND n.site_id = ?1"

// OwnAsked is a request as the site's public page shows it, with what is known now
// of the cameras.
type OwnAsked struct {
	Asked
	Draft
}

// AskedOf lists the requests that a site was sent, the newest first, for who has
// its code.
func (r *Registry) AskedOf(ctx context.Context, siteID string) ([]OwnAsked, error) {
	all, err := r.asked(ctx, shownToOwner+" ORDER BY n.number DESC LIMIT ?2", siteID, maxWaiting)
	own := make([]OwnAsked, len(all))
	for i, a := range all {
		p, _ := a.Notice.Body.(protocol.Preserve)
		own[i].Asked = a
		if err == nil {
			own[i].Draft, err = r.draft(ctx, Draft{NoticeID: a.Notice.ID, SiteID: siteID, At: a.Notice.At, Asked: p}, r.now())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list what site %s was asked: %w", siteID, err)
	}
	return own, nil
}

// ReplyAsOwner records how far a request has come, as the owner states on the site's
// public page: ErrUnknownNotice where that shows none with this id. It is ReplySeen,
// or a person's word; of one state the first "seen" stands, and the last word.
func (r *Registry) ReplyAsOwner(ctx context.Context, siteID string, p protocol.Reply) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		var closed bool
		err := tx.QueryRowContext(ctx, "SELECT n.closed_at IS NOT NULL FROM notices n WHERE "+shownToOwner+" AND n.id = ?2", siteID, p.NoticeID).Scan(&closed)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrUnknownNotice
		}
		if err != nil {
			return err
		}
		if err := r.putOwnerReply(ctx, tx, p); err != nil || closed || !closes(protocol.NoticePreserve, p.State) {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE notices SET closed_at = ? WHERE id = ?", micros(exact(p.At)), p.NoticeID)
		return err
	})
	if err != nil {
		return fmt.Errorf("record the answer of site %s: %w", siteID, err)
	}
	return nil
}

func (r *Registry) putOwnerReply(ctx context.Context, tx *tx, p protocol.Reply) error {
	if p.State == protocol.ReplySeen {
		_, err := tx.ExecContext(ctx, "INSERT INTO owner_replies (notice_id, state, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			p.NoticeID, string(p.State), micros(exact(p.At)))
		return err
	}
	plain, err := json.Marshal(replyBody{p.By, p.Note})
	if err != nil {
		return err
	}
	secret, err := r.seal(plain)
	if err != nil {
		return err
	}
	b, err := r.vault.makeBox(ctx, tx, ownerNotice, p.NoticeID)
	if err != nil {
		return err
	}
	body, err := b.seal(ownerReplyPlace(string(p.State)), secret)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO owner_replies (notice_id, state, at, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (notice_id, state) DO UPDATE SET at = excluded.at, body = excluded.body`, p.NoticeID, string(p.State), micros(exact(p.At)), body)
	return err
}

// Checked is the minimum that confirms a genuine request to the holder of its code. It
// names no site, no case and no officer: anybody may have seen the code.
type Checked struct {
	Force    string
	Kind     protocol.RequestKind
	At       time.Time         // when it was sent
	Category protocol.Category // of the site that it went to
	Closed   bool              // nothing more is expected of the owner
}

// CheckRequest finds the request that a code was given for. false: none, or one
// that was closed more than 30 days ago, or whose site was withdrawn.
func (r *Registry) CheckRequest(ctx context.Context, code protocol.Code) (c Checked, ok bool, err error) {
	sum := checkHash(code.String())
	err = r.view(ctx, func(tx *tx) error {
		var id string
		var at int64
		var key, body []byte
		err := tx.QueryRowContext(ctx, `SELECT n.id, n.at, `+noticeKey+`, n.body, coalesce(n.force, ''), s.category, n.closed_at IS NOT NULL
			FROM notices n JOIN sites s ON s.id = n.site_id WHERE n.check_hash = ? AND n.kind = 'preserve' AND n.body IS NOT NULL`, sum[:]).
			Scan(&id, &at, &key, &body, &c.Force, &c.Category, &c.Closed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		said, err := r.noticeBody(id, protocol.NoticePreserve, key, body)
		if p, is := said.(protocol.Preserve); is {
			c.Kind, c.At, ok = p.Kind, fromMicros(at), true
		}
		return err
	})
	if err != nil {
		return Checked{}, false, fmt.Errorf("check the code of a request: %w", err)
	}
	return c, ok, nil
}
