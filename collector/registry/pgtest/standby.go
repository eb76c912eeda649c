package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby makes another server that streams from this one, and has this one wait
// for it with each commit from now on (synchronous_standby_names).
func (s *Server) Standby(ctx context.Context) (_ *Server, err error) {
	b := &Server{options: s.options, as: s.as}
	if b.root, err = os.MkdirTemp("", "pg"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.Stop()
		}
	}()
	b.Dir = filepath.Join(b.root, "data")
	if s.as != nil {
		if err := os.Chown(b.root, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return nil, err
		}
	}
	backup, err := b.command(ctx, "pg_basebackup", "-h", s.root, "-U", "anagrafe", "-D", b.Dir, "-R", "-X", "stream", "-c", "fast", "--no-sync")
	if err != nil {
		return nil, err
	}
	if out, err := backup.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	if err := b.Run(ctx); err != nil {
		return nil, err
	}
	return b, s.awaitStandby(ctx)
}

// awaitStandby returns when commits wait for the standby.
func (s *Server) awaitStandby(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, q := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
		if _, err := c.Exec(ctx, q); err != nil {
			return err
		}
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var synchronous bool
		if err := c.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync')").Scan(&synchronous); err != nil || synchronous {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the standby does not become synchronous: %w", ctx.Err())
		case <-again.C:
		}
	}
}

// Promote makes a standby the primary, and returns when it takes writes. It waits
// for no other.
func (s *Server) Promote(ctx context.Context) error {
	c, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	var done bool
	if err := c.QueryRow(ctx, "SELECT pg_promote(true, 60)").Scan(&done); err != nil || !done {
		return fmt.Errorf("promote the standby: done %v, %w", done, err)
	}
	_, err = c.Exec(ctx, "ALTER SYSTEM RESET synchronous_standby_names")
	if err == nil {
		_, err = c.Exec(ctx, "SELECT pg_reload_conf()")
	}
	return err
}

// Cluster names a database of several servers, of which one is the primary.
func Cluster(database string, servers ...*Server) string {
	hosts := ""
	for i, s := range servers {
		if i > 0 {
			hosts += ","
		}
		hosts += s.root
	}
	return (&url.URL{Scheme: "postgres", User: url.User("anagrafe"), Path: "/" + database,
		RawQuery: url.Values{"host": {hosts}, "target_session_attrs": {"read-write"}}.Encode()}).String()
}
