package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// Whom messages are for, and on which way.

// ErrTooMuchMail is returned for a link to an address that got so many in a day
// already, so that typing other people's addresses into a form does not fill their mailboxes.
var ErrTooMuchMail = errors.New("this address got too many messages today")

// way is how a contact is reached: by e-mail, else by PEC, else by SMS; "" not at
// all.
func (r *Registry) way(c protocol.Contact) (Channel, string) {
	switch {
	case c.Email != "":
		return ChannelEmail, c.Email
	case c.PEC != "":
		return ChannelPEC, c.PEC
	case r.sms && MobilePhone(c.Phone) != "":
		return ChannelSMS, c.Phone
	}
	return "", ""
}

// MobilePhone is a number as E.164 writes it; "" for what is none, and for an
// Italian number that is no mobile phone's: those begin with a 3.
func MobilePhone(typed string) string {
	n := normalPhone(typed)
	if rest, ok := strings.CutPrefix(n, italy); ok && (!strings.HasPrefix(rest, "3") || len(rest) < 9 || len(rest) > 10) {
		return ""
	}
	if len(n) < len("+12345678") {
		return ""
	}
	return n
}

// queueMail queues the neutral message for each contact of a site that can be written to.
// A contact with a message waiting, or whose address was refused since it was last
// confirmed, gets none.
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
		if channel, address := r.way(c); channel != "" {
			if err := r.queueMailTo(ctx, tx, b, siteID, channel, address, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// queueMailTo is queueMail for one address.
func (r *Registry) queueMailTo(ctx context.Context, tx *tx, b *box, siteID string, channel Channel, address string, at time.Time) error {
	hash := r.addressHash(address)
	var told bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM mail_queue WHERE owner = ?1 AND address_hash = ?2 AND kind = 'message' AND ended_at IS NULL)
		OR EXISTS (SELECT 1 FROM bounces WHERE site_id = ?1 AND address_hash = ?2)`, siteID, hash[:]).Scan(&told); err != nil || told {
		return err
	}
	_, err := r.queueOne(ctx, tx, b, outgoing{owner: siteID, channel: channel, kind: mailMessage, address: address, at: at})
	return err
}

// QueueLink queues the neutral message with a link of its own: path, below the public
// address, e.g. to prove that somebody reads the address that they typed. It is sealed with the data key of owner, which must have one, and goes with
// it. The error may be ErrTooMuchMail.
func (r *Registry) QueueLink(ctx context.Context, owner string, channel Channel, address, path string, at time.Time) (id string, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		b, err := r.vault.boxOf(ctx, tx, owner)
		if err == nil && b == nil {
			err = errDestroyed
		}
		if err == nil {
			id, err = r.queueLink(ctx, tx, b, owner, channel, address, path, exact(at))
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("queue a link for %s: %w", owner, err) // without the address
	}
	return id, nil
}

// queueLink is QueueLink within a write, with the owner's data key.
func (r *Registry) queueLink(ctx context.Context, tx *tx, b *box, owner string, channel Channel, address, path string, at time.Time) (id string, err error) {
	hash := r.addressHash(address)
	var today int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM mail_queue WHERE address_hash = ? AND kind = 'link' AND queued_at > ?", hash[:], micros(at.Add(-24*time.Hour))).Scan(&today); err != nil {
		return "", err
	}
	if today >= mailADay {
		return "", ErrTooMuchMail
	}
	return r.queueOne(ctx, tx, b, outgoing{owner: owner, channel: channel, kind: mailLink, address: address, body: []byte(path), at: at})
}

// outgoing is a message to be queued.
type outgoing struct {
	owner   string
	channel Channel
	kind    mailKind
	address string
	body    []byte    // to be sealed; nil: none
	at, due time.Time // due: zero is at
}

func (r *Registry) queueOne(ctx context.Context, tx *tx, b *box, q outgoing) (id string, err error) {
	id = uuid.NewString()
	address, err := b.seal(mailAddress(id), []byte(q.address))
	if err != nil {
		return "", err
	}
	var body []byte
	if q.body != nil {
		if body, err = b.seal(mailBody(id), q.body); err != nil {
			return "", err
		}
	}
	if q.due.IsZero() {
		q.due = q.at
	}
	hash := r.addressHash(q.address)
	_, err = tx.ExecContext(ctx, "INSERT INTO mail_queue (id, owner, channel, kind, address, address_hash, body, queued_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		id, q.owner, string(q.channel), string(q.kind), address, hash[:], body, micros(q.at), micros(q.due))
	return id, err
}

// addressHash is by what messages to one address are known; it is that by which
// its sites are looked up.
func (r *Registry) addressHash(address string) [32]byte {
	hash, _ := lookupHash(r.vault.lookup, address)
	return hash
}
