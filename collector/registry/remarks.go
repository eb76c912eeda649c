package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Remark is what a reader of the public pages wrote: a report of what does not work,
// or words beside a rating. Nobody signs it; an e-mail address is there only if the
// reader wants an answer. All of it is sealed with the register's own key.
type Remark struct {
	ID       string    `json:"-"` // UUID
	At       time.Time `json:"-"`
	Kind     string    `json:"-"` // RemarkReport or RemarkRating
	ClosedAt time.Time `json:"-"` // zero: open

	Topic string `json:"topic,omitempty"` // of a report: what kind of trouble
	Page  string `json:"page,omitempty"`  // which page; of a rating its path
	Stars int    `json:"stars,omitempty"` // of a rating
	Text  string `json:"text"`
	Email string `json:"email,omitempty"` // "": no answer is wanted
}

// Kinds of remarks.
const (
	RemarkReport = "report"
	RemarkRating = "rating"
)

const (
	// maxRemarks bounds those that are kept: who floods the form fills a bounded table.
	maxRemarks = 10_000
	// remarkLife is how long one is kept.
	remarkLife = 365 * 24 * time.Hour
)

// ErrTooManyRemarks: the register holds as many as it keeps.
var ErrTooManyRemarks = fmt.Errorf("there are %d remarks already", maxRemarks)

// ErrUnknownRemark: it is not there (any more).
var ErrUnknownRemark = errors.New("remark not known")

// remarkBody is the place of what was written.
const remarkBody = "remarks.body"

// AddRemark keeps a remark, to which it gives an id. ErrTooManyRemarks.
func (r *Registry) AddRemark(ctx context.Context, m Remark) (id string, err error) {
	id = uuid.NewString()
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM remarks").Scan(&n); err != nil {
			return err
		}
		if n >= maxRemarks {
			return ErrTooManyRemarks
		}
		body, err := r.sealOwn(ctx, tx, placeOf(remarkBody, id), m)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO remarks (id, at, kind, body) VALUES (?, ?, ?, ?)", id, micros(m.At), m.Kind, body)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("keep a remark: %w", err)
	}
	return id, nil
}

// RemarkQuery is which remarks are asked for.
type RemarkQuery struct {
	Closed bool      // also those that were dealt with
	Before time.Time // only those before a remark, of this time
	ID     string    // and this id; "": from the newest on
	Limit  int
}

// Remarks lists them, the newest first.
func (r *Registry) Remarks(ctx context.Context, q RemarkQuery) (all []Remark, err error) {
	query, args := "SELECT id, at, kind, body, closed_at FROM remarks WHERE ", []any{}
	if q.Closed {
		query += "at > 0"
	} else {
		query += "closed_at IS NULL"
	}
	if q.ID != "" {
		query += " AND (at < ? OR at = ? AND id < ?)"
		args = append(args, micros(q.Before), micros(q.Before), q.ID)
	}
	args = append(args, q.Limit)
	err = r.view(ctx, func(tx *tx) error {
		b, err := r.ownBox(ctx, tx)
		if err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			var m Remark
			var at int64
			var closed *int64
			var body []byte
			if err := scan(&m.ID, &at, &m.Kind, &body, &closed); err != nil {
				return err
			}
			if err := openJSON(b, placeOf(remarkBody, m.ID), body, &m); err != nil {
				// One that is damaged does not keep back the others.
				r.log.ErrorContext(ctx, "a remark cannot be read", "remark", m.ID, "err", err)
			}
			m.At = fromMicros(at)
			if closed != nil {
				m.ClosedAt = fromMicros(*closed)
			}
			all = append(all, m)
			return nil
		}, query+" ORDER BY at DESC, id DESC LIMIT ?", args...)
	})
	if err != nil {
		return nil, fmt.Errorf("list remarks: %w", err)
	}
	return all, nil
}

// CloseRemark marks a remark as dealt with. ErrUnknownRemark, also if it was closed before.
func (r *Registry) CloseRemark(ctx context.Context, id string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE remarks SET closed_at = ? WHERE id = ? AND closed_at IS NULL", micros(at), id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); n == 0 || err != nil {
			return errors.Join(ErrUnknownRemark, err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("close remark %s: %w", id, err)
	}
	return nil
}

// DropRemarks deletes those that are older than remarkLife at now.
func (r *Registry) DropRemarks(ctx context.Context, now time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM remarks WHERE at <= ?", micros(now.Add(-remarkLife)))
		return err
	})
	if err != nil {
		return fmt.Errorf("delete old remarks: %w", err)
	}
	return nil
}

// Rating is how a page was rated, once or, in a list, in sum.
type Rating struct {
	Page   string
	Stars  int // from 1 to 5
	Reason int // of those to choose from, for three stars or fewer others than for more; 0: none
	Given  int // how often
}

// monthOf is how ratings are counted over time: no finer, so that none can be told
// from the others.
func monthOf(t time.Time) string { return t.UTC().Format("2006-01") }

// AddRating counts a rating.
func (r *Registry) AddRating(ctx context.Context, g Rating, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO ratings (month, page, stars, reason, given) VALUES (?, ?, ?, ?, 1)
			ON CONFLICT (month, page, stars, reason) DO UPDATE SET given = ratings.given + 1`, monthOf(at), g.Page, g.Stars, g.Reason)
		return err
	})
	if err != nil {
		return fmt.Errorf("count a rating: %w", err)
	}
	return nil
}

// Ratings sums up how pages were rated from a month on.
func (r *Registry) Ratings(ctx context.Context, from time.Time) (all []Rating, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var g Rating
			err := scan(&g.Page, &g.Stars, &g.Reason, &g.Given)
			all = append(all, g)
			return err
		}, "SELECT page, stars, reason, CAST(sum(given) AS BIGINT) FROM ratings WHERE month >= ? GROUP BY page, stars, reason ORDER BY page, stars, reason", monthOf(from))
	})
	if err != nil {
		return nil, fmt.Errorf("sum up ratings: %w", err)
	}
	return all, nil
}
