package trail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
)

// memory is a store that can be told to fail; the registry's own is tested in
// collector/web/audit.
type memory struct {
	mu              sync.Mutex
	headers, bodies [][]byte
	hashes          map[int64][]byte
	checkpoint      []byte
	commits         int

	fail error         // AppendTrail fails with it
	late bool          // ... after the write has reached the disk
	gate chan struct{} // AppendTrail waits for it, when not nil
}

func (m *memory) AppendTrail(ctx context.Context, from int64, headers, bodies [][]byte, indexes []int64, hashes [][]byte, checkpoint []byte) error {
	if m.gate != nil {
		<-m.gate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil && !m.late {
		return m.fail
	}
	if from != int64(len(m.headers)) {
		return fmt.Errorf("size is %d, not %d", len(m.headers), from)
	}
	m.headers, m.bodies = append(m.headers, headers...), append(m.bodies, bodies...)
	for i, index := range indexes {
		if m.hashes == nil {
			m.hashes = map[int64][]byte{}
		}
		m.hashes[index] = slices.Clone(hashes[i])
	}
	m.checkpoint = checkpoint
	m.commits++
	return m.fail
}

func (m *memory) TrailSize(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.headers)), nil
}

func (m *memory) TrailHashes(_ context.Context, indexes []int64) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out [][]byte
	for _, index := range indexes {
		h, ok := m.hashes[index]
		if !ok {
			return nil, errors.New("no such hash")
		}
		out = append(out, h)
	}
	return out, nil
}

func (m *memory) TrailCheckpoint(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.checkpoint, nil
}

func (m *memory) TrailEntries(_ context.Context, from, to int64) (headers, bodies [][]byte, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	to = min(to, int64(len(m.headers)))
	return m.headers[from:to], m.bodies[from:to], nil
}

func testOptions(t testing.TB, dir string) Options {
	return Options{KeyDir: dir, PseudonymKey: []byte("0123456789abcdef0123456789abcdef"),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

// start opens a trail over a store and closes it at the end of the test.
func start(t testing.TB, m *memory) *Trail {
	t.Helper()
	tr, err := Open(t.Context(), m, testOptions(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

// add appends n entries of the Comune, numbered in their body.
func add(t testing.TB, tr *Trail, n int) {
	t.Helper()
	for i := range n {
		if _, err := tr.Append(t.Context(), Entry{Actor: "user-1", Kind: "invite", Count: 1, Body: map[string]int{"n": i}}); err != nil {
			t.Fatal(err)
		}
	}
}
