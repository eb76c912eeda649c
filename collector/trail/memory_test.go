package trail

import (
	"context"
	"errors"
	"log/slog"
	"maps"
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
	cosigned        map[string][]byte
	cosignedSize    map[string]int64
	forgotten       int64

	fail error         // Append fails with it
	late bool          // ... after the write has reached the disk
	gate chan struct{} // Append waits for it, when not nil
}

func (m *memory) Append(ctx context.Context, next func(context.Context, State) (Batch, error)) error {
	if m.gate != nil {
		<-m.gate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b, err := next(ctx, State{Size: int64(len(m.headers)), Checkpoint: m.checkpoint, Hashes: m.read})
	if err != nil || b.Checkpoint == nil {
		return err
	}
	if m.fail != nil && !m.late {
		return m.fail
	}
	m.headers, m.bodies = append(m.headers, b.Headers...), append(m.bodies, b.Bodies...)
	for i, index := range b.HashIndexes {
		if m.hashes == nil {
			m.hashes = map[int64][]byte{}
		}
		m.hashes[index] = slices.Clone(b.Hashes[i])
	}
	m.checkpoint = b.Checkpoint
	m.commits++
	return m.fail
}

func (m *memory) Hashes(ctx context.Context, indexes []int64) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.read(ctx, indexes)
}

// read is Hashes; the caller holds mu.
func (m *memory) read(_ context.Context, indexes []int64) ([][]byte, error) {
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

func (m *memory) Checkpoint(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.checkpoint, nil
}

func (m *memory) Entries(_ context.Context, from, to int64) (headers, bodies [][]byte, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	to = min(to, int64(len(m.headers)))
	return m.headers[from:to], m.bodies[from:to], nil
}

func (m *memory) Headers(ctx context.Context, from, to int64) ([][]byte, error) {
	headers, _, err := m.Entries(ctx, from, to)
	return headers, err
}

func (m *memory) AddCosignature(_ context.Context, witness string, size int64, checkpoint []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cosigned == nil {
		m.cosigned, m.cosignedSize = map[string][]byte{}, map[string]int64{}
	}
	if old, ok := m.cosignedSize[witness]; !ok || old <= size {
		m.cosigned[witness], m.cosignedSize[witness] = checkpoint, size
	}
	return nil
}

func (m *memory) Cosignatures(context.Context) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.cosigned), nil
}

func (m *memory) Forget(_ context.Context, to int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for ; m.forgotten < to; m.forgotten++ {
		m.bodies[m.forgotten] = nil
	}
	return nil
}

func (m *memory) Forgotten(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.forgotten, nil
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
