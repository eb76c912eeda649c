package installer

import (
	"context"
	"errors"
	"sync"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// disk is how the collector's does. That a real one loses nothing is for the tests
// of the register, and for chaos: here it is about those who wait for an answer.
type disk struct {
	mu   sync.Mutex
	full bool
	slow time.Duration // what one message takes
}

func (d *disk) now() (full bool, slow time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.full, d.slow
}

func (d *disk) set(change func(*disk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

var errFull = errors.New("no room is left on the disk")

// onDisk is a register on such a disk.
type onDisk struct {
	ingest.Register
	disk *disk
}

// Record implements ingest.Register.
func (o onDisk) Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error) {
	full, slow := o.disk.now()
	if full {
		return protocol.Receipt{}, errFull
	}
	if slow > 0 {
		time.Sleep(slow) // whoever asked may be gone by then; it is recorded all the same
		ctx = context.WithoutCancel(ctx)
	}
	return o.Register.Record(ctx, agentID, m, raw, at)
}

// trouble has the disk do badly for a while.
func (w *world) trouble(lasts time.Duration, how func(*disk)) error {
	w.disk.set(how)
	w.pass(lasts)
	w.disk.set(func(d *disk) { d.full, d.slow = false, 0 })
	return nil
}

// leap has the agent's clock a second behind, as after one that was inserted and
// that the machine does not know of yet.
func (w *world) leap(lasts time.Duration) error {
	was := w.skew
	err := w.setClock(was - time.Second)
	w.pass(lasts)
	return errors.Join(err, w.setClock(was))
}
