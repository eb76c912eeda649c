package trail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	maxBatch      = 256              // entries of one commit
	commitTimeout = 20 * time.Second // a store that takes longer counts as failed, and the answers are refused
)

// errClosed is returned by Append once Close was called.
var errClosed = errors.New("the audit trail is closed")

// Options says where the trail's own keys are. Both keys are required.
type Options struct {
	KeyDir       string   // holds checkpoint.key, made at first start
	PseudonymKey []byte   // at least 32 bytes, derived from the root secret; it must never change
	Witnesses    []string // public keys of those whose cosignatures are kept; may be none
	Log          *slog.Logger
}

// Trail is an open audit trail. Several collectors may have one trail open at once, each
// with the same keys.
type Trail struct {
	store      Store
	log        *slog.Logger
	signer     note.Signer
	vkey       string
	pseudonyms []byte
	witnesses  []*witness

	mu         sync.Mutex
	waiting    []*pending
	committing bool // commitWaiting runs: it alone reads and writes tree
	closed     bool
	running    sync.WaitGroup

	tree  tree
	times times // of headers, for Between
}

// tree is the trail as its last commit here left it. Another collector, or a
// commit that failed after it had reached the disk, may have gone on from there:
// the checkpoint tells.
type tree struct {
	checkpoint []byte
	edge       edge
}

// pending is an entry on its way to the store.
type pending struct {
	header Header
	body   []byte
	done   chan struct{} // closed when the next two are set
	proof  Proof
	err    error
}

// Proof is where an entry stands, and the signed checkpoint that covers it.
type Proof struct {
	Index      int64
	Checkpoint []byte
}

// Open reads the trail's state and checks it against its last checkpoint. A trail that is empty gets its key and a first
// checkpoint of no entries, which auditors can take home as their oldest one.
func Open(ctx context.Context, s Store, o Options) (*Trail, error) {
	if len(o.PseudonymKey) < 32 {
		return nil, errors.New("open the audit trail: the key for pseudonyms needs at least 32 bytes")
	}
	t := &Trail{store: s, log: o.Log, pseudonyms: bytes.Clone(o.PseudonymKey)}
	for _, vkey := range o.Witnesses {
		w, err := parseWitness(vkey)
		if err != nil {
			return nil, fmt.Errorf("open the audit trail: the witness %q: %w", vkey, err)
		}
		t.witnesses = append(t.witnesses, w)
	}
	checkpoint, err := s.Checkpoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the audit trail: %w", err)
	}
	if t.signer, t.vkey, err = loadKey(o.KeyDir, len(checkpoint) == 0); err != nil {
		return nil, fmt.Errorf("open the audit trail: %w", err)
	}
	if err := s.Append(ctx, t.begin); err != nil {
		return nil, fmt.Errorf("open the audit trail: %w", err)
	}
	return t, nil
}

// begin checks the trail, and gives an empty one the checkpoint of the empty tree.
func (t *Trail) begin(ctx context.Context, now State) (Batch, error) {
	if len(now.Checkpoint) > 0 {
		var err error
		t.tree, err = t.load(ctx, now)
		return Batch{}, err
	}
	if now.Size != 0 {
		return Batch{}, fmt.Errorf("the register holds %d entries but no checkpoint: it was changed from outside; restore it from a backup", now.Size)
	}
	checkpoint, err := t.sign(0, edge{})
	t.tree = tree{checkpoint, edge{}}
	return Batch{Checkpoint: checkpoint}, err
}

// sign signs the checkpoint of a tree.
func (t *Trail) sign(size int64, e edge) ([]byte, error) {
	root, err := tlog.TreeHash(size, e)
	if err != nil {
		return nil, err
	}
	return signCheckpoint(t.signer, tlog.Tree{N: size, Hash: root})
}

// load reads the edge of the stored tree, and checks that the last checkpoint
// covers it.
func (t *Trail) load(ctx context.Context, now State) (tree, error) {
	const remedy = "the register was changed from outside; keep a copy of it for the auditors and restore it from a backup"
	v, err := note.NewVerifier(t.vkey)
	if err != nil {
		return tree{}, err
	}
	signed, err := openCheckpoint(now.Checkpoint, v)
	if err != nil {
		return tree{}, fmt.Errorf("the last checkpoint does not verify with %s: %w: put the right key back from the backup of the keys", keyFile, err)
	}
	if signed.N != now.Size {
		return tree{}, fmt.Errorf("the trail holds %d entries but its last checkpoint says %d: %s", now.Size, signed.N, remedy)
	}
	e, err := loadEdge(ctx, now)
	if err != nil {
		return tree{}, err
	}
	root, err := tlog.TreeHash(now.Size, e)
	if err != nil {
		return tree{}, err
	}
	if root != signed.Hash {
		return tree{}, fmt.Errorf("the trail's hashes do not match its last checkpoint (%d entries): %s", now.Size, remedy)
	}
	return tree{now.Checkpoint, e}, nil
}

// VerifierKey is what an auditor keeps outside the collector to check checkpoints with.
func (t *Trail) VerifierKey() string { return t.vkey }

// Checkpoint returns the last signed checkpoint.
func (t *Trail) Checkpoint(ctx context.Context) ([]byte, error) {
	b, err := t.store.Checkpoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint: %w", err)
	}
	return b, nil
}

// Append writes one entry and returns when it and the checkpoint over it are
// durable. On an error the act that the entry speaks of must not go ahead; the
// entry may still have been written.
func (t *Trail) Append(ctx context.Context, e Entry) (Proof, error) {
	header, body, err := t.prepare(e)
	if err != nil {
		return Proof{}, fmt.Errorf("write to the audit trail: %w", err)
	}
	p := &pending{header: header, body: body, done: make(chan struct{})}
	if !t.enqueue(p) {
		return Proof{}, errClosed
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return Proof{}, fmt.Errorf("write to the audit trail: %w", ctx.Err())
	}
	if p.err != nil {
		return Proof{}, fmt.Errorf("write to the audit trail: %w", p.err)
	}
	return p.proof, nil
}

// Close waits until what is queued is committed. The store stays open.
func (t *Trail) Close() error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.running.Wait()
	return nil
}
