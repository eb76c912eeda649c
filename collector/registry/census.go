package registry

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"anagrafe/protocol"
)

// Census has the counts and ages that operations watch, and no identity.
type Census struct {
	Counts
	Heard int // agents not revoked that were heard within protocol.UnheardAfter

	Notices      int       // that may still be handed down and answered, of any kind
	OldestNotice time.Time // when the oldest of them was queued; zero: none waits

	Mail       int            // messages that wait to be sent
	OldestMail time.Time      // when the oldest of them was queued; zero: none waits
	Mailed     map[string]int // messages that ended in the last seven days, by outcome: sent, bounced, expired

	// Bytes is the size of the database: of SQLite without its log, of PostgreSQL
	// all that lies in that database.
	Bytes int64
}

// Census counts what is there at now.
func (r *Registry) Census(ctx context.Context, now time.Time) (c Census, err error) {
	if c.Counts, err = r.Counts(ctx); err != nil {
		return Census{}, err
	}
	size := "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if r.read.engine == postgres {
		size = "SELECT pg_database_size(current_database())"
	}
	c.Mailed = map[string]int{"sent": 0, "delivered": 0, "bounced": 0, "expired": 0}
	err = r.view(ctx, func(tx *tx) error {
		var notice, mail sql.NullInt64
		if err := tx.QueryRowContext(ctx, "SELECT count(*), min(at) FROM notices WHERE closed_at IS NULL AND expires_at > ?", micros(now)).Scan(&c.Notices, &notice); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT count(*), min(queued_at) FROM mail_queue WHERE ended_at IS NULL").Scan(&c.Mail, &mail); err != nil {
			return err
		}
		c.OldestNotice, c.OldestMail = fromMicros(notice.Int64), fromMicros(mail.Int64)
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM agents a WHERE "+computer+" AND revoked_at IS NULL AND seen_at > ?", micros(now.Add(-protocol.UnheardAfter))).Scan(&c.Heard); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, size).Scan(&c.Bytes); err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			var outcome string
			var n int
			err := scan(&outcome, &n)
			c.Mailed[outcome] = n
			return err
		}, "SELECT outcome, count(*) FROM mail_queue WHERE ended_at > ? GROUP BY outcome", micros(now.Add(-mailKept)))
	})
	if err != nil {
		return Census{}, fmt.Errorf("census: %w", err)
	}
	return c, nil
}

// Schema reads the schema that the database has, and which one this program needs:
// another collector on the same database may have brought it forward.
func (r *Registry) Schema(ctx context.Context) (has, needs int64, err error) {
	if needs, err = newestSchema(); err != nil {
		return 0, 0, err
	}
	err = r.view(ctx, func(tx *tx) error {
		return tx.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&has)
	})
	return has, needs, err
}
