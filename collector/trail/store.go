package trail

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Store keeps the trail durably; the registry implements it in its own
// database, so that the trail follows the register's replicas and backups.
type Store interface {
	// AppendTrail stores entries from ... from+len(headers)-1 with the tree's
	// new hashes and the checkpoint over all of it, in one durable transaction.
	// It fails when from is not the present size. Without entries it stores
	// the checkpoint alone.
	AppendTrail(ctx context.Context, from int64, headers, bodies [][]byte, hashIndexes []int64, hashes [][]byte, checkpoint []byte) error
	// TrailSize is the number of entries.
	TrailSize(ctx context.Context) (int64, error)
	// TrailHashes gives the tree's hashes (32 bytes each) in the order of indexes.
	TrailHashes(ctx context.Context, indexes []int64) ([][]byte, error)
	// TrailCheckpoint gives the last checkpoint; empty when there is none yet.
	TrailCheckpoint(ctx context.Context) ([]byte, error)
	// TrailEntries gives entries from inclusive to exclusive; a body that was
	// deleted is empty.
	TrailEntries(ctx context.Context, from, to int64) (headers, bodies [][]byte, err error)
}

// storedHashes reads hashes of the tree from the store.
func storedHashes(ctx context.Context, s Store, indexes []int64) ([]tlog.Hash, error) {
	raw, err := s.TrailHashes(ctx, indexes)
	if err != nil {
		return nil, err
	}
	if len(raw) != len(indexes) {
		return nil, fmt.Errorf("asked for %d hashes of the trail, got %d", len(indexes), len(raw))
	}
	out := make([]tlog.Hash, len(raw))
	for i, b := range raw {
		if len(b) != tlog.HashSize {
			return nil, fmt.Errorf("hash %d of the trail has %d bytes instead of %d", indexes[i], len(b), tlog.HashSize)
		}
		copy(out[i][:], b)
	}
	return out, nil
}

// edge is the right edge of a tree: the last complete subtree of each level,
// which is all that appending and computing the root ever read. It is a
// tlog.HashReader in memory, O(log n).
type edge map[int]edgeHash

type edgeHash struct {
	index int64
	hash  tlog.Hash
}

// edgeIndexes names the stored hashes that make up the edge of a tree of size n.
func edgeIndexes(n int64) []int64 {
	var out []int64
	for level := 0; n>>level > 0; level++ {
		if n>>level&1 == 1 {
			out = append(out, tlog.StoredHashIndex(level, n>>level-1))
		}
	}
	return out
}

// loadEdge reads the edge of a tree of size n from the store.
func loadEdge(ctx context.Context, s Store, n int64) (edge, error) {
	e := edge{}
	indexes := edgeIndexes(n)
	if len(indexes) == 0 {
		return e, nil
	}
	hashes, err := storedHashes(ctx, s, indexes)
	if err != nil {
		return nil, err
	}
	for i, index := range indexes {
		level, _ := tlog.SplitStoredHashIndex(index)
		e[level] = edgeHash{index, hashes[i]}
	}
	return e, nil
}

// ReadHashes implements tlog.HashReader.
func (e edge) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, _ := tlog.SplitStoredHashIndex(index)
		h, ok := e[level]
		if !ok || h.index != index {
			return nil, fmt.Errorf("hash %d is not on the edge of the tree", index)
		}
		out[i] = h.hash
	}
	return out, nil
}

// add appends leaf number n and gives the hashes to store from
// tlog.StoredHashIndex(0, n) on.
func (e edge) add(n int64, leaf tlog.Hash) ([]tlog.Hash, error) {
	hashes, err := tlog.StoredHashesForRecordHash(n, leaf, e)
	if err != nil {
		return nil, err
	}
	first := tlog.StoredHashIndex(0, n)
	for level, h := range hashes {
		e[level] = edgeHash{first + int64(level), h}
	}
	return hashes, nil
}
