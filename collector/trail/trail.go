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

// ErrClosed is returned by Append once Close was called.
var ErrClosed = errors.New("the audit trail is closed")

// Options says where the trail's own keys are. Both keys are required.
type Options struct {
	KeyDir       string // holds checkpoint.key, made at first start
	PseudonymKey []byte // at least 32 bytes, derived from the root secret; it must never change
	Log          *slog.Logger
}

// Trail is an open audit trail. It has one sequencer goroutine, which Close ends.
type Trail struct {
	store      Store
	log        *slog.Logger
	signer     note.Signer
	vkey       string
	pseudonyms []byte

	queue chan *pending
	stop  chan struct{} // closed by Close
	done  chan struct{} // closed when the sequencer has ended
	once  sync.Once

	// The sequencer's own, after Open.
	size  int64
	edge  edge
	stale bool // the last commit failed, perhaps after it reached the disk: read the state again
}

// pending is an entry on its way, and where its result goes.
type pending struct {
	header Header
	body   []byte
	result chan result // buffered 1: the sequencer never waits for who asked
}

type result struct {
	proof Proof
	err   error
}

// Proof is where an entry stands, and the signed checkpoint that covers it.
type Proof struct {
	Index      int64
	Checkpoint []byte
}

// Open reads the trail's state, checks it against its last checkpoint and
// starts the sequencer. A trail that is empty gets its key and a first
// checkpoint of no entries, which auditors can take home as their oldest one.
func Open(ctx context.Context, s Store, o Options) (*Trail, error) {
	if len(o.PseudonymKey) < 32 {
		return nil, errors.New("open the audit trail: the key for pseudonyms needs at least 32 bytes")
	}
	t := &Trail{
		store: s, log: o.Log, pseudonyms: bytes.Clone(o.PseudonymKey),
		queue: make(chan *pending, maxBatch), stop: make(chan struct{}), done: make(chan struct{}),
	}
	checkpoint, err := s.TrailCheckpoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the audit trail: %w", err)
	}
	if t.signer, t.vkey, err = loadKey(o.KeyDir, len(checkpoint) == 0); err != nil {
		return nil, fmt.Errorf("open the audit trail: %w", err)
	}
	if len(checkpoint) == 0 {
		if err := t.begin(ctx); err != nil {
			return nil, fmt.Errorf("open the audit trail: %w", err)
		}
	}
	if err := t.load(ctx); err != nil {
		return nil, fmt.Errorf("open the audit trail: %w", err)
	}
	go t.sequence()
	return t, nil
}

// begin signs the checkpoint of the empty tree.
func (t *Trail) begin(ctx context.Context) error {
	size, err := t.store.TrailSize(ctx)
	if err != nil {
		return err
	}
	if size != 0 {
		return fmt.Errorf("the register holds %d entries but no checkpoint: it was changed from outside; restore it from a backup", size)
	}
	root, err := tlog.TreeHash(0, edge{})
	if err != nil {
		return err
	}
	checkpoint, err := signCheckpoint(t.signer, tlog.Tree{Hash: root})
	if err != nil {
		return err
	}
	return t.store.AppendTrail(ctx, 0, nil, nil, nil, nil, checkpoint)
}

// load reads size and edge, and checks that the last checkpoint covers them.
func (t *Trail) load(ctx context.Context) error {
	const remedy = "the register was changed from outside; keep a copy of it for the auditors and restore it from a backup"
	size, err := t.store.TrailSize(ctx)
	if err != nil {
		return err
	}
	raw, err := t.store.TrailCheckpoint(ctx)
	if err != nil {
		return err
	}
	v, err := note.NewVerifier(t.vkey)
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(raw, v)
	if err != nil {
		return fmt.Errorf("the last checkpoint does not verify with %s: %w: put the right key back from the backup of the keys", keyFile, err)
	}
	if tree.N != size {
		return fmt.Errorf("the trail holds %d entries but its last checkpoint says %d: %s", size, tree.N, remedy)
	}
	e, err := loadEdge(ctx, t.store, size)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(size, e)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the trail's hashes do not match its last checkpoint (%d entries): %s", size, remedy)
	}
	t.size, t.edge = size, e
	return nil
}

// VerifierKey is what an auditor keeps outside the collector to check checkpoints with.
func (t *Trail) VerifierKey() string { return t.vkey }

// Checkpoint gives the last signed checkpoint.
func (t *Trail) Checkpoint(ctx context.Context) ([]byte, error) {
	b, err := t.store.TrailCheckpoint(ctx)
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
	p := &pending{header: header, body: body, result: make(chan result, 1)}
	select {
	case <-t.stop:
		return Proof{}, ErrClosed
	default:
	}
	select {
	case t.queue <- p:
	case <-ctx.Done():
		return Proof{}, fmt.Errorf("write to the audit trail: %w", ctx.Err())
	case <-t.done:
		return Proof{}, ErrClosed
	}
	var r result
	select {
	case r = <-p.result:
	case <-ctx.Done():
		return Proof{}, fmt.Errorf("write to the audit trail: %w", ctx.Err())
	case <-t.done:
		select {
		case r = <-p.result: // its commit was the last
		default:
			return Proof{}, ErrClosed
		}
	}
	if r.err != nil {
		return Proof{}, fmt.Errorf("write to the audit trail: %w", r.err)
	}
	return r.proof, nil
}

// Close commits what is queued and ends the sequencer. The store stays open.
func (t *Trail) Close() error {
	t.once.Do(func() { close(t.stop) })
	<-t.done
	return nil
}
