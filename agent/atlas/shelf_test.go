package atlas

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// clock is a time that stands until a test moves it.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newShelf(t *testing.T, dir string, most int64, c *clock) *shelf {
	t.Helper()
	s, err := openShelf(dir, most, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shelf) mustPut(t *testing.T, name, body string) {
	t.Helper()
	if err := s.put(name, []byte(body), s.times()); err != nil {
		t.Fatal(err)
	}
}

func (s *shelf) has(name, body string) bool {
	got, _, ok := s.get(name)
	return ok && string(got) == body
}

// What is kept is there after a restart, for this user alone.
func TestShelf(t *testing.T) {
	dir, c := filepath.Join(t.TempDir(), "map"), &clock{time.Unix(1e9, 0)}
	s := newShelf(t, dir, 1<<20, c)
	if _, _, ok := s.get("description"); ok {
		t.Error("something is kept before anything was")
	}
	s.mustPut(t, "description", "one")
	s.mustPut(t, "tile-14-8610-5863", "")
	c.at = c.at.Add(time.Minute)
	s.mustPut(t, "description", "another")
	for name, dir := range map[string]string{"directory": dir, "file": filepath.Join(dir, "description")} {
		if info, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	again := newShelf(t, dir, 1<<20, c)
	if body, came, ok := again.get("description"); !ok || string(body) != "another" || !came.Equal(c.at) {
		t.Errorf("%q of %v, %v", body, came, ok)
	}
	if !again.has("tile-14-8610-5863", "") || again.size != s.size || again.size != 2*block {
		t.Errorf("an empty one, or the sizes %d and %d", again.size, s.size)
	}
	if n, _, err := Kept(dir); n != 2 || err != nil {
		t.Errorf("%d files, %v", n, err)
	}
	cleared := s.times()
	if err := s.clear(); err != nil {
		t.Fatal(err)
	}
	if err := s.put("description", []byte("late"), cleared); err != nil || s.has("description", "late") {
		t.Errorf("what was asked for before is kept after: %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
	if n, size, err := Kept(dir); n != 0 || size != 0 || err != nil {
		t.Errorf("%d files, %d bytes, %v", n, size, err)
	}
	s.mustPut(t, "description", "anew")
	if !s.has("description", "anew") {
		t.Error("nothing is kept after it was cleared")
	}
}

// What is damaged, half written or none of ours goes, and is no error.
func TestDamaged(t *testing.T) {
	dir, c := t.TempDir(), &clock{time.Unix(1e9, 0)}
	s := newShelf(t, dir, 1<<20, c)
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for i := range 6 {
		s.mustPut(t, fmt.Sprintf("tile-%d", i), "a body of some length")
	}
	whole := read("tile-0")
	for i, damaged := range [][]byte{append(bytes.Clone(whole[:20]), 'X'), whole[:len(whole)-1], whole[:5], {}, append(bytes.Clone(whole), 0)} {
		write(fmt.Sprintf("tile-%d", i+1), damaged)
	}
	older := bytes.Clone(read("tile-0"))
	older[4]++ // the time it came
	write("place-0", older)
	write("tile-9.new-123", whole)
	write("..evil", whole)
	if err := os.MkdirAll(filepath.Join(dir, "tile-8"), 0o700); err != nil {
		t.Fatal(err)
	}
	again := newShelf(t, dir, 1<<20, c)
	if !again.has("tile-0", "a body of some length") {
		t.Error("the good one is lost")
	}
	for _, name := range []string{"tile-1", "tile-2", "tile-3", "tile-4", "tile-5", "place-0"} {
		if body, _, ok := again.get(name); ok {
			t.Errorf("%s gives %q", name, body)
		}
	}
	if n, _, err := Kept(dir); n != 1 || err != nil {
		t.Errorf("%d files are left, %v", n, err)
	}
	if again.size != block {
		t.Errorf("%d bytes are counted", again.size)
	}
	// One that vanishes while the shelf is open.
	if err := os.Remove(filepath.Join(dir, "tile-0")); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := again.get("tile-0"); ok || again.size != 0 {
		t.Errorf("a file that is gone is given, or %d bytes are counted", again.size)
	}
}

// The bound holds, also over a restart; what was used longest ago goes first.
func TestBound(t *testing.T) {
	dir, c := t.TempDir(), &clock{time.Unix(1e9, 0)}
	s := newShelf(t, dir, 4*block, c)
	for _, name := range []string{"a", "b", "c", "d"} {
		s.mustPut(t, name, name)
		c.at = c.at.Add(2 * seldom)
	}
	if !s.has("a", "a") { // used now
		t.Fatal("a is gone")
	}
	c.at = c.at.Add(2 * seldom)
	s = newShelf(t, dir, 4*block, c)
	s.mustPut(t, "e", string(make([]byte, block+1))) // as much as two
	for name, want := range map[string]bool{"a": true, "b": false, "c": false, "d": true, "e": true} {
		if _, _, ok := s.get(name); ok != want {
			t.Errorf("%s is kept: %v", name, ok)
		}
	}
	if s.size > 4*block {
		t.Errorf("%d bytes are kept", s.size)
	}
	if err := s.put("f", make([]byte, maxFile), s.times()); err == nil {
		t.Error("one that is too large is kept")
	}
	if s = newShelf(t, dir, block, c); s.size > block {
		t.Errorf("%d bytes are kept after the bound was lowered", s.size)
	}
}

// FuzzShelf: whatever lies in the directory, what is given is what was put.
func FuzzShelf(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add([]byte("a body"), 3)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		dir, c := t.TempDir(), &clock{time.Unix(1e9, 0)}
		if err := os.WriteFile(filepath.Join(dir, "tile-0"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s := newShelf(t, dir, 1<<20, c)
		if body, _, ok := s.get("tile-0"); ok && len(body) > len(b) {
			t.Errorf("%q of %q", body, b)
		}
		s.mustPut(t, "tile-0", string(b))
		raw, err := os.ReadFile(filepath.Join(dir, "tile-0"))
		if err != nil {
			t.Fatal(err)
		}
		raw[uint(at)%uint(len(raw))] ^= 1
		if err := os.WriteFile(filepath.Join(dir, "tile-0"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if body, _, ok := s.get("tile-0"); ok {
			t.Errorf("a damaged file gives %q", body)
		}
	})
}
