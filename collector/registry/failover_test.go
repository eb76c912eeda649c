//go:build long

package registry

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"anagrafe/collector/registry/pgtest"
)

// TestLongFailover kills the primary under the load of two collectors, and promotes
// its synchronous standby: writing goes on by itself, and the standby has all that
// was acknowledged, by the senders' own list.
func TestLongFailover(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	primary, err := pgtest.Start(ctx, "fsync=on", "full_page_writes=on")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(primary.Stop)
	standby, err := primary.Standby(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Stop)
	store := pgtest.Cluster("postgres", primary, standby)
	open := func() *Registry {
		o := optionsOf(t, store)
		o.Keys = keysOf(primary.URL("postgres"))
		return openWith(t, o)
	}
	a, b := open(), open()

	var told atomic.Int64 // of the second collector's followers
	following, unfollow := context.WithCancel(ctx)
	followed := make(chan error, 1)
	go func() { followed <- b.Follow(following, func(string) { told.Add(1) }) }()

	l := &traffic{acknowledged: map[string]int{}}
	var sending sync.WaitGroup
	stop := make(chan struct{})
	var senders []*sender
	for i := range 16 {
		senders = append(senders, enrol(t, []*Registry{a, b}[i%2], noon))
	}
	for i, s := range senders {
		sending.Go(func() { l.send(ctx, s, i+1, stop) })
	}
	eventually(t, "some messages", func() bool { return l.count() > 200 })
	primary.Kill()
	killed := time.Now()
	before := l.count()
	if err := standby.Promote(ctx); err != nil {
		t.Fatal(err)
	}
	promoted := time.Now()
	eventually(t, "writing to go on", func() bool { return l.count() > before+1 })
	t.Logf("promoted %v after the kill; the first acknowledgement %v after the last before it, %v after the promotion",
		promoted.Sub(killed), l.gap(), l.resumed().Sub(promoted))
	sinceGap := told.Load()
	eventually(t, "more messages", func() bool { return l.count() > before+200 })
	eventually(t, "notifications from the new primary", func() bool { return told.Load() > sinceGap })
	close(stop)
	sending.Wait()
	unfollow()
	if err := <-followed; err != nil {
		t.Error(err)
	}

	lost, n := 0, 0
	for id, revision := range l.acknowledged {
		var got int
		if err := a.read.QueryRowContext(ctx, "SELECT count(*) FROM messages WHERE id = ? AND revision = ?", id, revision).Scan(&got); err != nil {
			t.Fatal(err)
		}
		n, lost = n+1, lost+1-got
	}
	t.Logf("%d messages acknowledged, %d of them lost; %d attempts failed meanwhile", n, lost, l.failed)
	if lost > 0 || n < before+200 {
		t.Errorf("of %d acknowledged messages %d are lost", n, lost)
	}
}

// traffic is what several senders had acknowledged, by their own count.
type traffic struct {
	mu           sync.Mutex
	acknowledged map[string]int // revision, by message
	failed       int
	last         time.Time
	longest      time.Duration // between two acknowledgements
	after        time.Time     // the end of that
}

// send delivers until stop; what fails is delivered again, as an agent does.
func (l *traffic) send(ctx context.Context, s *sender, camera_ int, stop chan struct{}) {
	for n := 0; ; n++ {
		m := s.next(noon.Add(time.Duration(n)*time.Second), declaration(camera(camera_, fmt.Sprint(n))))
		for {
			select {
			case <-stop:
				return
			case <-ctx.Done():
				return
			default:
			}
			if _, err := s.deliver(m, noon.Add(time.Hour)); err == nil {
				break
			}
			l.mu.Lock()
			l.failed++
			l.mu.Unlock()
			select {
			case <-ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
		l.note(m.ID, int(m.Revision))
	}
}

func (l *traffic) note(id string, revision int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if gap := now.Sub(l.last); !l.last.IsZero() && gap > l.longest {
		l.longest, l.after = gap, now
	}
	l.last = now
	l.acknowledged[id] = revision
}

func (l *traffic) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}

func (l *traffic) gap() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.longest
}

func (l *traffic) resumed() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.after
}
