package registry

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/protocol"
)

// inFiles tells how often bytes stand in the files under a register: SQLite's
// three, or what PostgreSQL's server keeps of it and of the whole, but its log of
// changes.
func inFiles(t testing.TB, r *Registry, mark []byte) int {
	t.Helper()
	n := 0
	eachFile(t, r, func(name string, b []byte) {
		if !strings.Contains(name, "/pg_wal/") {
			n += bytes.Count(b, mark)
		}
	})
	return n
}

func eachFile(t testing.TB, r *Registry, f func(name string, b []byte)) {
	t.Helper()
	for _, name := range filesOf(t, r) {
		b, err := os.ReadFile(name)
		if os.IsNotExist(err) { // PostgreSQL at work
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		f(name, b)
	}
}

func filesOf(t testing.TB, r *Registry) (files []string) {
	t.Helper()
	if tested == sqlite {
		var number int
		var name, file string
		if err := r.write.QueryRowContext(t.Context(), "PRAGMA database_list").Scan(&number, &name, &file); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(strings.NewReplacer("*", "\\*", "?", "\\?", "[", "\\[").Replace(file) + "*")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files at %s: %v", file, err)
		}
		return files
	}
	var dir, database string
	if _, err := r.write.ExecContext(t.Context(), "ANALYZE"); err != nil { // as its own daemon does, now and then
		t.Fatal(err)
	}
	if _, err := r.write.ExecContext(t.Context(), "CHECKPOINT"); err != nil { // what is in memory, and files that were dropped
		t.Fatal(err)
	}
	if err := r.write.QueryRowContext(t.Context(), "SELECT current_setting('data_directory'), oid::text FROM pg_database WHERE datname = current_database()").
		Scan(&dir, &database); err != nil {
		t.Fatal(err)
	}
	others := filepath.Join(dir, "base")
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err == nil && e.IsDir() && filepath.Dir(path) == others && e.Name() != database:
			return fs.SkipDir // another test's
		case err == nil && e.Type().IsRegular():
			files = append(files, path)
		}
		return nil // PostgreSQL at work
	})
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files in %s: %v", len(files), dir, err)
	}
	return files
}

// theft is what somebody took from the register: a sealed data key, and a text
// that was sealed with it.
type theft struct {
	r       *Registry
	owner   string
	wrapped []byte
	place   string
	sealed  []byte
}

// stolen takes the key of a site or a notice, and something that it opens.
func stolen(t testing.TB, r *Registry, owner string) theft {
	t.Helper()
	s := theft{r: r, owner: owner, place: siteBody}
	err := r.read.QueryRowContext(t.Context(), `SELECT sealed, coalesce((SELECT body FROM sites WHERE id = ?1), (SELECT body FROM notices WHERE id = ?1))
		FROM data_keys WHERE owner = ?1`, owner).Scan(&s.wrapped, &s.sealed)
	if err != nil {
		t.Fatal(err)
	}
	var notice bool
	if err := r.read.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT 1 FROM notices WHERE id = ?)", owner).Scan(&notice); err != nil {
		t.Fatal(err)
	}
	if notice {
		s.place = noticeBodyPlace
	}
	if inFiles(t, r, s.wrapped) == 0 || !s.opens(t, s.wrapped) {
		t.Fatal("the key is not in the files, or does not open: the test sees nothing")
	}
	return s
}

// opens tells whether a sealed key opens the text, with the master key of now.
func (s theft) opens(t testing.TB, wrapped []byte) bool {
	t.Helper()
	b, err := s.r.vault.box(s.owner, wrapped)
	if err != nil {
		return false
	}
	_, err = b.open(s.place, s.sealed)
	return err == nil
}

// gone demands that the key stands nowhere any more, and that the one in its row
// opens nothing that was taken.
func (s theft) gone(t testing.TB) {
	t.Helper()
	if n := inFiles(t, s.r, s.wrapped); n > 0 {
		t.Errorf("the key of %s stands %d times in the files", s.owner, n)
	}
	var now []byte
	if err := s.r.read.QueryRowContext(t.Context(), "SELECT sealed FROM data_keys WHERE owner = ?", s.owner).Scan(&now); err != nil {
		t.Fatal(err)
	}
	if s.opens(t, now) {
		t.Errorf("what was sealed for %s opens still", s.owner)
	}
}

// What a large write changes is copied, should it be undone: in memory, and into no
// file beside the register's. A file of SQLite's own has no name, but a handle.
func TestNoTemporaryFiles(t *testing.T) {
	onlySQLite(t)
	r := openNew(t)
	s := enrol(t, r, noon)
	var cameras []protocol.Camera
	for n := range 200 {
		cameras = append(cameras, camera(n+1, "Ingresso"))
	}
	s.say(noon, declaration(cameras...))
	undone := errors.New("looked")
	err := r.update(t.Context(), func(ctx context.Context, tx *tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE versions SET recorded_at = recorded_at + 1 WHERE site_id = ?", s.site); err != nil {
			return err
		}
		handles, err := filepath.Glob("/proc/self/fd/*")
		if err != nil || len(handles) == 0 {
			t.Errorf("no handles of this process: %v", err)
		}
		for _, h := range handles {
			if file, err := os.Readlink(h); err == nil && strings.HasSuffix(file, "(deleted)") {
				t.Errorf("a temporary file: %s", file)
			}
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Error(err)
	}
}
