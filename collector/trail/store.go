package trail

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Store keeps the trail durably; the registry implements it in its own
// database, so that the trail follows the register's replicas and backups.
type Store interface {
	// Append calls next with the trail as it is and stores what it gives, in one
	// durable transaction. From before next is called until that is committed
	// nobody else appends, in this process or another one on the same database. An
	// empty Batch stores nothing. When Append returns an error the batch may
	// nevertheless have been stored.
	Append(ctx context.Context, next func(ctx context.Context, now State) (Batch, error)) error
	// Hashes gives the tree's hashes (32 bytes each) in the order of indexes.
	Hashes(ctx context.Context, indexes []int64) ([][]byte, error)
	// Checkpoint gives the last checkpoint; empty when there is none yet.
	Checkpoint(ctx context.Context) ([]byte, error)
	// Entries gives entries from inclusive to exclusive, fewer when the trail is
	// shorter; a body that was deleted is empty.
	Entries(ctx context.Context, from, to int64) (headers, bodies [][]byte, err error)
	// Headers is Entries without the bodies.
	Headers(ctx context.Context, from, to int64) ([][]byte, error)
	// AddCosignature keeps a checkpoint of size entries that a witness (its public
	// key) signed, unless one of more entries is kept of it: a witness that was here
	// twice at once must not go back.
	AddCosignature(ctx context.Context, witness string, size int64, checkpoint []byte) error
	// Cosignatures gives the checkpoint kept of each witness, by its public key.
	Cosignatures(ctx context.Context) (map[string][]byte, error)
	// Forget empties the bodies of the entries below to, from the first that was not
	// emptied yet on; headers and hashes stay, so that proofs verify.
	Forget(ctx context.Context, to int64) error
	// Forgotten is how many entries, from the first on, have lost their body.
	Forgotten(ctx context.Context) (int64, error)
}

// State is the trail while nobody else appends.
type State struct {
	Size       int64  // number of entries
	Checkpoint []byte // the last one; empty when there is none yet
	// Hashes gives the tree's hashes in the order of indexes.
	Hashes func(ctx context.Context, indexes []int64) ([][]byte, error)
}

// Batch is what one transaction adds.
type Batch struct {
	Headers, Bodies [][]byte // entries State.Size, State.Size+1, ...
	HashIndexes     []int64  // of the tree's new hashes
	Hashes          [][]byte
	Checkpoint      []byte // over all of it
}

// storedHashes reads hashes of the tree.
func storedHashes(ctx context.Context, read func(context.Context, []int64) ([][]byte, error), indexes []int64) ([]tlog.Hash, error) {
	raw, err := read(ctx, indexes)
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

// loadEdge reads the edge of the stored tree.
func loadEdge(ctx context.Context, now State) (edge, error) {
	e := edge{}
	indexes := edgeIndexes(now.Size)
	if len(indexes) == 0 {
		return e, nil
	}
	hashes, err := storedHashes(ctx, now.Hashes, indexes)
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
