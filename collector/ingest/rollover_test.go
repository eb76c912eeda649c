package ingest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func roles(a *Authority) string {
	var s string
	for _, one := range a.Standing() {
		s += string(one.Role) + " "
	}
	return s
}

// Each step holds after a restart; one that is not due changes nothing and says
// what to do.
func TestSteps(t *testing.T) {
	dir := t.TempDir()
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]func(*Authority) error{"next": (*Authority).Next, "switch": (*Authority).Switch,
		"retire": (*Authority).Retire, "replace": (*Authority).Replace}
	for _, tt := range []struct {
		step, want string
		due        bool
	}{
		{"switch", "signs ", false}, {"retire", "signs ", false},
		{"next", "signs next ", true}, {"next", "signs next ", false}, {"retire", "signs next ", false},
		{"switch", "signs retiring ", true}, {"switch", "signs retiring ", false}, {"next", "signs retiring ", false},
		{"retire", "signs ", true},
		{"next", "signs next ", true}, {"replace", "signs ", true},
		{"next", "signs next ", true}, {"switch", "signs retiring ", true}, {"replace", "signs ", true},
	} {
		before := a.Standing()
		err := steps[tt.step](a)
		if (err == nil) != tt.due || err != nil && !errors.Is(err, ErrStep) {
			t.Fatalf("%s: %v", tt.step, err)
		}
		if roles(a) != tt.want {
			t.Fatalf("%s: %s, want %s", tt.step, roles(a), tt.want)
		}
		if !tt.due && !slices.Equal(a.Standing(), before) {
			t.Errorf("%s changed something", tt.step)
		}
		again, err := OpenAuthority(dir)
		if err != nil {
			t.Fatal(err)
		}
		same := slices.EqualFunc(again.Standing(), a.Standing(), func(x, y Standing) bool {
			return x.Role == y.Role && x.Pin == y.Pin && x.Since.Equal(y.Since)
		})
		if !same || len(again.held.former) != len(a.held.former) {
			t.Errorf("%s: after a restart %+v and %d former ones, before %+v and %d", tt.step, again.Standing(), len(again.held.former), a.Standing(), len(a.held.former))
		}
		a = again
	}
}

// A program that is killed between the files of a step leaves the state before it
// or after it, never one that does not start.
func TestStepsCutShort(t *testing.T) {
	for name, prepare := range map[string][]func(*Authority) error{
		"next": {(*Authority).Next}, "switch": {(*Authority).Next, (*Authority).Switch},
		"retire":  {(*Authority).Next, (*Authority).Switch, (*Authority).Retire},
		"replace": {(*Authority).Next, (*Authority).Replace},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a, err := OpenAuthority(dir)
			if err != nil {
				t.Fatal(err)
			}
			last := len(prepare) - 1
			for _, step := range prepare[:last] {
				if err := step(a); err != nil {
					t.Fatal(err)
				}
			}
			read := func(name string) []byte {
				b, err := os.ReadFile(filepath.Join(dir, "keys", name))
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			before, key := roles(a), read(keyFile)
			if err := prepare[last](a); err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(read(keyFile), key) {
				t.Fatal("the step changed nothing")
			}
			// ca.pem is written, ca.key is not, and half of it lies beside.
			for name, b := range map[string][]byte{keyFile: key, keyFile + ".new-1": key[:40]} {
				if err := os.WriteFile(filepath.Join(dir, "keys", name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cut, err := OpenAuthority(dir)
			if err != nil {
				t.Fatal(err)
			}
			if roles(cut) != before {
				t.Errorf("after the cut: %s, want %s", roles(cut), before)
			}
			if err := prepare[last](cut); err != nil {
				t.Errorf("the step again: %v", err)
			}
		})
	}
}

// The key of what retires is not kept: it signs nothing any more.
func TestOldKeyIsForgotten(t *testing.T) {
	dir := t.TempDir()
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	count := func() int {
		b, err := os.ReadFile(filepath.Join(dir, "keys", keyFile))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(b, []byte("BEGIN PRIVATE KEY"))
	}
	for _, tt := range []struct {
		step func() error
		keys int
	}{{a.Next, 2}, {a.Switch, 1}, {a.Retire, 1}} {
		if err := tt.step(); err != nil {
			t.Fatal(err)
		}
		if count() != tt.keys {
			t.Errorf("%d keys in %s, want %d", count(), keyFile, tt.keys)
		}
	}
}

// However often it is replaced, the list of former ones stays short enough to be
// read.
func TestFormerAuthoritiesAreBounded(t *testing.T) {
	dir := t.TempDir()
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 * mostFormer {
		if err := a.Replace(); err != nil {
			t.Fatal(err)
		}
	}
	if a, err = OpenAuthority(dir); err != nil || len(a.held.former) != mostFormer {
		t.Errorf("%d former ones, %v", len(a.held.former), err)
	}
}

// No certificate of the old authority is younger than the step that ended its
// signing: who counts what still depends on it relies on that.
func TestSigningWaitsForAStep(t *testing.T) {
	a, err := OpenAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Next(); err != nil {
		t.Fatal(err)
	}
	old := a.current().signs.cert
	key := newKey(t)
	stop, done := make(chan struct{}), make(chan time.Time)
	go func() {
		var last time.Time
		for {
			now := time.Now()
			c, err := a.agentCertificate(&key.PublicKey, "agent", now)
			if err == nil && c.CheckSignatureFrom(old) == nil {
				last = now
			}
			select {
			case <-stop:
				done <- last
				return
			default:
			}
		}
	}()
	if err := a.Switch(); err != nil {
		t.Fatal(err)
	}
	close(stop)
	if last := <-done; last.After(a.Standing()[1].Since) {
		t.Errorf("the old authority signed at %v, after %v", last, a.Standing()[1].Since)
	}
}

func FuzzParseAuthorities(f *testing.F) {
	dir := f.TempDir()
	a, err := OpenAuthority(dir)
	if err != nil {
		f.Fatal(err)
	}
	for _, step := range []func() error{a.Next, a.Switch} {
		if err := step(); err != nil {
			f.Fatal(err)
		}
		b := a.held.encode()
		f.Add(b)
		f.Add(b[:len(b)/2])
		f.Add(bytes.ReplaceAll(b, []byte("signs"), []byte("cross")))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseAuthorities(bytes.TrimSpace(b))
		if err != nil {
			return
		}
		if s.signs == nil || s.signs.key == nil || s.retiring != nil && s.retiring.key != nil {
			t.Errorf("half a list from %q", b)
		}
		again, err := parseAuthorities(bytes.TrimSpace(s.encode()))
		if err != nil || !bytes.Equal(again.encode(), s.encode()) {
			t.Errorf("not stable: %v", err)
		}
	})
}
