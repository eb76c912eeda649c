package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"anagrafe/protocol"
)

const (
	// mailLife is for how long a message is tried, unless it invites.
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

// Channel is a way to reach a person.
type Channel string

const (
	ChannelEmail Channel = "email"
	ChannelPEC   Channel = "pec" // certified mail, to an address of its own
	ChannelSMS   Channel = "sms" // to a mobile phone
)

// mailKind says what a message of the queue is.
type mailKind string

const (
	// mailMessage: that there is something to be read, and no more. All that wait
	// for one address are told by one.
	mailMessage mailKind = "message"
	mailLink    mailKind = "link"  // the same words, with a link of its own
	mailAlert   mailKind = "alert" // what is wrong with the reader's own recorders
	// mailInvitation invites a business: see waves.go. What it says is read when it
	// is sent.
	mailInvitation mailKind = "invitation"
)

// Mail is a message to be sent: the neutral one, that there is something to read, or an
// alert to a contact who asked for it.
type Mail struct {
	ID      string // UUID; the same at each try
	Channel Channel
	Address string // of e-mail, or a telephone number, as it was typed
	TakenAt time.Time
	Token   string     // of the link by which its reader accepts to be a contact; "": nothing waits for that
	Path    string     // where its link leads, below the public address; "": where Token says, or to the page of all sites
	News    *AlertNews // nil: the wording that all other messages have
	End     string     // token of the link by which its reader wants no more News
	// Invitation is what it invites to; nil: it is another message.
	Invitation *InvitationMail
}

// DueMail takes messages that are due at now, of these channels (none: all), for a sender
// that reports each with MailSent, MailFailed or MailUntried within ten minutes; after that another may
// take it. It looks at limit waiting messages at most, and merges equal ones to one address.
func (r *Registry) DueMail(ctx context.Context, now time.Time, limit int, channels ...Channel) (taken []Mail, err error) {
	now = exact(now)
	waiting := "ended_at IS NULL AND due_at <= ?" + ofChannels(channels) + " AND " + notHeld
	var due bool
	err = r.view(ctx, func(tx *tx) error { // most of the time nothing is: no write for it
		return tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM mail_queue WHERE "+waiting+")", micros(now)).Scan(&due)
	})
	if err == nil && due {
		err = r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
			taken, err = r.takeMail(ctx, tx, waiting, now, limit)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("take mail to send: %w", err)
	}
	return taken, nil
}

// notHeld is the condition of a message that is not of a wave that was paused.
const notHeld = `NOT (kind = 'invitation' AND EXISTS (SELECT 1 FROM invitations i JOIN waves w ON w.number = i.wave
	WHERE i.mail_id = mail_queue.id AND (w.paused_at IS NOT NULL OR w.cancelled_at IS NOT NULL)))`

// ofChannels is the end of a condition.
func ofChannels(channels []Channel) string {
	var all []string
	for _, c := range channels {
		all = append(all, "'"+string(c)+"'") // constants of this package
	}
	if len(all) == 0 {
		return ""
	}
	return " AND channel IN (" + strings.Join(all, ", ") + ")"
}

// waitingMail is a message of the queue that stands for its address.
type waitingMail struct {
	id, owner          string
	channel            Channel
	kind               mailKind
	hash, sealed, body []byte
}

func (r *Registry) takeMail(ctx context.Context, tx *tx, waiting string, now time.Time, limit int) (taken []Mail, err error) {
	var all []waitingMail
	seen := make(map[string]bool)
	err = each(ctx, tx, func(scan func(...any) error) error {
		var m waitingMail
		if err := scan(&m.id, &m.owner, &m.channel, &m.kind, &m.hash, &m.sealed, &m.body); err != nil {
			return err
		}
		if m.kind == mailMessage && seen[string(m.hash)] {
			return nil
		}
		seen[string(m.hash)] = seen[string(m.hash)] || m.kind == mailMessage
		all = append(all, m)
		return nil
	}, "SELECT id, owner, channel, kind, address_hash, address, body FROM mail_queue WHERE "+waiting+" ORDER BY due_at, id LIMIT ?", micros(now), limit)
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		m, err := r.takeOne(ctx, tx, w, now)
		if err != nil {
			return nil, err
		}
		if m.ID != "" {
			taken = append(taken, m)
		}
	}
	return taken, nil
}

// takeOne takes a message, or puts it off while its address is to be left alone.
func (r *Registry) takeOne(ctx context.Context, tx *tx, w waitingMail, now time.Time) (taken Mail, err error) {
	var until time.Time
	if w.kind == mailMessage {
		if until, err = mailWait(ctx, tx, w.hash, now); err != nil {
			return Mail{}, err
		}
	}
	tries := 0
	if until.IsZero() {
		tries, until = 1, now.Add(mailLease)
		if taken, err = r.openMail(ctx, tx, w, now); err != nil { // it does not keep back the others
			r.log.ErrorContext(ctx, "a message that waits cannot be read", "mail", w.id, "err", err)
			taken = Mail{}
		}
		taken.TakenAt = now
	}
	which, args := "id = ?3", []any{micros(until), tries, w.id}
	if w.kind == mailMessage {
		which, args = "address_hash = ?3 AND kind = 'message' AND ended_at IS NULL", []any{micros(until), tries, w.hash}
		if taken.ID != "" && w.channel != ChannelSMS {
			if taken.Token, err = r.linkToken(ctx, tx, w.hash); err != nil {
				return Mail{}, err
			}
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE mail_queue SET due_at = ?1, tries = tries + ?2 WHERE "+which, args...)
	return taken, err
}

// openMail opens what is sealed of a queued message.
func (r *Registry) openMail(ctx context.Context, tx *tx, w waitingMail, now time.Time) (Mail, error) {
	m := Mail{ID: w.id, Channel: w.channel}
	b, err := r.vault.boxOf(ctx, tx, w.owner)
	if err == nil && b == nil {
		err = errDestroyed
	}
	if err != nil {
		return m, err
	}
	address, err := b.open(mailAddress(w.id), w.sealed)
	if err != nil {
		return m, err
	}
	m.Address = string(address)
	if w.kind == mailInvitation {
		return r.openInvitation(ctx, tx, m, w.owner, now)
	}
	if w.body == nil {
		return m, nil
	}
	body, err := b.open(mailBody(w.id), w.body)
	if err != nil {
		return m, err
	}
	switch w.kind {
	case mailLink:
		m.Path = string(body)
	case mailAlert:
		hash := r.addressHash(m.Address)
		m.News, m.End = new(AlertNews), r.alertToken(w.owner, hash[:])
		err = json.Unmarshal(body, m.News)
	}
	return m, err
}

// openInvitation adds what an invitation says. One whose code is used, or has ended,
// is not sent any more.
func (r *Registry) openInvitation(ctx context.Context, tx *tx, m Mail, siteID string, now time.Time) (Mail, error) {
	says, open, err := r.invitation(ctx, tx, siteID, now)
	if err == nil && !open {
		_, err = tx.ExecContext(ctx, "DELETE FROM mail_queue WHERE id = ?", m.ID)
		m.ID = ""
	}
	m.Invitation = &says
	return m, err
}

// mailWait tells until when an address is to be left alone; zero: it is not.
func mailWait(ctx context.Context, tx *tx, hash []byte, now time.Time) (time.Time, error) {
	var sent []time.Time // the oldest first
	err := each(ctx, tx, func(scan func(...any) error) error {
		var at int64
		err := scan(&at)
		sent = append(sent, fromMicros(at))
		return err
	}, "SELECT DISTINCT ended_at FROM mail_queue WHERE address_hash = ? AND kind = 'message' AND outcome IN ('sent', 'delivered') AND ended_at > ? ORDER BY ended_at",
		hash, micros(now.Add(-24*time.Hour)))
	if err != nil || len(sent) == 0 {
		return time.Time{}, err
	}
	var until time.Time
	if len(sent) >= mailADay {
		until = sent[len(sent)-mailADay].Add(24 * time.Hour)
	}
	if until = protocol.Later(until, sent[len(sent)-1].Add(mailPause)); until.After(now) {
		return until, nil
	}
	return time.Time{}, nil
}
