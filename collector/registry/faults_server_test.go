package registry

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"anagrafe/collector/registry/pgtest"
)

// killServer kills PostgreSQL under load n times: what the register's callers see
// is temporary, it goes on by itself once the server is back, and nothing that it
// acknowledged is lost.
func killServer(t *testing.T, n int) {
	ctx := t.Context()
	s, err := pgtest.Start(ctx, "fsync=on", "full_page_writes=on")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	c, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(ctx, "CREATE DATABASE killed"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(ctx); err != nil {
		t.Fatal(err)
	}
	b := underLoad(t, s.URL("killed"), time.Now)
	for range n {
		b.goesOn(t, 30+rand.IntN(100))
		s.Kill()
		b.fails(t, 5)
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		b.goesOn(t, 2*loadAgents)
		b.audits(t, false)
	}
	b.audits(t, true)
	b.temporary(t)
	b.explained(t, remedyServer)
	done, _ := b.progress()
	failed, _ := b.failures()
	t.Logf("%d kills, %d acts acknowledged, %d failed meanwhile", n, done, failed)
}

// TestLongKilledServer kills it 20 times.
func TestKilledServer(t *testing.T) {
	onlyPostgres(t)
	killServer(t, 3)
}
