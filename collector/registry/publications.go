package registry

import (
	"context"
	"fmt"
	"time"
)

// Kinds of published numbers.
const (
	PublishedSharing      = "sharing"      // who shares cameras; Period is a day
	PublishedConsultation = "consultation" // how often was searched; Period is a month
)

// Publication is numbers that were published, and stay as they are.
type Publication struct {
	Kind   string
	Period string // "2026-11-23" or "2026-11"
	At     time.Time
	Body   []byte // JSON that everybody may read
	Basis  []byte // JSON of the counts behind it; nil where nobody needs them any more
}

// Publish keeps a publication; false: there is one of that period already, by this
// collector or another one, and that stands. The counts behind those before a period go.
func (r *Registry) Publish(ctx context.Context, p Publication, forget string) (done bool, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		if done, err = did(tx.ExecContext(ctx, `INSERT INTO publications (kind, period, at, body, basis) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (kind, period) DO NOTHING`, p.Kind, p.Period, micros(p.At), string(p.Body), string(p.Basis))); err != nil || !done {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE publications SET basis = '' WHERE kind = ? AND period < ? AND basis <> ''", p.Kind, forget)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("publish the numbers of %s: %w", p.Period, err)
	}
	return done, nil
}

// Publications returns those of a kind from a period on, newest first.
func (r *Registry) Publications(ctx context.Context, kind, from string) ([]Publication, error) {
	return r.publications(ctx, "SELECT kind, period, at, body, basis FROM publications WHERE kind = ? AND period >= ? ORDER BY period DESC", kind, from)
}

// MonthlyPublications returns the last of each month of a kind, newest first, without
// the counts behind them.
func (r *Registry) MonthlyPublications(ctx context.Context, kind string, limit int) ([]Publication, error) {
	return r.publications(ctx, `SELECT kind, period, at, body, '' FROM publications p WHERE kind = ?1 AND period = (SELECT max(period) FROM publications n
		WHERE n.kind = ?1 AND substr(n.period, 1, 7) = substr(p.period, 1, 7)) ORDER BY period DESC LIMIT ?2`, kind, limit)
}

func (r *Registry) publications(ctx context.Context, query string, args ...any) (all []Publication, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var p Publication
			var at int64
			var body, basis string
			err := scan(&p.Kind, &p.Period, &at, &body, &basis)
			p.At, p.Body = fromMicros(at), []byte(body)
			if basis != "" {
				p.Basis = []byte(basis)
			}
			all = append(all, p)
			return err
		}, query, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read what was published: %w", err)
	}
	return all, nil
}
