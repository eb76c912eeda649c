package registry

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// newsChannel is the channel of LISTEN and NOTIFY. A notification says that
	// something changed, and in its payload which agent was revoked, if any. What
	// changed stands in the tables: a follower keeps a cursor (ChangedSites, Noticed), so
	// that a notification that is lost delays and loses nothing. Revocations have none: who
	// listens anew is told those of the last revokedWithin.
	newsChannel = "anagrafe_news"
	// followPoll is how often Follow tells without having been told, and sees
	// whether its connection still leads anywhere.
	followPoll  = 30 * time.Second
	followRetry = time.Second
	// revokedWithin is longer than an agent's stream stays open without being admitted
	// again (ingest, readmission), with room for clocks that differ.
	revokedWithin = 15 * time.Minute
	follower      = "anagrafe-collector follows" // as pg_stat_activity shows it
)

// tell has the commit of this transaction tell all who follow: that something
// changed and, if it is not "", that an agent was revoked. What is told of a write
// that was then refused does no harm.
func (t *tx) tell(revoked string) {
	if t.news == nil {
		t.news = make(map[string]bool)
	}
	t.news[revoked] = true
}

// bulletin holds what the commits on SQLite had to tell, until Follow tells it.
type bulletin struct {
	mu   sync.Mutex
	news map[string]bool
	more chan struct{} // signalled, buffered 1
}

func (b *bulletin) add(news map[string]bool) {
	if len(news) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.news, news)
	select {
	case b.more <- struct{}{}:
	default: // told already
	}
}

func (b *bulletin) take() map[string]bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	news := b.news
	b.news = make(map[string]bool)
	return news
}

// follow is Follow on SQLite.
func (b *bulletin) follow(ctx context.Context, tell func(revoked string)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.more:
		}
		for revoked := range b.take() {
			tell(revoked)
		}
	}
}

// notifyOnCommit sends, on PostgreSQL, what the transaction has to tell when it commits; once
// for all its writes.
func (t *tx) notifyOnCommit(ctx context.Context) error {
	if t.engine != postgres || len(t.news) == 0 {
		return nil
	}
	words := make([]string, 0, len(t.news))
	for w := range t.news {
		words = append(words, w)
	}
	_, err := t.ExecContext(ctx, "SELECT pg_notify(?, w) FROM unnest(CAST(? AS text[])) w", newsChannel, words)
	return err
}

// Follow calls tell whenever a collector on the same database, this one included,
// has committed a change, and on PostgreSQL now and then when nobody has: what changed,
// the caller reads by its own cursor. revoked is the agent that was revoked, "" for
// anything else. tell must return at once. It reconnects by itself, and returns when ctx
// ends. On SQLite one at a time follows.
func (r *Registry) Follow(ctx context.Context, tell func(revoked string)) error {
	if r.read.engine == sqlite {
		r.bulletin.follow(ctx, tell)
		return nil
	}
	for {
		err := r.listen(ctx, tell)
		if ctx.Err() != nil {
			return nil
		}
		r.log.WarnContext(ctx, "what other collectors record is heard of later: PostgreSQL's notifications are interrupted", "err", err, "in", followRetry)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followRetry):
		}
	}
}

// listen follows on one connection until that fails or ctx ends.
func (r *Registry) listen(ctx context.Context, tell func(string)) error {
	// Not of the pool: it is never given back.
	config := r.read.pool.Config().ConnConfig
	config.RuntimeParams["application_name"] = follower
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), followRetry)
		defer cancel()
		_ = c.Close(closing)
	}()
	if _, err := c.Exec(ctx, "LISTEN "+newsChannel); err != nil {
		return err
	}
	tell("") // what was committed before it listened
	if err := each(ctx, r.read, func(scan func(...any) error) error {
		var agent string
		err := scan(&agent)
		if err == nil {
			tell(agent)
		}
		return err
	}, "SELECT id FROM agents WHERE revoked_at >= ?", micros(time.Now().Add(-revokedWithin))); err != nil {
		return err
	}
	for {
		n, err := r.nextNotification(ctx, c)
		switch {
		case err != nil:
			return err
		case n == nil: // quiet
			tell("")
		default:
			tell(n.Payload)
		}
	}
}

// nextNotification waits for a notification; nil when there was none for a while and the
// connection is alive.
func (r *Registry) nextNotification(ctx context.Context, c *pgx.Conn) (*pgconn.Notification, error) {
	quiet, cancel := context.WithTimeout(ctx, r.followPoll)
	defer cancel()
	n, err := c.WaitForNotification(quiet)
	if err == nil || quiet.Err() == nil || ctx.Err() != nil {
		return n, err
	}
	asking, stop := context.WithTimeout(ctx, goneAfter)
	defer stop()
	if err := c.Ping(asking); err != nil {
		return nil, fmt.Errorf("no answer after %v without news: %w", r.followPoll, err)
	}
	return nil, nil
}
