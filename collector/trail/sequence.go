package trail

import (
	"bytes"
	"context"
	"maps"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// sequence is the one goroutine that gives entries their place; where several
// collectors have the trail open, their sequencers take turns at the store. While
// one commit waits for the disk the next entries gather, and go together.
func (t *Trail) sequence() {
	defer close(t.done)
	for {
		select {
		case p := <-t.queue:
			t.commit(t.gather(p))
		case <-t.stop:
			for {
				select {
				case p := <-t.queue:
					t.commit(t.gather(p))
				default:
					return
				}
			}
		}
	}
}

// gather takes what is already queued, up to one batch.
func (t *Trail) gather(first *pending) []*pending {
	batch := []*pending{first}
	for len(batch) < maxBatch {
		select {
		case p := <-t.queue:
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch and tells each of its entries how it went.
func (t *Trail) commit(batch []*pending) {
	// Not the context of any one request: the others of the batch wait for it too.
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	start := time.Now()
	first, checkpoint, err := t.write(ctx, batch)
	if err != nil {
		t.log.ErrorContext(ctx, "audit trail not written, answers are refused", "entries", len(batch), "err", err)
	} else {
		t.log.DebugContext(ctx, "audit trail written", "entries", len(batch), "first", first, "took", time.Since(start))
	}
	for i, p := range batch {
		p.result <- result{Proof{Index: first + int64(i), Checkpoint: checkpoint}, err}
	}
}

// write stores a batch with its hashes and the checkpoint over them.
func (t *Trail) write(ctx context.Context, batch []*pending) (first int64, checkpoint []byte, err error) {
	var grown tree
	err = t.store.Append(ctx, func(ctx context.Context, now State) (b Batch, err error) {
		first = now.Size
		b, grown, err = t.grow(ctx, now, batch)
		return b, err
	})
	if err != nil {
		return 0, nil, err
	}
	t.tree = grown
	return first, grown.checkpoint, nil
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
