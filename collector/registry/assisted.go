package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"anagrafe/protocol"
)

// An assisted entry is a submission that the Comune's office types for an owner who
// calls, sends paper or comes. Its operator reads it while typing it, for assistedDraft,
// and never again: it is sent to its owner, who opens it with a code, corrects and
// confirms it, or refuses it. Until then it is no part of the register, as any
// submission is. What stays of it for its operator is a line without a word of what was
// typed (assisted_list.go).

const (
	// assistedDraft is how long an operator may type one, from its beginning.
	assistedDraft = 2 * time.Hour
	// assistedKept is how long it is known that there was one.
	assistedKept = 365 * 24 * time.Hour
	// MaxSendings is how often one is sent: its owner is not pressed.
	MaxSendings = 3
)

// Medium is how an owner dictated the entry to the office.
type Medium string

const (
	byTelephone Medium = "telephone"
	onPaper     Medium = "paper"
	atTheDesk   Medium = "desk"
)

// Media are all of them.
var Media = []Medium{byTelephone, onPaper, atTheDesk}

// What cannot be done with an assisted entry.
var (
	// ErrUnknownAssisted: it is not there, has ended, or is another operator's.
	ErrUnknownAssisted = errors.New("assisted entry not known")
	// ErrSentOften: it was sent MaxSendings times.
	ErrSentOften = errors.New("the assisted entry was sent too often")
)

// Assisted is the extra state of a dictated submission.
type Assisted struct {
	Operator         string // user id
	Medium           Medium
	Channel          Channel // e-mail, SMS or letter; "": not sent yet
	BegunAt          time.Time
	SentAt, OpenedAt time.Time // the last, the first time; zero: not yet
	Sendings         int
	EndsAt           time.Time // it is deleted then, unless it was confirmed
}

// Sending is an assisted entry on its way to its owner. Code opens it. Name and
// Address are those of the letter, of the first sending alone: what an operator typed is
// not read again.
type Sending struct {
	Code          protocol.Code
	Channel       Channel
	Until         time.Time
	Name, Address string
}

func assistedOf(ctx context.Context, tx *tx, id string) (*Assisted, error) {
	var a Assisted
	var begun, sent, opened, ends int64
	err := tx.QueryRowContext(ctx, "SELECT operator, medium, coalesce(channel, ''), begun_at, coalesce(sent_at, 0), coalesce(opened_at, 0), sendings, ends_at FROM assisted WHERE id = ?", id).
		Scan(&a.Operator, &a.Medium, &a.Channel, &begun, &sent, &opened, &a.Sendings, &ends)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	a.BegunAt, a.SentAt, a.OpenedAt, a.EndsAt = fromMicros(begun), fromMicros(sent), fromMicros(opened), fromMicros(ends)
	return &a, err
}

// BeginAssisted keeps a new, empty one that an operator will type, with a new UUID.
func (r *Registry) BeginAssisted(ctx context.Context, id, operator string, m Medium, at time.Time) error {
	at = exact(at)
	err := r.beginSubmission(ctx, id, Submission{}, at, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO assisted (id, operator, medium, begun_at, ends_at) VALUES (?, ?, ?, ?, ?)",
			id, operator, string(m), micros(at), micros(at.Add(assistedDraft)))
		return err
	})
	if err != nil {
		return fmt.Errorf("begin an assisted entry: %w", err)
	}
	return nil
}

// assistedCode opens an assisted entry. It is derived, and each sending has its own.
func (r *Registry) assistedCode(id string, sending int) protocol.Code {
	sum := r.ownerMAC("assisted", fmt.Sprint(id, "\x00", sending))
	return protocol.CodeOf([protocol.CodeBytes]byte(sum[:protocol.CodeBytes]))
}

func (r *Registry) assistedHash(code protocol.Code) []byte {
	sum := r.ownerMAC("assisted look-up", code.String())
	return sum[:]
}

// AssistedChannels are the ways to the owner of a submission.
func (r *Registry) AssistedChannels(s Submission) (all []Channel) {
	for _, c := range []Channel{ChannelEmail, ChannelSMS, ChannelLetter} {
		if _, ok := r.assistedAddress(s, c); ok {
			all = append(all, c)
		}
	}
	return all
}

// assistedAddress is where a way leads; "" of a letter.
func (r *Registry) assistedAddress(s Submission, c Channel) (address string, ok bool) {
	switch {
	case c == ChannelEmail:
		return s.Email(), s.Email() != ""
	case c == ChannelSMS && r.sms:
		return s.mobile(), s.mobile() != ""
	case c == ChannelLetter:
		return "", s.Site.Address != "" && len(s.Contacts) > 0
	}
	return "", false
}

// SendAssisted sends what an operator has typed to its owner: a message with the link
// path/CODE, or a letter's code. No browser has it open from now on. Its owner has as
// long as for any code. ErrUnknownAssisted, errNoAddress, ErrTooMuchMail.
func (r *Registry) SendAssisted(ctx context.Context, id, operator string, c Channel, path string, at time.Time) (Sending, error) {
	return r.sendAssisted(ctx, id, operator, c, path, at)
}

// SendAssistedAgain sends one that was sent and not confirmed once more, the same way,
// with another code. ErrSentOften, and the errors of SendAssisted.
func (r *Registry) SendAssistedAgain(ctx context.Context, id, operator, path string, at time.Time) (Sending, error) {
	return r.sendAssisted(ctx, id, operator, "", path, at)
}

// sendAssisted sends one by a channel; "": again.
func (r *Registry) sendAssisted(ctx context.Context, id, operator string, c Channel, path string, at time.Time) (sent Sending, err error) {
	at = exact(at)
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		if err := openAssisted(ctx, tx, id, operator, at); err != nil {
			return err
		}
		s, b, err := r.submission(ctx, tx, id)
		if err != nil {
			return err
		}
		again := c == ""
		switch {
		case again == s.Assisted.SentAt.IsZero():
			return ErrUnknownAssisted
		case again && s.Assisted.Sendings >= MaxSendings:
			return ErrSentOften
		case again:
			c = s.Assisted.Channel
		}
		address, ok := r.assistedAddress(s, c)
		if !ok {
			return errNoAddress
		}
		sent = Sending{Code: r.assistedCode(id, s.Assisted.Sendings+1), Channel: c, Until: at.Add(CodeLife)}
		if _, err := tx.ExecContext(ctx, "UPDATE assisted SET channel = ?, sent_at = ?, sendings = sendings + 1, code_hash = ?, ends_at = ? WHERE id = ?",
			string(c), micros(at), r.assistedHash(sent.Code), micros(sent.Until), id); err != nil {
			return err
		}
		if c != ChannelLetter {
			if err := dropSubmissionMail(ctx, tx, id); err != nil { // the former link opens nothing
				return err
			}
			_, err = r.queueLink(ctx, tx, b, id, c, address, path+"/"+sent.Code.String(), at)
		}
		if err != nil || again {
			return err
		}
		if c == ChannelLetter {
			sent.Name, sent.Address = s.Contacts[0].Name, s.Site.Address
		}
		_, err = tx.ExecContext(ctx, dropSubmissionSessions, id)
		return err
	})
	if err != nil {
		return Sending{}, fmt.Errorf("send assisted entry %s: %w", id, err)
	}
	return sent, nil
}

// openAssisted finds that one of an operator has not ended.
func openAssisted(ctx context.Context, tx *tx, id, operator string, at time.Time) error {
	var there bool
	err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM assisted WHERE id = ? AND operator = ? AND outcome IS NULL AND ends_at > ?)", id, operator, micros(at)).Scan(&there)
	if err == nil && !there {
		err = ErrUnknownAssisted
	}
	return err
}

// AssistedOf reports which entry a code opens now.
func (r *Registry) AssistedOf(ctx context.Context, code protocol.Code, now time.Time) (id string, ok bool, err error) {
	err = r.read.QueryRowContext(ctx, "SELECT id FROM assisted WHERE code_hash = ? AND outcome IS NULL AND ends_at > ?", r.assistedHash(code), micros(now)).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("look for an assisted entry's code: %w", err)
	}
	return id, true, nil
}

// OpenAssisted uses a code up: its bearer is the owner whom an entry was sent to, and
// known by that alone. false: it opens nothing, or nothing any more.
func (r *Registry) OpenAssisted(ctx context.Context, code protocol.Code, at time.Time) (id string, ok bool, err error) {
	id, ok, err = r.AssistedOf(ctx, code, at)
	if err != nil || !ok {
		return "", false, err
	}
	at = exact(at)
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE assisted SET code_hash = NULL, opened_at = coalesce(opened_at, ?1) WHERE id = ?2 AND code_hash = ?3 AND outcome IS NULL AND ends_at > ?1",
			micros(at), id, r.assistedHash(code))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 { // used a moment ago
			ok = false
			return err
		}
		s, b, err := r.submission(ctx, tx, id)
		if err != nil {
			return err
		}
		if s.Identity == nil {
			s.Identity = &Identity{At: at}
			switch s.Assisted.Channel {
			case ChannelEmail:
				s.Identity.Trust, s.Identity.Address = protocol.TrustDictatedEmail, s.Email()
			case ChannelSMS:
				s.Identity.Trust, s.Identity.Address = protocol.TrustDictatedSMS, s.mobile()
			default:
				s.Identity.Trust = protocol.TrustDictatedLetter
			}
		}
		return r.keepSubmission(ctx, tx, b, s, at)
	})
	if err != nil {
		return "", false, fmt.Errorf("open assisted entry %s: %w", id, err)
	}
	return id, ok, nil
}

// RefuseAssisted is the owner's no: all that was typed is deleted. ErrUnknownAssisted.
func (r *Registry) RefuseAssisted(ctx context.Context, id string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		return r.endAssisted(ctx, tx, id, AssistedRefused, exact(at))
	})
	if err != nil {
		return fmt.Errorf("refuse assisted entry %s: %w", id, err)
	}
	return nil
}

// CancelAssisted deletes what an operator typed, sent or not. ErrUnknownAssisted.
func (r *Registry) CancelAssisted(ctx context.Context, id, operator string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		if err := openAssisted(ctx, tx, id, operator, exact(at)); err != nil {
			return err
		}
		return r.endAssisted(ctx, tx, id, AssistedCancelled, exact(at))
	})
	if err != nil {
		return fmt.Errorf("cancel assisted entry %s: %w", id, err)
	}
	return nil
}

// ExpireAssisted deletes what nobody confirmed by its time, or sent, each once record
// has put it on the trail, and the lines of those that ended assistedKept before now.
// It gives how many expired.
func (r *Registry) ExpireAssisted(ctx context.Context, now time.Time, record func(ctx context.Context, id, operator string) error) (n int, err error) {
	now = exact(now)
	var late [][2]string
	err = r.view(ctx, func(tx *tx) error { // most of the time there is none: no write for it
		late = nil
		return each(ctx, tx, func(scan func(...any) error) error {
			var one [2]string
			err := scan(&one[0], &one[1])
			late = append(late, one)
			return err
		}, "SELECT id, operator FROM assisted WHERE outcome IS NULL AND (ends_at <= ? OR NOT EXISTS (SELECT 1 FROM submissions s WHERE s.id = assisted.id)) ORDER BY ends_at LIMIT ?",
			micros(now), submissionsAtOnce)
	})
	for _, one := range late {
		if err == nil {
			err = record(ctx, one[0], one[1])
		}
		if err != nil {
			break
		}
		if err = r.update(ctx, func(ctx context.Context, tx *tx) error { return r.endAssisted(ctx, tx, one[0], AssistedExpired, now) }); err == nil {
			n++
		} else if errors.Is(err, ErrUnknownAssisted) { // confirmed a moment ago
			err = nil
		}
	}
	if err == nil {
		err = r.forgetAssisted(ctx, now)
	}
	if err != nil {
		return n, fmt.Errorf("expire assisted entries: %w", err)
	}
	return n, nil
}

func (r *Registry) forgetAssisted(ctx context.Context, now time.Time) error {
	before := micros(now.Add(-assistedKept))
	var old bool
	err := r.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM assisted WHERE ended_at <= ?)", before).Scan(&old)
	if err != nil || !old {
		return err
	}
	return r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM assisted WHERE ended_at <= ?", before)
		return err
	})
}

// endAssisted ends one and deletes what was typed.
func (r *Registry) endAssisted(ctx context.Context, tx *tx, id string, as AssistedState, at time.Time) error {
	done, err := tx.ExecContext(ctx, "UPDATE assisted SET outcome = ?, ended_at = ?, code_hash = NULL WHERE id = ? AND outcome IS NULL", string(as), micros(at), id)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrUnknownAssisted)
	}
	return r.dropSubmission(ctx, tx, id)
}

// closeAssisted notes that one was confirmed, in time.
func closeAssisted(ctx context.Context, tx *tx, id string, as AssistedState, at time.Time) error {
	done, err := tx.ExecContext(ctx, "UPDATE assisted SET outcome = ?1, ended_at = ?2, code_hash = NULL WHERE id = ?3 AND outcome IS NULL AND opened_at IS NOT NULL AND ends_at > ?2",
		string(as), micros(at), id)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrUnknownSubmission)
	}
	return nil
}
