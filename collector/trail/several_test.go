package trail

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// twoTrails are those of two collectors with the same keys on one store.
func twoTrails(t *testing.T, m *memory) [2]*Trail {
	t.Helper()
	dir := t.TempDir()
	var both [2]*Trail
	for i := range both {
		tr, err := Open(t.Context(), m, testOptions(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { tr.Close() })
		both[i] = tr
	}
	return both
}

// One collector appends from many sides at once, or two do: one trail, with every entry once.
func TestConcurrentAppends(t *testing.T) {
	both := twoTrails(t, &memory{})
	for _, trails := range [][]*Trail{{start(t, &memory{})}, both[:]} {
		older, err := trails[0].Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		given := map[int64]bool{}
		for i := range 16 {
			wg.Go(func() {
				for range 25 {
					proof, err := trails[i%len(trails)].Append(t.Context(), Entry{Actor: "a", Kind: "search"})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if given[proof.Index] {
						t.Errorf("place %d given twice", proof.Index)
					}
					given[proof.Index] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for _, tr := range trails {
			var out bytes.Buffer
			if err := tr.Export(t.Context(), &out); err != nil {
				t.Fatal(err)
			}
			if report, err := Verify(&out, tr.VerifierKey(), older); err != nil || report.Size != 400 {
				t.Errorf("size %d, %v", report.Size, err)
			}
		}
	}
}

// The store went back, to before an entry that only this collector remembers, and
// another one has written another entry in that place: the size is the same, and
// the tree is not.
func TestATrailThatWentBack(t *testing.T) {
	m := &memory{}
	both := twoTrails(t, m)
	before := m.checkpoint
	add(t, both[0], 1)
	m.headers, m.bodies, m.hashes, m.checkpoint = nil, nil, nil, before
	if _, err := both[1].Append(t.Context(), Entry{Actor: "other", Kind: "login"}); err != nil {
		t.Fatal(err)
	}
	add(t, both[0], 2)
	if report := verify(t, both[0]); report.Size != 3 {
		t.Errorf("%d entries", report.Size)
	}
}

// What another one has appended is believed only if it is signed.
func TestATrailThatSomebodyElseChanged(t *testing.T) {
	m := &memory{}
	tr := start(t, m)
	add(t, tr, 3)
	dir := t.TempDir()
	signer, _, err := makeKey(dir, filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	root, err := tlog.TreeHash(3, tr.tree.edge)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := signCheckpoint(signer, tlog.Tree{N: 3, Hash: root})
	if err != nil {
		t.Fatal(err)
	}
	m.checkpoint = forged
	if _, err := tr.Append(t.Context(), Entry{Actor: "a", Kind: "search"}); err == nil || !strings.Contains(err.Error(), "does not verify") {
		t.Errorf("appended behind a forged checkpoint: %v", err)
	}
	if len(m.headers) != 3 {
		t.Errorf("%d entries", len(m.headers))
	}
}

// Of two that begin at once with different keys one is told.
func TestSeveralCollectorsBegin(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	tr, err := Open(t.Context(), m, testOptions(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if _, err := Open(t.Context(), m, testOptions(t, dir)); err == nil || !strings.Contains(err.Error(), "backup of the keys") {
		t.Errorf("opened with a key of its own: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, keyFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key was made: %v", err)
	}
}
