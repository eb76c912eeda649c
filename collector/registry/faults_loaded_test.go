package registry

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// loaded is a register in this process, under load until the test ends.
type loaded struct {
	*ledger
	*load
	store, keys string
	ended       chan error
	stop        func()
}

// underLoad opens a register and puts it under a load that goes on through
// whatever fails.
func underLoad(t *testing.T, store string, now func() time.Time) *loaded {
	t.Helper()
	b := &loaded{ledger: newLedger(), store: store, keys: filepath.Join(t.TempDir(), "keys"), ended: make(chan error, 1)}
	r, err := openToo(t, store)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() }) // where the test ends before stop
	tr, err := openTrail(t.Context(), r, b.keys)
	if err != nil {
		t.Fatal(err)
	}
	b.load = &load{r: r, trail: tr, now: now, patient: true, ledger: func(s noted) error { b.ledger.write(s); return nil }}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { b.ended <- b.run(ctx, nil) }()
	b.stop = func() {
		cancel()
		if err := errors.Join(<-b.ended, tr.Close(), r.Close()); err != nil {
			t.Error(err)
		}
		b.stop = func() {}
	}
	t.Cleanup(func() { b.stop() })
	return b
}

// goesOn waits until so many more acts have been acknowledged.
func (b *loaded) goesOn(t *testing.T, acts int) {
	t.Helper()
	b.waits(t, func() bool { return false }, acts)
}

// waits waits until so many more acts have been acknowledged, or until enough is
// so.
func (b *loaded) waits(t *testing.T, enough func() bool, acts int) {
	t.Helper()
	from, _ := b.progress()
	late := time.After(2 * time.Minute)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		done, moved := b.progress()
		if done >= from+acts || enough() {
			return
		}
		select {
		case <-moved:
		case <-look.C:
		case err := <-b.ended:
			b.ended <- err
			t.Fatal("the load has ended: ", err)
		case <-late:
			failed, last := b.failures()
			t.Fatalf("only %d of %d acts in two minutes; %d failed: %v", done-from, acts, failed, last)
		}
	}
}

// fails waits until so many more acts have failed.
func (b *loaded) fails(t *testing.T, acts int) {
	t.Helper()
	from, _ := b.failures()
	b.waits(t, func() bool { now, _ := b.failures(); return now >= from+acts }, 1<<30)
}

// audits compares the register with the ledger, while nothing is under way. It
// looks through an opening of its own, as another program would.
func (b *loaded) audits(t *testing.T, all bool) {
	t.Helper()
	b.gate.Lock()
	defer b.gate.Unlock()
	r := openStore(t, b.store)
	found, err := b.audit(t.Context(), r, b.keys, all)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		t.Fatalf("%q", found)
	}
}

// temporary checks what the load's acts failed with: none was refused, for what a
// sender is refused it does not send again.
func (b *loaded) temporary(t *testing.T) {
	t.Helper()
	_, newest := b.failures()
	for _, err := range newest {
		if _, refused := errors.AsType[protocol.FieldErrors](err); refused || slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) }) {
			t.Fatalf("refused for what is no fault of the sender's: %v", err)
		}
	}
}

var refusals = []error{ingest.ErrUnknownCode, ingest.ErrExpiredCode, ingest.ErrUsedCode, ingest.ErrRevoked, ingest.ErrUnknownAgent,
	ingest.ErrNotGranted, ingest.ErrStale, ingest.ErrBehind, ingest.ErrConflict}

// explained checks that what the load's acts failed with says what to do.
func (b *loaded) explained(t *testing.T, do string) {
	t.Helper()
	_, newest := b.failures()
	if !slices.ContainsFunc(newest, func(err error) bool { return strings.Contains(err.Error(), do) }) {
		t.Errorf("the operator is not told to %q: %v", do, newest)
	}
}

// openToo opens a register that may not open, or that the test closes.
func openToo(t *testing.T, store string) (*Registry, error) {
	o := optionsOf(t, store)
	o.Log = discarded()
	r, _, err := Open(t.Context(), o)
	return r, err
}
