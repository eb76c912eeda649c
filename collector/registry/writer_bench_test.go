package registry

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// The two benchmarks below are one figure: durable declarations of 2 KiB a
// second through Record, and the rows that such a declaration changes, written
// straight into the same tables in batches of the same size, with the same
// engine, indexes and fsync.
//
//	go test ./collector/registry -run '^$' -bench 'Declarations|Rows' -benchtime 20000x

const benchSites = 1000

// benchDeclaration has seven cameras, of which the first is named anew each
// time: 2 KiB.
func benchDeclaration(n int) protocol.Declaration {
	d := declaration()
	for c := range 7 {
		d.Cameras = append(d.Cameras, camera(c+1, fmt.Sprintf("Camera %d sopra l'ingresso di via Torino", c+1)))
	}
	d.Cameras[0].Name = fmt.Sprintf("Ingresso %d", n)
	return d
}

func benchSenders(b *testing.B, r *Registry) []*sender {
	b.Helper()
	senders := make([]*sender, benchSites)
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			senders[i] = enrol(b, r, noon)
			senders[i].say(noon, benchDeclaration(0))
		})
	}
	all.Wait()
	return senders
}

func BenchmarkDeclarations(b *testing.B) {
	r := openNew(b)
	senders := benchSenders(b, r)
	type made struct {
		m   protocol.Message
		raw []byte
	}
	messages := make([]made, b.N)
	for i := range messages {
		m := senders[i%benchSites].next(noon, benchDeclaration(i+1))
		raw, err := protocol.Encode(m)
		if err != nil {
			b.Fatal(err)
		}
		messages[i] = made{m, raw}
	}
	b.SetBytes(int64(len(messages[0].raw)))
	b.ResetTimer()
	var next atomic.Int64
	var all sync.WaitGroup
	for range maxBatch {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				s := senders[i%benchSites]
				_, err := r.Record(context.Background(), s.agent, messages[i].m, messages[i].raw, noon)
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "declarations/s")
}

func BenchmarkRows(b *testing.B) {
	r := openAt(b, filepath.Join(b.TempDir(), "registry.db"))
	senders := benchSenders(b, r)
	raw, err := protocol.Encode(senders[0].next(noon, benchDeclaration(1)))
	if err != nil {
		b.Fatal(err)
	}
	body, err := encode(camera(1, "Ingresso 1"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	b.ResetTimer()
	for done := 0; done < b.N; done += maxBatch {
		if err := writeRows(r.write, senders, done, min(b.N-done, maxBatch), raw, body); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "declarations/s")
}

// writeRows writes what n declarations change, in one transaction with
// prepared statements.
func writeRows(db *db, senders []*sender, first, n int, raw []byte, body string) error {
	ctx := context.Background()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	prepare := func(q string) *sql.Stmt {
		s, e := tx.PrepareContext(ctx, q)
		if e != nil {
			err = e
		}
		return s
	}
	closeOld := prepare("UPDATE versions SET valid_until = ?, closed_at = ?, closed_act = ? WHERE site_id = ? AND kind = 'camera' AND id = ? AND version = ?")
	open := prepare("INSERT INTO versions (site_id, kind, id, version, valid_from, recorded_at, act, body) VALUES (?, 'camera', ?, ?, ?, ?, ?, ?)")
	act := prepare("INSERT INTO acts (site_id, number, at, recorded_at, author, name, reason) VALUES (?, ?, ?, ?, 'owner', ?, 'declared')")
	site := prepare("UPDATE sites SET body = ?, category = ?, declared_at = ?, withdrawn_at = NULL, heard_at = ? WHERE id = ?")
	part := prepare(`INSERT INTO parts (site_id, agent_id, epoch, revision, number, made_at, declaration) VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5)
		ON CONFLICT (site_id, agent_id) DO UPDATE SET revision = excluded.revision, number = excluded.number, made_at = excluded.made_at, declaration = excluded.declaration`)
	message := prepare(`INSERT INTO messages (id, site_id, agent_id, epoch, revision, kind, sha256, recorded_at)
		VALUES (?, ?, ?, ?, ?, 'declaration', ?, ?)`)
	agent := prepare("UPDATE agents SET seen_at = ? WHERE id = ?")
	change := prepare("INSERT OR REPLACE INTO changes (site_id) VALUES (?)")
	if err != nil {
		return err
	}
	at := micros(noon.Add(time.Second))
	for i := first; i < first+n; i++ {
		s, round := senders[i%benchSites], i/benchSites+1
		for _, w := range []struct {
			s    *sql.Stmt
			args []any
		}{
			{act, []any{s.site, round + 1, at, at, []byte("Anna")}},
			{closeOld, []any{at, at, round + 1, s.site, id(1), round}},
			{open, []any{s.site, id(1), round + 1, at, at, round + 1, []byte(body)}},
			{site, []any{[]byte("Farmacia Centrale, Via Torino 1"), "pharmacy", at, at, s.site}},
			{part, []any{s.site, s.agent, round, at, raw}},
			{message, []any{uuid.NewString(), s.site, s.agent, 1, round, s.key[:], at}},
			{agent, []any{at, s.agent}},
			{change, []any{s.site}},
		} {
			if _, err := w.s.ExecContext(ctx, w.args...); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}
