package trail

import (
	"bytes"
	"context"
	"maps"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// enqueue has an entry committed; not once the trail is closed.
func (t *Trail) enqueue(p *pending) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.waiting = append(t.waiting, p)
	if !t.committing {
		t.committing = true
		t.running.Go(t.commitWaiting)
	}
	return true
}

// commitWaiting gives entries their place, until none waits; where several collectors
// have the trail open, they take turns at the store. While one commit waits for the
// disk the next entries gather, and go together.
func (t *Trail) commitWaiting() {
	for {
		t.mu.Lock()
		n := min(len(t.waiting), maxBatch)
		batch := t.waiting[:n:n]
		t.waiting, t.committing = t.waiting[n:], n > 0
		t.mu.Unlock()
		if n == 0 {
			return
		}
		t.commit(batch)
	}
}

// commit writes a batch with its hashes and the checkpoint over them, and tells each of
// its entries how it went.
func (t *Trail) commit(batch []*pending) {
	// Not the context of any one request: the others of the batch wait for it too.
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	start := time.Now()
	var grown tree
	err := t.store.Append(ctx, func(ctx context.Context, now State) (b Batch, err error) {
		b, grown, err = t.grow(ctx, now, batch)
		return b, err
	})
	if err != nil {
		t.log.ErrorContext(ctx, "audit trail not written, answers are refused", "entries", len(batch), "err", err)
	} else {
		t.tree = grown
		t.log.DebugContext(ctx, "audit trail written", "entries", len(batch), "first", batch[0].header.Index, "took", time.Since(start))
	}
	for _, p := range batch {
		if p.err = err; err == nil {
			p.proof = Proof{Index: p.header.Index, Checkpoint: grown.checkpoint}
		}
		close(p.done)
	}
}

// grow gives each entry of a batch its place behind the trail as it is.
func (t *Trail) grow(ctx context.Context, now State, batch []*pending) (Batch, tree, error) {
	known := tree{t.tree.checkpoint, maps.Clone(t.tree.edge)} // the commit may fail
	if !bytes.Equal(now.Checkpoint, known.checkpoint) {
		var err error
		if known, err = t.load(ctx, now); err != nil {
			return Batch{}, tree{}, err
		}
	}
	var b Batch
	for i, p := range batch {
		n := now.Size + int64(i)
		p.header.Index = n
		raw, err := p.header.encode()
		if err != nil {
			return Batch{}, tree{}, err
		}
		added, err := known.edge.add(n, leaf(raw, p.header.BodySHA256))
		if err != nil {
			return Batch{}, tree{}, err
		}
		b.Headers, b.Bodies = append(b.Headers, raw), append(b.Bodies, p.body)
		for j, h := range added {
			b.HashIndexes = append(b.HashIndexes, tlog.StoredHashIndex(0, n)+int64(j))
			b.Hashes = append(b.Hashes, h[:])
		}
	}
	var err error
	known.checkpoint, err = t.sign(now.Size+int64(len(batch)), known.edge)
	b.Checkpoint = known.checkpoint
	return b, known, err
}
