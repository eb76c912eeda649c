package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// A Submission is a declaration that is being typed on a form of the collector's
// pages: by an owner who cannot install anything, or by the Comune's office for one
// who calls. Until it is confirmed it is no part of the register: no search, count or
// list of sites knows of it. It is sealed with a data key of its own, which is
// destroyed when it is confirmed (Adhere), thrown away, or a year after it was last
// touched.

// submissionLife is how long one is kept after it was last touched: the acceptance
// list of municipal services asks for at least a year.
const submissionLife = 365 * 24 * time.Hour

// maxSubmission bounds what one may hold, in bytes before it is sealed.
const maxSubmission = 512 << 10

// ErrUnknownSubmission is returned for one that is not there (any more).
var ErrUnknownSubmission = errors.New("submission not known")

// ErrSubmissionTooBig is returned for one that would hold more than is kept.
var ErrSubmissionTooBig = errors.New("submission too big")

// Submission is what was typed so far. What has no fact yet gets one when it is
// recorded: declared, then.
type Submission struct {
	ID        string    `json:"-"` // UUID
	BeganAt   time.Time `json:"-"`
	TouchedAt time.Time `json:"-"`
	LinkedAt  time.Time `json:"-"` // when the link that confirms the address was asked for; zero: none is out
	Assisted  *Assisted `json:"-"` // nil: its owner types it

	// SiteID is the site that it will declare: that of an invitation, or one that its
	// owner changes; "" makes a new one.
	SiteID  string `json:"site_id,omitempty"`
	Changes bool   `json:"changes,omitempty"` // SiteID is declared by this form already

	Site     protocol.Site      `json:"site"`
	Contacts []protocol.Contact `json:"contacts,omitempty"` // the first is the person who adheres
	Place    protocol.Position  `json:"place,omitzero"`     // of the site; where a camera hangs that has none of its own
	Cameras  []SubmittedCamera  `json:"cameras,omitempty"`
	Called   bool               `json:"called,omitempty"` // whom to call was looked at

	Identity   *Identity `json:"identity,omitempty"`   // nil: not confirmed yet
	Invitation []byte    `json:"invitation,omitempty"` // hash of the code of Identity's TrustInvitation
}

// SubmittedCamera is one camera with its recorder. The camera has its id from the
// start; the recorder's is given when it is recorded.
type SubmittedCamera struct {
	Recorder protocol.Recorder `json:"recorder"`
	Camera   protocol.Camera   `json:"camera"` // without a Position: it hangs at the site's Place
}

// Identity is how the adhering person's identity was checked.
type Identity struct {
	Trust   protocol.Trust `json:"trust"`
	Subject string         `json:"subject,omitempty"` // keyed hash of who it is to an identity provider
	Name    string         `json:"name,omitempty"`    // as the provider gives it; "" as they typed it
	// FiscalCode is as the provider gives it, if it does; nobody types it.
	FiscalCode string    `json:"fiscal_code,omitempty"`
	Address    string    `json:"address,omitempty"` // or number that answered, if no more is known
	At         time.Time `json:"at"`
}

// By is the name under which the declaration is approved: that of the identity,
// else as typed.
func (s Submission) By() string {
	if s.Identity != nil && s.Identity.Name != "" {
		return s.Identity.Name
	}
	if len(s.Contacts) > 0 {
		return s.Contacts[0].Name
	}
	return ""
}

// Email is the adhering person's address, "" none.
func (s Submission) Email() string {
	if len(s.Contacts) == 0 {
		return ""
	}
	return s.Contacts[0].Email
}

// mobile is the adhering person's mobile phone in E.164; "" none.
func (s Submission) mobile() string {
	if len(s.Contacts) == 0 {
		return ""
	}
	return MobilePhone(s.Contacts[0].Phone)
}

// EndsAt is when it will be deleted if nobody touches it, or, dictated, confirms it.
func (s Submission) EndsAt() time.Time {
	if s.Assisted != nil {
		return s.Assisted.EndsAt
	}
	return s.TouchedAt.Add(submissionLife)
}

// submissionBody is the place of what was typed.
const submissionBody = "submissions.body"

// BeginSubmission keeps a new submission, to which it gives an id.
func (r *Registry) BeginSubmission(ctx context.Context, s Submission, at time.Time) (id string, err error) {
	id = uuid.NewString()
	if err := r.beginSubmission(ctx, id, s, at, func(context.Context, *tx) error { return nil }); err != nil {
		return "", fmt.Errorf("begin a submission: %w", err)
	}
	return id, nil
}

// beginSubmission keeps one, and what more says of it.
func (r *Registry) beginSubmission(ctx context.Context, id string, s Submission, at time.Time, more func(ctx context.Context, tx *tx) error) error {
	hash := r.ownerMAC("submission look-up", r.SubmissionCode(id).String())
	return r.update(ctx, func(ctx context.Context, tx *tx) error {
		b, err := r.vault.newBox(ctx, tx, ownerSubmission, id)
		if err != nil {
			return err
		}
		body, err := sealSubmission(b, s)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO submissions (id, began_at, touched_at, resume_hash, body) VALUES (?1, ?2, ?2, ?3, ?4)",
			id, micros(at), hash[:], body)
		if err != nil {
			return err
		}
		return more(ctx, tx)
	})
}

func sealSubmission(b *box, s Submission) ([]byte, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("a submission cannot be stored: %w", err)
	}
	if len(body) > maxSubmission {
		return nil, ErrSubmissionTooBig
	}
	return b.seal(submissionBody, body)
}

// Submission reads one. ErrUnknownSubmission.
func (r *Registry) Submission(ctx context.Context, id string) (s Submission, err error) {
	err = r.view(ctx, func(tx *tx) error {
		s, _, err = r.submission(ctx, tx, id)
		return err
	})
	if err != nil {
		return Submission{}, fmt.Errorf("read submission %s: %w", id, err)
	}
	return s, nil
}

func (r *Registry) submission(ctx context.Context, tx *tx, id string) (s Submission, b *box, err error) {
	var began, touched, linked int64
	var body []byte
	err = tx.QueryRowContext(ctx, "SELECT began_at, touched_at, coalesce(link_at, 0), body FROM submissions WHERE id = ?", id).
		Scan(&began, &touched, &linked, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil, ErrUnknownSubmission
	}
	if err != nil {
		return s, nil, err
	}
	if b, err = r.vault.boxOf(ctx, tx, id); err != nil {
		return s, nil, err
	}
	if s, err = openBody[Submission](b, submissionBody, body); err != nil {
		return s, nil, err
	}
	s.ID, s.BeganAt, s.TouchedAt, s.LinkedAt = id, fromMicros(began), fromMicros(touched), fromMicros(linked)
	s.Assisted, err = assistedOf(ctx, tx, id)
	return s, b, err
}

// ChangeSubmission reads one, has change change it, and keeps it, all as one. With
// another address of the adhering person, a link that was sent to the former one opens
// nothing any more, and its answer is none; with another mobile phone, neither is the
// answer of the former one. ErrUnknownSubmission,
// ErrSubmissionTooBig, or the error of change.
func (r *Registry) ChangeSubmission(ctx context.Context, id string, at time.Time, change func(s *Submission) error) (s Submission, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		var b *box
		if s, b, err = r.submission(ctx, tx, id); err != nil {
			return err
		}
		before := s
		s.Cameras, s.Contacts = slices.Clone(s.Cameras), slices.Clone(s.Contacts)
		if err := change(&s); err != nil {
			return err
		}
		if s.Email() != before.Email() {
			if err := r.dropSubmissionLink(ctx, tx, id); err != nil {
				return err
			}
			s.LinkedAt = time.Time{}
			if s.Identity != nil && (s.Identity.Trust == protocol.TrustEmail || s.Identity.Trust == protocol.TrustDictatedEmail) {
				s.Identity = nil
			}
		}
		if s.Assisted != nil && s.mobile() != before.mobile() && s.Identity != nil && s.Identity.Trust == protocol.TrustDictatedSMS {
			s.Identity = nil
		}
		return r.keepSubmission(ctx, tx, b, s, at)
	})
	if err != nil {
		return Submission{}, fmt.Errorf("change submission %s: %w", id, err)
	}
	return s, nil
}

func (r *Registry) keepSubmission(ctx context.Context, tx *tx, b *box, s Submission, at time.Time) error {
	body, err := sealSubmission(b, s)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE submissions SET touched_at = ?, body = ? WHERE id = ?", micros(at), body, s.ID)
	return err
}

// DropSubmission throws one away; one that is not there is gone already.
func (r *Registry) DropSubmission(ctx context.Context, id string) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error { return r.dropSubmission(ctx, tx, id) })
	if err != nil {
		return fmt.Errorf("drop submission %s: %w", id, err)
	}
	return nil
}

func (r *Registry) dropSubmission(ctx context.Context, tx *tx, id string) error {
	for _, query := range []string{
		dropSubmissionSessions,
		"DELETE FROM submissions WHERE id = ?",
	} {
		if _, err := tx.ExecContext(ctx, query, id); err != nil {
			return err
		}
	}
	return errors.Join(dropSubmissionMail(ctx, tx, id), r.vault.destroy(ctx, tx, id))
}

// submissionsAtOnce bounds those that one transaction drops.
const submissionsAtOnce = 200

// DropSubmissions throws away those that nobody touched for a year before now, and
// gives how many.
func (r *Registry) DropSubmissions(ctx context.Context, now time.Time) (n int, err error) {
	for more := true; more && err == nil; {
		var old []string
		err = r.view(ctx, func(tx *tx) error { // most of the time there is none: no write for it
			old, err = textsOf(ctx, tx, "SELECT id FROM submissions WHERE touched_at <= ? ORDER BY touched_at LIMIT ?", micros(now.Add(-submissionLife)), submissionsAtOnce)
			return err
		})
		if more = err == nil && len(old) > 0; !more {
			break
		}
		err = r.update(ctx, func(ctx context.Context, tx *tx) error {
			for _, id := range old {
				if err := r.dropSubmission(ctx, tx, id); err != nil {
					return err
				}
			}
			return nil
		})
		n += len(old)
	}
	if err != nil {
		return n, fmt.Errorf("drop old submissions: %w", err)
	}
	return n, nil
}

// dropUnreadSubmissions drops those that the data keys do not open: see restore_unread.go.
func (r *Registry) dropUnreadSubmissions(ctx context.Context, tx *tx) error {
	ids, err := textsOf(ctx, tx, `SELECT id FROM submissions
		WHERE NOT EXISTS (SELECT 1 FROM data_keys k WHERE k.owner = submissions.id AND k.sealed <> ?)`, zeros[:])
	for _, id := range ids {
		if err == nil {
			err = r.dropSubmission(ctx, tx, id)
		}
	}
	return err
}
