package uplink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A collector that was restored from a backup gets again, in order, what it
// has forgotten: when the line is new, though nothing waits, and when the next
// message comes first.
func TestRestoredCollector(t *testing.T) {
	for name, find := range map[string]struct {
		out  func(c *collector, o *outbox)
		want []string
	}{
		"a new line":    {func(c *collector, _ *outbox) { c.notify <- nil }, []string{"b1", "c1"}},
		"a new message": {func(_ *collector, o *outbox) { o.add("d1") }, []string{"b1", "c1", "d1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			c.serve(both, nil, nil)
			o := newOutbox("a1", "b1", "c1")
			o.keeps = true
			r := run(t, c.authority.identity(t, c.addr, time.Now()), o, nil)
			<-c.listens
			for range 3 {
				<-o.ended
			}
			c.set(func() {
				delete(c.h.records, "b")
				delete(c.h.records, "c")
				c.h.got = nil
			})
			find.out(c, o)
			for range find.want {
				<-o.ended
			}
			r.stop()
			if got := c.heard().got; !slices.Equal(got, find.want) {
				t.Errorf("got %q, want %q", got, find.want)
			}
		})
	}
}

// A renewal leaves no certificate behind without its key.
func TestNoCertificateWithoutItsKey(t *testing.T) {
	id := newAuthority(t).identity(t, "https://collettore.example:8443", time.Now())
	if err := id.save(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{keyFile, identityFile} {
		if err := os.Remove(filepath.Join(id.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := id.save(); err == nil {
		t.Error("saved without a key")
	}
	if _, err := ownKey(id.dir); err != nil {
		t.Fatal(err)
	}
	if err := id.save(); err == nil {
		t.Error("saved beside another key")
	}
	if _, err := os.Stat(filepath.Join(id.dir, identityFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a certificate was left: %v", err)
	}
}

// A collector that forgets the same message again and again is told it ever
// more seldom; one that has forgotten many gets them one after the other.
func TestRecallsOfOneMessageBackOff(t *testing.T) {
	o := newOutbox("a1", "b1")
	u := New(Options{Outbox: o, Jitter: func(window time.Duration) time.Duration { return window }})
	var b attempts
	b.recalls = backoff{first: u.pace.deliver, most: u.pace.deliverMost, jitter: u.o.Jitter}
	var got []time.Duration
	for _, id := range []string{"a", "b", "b", "b", "a"} {
		got = append(got, u.recall(t.Context(), id, &b).Round(time.Second))
	}
	if want := []time.Duration{time.Second, time.Second, 2 * time.Second, 4 * time.Second, time.Second}; !slices.Equal(got, want) {
		t.Errorf("waits %v, want %v", got, want)
	}
}
