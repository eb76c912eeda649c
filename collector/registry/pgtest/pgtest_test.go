package pgtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

// A killed server leaves no process that works on, and starts again.
func TestKill(t *testing.T) {
	s, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	for range 2 {
		busy := make(chan error, 4)
		for range cap(busy) {
			c, err := pgx.Connect(t.Context(), s.URL("postgres"))
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				_, err := c.Exec(t.Context(), "SELECT count(*) FROM generate_series(1, 1000000000)")
				busy <- err
			}()
		}
		s.Kill()
		for range cap(busy) {
			if err := <-busy; err == nil {
				t.Error("a query outlived the server")
			}
		}
		all, err := filepath.Glob("/proc/[0-9]*/cwd")
		if err != nil {
			t.Fatal(err)
		}
		for _, cwd := range all {
			if at, err := os.Readlink(cwd); err == nil && at == s.Dir {
				t.Errorf("%s lives on", filepath.Dir(cwd))
			}
		}
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
