package trail

import (
	"context"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// sequence is the one goroutine that gives entries their place. While one
// commit waits for the disk the next entries gather, and go together.
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
		t.stale = true
		t.log.ErrorContext(ctx, "audit trail not written, answers are refused", "entries", len(batch), "err", err)
	} else {
		t.log.DebugContext(ctx, "audit trail written", "entries", len(batch), "size", t.size, "took", time.Since(start))
	}
	for i, p := range batch {
		p.result <- result{Proof{Index: first + int64(i), Checkpoint: checkpoint}, err}
	}
}

// write stores a batch with its hashes and the checkpoint over them.
func (t *Trail) write(ctx context.Context, batch []*pending) (first int64, checkpoint []byte, err error) {
	if t.stale {
		if err := t.load(ctx); err != nil {
			return 0, nil, err
		}
		t.stale = false
	}
	first = t.size
	e := t.edge // spoilt if this fails: then the next batch reads it again
	var headers, bodies, hashes [][]byte
	var indexes []int64
	for i, p := range batch {
		n := first + int64(i)
		p.header.Index = n
		raw, err := p.header.encode()
		if err != nil {
			return 0, nil, err
		}
		added, err := e.add(n, leaf(raw, p.header.BodySHA256))
		if err != nil {
			return 0, nil, err
		}
		headers, bodies = append(headers, raw), append(bodies, p.body)
		for j, h := range added {
			indexes = append(indexes, tlog.StoredHashIndex(0, n)+int64(j))
			hashes = append(hashes, h[:])
		}
	}
	size := first + int64(len(batch))
	root, err := tlog.TreeHash(size, e)
	if err != nil {
		return 0, nil, err
	}
	if checkpoint, err = signCheckpoint(t.signer, tlog.Tree{N: size, Hash: root}); err != nil {
		return 0, nil, err
	}
	if err := t.store.AppendTrail(ctx, first, headers, bodies, indexes, hashes, checkpoint); err != nil {
		return 0, nil, err
	}
	t.size, t.edge = size, e
	return first, checkpoint, nil
}
