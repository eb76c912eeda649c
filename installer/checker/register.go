package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/mattn/go-sqlite3"    // the driver "sqlite3"
)

// held is a message that the register holds.
type held struct {
	id, site, agent, kind, sha256 string
	place                         place
}

// place orders an agent's messages about a site.
type place struct{ epoch, revision int64 }

func (p place) after(q place) bool {
	return p.epoch > q.epoch || p.epoch == q.epoch && p.revision > q.revision
}

func (p place) String() string { return fmt.Sprintf("%d.%d", p.epoch, p.revision) }

// view is one agent's declaration of a site.
type view struct{ site, agent string }

// snapshot is the register at one moment.
type snapshot struct {
	messages []held
	declared map[view]place
	cameras  map[string]int // by site: versions that are in force
	twice    []string       // versions of one thing that are in force together

	size       int64 // of the trail
	forgotten  int64 // entries from the first on whose bodies may be empty
	checkpoint string
	hashes     map[int64][]byte // of the tree, by their place in it
}

// entries gives the trail's entries to do, in their order.
type entries func(do func(number int64, header, body []byte) error) error

// look reads the register, all of it as of one moment.
func look(ctx context.Context, store string, trail func(entries) error) (s snapshot, err error) {
	db, options, err := open(store)
	if err != nil {
		return s, fmt.Errorf("open the register: %w", err)
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, options)
	if err != nil {
		return s, fmt.Errorf("open the register: %w", err)
	}
	defer tx.Rollback()
	if err := s.read(ctx, tx, trail); err != nil {
		return s, fmt.Errorf("read the register: %w", err)
	}
	return s, nil
}

// open opens a register for reading alone, so that a transaction sees one moment
// of it.
func open(store string) (*sql.DB, *sql.TxOptions, error) {
	if path, ok := strings.CutPrefix(store, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return nil, nil, err
		}
		db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_busy_timeout=10000")
		return db, nil, err
	}
	if !strings.HasPrefix(store, "postgres:") && !strings.HasPrefix(store, "postgresql:") {
		return nil, nil, errors.New("it is neither sqlite:FILE nor postgres://HOST/DATABASE")
	}
	db, err := sql.Open("pgx", store)
	return db, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, err
}

// each calls do for each row of a query.
func each(ctx context.Context, tx *sql.Tx, query string, do func(scan func(...any) error) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *snapshot) read(ctx context.Context, tx *sql.Tx, trail func(entries) error) error {
	s.declared, s.cameras, s.hashes = map[view]place{}, map[string]int{}, map[int64][]byte{}
	each := func(query string, do func(scan func(...any) error) error) error { return each(ctx, tx, query, do) }
	err := each("SELECT id, site_id, agent_id, kind, epoch, revision, sha256 FROM messages", func(scan func(...any) error) error {
		var h held
		var sum []byte
		err := scan(&h.id, &h.site, &h.agent, &h.kind, &h.place.epoch, &h.place.revision, &sum)
		h.sha256 = hex.EncodeToString(sum)
		s.messages = append(s.messages, h)
		return err
	})
	if err != nil {
		return err
	}
	err = each("SELECT site_id, agent_id, epoch, revision FROM parts", func(scan func(...any) error) error {
		var v view
		var p place
		err := scan(&v.site, &v.agent, &p.epoch, &p.revision)
		s.declared[v] = p
		return err
	})
	if err != nil {
		return err
	}
	err = each("SELECT site_id, kind, id, count(*) FROM versions WHERE valid_until IS NULL AND body IS NOT NULL GROUP BY site_id, kind, id", func(scan func(...any) error) error {
		var site, kind, id string
		var n int
		err := scan(&site, &kind, &id, &n)
		if kind == "camera" {
			s.cameras[site]++
		}
		if n > 1 {
			s.twice = append(s.twice, fmt.Sprintf("%s %s of site %s", kind, id, site))
		}
		return err
	})
	if err != nil {
		return err
	}
	err = each("SELECT size, forgotten, checkpoint FROM trail_head", func(scan func(...any) error) error {
		var checkpoint []byte
		err := scan(&s.size, &s.forgotten, &checkpoint)
		s.checkpoint = string(checkpoint)
		return err
	})
	if err != nil {
		return err
	}
	err = each("SELECT number, hash FROM trail_hashes", func(scan func(...any) error) error {
		var n int64
		var hash []byte
		err := scan(&n, &hash)
		s.hashes[n] = hash
		return err
	})
	if err != nil {
		return err
	}
	return trail(func(do func(int64, []byte, []byte) error) error {
		return each("SELECT number, header, body FROM trail_entries ORDER BY number", func(scan func(...any) error) error {
			var n int64
			var header, body []byte
			if err := scan(&n, &header, &body); err != nil {
				return err
			}
			return do(n, header, body)
		})
	})
}
